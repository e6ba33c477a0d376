// SPDX-License-Identifier: GPL-2.0-only
#include "sim/sched/policy.h"
#include "sim/sched/sched.h"
#include "tests/kit/program.h"

#include <stdio.h>

static char log_text[256];

static void say(const char *s)
{
	strncat(log_text, s, sizeof(log_text) - strlen(log_text) - 1);
}

static void clear_log(void)
{
	log_text[0] = '\0';
}

#define load_tasks(...) load(.oracles = "none", .begin = clear_log, .task = {__VA_ARGS__})

static void sleep_forever(void *arg)
{
	(void)arg;
	sched_block("a wake-up that never comes", NULL, -1, 0);
}

Test(sched, a_task_that_nobody_wakes_is_a_deadlock)
{
	const struct task *sleeper;

	load_tasks(sleep_forever);
	cr_assert_eq(run_with(0).end, SCHED_DEADLOCK);
	sleeper = &w->sched->task[SCHED_FIRST_TASK];
	cr_assert_eq(sleeper->state, TASK_BLOCKED);
	cr_assert_str_eq(sleeper->wait.what, "a wake-up that never comes");
}

static void begin_daemon(void)
{
	sched_spawn(w->sched, "daemon", sleep_forever, NULL, TASK_DAEMON);
}

Test(sched, a_daemon_may_stay_blocked)
{
	load(.oracles = "none", .begin = begin_daemon);
	cr_assert_eq(run_with(0).end, SCHED_AT_REST);
}

static void sleep_a_while(void *arg)
{
	u64 ns = (u64)(uintptr_t)arg;

	if (sched_block("time", NULL, -1, ns))
		say("woken ");
	say(ns == 1000 ? "short " : "long ");
}

Test(sched, timeouts_end_in_virtual_time)
{
	struct world_run r;

	load(.oracles = "none", .begin = clear_log, .task = {sleep_a_while, sleep_a_while},
	     .arg = {(void *)5000, (void *)1000});
	r = run_with(0);
	cr_assert_eq(r.end, SCHED_AT_REST);
	cr_assert_str_eq(log_text, "short long ");
	cr_assert_eq(r.time_ns, 5000);
}

static void spin_forever(void *arg)
{
	(void)arg;
	for (;;)
		sched_point(NULL, 0, OP_SYNC);
}

Test(sched, a_livelock_ends_at_the_step_limit)
{
	struct world_run r;

	load_tasks(spin_forever);
	r = run_with(.steps_max = 5000);
	cr_assert_eq(r.end, SCHED_STEPS);
	cr_assert(r.steps > 5000 && r.steps < 5100, "%lu steps", (unsigned long)r.steps);
}

static void shut_down_for_ever(void)
{
	spin_forever(NULL);
}

Test(sched, a_shutdown_that_does_not_end_is_ended_and_the_next_run_is_as_ever)
{
	struct world_run r;

	load(.oracles = "hang", .begin = clear_log, .shutdown = shut_down_for_ever);
	for (int i = 0; i < 2; i++) {
		r = run_with(0);
		cr_assert_eq(r.end, SCHED_STEPS);
		cr_assert_not_null(r.finding);
		cr_assert_str_eq(r.finding->title, "BUG: soft lockup in %F");
	}
}

static void stop_now(void *arg)
{
	(void)arg;
	say("before ");
	sched_stop(w->sched);
}

Test(sched, a_stopped_run_can_be_followed_by_another)
{
	load_tasks(stop_now, sleep_forever);
	for (int i = 0; i <= 1000; i++)
		cr_assert_eq(run_with(0).end, SCHED_STOPPED);
}

/* --- interrupts --- */

static void interrupt(void *arg)
{
	(void)arg;
	say("irq ");
}

static void with_irq(void *arg)
{
	struct task *t = current_task;

	sched_spawn(t->world->sched, "irq", interrupt, NULL, TASK_IRQ);
	t->irq_off = arg != NULL;
	for (int i = 0; i < 20; i++)
		sched_point(NULL, 0, OP_SYNC);
	t->irq_off = 0;
	say("end ");
}

Test(sched, an_interrupt_may_come_in_the_middle_of_a_task)
{
	const struct policy *rw = policy_find("rw", 2);
	int inside = 0;

	cr_assert(rw);
	load_tasks(with_irq);
	for (u64 seed = 1; seed < 50; seed++) {
		struct world_run r = run_with(.seed = seed, .policy = rw, .policy_arg = "2");

		cr_assert_eq(r.end, SCHED_AT_REST);
		inside += !strcmp(log_text, "irq end ");
	}
	cr_assert_gt(inside, 0);
}

/* --- the record of a run gives it again --- */

static u64 shared_sum;

static void count(void *arg)
{
	u64 *shared = &shared_sum;

	(void)arg;
	for (int i = 0; i < 30; i++) {
		sched_point(shared, 8, OP_SYNC | OP_SHARED);
		*shared = *shared * 31 + current_task->id;
	}
}

static void clear_sum(void)
{
	shared_sum = 0;
}

