// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules of the shadow, driven by direct announcements: two tasks in a fixed
 * order, so that each case is one line of a table.
 */
#include "sim/access/access.h"
#include "sim/mem/mem.h"
#include "tests/kit/program.h"

static char *obj;
static char *lock;
static struct access_finding found;
static int n_found;

static void on_finding(struct world *world, const struct access_finding *f)
{
	found = *f;
	n_found++;
	sched_stop(world->sched);
}

static u32 checks = ACCESS_CHECK_HEAP | ACCESS_CHECK_UNINIT | ACCESS_CHECK_RACE;

static void watch(void)
{
	access_enable(w->access, checks);
	access_on_finding(w->access, on_finding);
}

static void boot(void)
{
	obj = mem_alloc(w->mem, 64, MEM_ZERO, "obj", 0);
	lock = mem_alloc(w->mem, 16, MEM_ZERO, "lock", 0);
}

#define load_watched(...)                                                                          \
	load(.oracles = "none", .prepare = watch, .boot = boot, .task = {__VA_ARGS__})

/* One run of the program; how many findings it has. */
static int findings(void)
{
	n_found = 0;
	run_with(.seed = 1);
	return n_found;
}

struct step {
	u32 flags;
	u32 at, size;
	enum { NO_EDGE, RELEASE_AFTER, ACQUIRE_BEFORE } edge;
};

static struct step first, second;

static void do_step(const struct step *s)
{
	if (s->edge == ACQUIRE_BEFORE)
		access_acquire(lock);
	access_range(obj + s->at, s->size, s->flags, 1);
	if (s->edge == RELEASE_AFTER)
		access_release(lock);
}

static void do_first(void *arg)
{
	(void)arg;
	do_step(&first);
}

static void do_second(void *arg)
{
	(void)arg;
	do_step(&second);
}

static int pair(struct step a, struct step b)
{
	first = a;
	second = b;
	load_watched(do_first, do_second);
	return findings();
}

#define R OP_READ
#define W OP_WRITE
#define M OP_MARKED

