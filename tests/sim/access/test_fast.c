// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short ways through the shadow and its clocks say what the long ones say:
 * programs of random accesses, locks and tasks are run once as they are and
 * once observed, which takes no short way; and what tasks know of each other is
 * compared with vectors that are copied whole at each step.
 */
#include "sim/access/access.h"
#include "sim/mem/mem.h"
#include "tests/kit/program.h"

#define OBJECTS 6
#define OBJECT_SIZE 48
#define LOCKS 4
#define STEPS 60
#define STEPS_FULL 400 /* with so many tasks that slots are used again */
#define TASKS 4

void __tsan_read1(void *p);
void __tsan_read2(void *p);
void __tsan_read4(void *p);
void __tsan_read8(void *p);
void __tsan_write1(void *p);
void __tsan_write2(void *p);
void __tsan_write4(void *p);
void __tsan_write8(void *p);
void __tsan_volatile_read8(void *p);
void __tsan_volatile_write4(void *p);

static char *obj[OBJECTS];
static char *lock[LOCKS];
static u64 seed_now;
static bool full; /* only release and acquire, beside vectors of our own */

/* --- what was found --- */

static struct access_finding found;
static u32 n_found;

static void on_finding(struct world *world, const struct access_finding *f)
{
	found = *f;
	n_found++;
	sched_stop(world->sched);
}

static void observe(void *self, const struct access_event *e)
{
	(void)self;
	(void)e;
}

/* --- vectors that are copied whole --- */

static u32 known[SCHED_TASKS_MAX][SCHED_TASKS_MAX], released[LOCKS + 1][SCHED_TASKS_MAX];

static void join_all_of(u32 *into, const u32 *from)
{
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++)
		into[i] = max(into[i], from[i]);
}

static void same(void)
{
	const struct task *t = current_task;

	known[t->id][t->id] = t->epoch;
	for (u32 i = 0; full && i < SCHED_TASKS_MAX; i++)
		cr_assert_eq(t->vc[i], known[t->id][i], "seed %lu: task %u knows %x of %u, not %x",
			     (unsigned long)seed_now, t->id, t->vc[i], i, known[t->id][i]);
}

static void acquire(u32 i, const void *p)
{
	access_acquire(p);
	join_all_of(known[current_task->id], released[i]);
	same();
}

static void release(u32 i, const void *p)
{
	known[current_task->id][current_task->id] = current_task->epoch;
	join_all_of(released[i], known[current_task->id]);
	access_release(p);
	same();
}

/* --- the program --- */

static u32 draw(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33) % n;
}

/* An object of its own, of some size: written in part, read there and beside it, let go of. */
static void use_fresh(u64 *state)
{
	u32 size = 17 + draw(state, 48), written = draw(state, 4) ? size : draw(state, size);
	char *p = mem_alloc(w->mem, size, draw(state, 2) ? MEM_ZERO : 0, "fresh", 0);

	access_range(p, written, OP_WRITE, 1);
	__tsan_read8(p);
	__tsan_write4(p + 4);
	__tsan_read4(p + (size - 4) / 4 * 4);
	access_set_init(p, size);
	access_range(p, size, OP_READ, 1);
	mem_free(w->mem, p, 0);
	if (!draw(state, 8))
		__tsan_write8(p + 8 * draw(state, size / 8));
}

static void touch(u64 *state)
{
	static void (*const hook[])(void *p) = {
		__tsan_read1,  __tsan_read2,  __tsan_read4,  __tsan_read8,
		__tsan_write1, __tsan_write2, __tsan_write4, __tsan_write8,
		__tsan_volatile_read8, __tsan_volatile_write4,
		access_once_read4, access_once_write8, access_once_write4,
	};
	u32 kind = draw(state, 19), o = draw(state, OBJECTS);
	char *p = obj[o] + 8 * draw(state, OBJECT_SIZE / 8);

	if (kind < ARRAY_SIZE(hook))
		hook[kind](p);
	else if (kind < 15)
		access_range(obj[o], OBJECT_SIZE, kind == 13 ? OP_READ : OP_WRITE, 1);
	else if (kind == 15)
		access_typed(p, 4,
			     ACCESS_TYPE_ATOMIC | ACCESS_TYPE_WRITE | ACCESS_TYPE_COMPOUND, 1);
	else if (kind == 16)
		access_typed(p, 8, ACCESS_TYPE_ATOMIC, 1);
	else if (kind == 17)
		use_fresh(state);
	else
		access_copy(obj[o], obj[(o + 1) % OBJECTS], OBJECT_SIZE, 1);
}