static void print_points(const struct world_run *r, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < r->n_points; i++) {
		const struct switch_point *p = &r->points[i];
		bool chance = p->why == WHY_CHANCE;

		at += (size_t)snprintf(buf + at, size - at, "%sT%u%c%lu%s%u", i ? "," : "", p->task,
				       p->why == WHY_PREEMPT ? '@' : chance ? '!' : '%',
				       (unsigned long)p->op, chance ? "." : ">T", p->to);
	}
}

Test(sched, the_list_of_switch_points_replays_a_random_run)
{
	const struct policy *rw = policy_find("rw", 2), *list = policy_find("list", 4);
	static char points[65536];

	cr_assert(rw && list);
	load(.oracles = "none", .begin = clear_sum, .task = {count, count, count, count});
	for (u64 seed = 1; seed <= 30; seed++) {
		struct world_run a = run_with(.seed = seed, .policy = rw, .policy_arg = "3");
		u64 sum = shared_sum;
		struct world_run b;

		print_points(&a, points, sizeof(points));
		b = run_with(.seed = seed, .policy = list, .policy_arg = points);
		cr_assert_eq(a.hash, b.hash, "seed %lu: %s", (unsigned long)seed, points);
		cr_assert_eq(sum, shared_sum);
	}
}

/* Up to three questions in one operation; what came of them is the sum's business. */
static void take_chances(void *arg)
{
	u64 *sum = &shared_sum;

	(void)arg;
	for (u32 i = 0; i < 20; i++) {
		sched_point(sum, 8, OP_SYNC | OP_SHARED);
		for (u32 k = 0; k <= i % 3; k++)
			*sum = *sum * 31 + sched_chance(w->sched, 4);
	}
}

static u32 count_chances(const struct world_run *r)
{
	u32 n = 0;

	for (u32 i = 0; i < r->n_points; i++)
		n += r->points[i].why == WHY_CHANCE;
	return n;
}

Test(sched, a_run_s_chances_are_points_of_it_and_replay_it)
{
	const struct policy *rw = policy_find("rw", 2), *list = policy_find("list", 4);
	static char points[65536], missed[256];
	u32 came = 0;

	load(.oracles = "none", .begin = clear_sum, .task = {take_chances, take_chances});
	for (u64 seed = 1; seed <= 50; seed++) {
		struct world_run a = run_with(.seed = seed, .policy = rw, .policy_arg = "3");
		u64 sum = shared_sum;
		struct world_run b;

		came += count_chances(&a);
		print_points(&a, points, sizeof(points));
		b = run_with(.seed = seed, .policy = list, .policy_arg = points);
		cr_assert(!policy_list_missed(w->sched, missed, sizeof(missed)), "%s", missed);
		cr_assert_eq(a.n_points, b.n_points, "seed %lu: %s", (unsigned long)seed, points);
		cr_assert_eq(sum, shared_sum, "seed %lu: %s", (unsigned long)seed, points);
	}
	/* 78 questions a run, one in four. */
	cr_assert(came > 50 * 78 / 5 && came < 50 * 78 / 3, "%u chances", came);
}

Test(sched, the_usual_answer_to_a_chance_is_no)
{
	static const char *const none[] = {"default", "delay", "list"};

	load(.oracles = "none", .begin = clear_sum, .task = {take_chances, take_chances});
	for (u32 i = 0; i < 3; i++) {
		struct world_run r = run_with(.seed = 7, .policy_arg = "",
					      .policy = policy_find(none[i], strlen(none[i])));

		cr_assert_eq(count_chances(&r), 0, "%s", none[i]);
	}
}

Test(sched, a_list_with_one_chance_gives_that_one)
{
	const struct policy *list = policy_find("list", 4);
	static char missed[256];
	struct world_run r;

	load(.oracles = "none", .begin = clear_sum, .task = {take_chances, take_chances});
	r = run_with(.policy = list, .policy_arg = "T3!9.2");
	cr_assert_eq(r.n_points, 1);
	cr_assert(r.points[0].task == 3 && r.points[0].op == 9 && r.points[0].to == 2 &&
		  r.points[0].why == WHY_CHANCE);
	cr_assert(!policy_list_missed(w->sched, missed, sizeof(missed)), "%s", missed);
	run_with(.policy = list, .policy_arg = "T2!9.3,T2!12.0");
	cr_assert(policy_list_missed(w->sched, missed, sizeof(missed)));
	cr_assert(strstr(missed, "hardware was not asked there (point T2!9.3)"), "%s", missed);
	run_with(.policy = list, .policy_arg = "T2!900.0");
	cr_assert(policy_list_missed(w->sched, missed, sizeof(missed)));
	cr_assert_str_eq(missed, "the run ended before point T2!900.0");
}

static u32 depth;

static __attribute__((noinline)) void deep(int n)
{
	u64 pc[64];

	if (n)
		deep(n - 1);
	else
		depth = sched_stack(pc, 64);
	__asm__ volatile("" ::: "memory");
}

static void walk_stack(void *arg)
{
	(void)arg;
	deep(9);
}

Test(sched, a_stack_walk_ends_at_the_fiber_entry)
{
	load_tasks(walk_stack);
	run_with(0);
	cr_assert(depth >= 11 && depth <= 14, "%u frames", depth);
}
