// SPDX-License-Identifier: GPL-2.0-only
/*
 * No preemption: each task runs until it blocks, yields or ends. The one
 * schedule that a sequential test would see.
 */
#include "sim/sched/policy/policy_priv.h"

static bool parse(struct sched *s, const char *arg)
{
	(void)s;
	return !*arg;
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	carry->exhausted = true; /* there is just one schedule */
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	return policy_let(policy_default_pick(s, cur, why), POLICY_NEVER, 0);
}

static void resolve(const struct sched *s, char *buf, size_t size)
{
	(void)s;
	if (size)
		buf[0] = '\0';
}

const struct policy policy_default = {
	.name = "default",
	.help = "no preemption: each task runs until it blocks; no argument",
	.state_size = sizeof(u64),
	.parse = parse,
	.begin = begin,
	.pick = pick,
	.chance = policy_no_chance,
	.resolve = resolve,
};
