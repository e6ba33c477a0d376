// SPDX-License-Identifier: GPL-2.0-only
/*
 * Partial order sampling: every pending operation has a random priority; the
 * highest runnable one is executed; then its task's next operation and all
 * pending ones that race with it draw anew. Schedules that differ only in the
 * order of independent operations thereby count as one.
 *
 * Only accesses to what another task has touched, and kernel services, are
 * operations here; and, since what is private now may be shared a moment later,
 * one private access in so many, a number drawn for the run. ARG n > 1 stops
 * only at one operation in n or so: in long runs, fewer switches.
 *
 * The clock is below all tasks but those that have yielded; when it has fired,
 * it is below these too until one has run.
 */
#include "sim/sched/policy/policy_priv.h"

#include <stdio.h>

#define STRIDE_MAX 4096
#define PRIVATE_MAX 64
#define PRIO_FIRED 1
#define PRIO_YIELDED 2
#define PRIO_CLOCK 3
#define PRIO_TASK 4
#define PRIO_RANGE 65536u

struct pos {
	u32 stride;   /* mean operations from stop to stop */
	u32 private;  /* how many private accesses count as one operation */
	u64 pending;  /* tasks stopped before an announced operation */
	u32 prio[SCHED_TASKS_MAX];
};

static bool parse(struct sched *s, const char *arg)
{
	struct pos *pos = s->policy_state;
	u64 v = 1;

	if (*arg && (!policy_number(&arg, &v) || *arg || v < 1 || v > STRIDE_MAX))
		return false;
	pos->stride = (u32)v;
	return true;
}

static void draw(struct sched *s, struct pos *pos, u32 id)
{
	pos->prio[id] = PRIO_TASK + choice_below(s->world->choice, CHOICE_SCHED, PRIO_RANGE);
}

static void begin(struct sched *s, struct policy_carry *carry)
{
	struct pos *pos = s->policy_state;

	(void)carry;
	pos->private = 1 + choice_below(s->world->choice, CHOICE_SCHED, PRIVATE_MAX);
	pos->prio[SCHED_CLOCK_TASK] = PRIO_CLOCK;
}

static void spawned(struct sched *s, struct task *t)
{
	struct pos *pos = s->policy_state;

	pos->pending &= ~(1ULL << t->id);
	draw(s, pos, t->id);
	policy_ask_soon(s);
}

static void woken(struct sched *s, struct task *t)
{
	(void)t;
	if (policy_was_alone(s))
		policy_ask_soon(s);
}

static bool races(const struct task *a, const struct task *b)
{
	u64 x = (u64)(uintptr_t)a->pending.addr, y = (u64)(uintptr_t)b->pending.addr;

	return ((a->pending.flags | b->pending.flags) & (OP_WRITE | OP_SYNC)) &&
	       x < y + b->pending.size && y < x + a->pending.size;
}

/* t's announced operation is about to be executed. */
static void execute(struct sched *s, struct pos *pos, struct task *t)
{
	u64 others;

	pos->pending &= ~(1ULL << t->id);
	for (others = pos->pending; others; others &= others - 1) {
		u32 id = bit_lowest(others);

		if (races(t, &s->task[id]))
			draw(s, pos, id);
	}
	draw(s, pos, t->id);
}

/* Of those that have yielded, in turn: two that poll do not keep a third waiting. */
static struct task *next_yielded(struct sched *s, const struct pos *pos, u32 after)
{
	u32 id = after;

	do
		id = (id + 1) % SCHED_TASKS_MAX;
	while (!(s->runnable >> id & 1) || pos->prio[id] != PRIO_YIELDED);
	return &s->task[id];
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct pos *pos = s->policy_state;
	struct task *next;
	u64 ops;

	if (why == WHY_PREEMPT)
		pos->pending |= 1ULL << cur->id;
	else if (why == WHY_YIELD)
		pos->prio[cur->id] = PRIO_YIELDED;
	else if (why == WHY_BLOCK && cur->id != SCHED_CLOCK_TASK)
		draw(s, pos, cur->id);
	next = policy_highest(s, pos->prio);
	if (pos->prio[next->id] == PRIO_YIELDED)
		next = next_yielded(s, pos, cur ? cur->id : 0);
	pos->prio[SCHED_CLOCK_TASK] = next->id == SCHED_CLOCK_TASK ? PRIO_FIRED : PRIO_CLOCK;
	if (pos->pending >> next->id & 1)
		execute(s, pos, next);
	else if (pos->prio[next->id] == PRIO_YIELDED)
		draw(s, pos, next->id);
	if (policy_alone(s))
		return policy_let(next, POLICY_ALONE, 0);
	ops = choice_distance(s->world->choice, CHOICE_SCHED, pos->stride);
	return policy_let(next, ops * pos->private, pos->private);
}

static void resolve(const struct sched *s, char *buf, size_t size)
{
	const struct pos *pos = s->policy_state;

	snprintf(buf, size, "%u", pos->stride);
}

const struct policy policy_pos = {
	.name = "pos",
	.help = "partial order sampling; ARG: mean operations between stops, default 1",
	.state_size = sizeof(struct pos),
	.parse = parse,
	.begin = begin,
	.weighs = true,
	.pick = pick,
	.spawned = spawned,
	.woken = woken,
	.resolve = resolve,
};
_Static_assert(sizeof(struct pos) <= POLICY_STATE_MAX, "the state fits");