Test(access, a_race_needs_a_write_and_a_plain_side)
{
	static const struct {
		u32 a, b;
		int race;
	} rows[] = {
		{R, R, 0},	   {R, W, 1},	      {W, R, 1},	 {W, W, 1},
		{R | M, R | M, 0}, {R | M, W | M, 0}, {W | M, R | M, 0}, {W | M, W | M, 0},
		{R | M, R, 0},	   {R | M, W, 1},     {W | M, R, 1},	 {W | M, W, 1},
		{R, R | M, 0},	   {R, W | M, 1},     {W, R | M, 1},	 {W, W | M, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = pair((struct step){rows[i].a, 8, 8, NO_EDGE},
			     (struct step){rows[i].b, 8, 8, NO_EDGE});

		cr_assert_eq(n, rows[i].race, "row %zu: %d findings", i, n);
		if (n) {
			cr_assert_eq(found.kind, ACCESS_BAD_RACE);
			cr_assert_eq(found.other_task, SCHED_FIRST_TASK);
			cr_assert_eq(found.other_op, 1);
		}
	}
}

Test(access, release_and_acquire_order_what_lies_around_them)
{
	cr_assert_eq(
		pair((struct step){W, 0, 8, RELEASE_AFTER}, (struct step){W, 0, 8, ACQUIRE_BEFORE}),
		0);
	cr_assert_eq(pair((struct step){W, 0, 8, RELEASE_AFTER}, (struct step){R, 0, 8, NO_EDGE}),
		     1);
	cr_assert_eq(pair((struct step){W, 0, 8, NO_EDGE}, (struct step){R, 0, 8, ACQUIRE_BEFORE}),
		     1);
}

/* --- words that order, as a hosted kernel's hooks have them --- */

static void once_write(u32 at)
{
	access_heap_once_write8((u64)(uintptr_t)obj + at, 0, 0, current_task);
}

static void once_read(u32 at)
{
	access_heap_once_read8((u64)(uintptr_t)obj + at, 0, 0, current_task);
}

static void write_then_flag(void *arg)
{
	(void)arg;
	access_range(obj, 8, W, 1);
	once_write(16);
}

/* Its second release is by an ordinary access, of more than it knew at the first. */
static void hand_on(void *arg)
{
	once_write(24);
	if (arg)
		once_read(16);
	once_write(24);
}

static void read_behind_flag(void *arg)
{
	(void)arg;
	once_read(24);
	access_range(obj, 8, R, 1);
}

Test(access, a_word_that_is_written_hands_on_what_its_writer_had_learnt)
{
	load(.oracles = "none", .prepare = watch, .boot = boot,
	     .task = {write_then_flag, hand_on, read_behind_flag}, .arg = {NULL, &found});
	cr_assert_eq(findings(), 0);
	load_watched(write_then_flag, hand_on, read_behind_flag);
	cr_assert_eq(findings(), 1);
}

/* It knows the last who wrote the word, but not the one before. */
static void write_unlock(void *arg)
{
	(void)arg;
	once_write(16);
	access_release(lock);
}

static void lock_write(void *arg)
{
	(void)arg;
	access_acquire(lock);
	once_write(40);
	once_write(16);
}

static void read_word_then(void *arg)
{
	(void)arg;
	once_read(16);
	access_range(obj, 8, R, 1);
}

Test(access, a_word_orders_all_who_have_written_it)
{
	load_watched(write_then_flag, write_unlock, lock_write, read_word_then);
	cr_assert_eq(findings(), 0);
}

Test(access, bytes_that_do_not_overlap_do_not_race)
{
	cr_assert_eq(pair((struct step){W, 0, 4, NO_EDGE}, (struct step){W, 4, 4, NO_EDGE}), 0);
	cr_assert_eq(pair((struct step){W, 0, 5, NO_EDGE}, (struct step){W, 4, 4, NO_EDGE}), 1);
	cr_assert_eq(pair((struct step){W, 0, 32, NO_EDGE}, (struct step){R, 31, 1, NO_EDGE}), 1);
	cr_assert_eq(found.addr, (u64)(uintptr_t)obj + 31);
}

/* Two reads of one granule by one task, the first marked, the second plain; then a marked write. */
static void read_both_halves(void *arg)
{
	(void)arg;
	access_range(obj, 4, OP_READ | OP_MARKED, 1);
	access_range(obj + 4, 4, OP_READ, 1);
}

static u32 written_half;

static void write_one_half(void *arg)
{
	(void)arg;
	access_range(obj + written_half, 4, OP_WRITE | OP_MARKED, 1);
}

static int write_half(u32 at)
{
	written_half = at;
	checks = ACCESS_CHECK_RACE;
	load_watched(read_both_halves, write_one_half);
	return findings();
}

Test(access, a_plain_access_to_other_bytes_does_not_make_a_marked_one_plain)
{
	cr_assert_eq(write_half(0), 0);
	cr_assert_eq(write_half(4), 1);
	cr_assert_not(found.other_flags & OP_MARKED);
}

Test(access, an_access_outside_an_object_is_a_heap_finding)
{
	cr_assert_eq(pair((struct step){R, 64, 1, NO_EDGE}, (struct step){R, 0, 1, NO_EDGE}), 1);
	cr_assert_eq(found.kind, ACCESS_BAD_HEAP);
	cr_assert_eq(found.addr, (u64)(uintptr_t)obj + 64);
	cr_assert_eq(pair((struct step){W, 60, 8, NO_EDGE}, (struct step){R, 0, 1, NO_EDGE}), 1);
	cr_assert_eq(found.kind, ACCESS_BAD_HEAP);
	cr_assert_eq(found.cell.state, CELL_REDZONE);
}

/* --- an object of the run itself, several readers --- */

static void reader(void *arg)
{
	(void)arg;
	access_range(obj, 8, OP_READ, 1);
}

static void writer(void *arg)
{
	(void)arg;
	access_range(obj, 8, OP_WRITE, 1);
}

Test(access, a_write_races_with_any_of_several_readers)
{
	checks = ACCESS_CHECK_RACE;
	load_watched(reader, reader, reader, reader, reader, writer);
	cr_assert_eq(findings(), 1);
	cr_assert_eq(w->sched->end, SCHED_STOPPED);
	cr_assert_eq(found.other_task, SCHED_FIRST_TASK);
}

static void use_uninitialised(void *arg)
{
	char *p = mem_alloc(w->mem, 24, 0, "fresh", 0);

	(void)arg;
	access_range(p, 8, OP_WRITE, 1);
	access_range(p, 8, OP_READ, 1);
	access_range(p + 8, 8, OP_READ, 1);
}

Test(access, reading_what_nobody_wrote_is_a_finding)
{
	checks = ACCESS_CHECK_UNINIT;
	load_watched(use_uninitialised);
	cr_assert_eq(findings(), 1);
	cr_assert_eq(found.kind, ACCESS_BAD_UNINIT);
	cr_assert_eq(found.addr & 15, 8);
}
