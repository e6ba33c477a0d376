// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random walk: at each moment of choice any runnable task, all equally likely;
 * moments lie a random distance apart.
 *
 * A run of the core has thousands of accesses, and choosing anew before each
 * drowns the few choices that matter; hence the mean distance. Accesses to
 * what another task has touched count WEIGHT + 1 times, so preemptions gather
 * where they can have an effect; with a weight of 0 nobody needs to know what
 * others touch, which is quicker. Without an argument the distance is an eighth
 * of what runs have had so far.
 *
 * The clock is one choice in CLOCK_ONE_IN, so that time mostly stands still
 * while there is work; but a task that polls may be waiting for just that.
 */
#include "sim/sched/policy/policy_priv.h"

#include <stdio.h>

#define WEIGHT_DEFAULT 3
#define WEIGHT_MAX 1000
#define CLOCK_ONE_IN 16
#define DISTANCE_MAX (1u << 24)
#define DISTANCE_FIRST 8
#define RUN_PARTS 8

struct rw {
	u32 distance; /* 0: from the carry */
	u32 weight;
};

static bool parse(struct sched *s, const char *arg)
{
	struct rw *rw = s->policy_state;
	u64 v;

	rw->weight = WEIGHT_DEFAULT;
	if (!*arg)
		return true;
	if (!policy_number(&arg, &v) || v < 1 || v > DISTANCE_MAX)
		return false;
	rw->distance = (u32)v;
	if (!*arg)
		return true;
	if (*arg++ != ',' || !policy_number(&arg, &v) || *arg || v > WEIGHT_MAX)
		return false;
	rw->weight = (u32)v;
	s->weighs = v > 0;
	return true;
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	struct rw *rw = s->policy_state;

	if (rw->distance)
		return;
	rw->distance = DISTANCE_FIRST;
	if (carry->runs)
		rw->distance = (u32)min(max(carry->steps_mean / RUN_PARTS, (u64)1),
					(u64)DISTANCE_MAX);
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	const struct rw *rw = s->policy_state;
	struct choice *c = s->world->choice;
	u64 set = s->runnable;
	u32 n;

	if (policy_alone(s))
		return policy_let(&s->task[bit_lowest(set)], max(rw->distance, (u32)POLICY_ALONE),
				  0);
	if (why == WHY_YIELD) {
		if (set & ~(1ULL << cur->id))
			set &= ~(1ULL << cur->id);
	} else if (set & POLICY_CLOCK_BIT && set != POLICY_CLOCK_BIT) {
		if (choice_below(c, CHOICE_SCHED, CLOCK_ONE_IN))
			set &= ~POLICY_CLOCK_BIT;
		else
			set = POLICY_CLOCK_BIT;
	}
	n = choice_below(c, CHOICE_SCHED, (u32)__builtin_popcountll(set));
	return policy_let(&s->task[bit_nth(set, n)],
			  choice_distance(c, CHOICE_SCHED, rw->distance),
			  rw->distance > rw->weight ? rw->weight : 0);
}

/* One more to choose from: a stop for one that is alone lies too far. */
static void joined(struct sched *s, struct task *t)
{
	const struct rw *rw = s->policy_state;

	(void)t;
	if (rw->distance < POLICY_ALONE && policy_was_alone(s))
		policy_ask_soon(s);
}

static void resolve(const struct sched *s, char *buf, size_t size)
{
	const struct rw *rw = s->policy_state;

	if (rw->weight == WEIGHT_DEFAULT)
		snprintf(buf, size, "%u", rw->distance);
	else
		snprintf(buf, size, "%u,%u", rw->distance, rw->weight);
}

const struct policy policy_rw = {
	.name = "rw",
	.help = "random walk; ARG: mean operations between choices (1: each), default adaptive; ,WEIGHT: "
		"how many more one counts on memory that others have touched, default 3",
	.sequential = true, /* without ARG */
	.state_size = sizeof(struct rw),
	.parse = parse,
	.begin = begin,
	.weighs = true,
	.pick = pick,
	.spawned = joined,
	.woken = joined,
	.resolve = resolve,
};
