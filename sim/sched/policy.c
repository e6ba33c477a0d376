// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all strategies share: the default order, finding one by name, and the
 * random pick that lets time pass now and then.
 */
#include "sim/sched/policy.h"

#include "sim/base/assert.h"
#include "sim/choice/choice.h"
#include "sim/sched/policy_priv.h"

#include <string.h>

#define CLOCK_BIT (1ULL << SCHED_CLOCK_TASK)

const struct policy *policy_find(const char *name, size_t len)
{
	for (const struct policy *const *p = policy_table; *p; p++) {
		if (strlen((*p)->name) == len && !strncmp((*p)->name, name, len))
			return *p;
	}
	return NULL;
}

/* The next task after id in ring order, from a set that is not empty. */
static u32 next_in_ring(u64 set, u32 id)
{
	u64 after = set & ~((2ULL << id) - 1);

	return bit_lowest(after ? after : set);
}

struct task *policy_ring_pick(struct sched *s, const struct task *cur)
{
	u64 others = s->runnable & ~CLOCK_BIT;
	u32 from = cur ? cur->id : 0;

	if (cur)
		others &= ~(1ULL << cur->id);
	if (others)
		return &s->task[next_in_ring(others, from)];
	sim_assert(s->runnable);
	/* Nobody else: time passes before a poller polls again. */
	return &s->task[bit_lowest(s->runnable & CLOCK_BIT ? CLOCK_BIT : s->runnable)];
}

struct task *policy_default_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	u64 set = s->runnable & ~CLOCK_BIT;

	if (why == WHY_PREEMPT && s->runnable >> cur->id & 1)
		return cur;
	if (why == WHY_YIELD)
		return policy_ring_pick(s, cur);
	return &s->task[bit_lowest(set ? set : s->runnable)];
}

u64 policy_candidates(struct sched *s)
{
	u64 set = s->runnable & ~CLOCK_BIT;

	if (!set)
		return s->runnable;
	if (s->runnable & CLOCK_BIT && choice_below(s->world->choice, CHOICE_SCHED, 16) == 0)
		return s->runnable;
	return set;
}

bool policy_number(const char **text, u32 *value)
{
	u64 v = 0;
	const char *p = *text;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (u64)(*p - '0');
		if (v > 0x7fffffff)
			return false;
	}
	*value = (u32)v;
	*text = p;
	return true;
}
