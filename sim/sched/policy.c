// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default order, which recipes are deviations from, and the table lookup.
 *
 * The default order must be fair to those who poll: a task that yields goes
 * behind all others, round robin, and the clock takes its turn in the circle,
 * so that neither a lock holder nor a timer is starved by a polling loop.
 */
#include "sim/sched/policy.h"

#include "sim/base/bits.h"

#include <string.h>

#define CLOCK_BIT (1ULL << SCHED_CLOCK_TASK)

const struct policy *policy_find(const char *name, size_t len)
{
	for (const struct policy *const *p = policy_table; *p; p++) {
		if (strlen((*p)->name) == len && !memcmp((*p)->name, name, len))
			return *p;
	}
	return NULL;
}

size_t policy_split(const char *text, const char **arg, size_t *arg_len)
{
	size_t len = strcspn(text, ":("), all = strlen(text);
	bool quoted = text[len] == '(';

	/* Not closed: no policy is called so. */
	if (quoted && text[all - 1] != ')')
		len = all;
	*arg = text + min(len + 1, all);
	*arg_len = all - (size_t)(*arg - text) - (quoted && len < all);
	return len;
}

struct task *policy_default_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	u64 runnable = s->runnable, above;

	if (why == WHY_PREEMPT && runnable >> cur->id & 1)
		return cur;
	if (why == WHY_YIELD) {
		above = cur->id < 63 ? runnable & (~0ULL << (cur->id + 1)) : 0;
		return &s->task[bit_lowest(above ? above : runnable)];
	}
	if (runnable & ~CLOCK_BIT)
		runnable &= ~CLOCK_BIT;
	return &s->task[bit_lowest(runnable)];
}

bool policy_no_chance(struct sched *s, const struct switch_point *p)
{
	(void)s;
	(void)p;
	return false;
}

bool policy_number(const char **text, u64 *value)
{
	const char *p = *text;
	u64 v = 0;

	while (*p >= '0' && *p <= '9') {
		if (v > (1ULL << 48))
			return false;
		v = v * 10 + (u64)(*p++ - '0');
	}
	if (p == *text)
		return false;
	*text = p;
	*value = v;
	return true;
}

bool policy_hand_over(struct sched *s, const char *text)
{
	size_t len = strcspn(text, ":");
	const struct policy *to = policy_find(text, len);

	if (!to)
		return false;
	memset(s->policy_state, 0, to->state_size ? to->state_size : POLICY_STATE_MAX);
	sched_set_policy(s, to);
	return to->parse(s, text[len] ? text + len + 1 : "");
}

void policy_resolve_other(const struct sched *s, char *buf, size_t size)
{
	size_t len = strlen(s->policy->name);

	if (len + 2 > size)
		return;
	memcpy(buf, s->policy->name, len);
	s->policy->resolve(s, buf + len + 1, size - len - 1);
	buf[len] = buf[len + 1] ? ':' : '\0';
}
