// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delay-bounded exhaustive search. The base order has no preemption and is
 * round robin; a delay at a moment of choice skips the task that is next in
 * it. All placements of 0, then 1, ... then at most b delays are run, each
 * once per level, in lexicographic order; then the search is exhausted: no
 * schedule within the bound has a finding.
 *
 * Moments of choice are shared accesses, services, blocks, yields and ends,
 * counted from 0. A placement is an ascending list of moments; a moment named
 * c times skips c tasks, c less than the number that could run.
 *
 * The carry keeps the current placement and, for each prefix of it, how many
 * could run at each moment of the run with just that prefix: that run has been
 * made on an earlier level, so the next placement is known without search. A
 * level makes the placements with fewer delays again, because only they tell
 * how many moments there are behind; there are few of them.
 *
 * Moments beyond MOMENTS_MAX take no delay; a search that met them ends
 * without being exhausted and goes on with the base order.
 */
#include "sim/sched/policy/policy_priv.h"

#include <stdio.h>
#include <string.h>

#define BOUND_MAX 6
#define BOUND_DEFAULT 2
#define MOMENTS_MAX 9000

/* How the search stands; lives in carry->bytes. */
struct search {
	bool begun, ended, cut;
	u32 level, bound;
	u32 n;                       /* delays of the placement to run */
	u32 at[BOUND_MAX];
	u64 runs, level_runs;
	u32 n_moments[BOUND_MAX + 1]; /* of the run with the first i delays */
	u8 choices[BOUND_MAX + 1][MOMENTS_MAX];
};
_Static_assert(sizeof(struct search) <= POLICY_CARRY_MAX, "the search fits");

struct delay {
	u32 bound;
	bool fixed;          /* the placement came with the argument */
	u32 n, at[BOUND_MAX];
	u32 next;            /* first delay that has not been used */
	u32 moment;
	struct search *search;
};
_Static_assert(sizeof(struct delay) <= POLICY_STATE_MAX, "the state fits");

static bool parse(struct sched *s, const char *arg)
{
	struct delay *d = s->policy_state;
	u64 v = BOUND_DEFAULT;

	if (*arg && (!policy_number(&arg, &v) || v > BOUND_MAX))
		return false;
	d->bound = (u32)v;
	if (!*arg)
		return true;
	if (*arg++ != '@')
		return false;
	d->fixed = true;
	while (*arg) {
		if (d->n == d->bound || !policy_number(&arg, &v) || v >= MOMENTS_MAX)
			return false;
		if (d->n && v < d->at[d->n - 1])
			return false;
		d->at[d->n++] = (u32)v;
		if (*arg && (*arg++ != ',' || !*arg))
			return false;
	}
	return true;
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	struct delay *d = s->policy_state;
	struct search *search = (struct search *)(void *)carry->bytes;

	if (d->fixed) {
		carry->exhausted = true; /* there is just one schedule */
		return;
	}
	if (!search->begun || search->bound != d->bound) {
		memset(search, 0, sizeof(*search));
		search->begun = true;
		search->bound = d->bound;
		carry->exhausted = false;
	}
	d->search = search;
	d->n = search->n;
	memcpy(d->at, search->at, sizeof(d->at));
	search->n_moments[d->n] = 0;
}

/* Notes how many can run now; the run itself is a prefix of placements to come. */
static void record(struct delay *d, u32 n_choices)
{
	struct search *search = d->search;

	if (!search || search->ended)
		return;
	if (d->moment >= MOMENTS_MAX) {
		search->cut = true;
		return;
	}
	search->choices[d->n][d->moment] = (u8)n_choices;
	search->n_moments[d->n] = d->moment + 1;
}

/* The first in the round robin: the present task while it can, else the one behind it. */
static struct task *first_choice(struct sched *s, struct task *cur, enum sched_why why, u64 set)
{
	u32 id = cur ? cur->id : 0;
	u64 above;

