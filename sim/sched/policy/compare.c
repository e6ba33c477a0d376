// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay and compare: the same runs as under the policy in ARG. The explorer
 * gives each of them twice and compares the two hashes, step by step where
 * they differ: what a run does may depend on nothing but its recipe.
 *
 * parse() hands the run over, so s->policy is the policy in ARG from then on.
 */
#include "sim/sched/policy/policy_priv.h"

#include <string.h>

static bool parse(struct sched *s, const char *arg)
{
	return strncmp(arg, "compare", 7) && policy_hand_over(s, *arg ? arg : "mix");
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	s->policy->begin(s, carry);
}

/* Never asked. */
static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	return policy_let(policy_default_pick(s, cur, why), POLICY_NEVER, 0);
}

static void end(struct sched *s, struct policy_carry *carry)
{
	if (s->policy->end)
		s->policy->end(s, carry);
}

static void note(const struct sched *s, const struct policy_carry *carry, char *buf, size_t size)
{
	buf[0] = '\0';
	if (s->policy->note)
		s->policy->note(s, carry, buf, size);
}

const struct policy policy_compare = {
	.name = "compare",
	.help = "runs the policy in ARG (default mix) twice each time and compares",
	.twice = true,
	.sequential = true, /* the one in ARG may be */
	.state_size = sizeof(u64),
	.parse = parse,
	.begin = begin,
	.pick = pick,
	.resolve = policy_resolve_other,
	.end = end,
	.note = note,
};
