// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the shadow finds is what a list of all accesses finds: random tasks read and
 * write a few granules, now and then ordered by a lock, and each access is first
 * looked for in lists that forget nothing since the last write. Tasks take turns only
 * where they yield, so that nothing comes between the list and the shadow.
 */
#include "sim/access/access.h"
#include "sim/mem/mem.h"
#include "tests/kit/program.h"

#define GRANULES 5
#define LOCKS 2
#define STEPS 40
#define TASKS 6
#define ACCESSES_MAX (TASKS * STEPS)

void __tsan_read8(void *p);
void __tsan_write8(void *p);

static u64 seed_now;
static char *obj, *lock;

struct made {
	u32 task, epoch, op, flags;
};

/* All since the last write, which comes first. */
static struct list {
	u32 n;
	struct made by[ACCESSES_MAX];
} list[GRANULES];

static bool all_at_once; /* all granules are being accessed */
static u32 n_found, n_of_several;

/* --- the list --- */

static bool races(const struct made *a, u32 flags)
{
	const struct task *t = current_task;

	return (a->flags | flags) & OP_WRITE && a->task != t->id && a->epoch > t->vc[a->task];
}

static const struct made *last_read(const struct list *l, u32 task)
{
	for (u32 i = l->n; i > 0; i--) {
		if (l->by[i - 1].task == task && !(l->by[i - 1].flags & OP_WRITE))
			return &l->by[i - 1];
	}
	return NULL;
}

static u32 readers_of(const struct list *l)
{
	u32 n = 0;

	for (u32 id = 0; id < SCHED_TASKS_MAX; id++)
		n += last_read(l, id) != NULL;
	return n;
}

static bool races_with_any(const struct list *l, u32 flags)
{
	for (u32 i = 0; i < l->n; i++) {
		if (races(&l->by[i], flags))
			return true;
	}
	return false;
}

static void enter(struct list *l, u32 flags)
{
	const struct task *t = current_task;

	if (flags & OP_WRITE)
		l->n = 0;
	cr_assert_lt(l->n, ACCESSES_MAX);
	l->by[l->n++] = (struct made){t->id, t->epoch, (u32)sched_ops(t), flags};
}

/* The write comes first; of a task's reads the last is told. */
static void on_finding(struct world *world, const struct access_finding *f)
{
	const struct list *now = &list[(f->addr - (u64)(uintptr_t)obj) / 8];
	const struct made *first = &now->by[0], *read = last_read(now, f->other_task), *by;

	cr_assert_eq(f->kind, ACCESS_BAD_RACE);
	for (const struct list *l = list; all_at_once && l < now; l++)
		cr_assert(!races_with_any(l, f->flags));
	by = now->n && first->flags & OP_WRITE && races(first, f->flags) ? first : read;
	cr_assert(by && races(by, f->flags), "seed %lu: not with T%u", (unsigned long)seed_now,
		  f->other_task);
	cr_assert_eq(f->other_task, by->task);
	cr_assert_eq(f->other_flags, by->flags);
	cr_assert_eq(f->other_op, by->op, "seed %lu: T%u@%u, not @%u", (unsigned long)seed_now,
		     f->other_task, f->other_op, by->op);
	n_found++;
	n_of_several += by == read && readers_of(now) > 2;
	sched_stop(world->sched);
}

/* --- the program --- */

static u32 draw(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33) % n;
}

static void heap_read(void *p)
{
	access_heap_read8((u64)(uintptr_t)p, 0, 0, current_task);
}

static void heap_write(void *p)
{
	access_heap_write8((u64)(uintptr_t)p, 0, 0, current_task);
}

static void range_read(void *p)
{
	access_range(p, 8, OP_READ, 1);
}

static void range_write(void *p)
{
	access_range(p, 8, OP_WRITE, 1);
}

/* Reads are most, so that several stand between two writes. */
static const struct way {
	void (*hook)(void *p);
	u32 flags;
} ways[] = {
	{__tsan_read8, OP_READ}, {heap_read, OP_READ}, {range_read, OP_READ},
	{__tsan_read8, OP_READ}, {heap_read, OP_READ}, {range_read, OP_READ},
	{__tsan_read8, OP_READ}, {heap_read, OP_READ}, {heap_read, OP_READ},
	{__tsan_write8, OP_WRITE}, {heap_write, OP_WRITE}, {range_write, OP_WRITE},
};

/* Granule by granule: the first that races is the one. */
static void touch_all(u32 flags)
{
	bool racing = false;

	for (u32 i = 0; i < GRANULES; i++)
		racing |= races_with_any(&list[i], flags);
	all_at_once = true;
	access_range(obj, 8 * GRANULES, flags, 1);
	all_at_once = false;
	cr_assert(!racing, "seed %lu: a race was not found", (unsigned long)seed_now);
	for (u32 i = 0; i < GRANULES; i++)
		enter(&list[i], flags);
}

static void touch(u64 *state)
{
	u32 i = draw(state, GRANULES);
	/* One granule is written by few, and read by many. */
	const struct way *way = &ways[draw(state, i ? ARRAY_SIZE(ways) : 9)];
	struct list *l = &list[i];
	bool racing;

	if (!draw(state, 6))
		return touch_all(draw(state, 4) ? OP_READ : OP_WRITE);
	if (!i && !draw(state, 12))
		way = &ways[ARRAY_SIZE(ways) - 1];
	racing = races_with_any(l, way->flags);
	way->hook(obj + 8 * i);
	cr_assert(!racing, "seed %lu: a race was not found", (unsigned long)seed_now);
	enter(l, way->flags);
}

static void task(void *arg)
{
	u64 state = seed_now * 97 + (u64)(uintptr_t)arg;
	u32 locked = draw(&state, 3); /* how many of four accesses are ordered */

	for (u32 i = 0; i < STEPS; i++) {
		const char *p = lock + 16 * draw(&state, LOCKS);
		bool held = draw(&state, 4) <= locked;

		if (held)
			access_acquire(p);
		touch(&state);
		if (held)
			access_release(p);
		if (!draw(&state, 3))
			sched_yield_now();
	}
}

static void begin(void)
{
	memset(list, 0, sizeof(list));
	all_at_once = false;
}

static void boot(void)
{
	obj = mem_alloc(w->mem, 8 * GRANULES, MEM_ZERO, "obj", 0);
	lock = mem_alloc(w->mem, 16 * LOCKS, MEM_ZERO, "lock", 0);
}

static void watch(void)
{
	access_enable(w->access, ACCESS_CHECK_RACE | ACCESS_CHECK_HEAP | ACCESS_CHECK_UNINIT);
	access_on_finding(w->access, on_finding);
}

Test(access_twin, a_race_is_with_whom_a_list_of_all_accesses_says)
{
	load(.oracles = "none", .prepare = watch, .boot = boot, .begin = begin,
	     .task = {task, task, task, task, task, task},
	     .arg = {(void *)1, (void *)2, (void *)3, (void *)4, (void *)5, (void *)6});
	for (seed_now = 1; seed_now <= 2000; seed_now++)
		run_with(.seed = seed_now);
	cr_assert_gt(n_found, 500);
	cr_assert_gt(n_of_several, 100);
}
