// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delay-bounded exhaustive search: the base order is round robin without
 * preemption; a delay at a stop (a shared access or kernel service) passes the
 * turn to the next task. All placements of at most B delays are tried, one a
 * run, in depth-first order; then `exhausted` is set: within the bound there is
 * nothing left.
 *
 * ARG is B, or B@P.P... for the run with delays at just these stops.
 */
#include "sim/base/assert.h"
#include "sim/sched/policy_priv.h"

#include <stdio.h>

#define BOUND_DEFAULT 2
#define BOUND_MAX 16

/* Between runs: where the search stands. */
struct search {
	bool begun;
	u32 n;                     /* delays in the run to come */
	u32 at[BOUND_MAX];
	u32 stops[BOUND_MAX + 1];  /* stops of the run with the first i delays */
};
_Static_assert(sizeof(struct search) <= POLICY_CARRY_MAX, "the search fits what is carried");

struct delay_state {
	u32 bound;
	bool fixed; /* ARG said where */
	u32 n, used;
	u32 at[BOUND_MAX];
	u32 stops;
};

static bool parse_positions(struct delay_state *st, const char *arg)
{
	do {
		arg++;
		if (st->n == BOUND_MAX || !policy_number(&arg, &st->at[st->n]))
			return false;
		if (st->n && st->at[st->n] <= st->at[st->n - 1])
			return false;
		st->n++;
	} while (*arg == '.');
	return !*arg;
}

static bool delay_parse(struct sched *s, const char *arg)
{
	struct delay_state *st = s->policy_state;

	st->bound = BOUND_DEFAULT;
	if (!*arg)
		return true;
	if (!policy_number(&arg, &st->bound) || st->bound > BOUND_MAX)
		return false;
	if (*arg != '@')
		return !*arg;
	st->fixed = true;
	return !arg[1] || parse_positions(st, arg);
}

static void delay_begin(struct sched *s, struct policy_carry *carry)
{
	struct delay_state *st = s->policy_state;
	const struct search *search = (const struct search *)carry->bytes;

	if (st->fixed)
		return;
	st->n = search->n;
	for (u32 i = 0; i < st->n; i++)
		st->at[i] = search->at[i];
}

static struct task *delay_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct delay_state *st = s->policy_state;
	struct task *t = cur;

	if (why == WHY_PREEMPT) {
		u32 stop = st->stops++;

		if (st->used < st->n && st->at[st->used] == stop) {
			st->used++;
			t = policy_ring_pick(s, cur);
		}
	} else {
		t = policy_ring_pick(s, cur);
	}
	t->weight_shared = POLICY_STOP_AT_SHARED;
	t->stop_at = t->ops + POLICY_FAR;
	return t;
}

/* The next placement in depth-first order; false: there is none. */
static bool advance(struct search *search, u32 bound)
{
	if (search->n < bound) {
		u32 from = search->n ? search->at[search->n - 1] + 1 : 0;

		if (from < search->stops[search->n]) {
			search->at[search->n++] = from;
			return true;
		}
	}
	while (search->n) {
		if (++search->at[search->n - 1] < search->stops[search->n - 1])
			return true;
		search->n--;
	}
	return false;
}

static void delay_end(struct sched *s, struct policy_carry *carry)
{
	const struct delay_state *st = s->policy_state;
	struct search *search = (struct search *)carry->bytes;

	if (st->fixed) {
		carry->exhausted = true;
		return;
	}
	search->stops[search->n] = st->stops;
	if (!advance(search, st->bound))
		carry->exhausted = true;
}

static void delay_resolve(const struct sched *s, char *buf, size_t size)
{
	const struct delay_state *st = s->policy_state;
	size_t at = (size_t)snprintf(buf, size, "%u@", st->bound);

	for (u32 i = 0; i < st->n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%u", i ? "." : "", st->at[i]);
}

const struct policy policy_delay = {
	.name = "delay",
	.help = "exhaustive, at most ARG delays (default 2) to the round-robin order",
	.state_size = sizeof(struct delay_state),
	.parse = delay_parse,
	.begin = delay_begin,
	.pick = delay_pick,
	.resolve = delay_resolve,
	.end = delay_end,
};