static void short_task(void *arg);

static void spawn_one(u64 *state)
{
	struct task *t;

	(void)state;
	t = spawn("short", short_task, (void *)(uintptr_t)draw(state, 1000));
	memcpy(known[t->id], known[current_task->id], sizeof(known[0]));
	known[t->id][t->id] = t->epoch;
	/* What it knows of its parent is the epoch that has ended. */
	same();
}

static void do_step_of(u64 *state, bool may_spawn)
{
	u32 kind = draw(state, 12), i = draw(state, LOCKS + 1);
	/* The last one is no heap's. */
	const void *p = i < LOCKS ? lock[i] : (const void *)0x7000000UL;

	step();
	same();
	if (kind < 3)
		acquire(i, p);
	else if (kind < 6)
		release(i, p);
	else if (kind < 7 && may_spawn)
		spawn_one(state);
	else if (!full)
		touch(state);
	if (kind == 11) {
		/* A critical section. */
		acquire(i, p);
		release(i, p);
	}
}

static void short_task(void *arg)
{
	u64 state = seed_now * 31 + (u64)(uintptr_t)arg;

	for (u32 i = 0; i < 6; i++)
		do_step_of(&state, false);
}

static void long_task(void *arg)
{
	u64 state = seed_now * 97 + (u64)(uintptr_t)arg;

	memcpy(known[current_task->id], current_task->vc, sizeof(known[0]));
	for (u32 i = 0; i < (full ? STEPS_FULL : STEPS); i++)
		do_step_of(&state, true);
}

static void begin(void)
{
	n_found = 0;
	memset(released, 0, sizeof(released));
	memset(known, 0, sizeof(known));
}

static void boot(void)
{
	for (u32 i = 0; i < OBJECTS; i++)
		obj[i] = mem_alloc(w->mem, OBJECT_SIZE, MEM_ZERO, "obj", 0);
	for (u32 i = 0; i < LOCKS; i++)
		lock[i] = mem_alloc(w->mem, 16, MEM_ZERO, "lock", 0);
}

static void watch(void)
{
	u32 all = ACCESS_CHECK_HEAP | ACCESS_CHECK_UNINIT | ACCESS_CHECK_RACE;

	access_enable(w->access, all);
	access_on_finding(w->access, on_finding);
}

static void load_tasks(void)
{
	load(.oracles = "none", .prepare = watch, .boot = boot, .begin = begin,
	     .task = {long_task, long_task, long_task, long_task},
	     .arg = {(void *)1, (void *)2, (void *)3, (void *)4});
}

Test(access_fast, a_short_way_finds_what_the_long_one_finds)
{
	u32 races = 0;

	full = false;
	load_tasks();
	for (seed_now = 1; seed_now <= 400; seed_now++) {
		struct access_finding first;
		struct world_run a, b;
		u32 n;

		a = run(seed_now);
		first = found;
		n = n_found;
		access_observe(w->access, observe, NULL);
		b = run(seed_now);
		access_observe(w->access, NULL, NULL);
		cr_assert_eq(a.hash, b.hash, "seed %lu", (unsigned long)seed_now);
		cr_assert_eq(a.steps, b.steps, "seed %lu", (unsigned long)seed_now);
		cr_assert_eq(n, n_found, "seed %lu", (unsigned long)seed_now);
		races += n;
		if (!n)
			continue;
		cr_assert_eq(first.kind, found.kind);
		cr_assert_eq(first.addr, found.addr);
		cr_assert_eq(first.size, found.size);
		cr_assert_eq(first.flags, found.flags);
		cr_assert_eq(first.other_task, found.other_task);
		cr_assert_eq(first.other_op, found.other_op);
		cr_assert_eq(first.other_flags, found.other_flags);
	}
	cr_assert_gt(races, 100);
}

Test(access_fast, a_task_knows_what_whole_vectors_know)
{
	u32 lives, runs_of_many = 0;

	full = true;
	load_tasks();
	for (seed_now = 1; seed_now <= 100; seed_now++) {
		lives = w->sched->lives;
		run(seed_now);
		runs_of_many += w->sched->lives - lives > SCHED_TASKS_MAX;
	}
	cr_assert_gt(runs_of_many, 90);
}
