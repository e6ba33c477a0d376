// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/rwsem.h"

#include "sim/kapi/kapi.h"
#include "sim/kapi/slab.h"
#include "tests/kit/program.h"

static struct {
	struct rw_semaphore *s;
	int readers, readers_max, writers;
	bool clash, again;
	int order[8], n_order;
} t;

static void boot(void)
{
	t.s = kzalloc(sizeof(*t.s), GFP_KERNEL);
	init_rwsem(t.s);
}

static void reader(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		down_read(t.s);
		t.readers_max = max(t.readers_max, ++t.readers);
		t.clash |= t.writers > 0;
		step();
		step();
		t.readers--;
		up_read(t.s);
	}
}

static void writer(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		down_write(t.s);
		t.clash |= t.writers++ || t.readers;
		step();
		t.writers--;
		downgrade_write(t.s);
		t.clash |= t.writers > 0;
		t.readers++;
		step();
		t.readers--;
		up_read(t.s);
	}
}

static void begin_mixed(void)
{
	t.readers = 0;
	t.writers = 0;
}

Test(rwsem, readers_share_and_writers_exclude_under_any_schedule)
{
	load(.boot = boot, .begin = begin_mixed, .task = {reader, reader, writer, writer});
	run_clean(1000);
	cr_assert_not(t.clash);
	cr_assert_geq(t.readers_max, 2);
}

/* --- fairness: in the default order, everything is forced --- */

static void note(int who)
{
	t.order[t.n_order++] = who;
}

static void first_reader(void *arg)
{
	(void)arg;
	down_read(t.s);
	note(1);
	sched_block("the others", NULL, -1, 1000000);
	up_read(t.s);
}

static void waiting_writer(void *arg)
{
	(void)arg;
	down_write(t.s);
	note(2);
	up_write(t.s);
}

static void late_reader(void *arg)
{
	(void)arg;
	cr_assert_not(down_read_trylock(t.s));
	down_read(t.s);
	note(3);
	up_read(t.s);
}

static void begin_fair(void)
{
	t.n_order = 0;
}

Test(rwsem, a_reader_that_comes_after_a_waiting_writer_waits_behind_it)
{
	struct world_run r;

	load(.boot = boot, .begin = begin_fair,
	     .task = {first_reader, waiting_writer, late_reader});
	r = run_with(.seed = 1);
	cr_assert_eq(r.end, SCHED_AT_REST);
	cr_assert_eq(t.n_order, 3);
	cr_assert_eq(t.order[1], 2);
	cr_assert_eq(t.order[2], 3);
}

static void recursive_reader(void *arg)
{
	(void)arg;
	down_read(t.s);
	step();
	down_read(t.s);
	up_read(t.s);
	up_read(t.s);
}

Test(rwsem, a_recursive_read_lock_deadlocks_with_a_writer_in_between)
{
	u64 deadlocks;

	load(.oracles = "none", .boot = boot, .begin = begin_fair,
	     .task = {recursive_reader, waiting_writer});
	deadlocks = run_count(100, SCHED_DEADLOCK);
	cr_assert_gt(deadlocks, 0);
	cr_assert_lt(deadlocks, 100);
}

static void up_without_down(void *arg)
{
	(void)arg;
	down_read(t.s);
	up_write(t.s);
}

Test(rwsem, releasing_for_write_what_is_held_for_read_is_a_finding)
{
	load(.boot = boot, .task = {up_without_down});
	run_finds_text(1, "bad unlock balance");
}

/* Two readers are not ordered by the lock: a race between them is seen. */
static u64 *cell;

static void racing_reader(void *arg)
{
	(void)arg;
	down_read(t.s);
	access_range(cell, 8, OP_WRITE, 1);
	up_read(t.s);
}

static void boot_cell(void)
{
	boot();
	cell = kzalloc(sizeof(*cell), GFP_KERNEL);
}

Test(rwsem, the_read_side_does_not_hide_a_race_between_two_readers)
{
	load(.boot = boot_cell, .task = {racing_reader, racing_reader});
	run_finds_text(1, "KCSAN");
}

/* --- many locks of a class, under one --- */

#define MANY (3 * TASK_HELD_MAX)
static struct rw_semaphore *many[MANY];

static void boot_many(void)
{
	boot();
	for (u32 i = 0; i < MANY; i++) {
		many[i] = kzalloc(sizeof(*many[i]), GFP_KERNEL);
		init_rwsem(many[i]);
	}
}

/* From the other end in the second task: only t.s keeps the two apart. */
static void take_many(u32 first, int step_by)
{
	u32 at = first;

	down_write(t.s);
	for (u32 i = 0; i < MANY; i++, at += (u32)step_by) {
		down_write_nest_lock(many[at], t.s);
		lockdep_assert_held_write(many[at]);
	}
	t.clash |= t.writers++;
	step();
	t.writers--;
	for (u32 i = 0; i < MANY; i++)
		up_write(many[i]);
	t.clash |= lockdep_is_held(many[0]);
	up_write(t.s);
}

static void upwards(void *arg)
{
	(void)arg;
	take_many(0, 1);
}

static void downwards(void *arg)
{
	(void)arg;
	take_many(MANY - 1, -1);
}

static void one_of_many(void *arg)
{
	(void)arg;
	down_write(many[1]);
	t.clash |= t.writers++;
	step();
	t.writers--;
	up_write(many[1]);
}

Test(rwsem, any_number_of_a_class_is_held_under_one_lock)
{
	load(.boot = boot_many, .begin = begin_mixed, .task = {upwards, downwards, one_of_many});
	for (u32 seed = 1; seed <= 50; seed++) {
		cr_assert_null(run(seed).finding);
		cr_assert_not(t.clash);
	}
}

static void without_outer(void *arg)
{
	(void)arg;
	down_write_nest_lock(many[0], t.s);
	up_write(many[0]);
}

Test(rwsem, a_lock_under_another_that_is_not_held_is_a_finding)
{
	load(.boot = boot_many, .begin = begin_mixed, .task = {without_outer});
	cr_assert_not_null(run(1).finding);
}

static void keeps_one(void *arg)
{
	(void)arg;
	down_write(t.s);
	down_write_nest_lock(many[0], t.s);
	down_write_nest_lock(many[1], t.s);
	up_write(many[1]);
	up_write(t.s);
}

Test(rwsem, one_of_many_that_is_kept_is_a_finding)
{
	load(.boot = boot_many, .begin = begin_mixed, .task = {keeps_one});
	cr_assert(strstr(run(1).finding->title, "lock held at task exit"));
}
