// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default order: nobody is preempted; whoever blocks or ends is followed by
 * the task with the lowest id. What a recipe's switch list deviates from.
 */
#include "sim/sched/policy_priv.h"

static bool default_parse(struct sched *s, const char *arg)
{
	(void)s;
	return !*arg;
}

static void default_begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	carry->exhausted = true;
}

static struct task *default_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct task *t = policy_default_pick(s, cur, why);

	t->stop_at = ~0ULL;
	t->weight_shared = 0;
	return t;
}

const struct policy policy_default = {
	.name = "default",
	.help = "no preemption, lowest task first: one schedule",
	.state_size = 8,
	.parse = default_parse,
	.begin = default_begin,
	.pick = default_pick,
};
