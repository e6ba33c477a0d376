// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default: each run another strategy, drawn by the seed, since no single
 * one is best for all bugs: rows that cover each other's gaps are worth more
 * than the best row for one kind.
 *
 * Distances and lengths are drawn as well, from the shortest to the longest
 * run that is common, and not learned: a run depends on nothing but its seed,
 * however many workers share a campaign. What was drawn, with all numbers, is
 * the resolved argument: mix:rw:64 is just that, so a replay needs no draw. The
 * draw is made from the seed itself and takes nothing from the stream.
 */
#include "sim/sched/policy/policy_priv.h"

#include <stdio.h>
#include <string.h>

#define LENGTHS 8 /* pct's k: 32 << 0 .. 32 << 7 */

struct row {
	u32 weight;
	const char *name, *arg;
	bool length; /* a drawn run length is added */
};

static const struct row rows[] = {
	{2, "rw", "1", false},   {3, "rw", "4", false},   {3, "rw", "12", false},
	{4, "rw", "40", false},  {3, "rw", "120", false}, {3, "rw", "400", false},
	{3, "pos", "1", false},  {4, "pos", "4", false},  {4, "pos", "16", false},
	{4, "pct", "2", true},   {5, "pct", "3", true},   {3, "pct", "5", true},
	{2, "pct", "10", true},
};

extern const struct policy policy_mix;

static bool parse(struct sched *s, const char *arg)
{
	if (!*arg)
		return true;
	return strncmp(arg, "mix", 3) && strncmp(arg, "compare", 7) && policy_hand_over(s, arg);
}

static void draw(u64 seed, char *text, size_t size)
{
	u32 total = 0, n;
	const struct row *row = rows;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		total += rows[i].weight;
	seed = hash_mix(hash_mix(seed, total), seed);
	for (n = (u32)(seed >> 32) % total; n >= row->weight; row++)
		n -= row->weight;
	if (row->length)
		snprintf(text, size, "%s:%s,%u", row->name, row->arg,
			 32u << (seed >> 8 & (LENGTHS - 1)));
	else
		snprintf(text, size, "%s:%s", row->name, row->arg);
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	char text[64];

	if (s->policy == &policy_mix) {
		draw(s->world->choice->seed, text, sizeof(text));
		policy_hand_over(s, text);
	}
	s->policy->begin(s, carry);
}

/* The run is handed over before the first choice; this is for a state that was not begun. */
static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	return policy_let(policy_default_pick(s, cur, why), POLICY_NEVER, 0);
}

static void end(struct sched *s, struct policy_carry *carry)
{
	if (s->policy->end && s->policy != &policy_mix)
		s->policy->end(s, carry);
}

static void note(const struct sched *s, const struct policy_carry *carry, char *buf, size_t size)
{
	buf[0] = '\0';
	if (s->policy->note && s->policy != &policy_mix)
		s->policy->note(s, carry, buf, size);
}

const struct policy policy_mix = {
	.name = "mix",
	.help = "each run another strategy, drawn by the seed; ARG: just this one, as rw:64",
	.state_size = sizeof(u64),
	.parse = parse,
	.begin = begin,
	.pick = pick,
	.resolve = policy_resolve_other,
	.end = end,
	.note = note,
};