	if (why == WHY_PREEMPT && set >> id & 1)
		return cur;
	above = id < 63 ? set & (~0ULL << (id + 1)) : 0;
	return &s->task[bit_lowest(above ? above : set)];
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct delay *d = s->policy_state;
	u64 set = s->runnable;
	struct task *t;

	/* Time passes when nobody can run, or as one that polls goes behind all. */
	if (why != WHY_YIELD && set != POLICY_CLOCK_BIT)
		set &= ~POLICY_CLOCK_BIT;
	record(d, (u32)__builtin_popcountll(set));
	t = first_choice(s, cur, why, set);
	while (d->next < d->n && d->at[d->next] == d->moment) {
		d->next++;
		t = first_choice(s, t, WHY_BLOCK, set);
	}
	d->moment++;
	return policy_let(t, POLICY_NEVER, POLICY_EVERY_SHARED);
}

/* The first operation behind a spawn is a moment too. */
static void spawned(struct sched *s, struct task *t)
{
	(void)t;
	policy_ask_soon(s);
}

static void resolve(const struct sched *s, char *buf, size_t size)
{
	const struct delay *d = s->policy_state;
	int at = snprintf(buf, size, "%u@", d->bound);

	for (u32 i = 0; i < d->n; i++)
		at += snprintf(buf + at, size - (size_t)at, "%s%u", i ? "," : "", d->at[i]);
}

/* Whether the prefix of n delays may be followed by one at this moment. */
static bool may_delay(const struct search *search, u32 n, u32 moment)
{
	u32 same = 1;

	if (moment >= search->n_moments[n])
		return false;
	for (u32 i = 0; i < n; i++)
		same += search->at[i] == moment;
	return same < search->choices[n][moment];
}

/* Puts delay n at the first moment from `from` on that allows it. */
static bool place(struct search *search, u32 n, u32 from)
{
	for (u32 m = from; m < search->n_moments[n]; m++) {
		if (!may_delay(search, n, m))
			continue;
		search->at[n] = m;
		search->n = n + 1;
		return true;
	}
	return false;
}

static bool next_placement(struct search *search)
{
	u32 n = search->n;

	if (n < search->level && place(search, n, n ? search->at[n - 1] : 0))
		return true;
	while (n--) {
		if (place(search, n, search->at[n] + 1))
			return true;
	}
	return false;
}

static void end(struct sched *s, struct policy_carry *carry)
{
	struct delay *d = s->policy_state;
	struct search *search = d->search;

	if (!search || search->ended)
		return;
	search->runs++;
	search->level_runs++;
	if (next_placement(search))
		return;
	search->n = 0;
	if (search->level < search->bound) {
		search->level++;
		search->level_runs = 0;
		return;
	}
	search->ended = true;
	carry->exhausted = !search->cut;
}

static void note(const struct sched *s, const struct policy_carry *carry, char *buf, size_t size)
{
	const struct delay *d = s->policy_state;
	const struct search *search = (const struct search *)(const void *)carry->bytes;

	buf[0] = '\0';
	if (d->fixed || !search->begun)
		return;
	if (carry->exhausted)
		snprintf(buf, size, "bound %u exhausted, %lu schedules", search->bound,
			 (unsigned long)search->level_runs);
	else if (search->ended)
		snprintf(buf, size, "bound %u: runs are too long to exhaust it", search->bound);
	else
		snprintf(buf, size, "bound %u not exhausted: at %u delays after %lu schedules",
			 search->bound, search->level, (unsigned long)search->runs);
}

const struct policy policy_delay = {
	.name = "delay",
	.help = "exhaustive; ARG: at most this many delays of a round robin (default 2)",
	.sequential = true,
	.state_size = sizeof(struct delay),
	.parse = parse,
	.begin = begin,
	.weighs = true,
	.pick = pick,
	.chance = policy_no_chance,
	.spawned = spawned,
	.resolve = resolve,
	.end = end,
	.note = note,
};
