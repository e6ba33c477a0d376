// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random walk: after a random number of operations (mean ARG) another task,
 * each with equal chance. At mean 1 every operation is a choice among all, the
 * classical random walk. Otherwise accesses to what other tasks have touched
 * too count several times, since only there a switch can matter.
 */
#include "sim/choice/choice.h"
#include "sim/sched/policy_priv.h"

#include <stdio.h>

#define MEAN_DEFAULT 20
#define SHARED_WEIGHT_DIVISOR 4

struct rw_state {
	u32 mean;
};

static bool rw_parse(struct sched *s, const char *arg)
{
	struct rw_state *st = s->policy_state;

	st->mean = MEAN_DEFAULT;
	return !*arg || (policy_number(&arg, &st->mean) && !*arg && st->mean > 0);
}

static void rw_begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	(void)carry;
}

static struct task *rw_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	const struct rw_state *st = s->policy_state;
	struct choice *c = s->world->choice;
	u64 set = policy_candidates(s);
	struct task *t;

	if (cur && (why == WHY_YIELD || (why == WHY_PREEMPT && st->mean > 1)) &&
	    set & ~(1ULL << cur->id))
		set &= ~(1ULL << cur->id);
	t = &s->task[bit_nth(set, choice_below(c, CHOICE_SCHED, (u32)__builtin_popcountll(set)))];
	t->weight_shared = st->mean / SHARED_WEIGHT_DIVISOR;
	t->stop_at = t->ops + choice_distance(c, CHOICE_SCHED, st->mean);
	return t;
}

static void rw_resolve(const struct sched *s, char *buf, size_t size)
{
	const struct rw_state *st = s->policy_state;

	snprintf(buf, size, "%u", st->mean);
}

const struct policy policy_rw = {
	.name = "rw",
	.help = "random walk; ARG: mean operations between preemptions (default 20)",
	.state_size = sizeof(struct rw_state),
	.parse = rw_parse,
	.begin = rw_begin,
	.pick = rw_pick,
	.resolve = rw_resolve,
};
