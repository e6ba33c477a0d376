// SPDX-License-Identifier: GPL-2.0-only
#include "sim/sched/policy.h"
#include "sim/sched/sched.h"
#include "sim/world/world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct task *sleeper;
static char log_text[256];
static struct world *the_world;

static void say(const char *s)
{
	strncat(log_text, s, sizeof(log_text) - strlen(log_text) - 1);
}

static struct world_run run(void (*start)(struct world *w, void *self), struct world_run r)
{
	struct world_program p = {.start = start};

	log_text[0] = '\0';
	the_world = world_create(0);
	world_set_oracles(the_world, "none");
	world_load(the_world, &p);
	world_run(the_world, &r);
	return r;
}

static void sleep_forever(void *arg)
{
	(void)arg;
	sched_block("a wake-up that never comes", NULL, -1, 0);
}

static void start_sleeper(struct world *w, void *self)
{
	(void)self;
	sleeper = sched_spawn(w->sched, "sleeper", sleep_forever, NULL, 0);
}

Test(sched, a_task_that_nobody_wakes_is_a_deadlock)
{
	cr_assert_eq(run(start_sleeper, (struct world_run){0}).end, SCHED_DEADLOCK);
	cr_assert_eq(sleeper->state, TASK_BLOCKED);
	cr_assert_str_eq(sleeper->wait.what, "a wake-up that never comes");
}

static void start_daemon(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "daemon", sleep_forever, NULL, TASK_DAEMON);
}

Test(sched, a_daemon_may_stay_blocked)
{
	cr_assert_eq(run(start_daemon, (struct world_run){0}).end, SCHED_AT_REST);
}

static void sleep_a_while(void *arg)
{
	u64 ns = (u64)(uintptr_t)arg;

	if (sched_block("time", NULL, -1, ns))
		say("woken ");
	say(ns == 1000 ? "short " : "long ");
}

static void start_timed(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "long", sleep_a_while, (void *)5000, 0);
	sched_spawn(w->sched, "short", sleep_a_while, (void *)1000, 0);
}

Test(sched, timeouts_end_in_virtual_time)
{
	struct world_run r = run(start_timed, (struct world_run){0});

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

static void start_spinner(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "spinner", spin_forever, NULL, 0);
}

Test(sched, a_livelock_ends_at_the_step_limit)
{
	struct world_run r = run(start_spinner, (struct world_run){.steps_max = 5000});

	cr_assert_eq(r.end, SCHED_STEPS);
	cr_assert(r.steps > 5000 && r.steps < 5100, "%lu steps", (unsigned long)r.steps);
}

static void stop_now(void *arg)
{
	say("before ");
	sched_stop(((struct world *)arg)->sched);
}

static void start_stopper(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "stopper", stop_now, w, 0);
	sched_spawn(w->sched, "other", sleep_forever, w, 0);
}

Test(sched, a_stopped_run_can_be_followed_by_another)
{
	struct world_run r = run(start_stopper, (struct world_run){0});

	cr_assert_eq(r.end, SCHED_STOPPED);
	for (int i = 0; i < 1000; i++) {
		r = (struct world_run){0};
		world_run(the_world, &r);
		cr_assert_eq(r.end, SCHED_STOPPED);
	}
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

static void start_irq_on(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "victim", with_irq, NULL, 0);
}

Test(sched, an_interrupt_may_come_in_the_middle_of_a_task)
{
	const struct policy *rw = policy_find("rw", 2);
	int inside = 0;

	cr_assert(rw);
	for (u64 seed = 1; seed < 50; seed++) {
		struct world_run r =
			run(start_irq_on,
			    (struct world_run){.seed = seed, .policy = rw, .policy_arg = "2"});

		cr_assert_eq(r.end, SCHED_AT_REST);
		inside += !strcmp(log_text, "irq end ");
		world_destroy(the_world);
	}
	cr_assert_gt(inside, 0);
}

/* --- the record of a run gives it again --- */

static void count(void *arg)
{
	u64 *shared = arg;

	for (int i = 0; i < 30; i++) {
		sched_point(shared, 8, OP_SYNC | OP_SHARED);
		*shared = *shared * 31 + current_task->id;
	}
}

static u64 shared_sum;

static void start_counters(struct world *w, void *self)
{
	(void)self;
	shared_sum = 0;
	for (int i = 0; i < 4; i++)
		sched_spawn(w->sched, "counter", count, &shared_sum, 0);
}

static void print_points(const struct world_run *r, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < r->n_points; i++)
		at += (size_t)snprintf(buf + at, size - at, "%sT%u%c%lu>T%u", i ? "," : "",
				       r->points[i].task,
				       r->points[i].why == WHY_PREEMPT ? '@' : '%',
				       (unsigned long)r->points[i].op, r->points[i].to);
}

Test(sched, the_list_of_switch_points_replays_a_random_run)
{
	const struct policy *rw = policy_find("rw", 2), *list = policy_find("list", 4);
	static char points[65536];

	cr_assert(rw && list);
	for (u64 seed = 1; seed <= 30; seed++) {
		struct world_run a =
			run(start_counters,
			    (struct world_run){.seed = seed, .policy = rw, .policy_arg = "3"});
		u64 sum = shared_sum;
		struct world_run b;

		print_points(&a, points, sizeof(points));
		world_destroy(the_world);
		b = run(start_counters,
			(struct world_run){.seed = seed, .policy = list, .policy_arg = points});
		cr_assert_eq(a.hash, b.hash, "seed %lu: %s", (unsigned long)seed, points);
		cr_assert_eq(sum, shared_sum);
		world_destroy(the_world);
	}
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

static void start_walker(struct world *w, void *self)
{
	(void)self;
	sched_spawn(w->sched, "walker", walk_stack, NULL, 0);
}

Test(sched, a_stack_walk_ends_at_the_fiber_entry)
{
	run(start_walker, (struct world_run){0});
	cr_assert(depth >= 11 && depth <= 14, "%u frames", depth);
}
