// SPDX-License-Identifier: GPL-2.0-only
/*
 * POS (partial order sampling): each pending operation has a random priority,
 * the highest goes first; when it has gone, the operations that race with it
 * (same granule, one writes) get new ones. Unlike a random walk this does not
 * prefer orders that differ only in independent operations.
 *
 * Pending operations are accesses to what several tasks have touched in this
 * run, and kernel services; private accesses are independent of everything and
 * go on unasked.
 */
#include "sim/base/assert.h"
#include "sim/choice/choice.h"
#include "sim/sched/policy_priv.h"

struct pos_state {
	u64 priority[SCHED_TASKS_MAX]; /* of the task's pending operation; 0 = to be drawn */
};

static bool pos_parse(struct sched *s, const char *arg)
{
	(void)s;
	return !*arg;
}

static void pos_begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	(void)carry;
}

static bool races(const struct task *a, const struct task *b)
{
	u64 x = (u64)(uintptr_t)a->pending.addr, y = (u64)(uintptr_t)b->pending.addr;

	return x && x >> 3 == y >> 3 && (a->pending.flags | b->pending.flags) & OP_WRITE;
}

static struct task *highest(struct sched *s, struct pos_state *st, u64 set)
{
	struct task *best = NULL;

	for (; set; set &= set - 1) {
		u32 id = bit_lowest(set);

		if (!st->priority[id])
			st->priority[id] = choice_word(s->world->choice, CHOICE_SCHED) | 1;
		if (!best || st->priority[id] > st->priority[best->id])
			best = &s->task[id];
	}
	return best;
}

static struct task *pos_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct pos_state *st = s->policy_state;
	u64 set = policy_candidates(s);
	struct task *t;

	if (cur) {
		st->priority[cur->id] = 0;
		if (why == WHY_YIELD && set & ~(1ULL << cur->id))
			set &= ~(1ULL << cur->id);
	}
	t = highest(s, st, set);
	sim_assert(t);
	for (u64 others = s->runnable & ~(1ULL << t->id); others; others &= others - 1) {
		u32 id = bit_lowest(others);

		if (races(t, &s->task[id]))
			st->priority[id] = 0;
	}
	t->pending.addr = NULL;
	t->weight_shared = POLICY_STOP_AT_SHARED;
	t->stop_at = t->ops + POLICY_FAR;
	return t;
}

const struct policy policy_pos = {
	.name = "pos",
	.help = "partial order sampling over shared accesses and kernel services; no ARG",
	.state_size = sizeof(struct pos_state),
	.parse = pos_parse,
	.begin = pos_begin,
	.pick = pos_pick,
};
