// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler proper: who may run, who runs, and the record of it.
 *
 * A run is one call of run_loop(): it switches from the host's stack to the
 * first task; from then on tasks switch among themselves, and whoever finds
 * that the run has ended switches back. Each choice is compared with the
 * default order (policy_default_pick()); a deviation becomes a switch_point.
 * The list of these points, given to policy `list`, is the run again.
 */
#include "sim/sched/sched.h"

#include "sim/base/assert.h"
#include "sim/base/region.h"
#include "sim/choice/choice.h"
#include "sim/sched/fiber_priv.h"
#include "sim/sched/policy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if IOMMULAB_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_GUARD (4UL << 10)
#define STACK_STRIDE (SCHED_STACK_SIZE + STACK_GUARD)
#define EPOCH_ID_SHIFT 26
#define NEVER (1ULL << 62) /* as stop_at: see sched_due() */

_Static_assert(SCHED_TASKS_MAX * STACK_STRIDE <= STACK_SLOT, "the stacks fit their region");
_Static_assert(SCHED_TASKS_MAX <= 1 << (32 - EPOCH_ID_SHIFT), "a task id fits an epoch");

struct task *current_task;

static u64 task_bit(const struct task *t)
{
	return 1ULL << t->id;
}

/* --- creation and reset --- */

static void map_stacks(struct sched *s)
{
	char *base = (char *)(STACK_BASE + s->world->slot * STACK_SLOT);
	void *p = mmap(base, STACK_SLOT, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != base)
		sim_exhausted("the host refuses memory: cannot map the task stacks at %p",
			      (void *)base);
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++) {
		char *stack = base + i * STACK_STRIDE + STACK_GUARD;

		if (mprotect(stack, SCHED_STACK_SIZE, PROT_READ | PROT_WRITE))
			sim_exhausted("the host refuses memory: cannot make stack %u writable", i);
	}
	s->stacks = base;
}

static void task_timed_out(struct clock_timer *timer)
{
	struct task *t = container_of(timer, struct task, timeout);

	t->timed_out = true;
	sched_wake(t);
}

struct sched *sched_create(struct world *w)
{
	struct sched *s = calloc(1, sizeof(*s));

	sim_assert(s);
	s->world = w;
	s->told = &s->told_nobody;
	s->uncounted = 1LL << 62;
	s->vcs = calloc(SCHED_TASKS_MAX, sizeof(*s->vcs));
	s->policy_state = calloc(1, POLICY_STATE_MAX);
	s->points_max = 4096;
	s->points = calloc(s->points_max, sizeof(*s->points));
	sim_assert(s->vcs && s->policy_state && s->points);
	map_stacks(s);
	for (u32 i = 0; i < SCHED_TASKS_MAX; i++) {
		struct task *t = &s->task[i];

		t->id = i;
		t->world = w;
		t->vc = s->vcs[i];
		t->stack = s->stacks + i * STACK_STRIDE + STACK_GUARD;
		clock_timer_init(&t->timeout, task_timed_out);
		sched_set_weight(t, 0);
	}
	s->n_slots = SCHED_TASKS_MAX;
	sched_reset(s);
	return s;
}

void sched_destroy(struct sched *s)
{
	if (!s)
		return;
	munmap(s->stacks, STACK_SLOT);
	free(s->checks);
	free(s->points);
	free(s->policy_state);
	free(s->vcs);
	free(s);
}

static void task_reset(struct task *t)
{
	INIT_LIST_HEAD(&t->timeout.node);
	t->state = TASK_FREE;
	t->flags = 0;
	t->due = 0;
	t->stop_at = 0;
	t->ops_at_switch = 0;
	t->sp = NULL;
	t->fake_stack = NULL;
	t->victim = NULL;
	t->stopped_by = NULL;
	t->n_held = 0;
	t->n_unlisted = 0;
	t->epoch = 0;
	t->vector = 0;
}

static void task_entry(void);

/* Who had the stack before has left it in the middle of functions, and ASan's marks of them. */
static void stack_prepare(struct task *t)
{
#if IOMMULAB_ASAN
	ASAN_UNPOISON_MEMORY_REGION(t->stack, SCHED_STACK_SIZE);
#endif
	t->sp = sched_fiber_prepare(t->stack, SCHED_STACK_SIZE, task_entry);
}

void sched_reset(struct sched *s)
{
	struct task *clock = &s->task[SCHED_CLOCK_TASK];

	for (u32 i = 0; i < s->n_slots; i++)
		task_reset(&s->task[i]);
	s->n_slots = SCHED_FIRST_TASK;
	s->live = 0;
	s->runnable = 0;
	s->steps = 0;
	s->hash = 0;
	s->n_switches = 0;
	s->n_preempts = 0;
	s->n_points = 0;
	s->asked_task = SCHED_TASKS_MAX;
	s->n_checks = 0;
	s->notes = 0;
	s->end = SCHED_AT_REST;
	memset(s->task[0].vc, 0, sizeof(*s->vcs));
	clock->state = TASK_BLOCKED;
	clock->flags = TASK_DAEMON;
	strcpy(clock->name, "clock");
}

void sched_set_policy(struct sched *s, const struct policy *p)
{
	s->policy = p;
	s->weighs = p && p->weighs;
}

/* --- the run's hash --- */

void sched_keep_check(struct sched *s)
{
	if (s->notes % s->check_every)
		return;
	if (s->n_checks == s->checks_max) {
		s->checks_max = s->checks_max ? 2 * s->checks_max : 1024;
		s->checks = realloc(s->checks, s->checks_max * sizeof(*s->checks));
		sim_assert(s->checks);
	}
	s->checks[s->n_checks++] = s->hash;
}

void fact_send(enum fact_kind kind, const u64 arg[4])
{
	struct task *t = current_task;
	struct fact f = {
		.kind = kind,
		.task = t->id,
		.op = sched_ops(t),
		.arg = {arg[0], arg[1], arg[2], arg[3]},
		.pc = (u64)(uintptr_t)__builtin_return_address(0),
	};

	fact_hand_out(t->world->fact, &f);
}

u64 sched_steps(const struct sched *s)
{
	const struct task *t = current_task;

	return s->steps + (t && t->world->sched == s ? sched_ops(t) - t->ops_at_switch : 0);
}

/* --- switching --- */

#if IOMMULAB_ASAN
/* Bounds of the stack that runs t; the host's own is learned at the first switch away. */
static void asan_before(struct task *from, const struct task *to)
{
	const void *bottom = to->stack;
	size_t size = to->id == SCHED_TASKS_MAX ? to->kapi_private[0] : SCHED_STACK_SIZE;

	__sanitizer_start_switch_fiber(&from->fake_stack, bottom, size);
}

static void asan_after(struct task *self, struct sched *s)
{
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(self ? self->fake_stack : NULL, &bottom, &size);
	if (!s->main.stack) {
		s->main.id = SCHED_TASKS_MAX;
		s->main.stack = (void *)bottom;
		s->main.kapi_private[0] = size;
	}
}
#else
static void asan_before(struct task *from, const struct task *to)
{
	(void)from;
	(void)to;
}

static void asan_after(struct task *self, struct sched *s)
{
	(void)self;
	(void)s;
}
#endif

static void task_exit(struct task *t);

static void task_entry(void)
{
	struct task *t = current_task;

	asan_after(NULL, t->world->sched);
	t->fn(t->arg);
	task_exit(t);
	sim_fatal("an ended task was resumed");
}

static void switch_to(struct sched *s, struct task *from, struct task *to)
{
	current_task = to == &s->main ? NULL : to;
	sched_tell(s, to);
	to->started = true;
	asan_before(from, to);
	sched_fiber_switch(&from->sp, to->sp);
	asan_after(from, s);
}

static void end_run(struct sched *s, enum sched_end end)
{
	struct task *t = current_task;

	s->steps += sched_ops(t) - t->ops_at_switch;
	t->ops_at_switch = sched_ops(t);
	s->end = end;
	switch_to(s, t, &s->main);
}

void sched_stop(struct sched *s)
{
	end_run(s, SCHED_STOPPED);
	sim_fatal("a stopped run went on");
}

/* --- who may run --- */

/* Whether the next timer may fire while others can run. */
static bool timer_due(struct sched *s)
{
	const struct clock_timer *next = clock_next(s->world->clock);

	if (!next)
		return false;
	return !s->far_ns || next->at_ns < s->world->clock->now_ns + s->far_ns ||
	       !(s->runnable & ~(1ULL << SCHED_CLOCK_TASK));
}

static void clock_body(void *arg)
{
	struct task *t = current_task;
	struct world *w = t->world;

	(void)arg;
	for (;;) {
		if (timer_due(w->sched)) {
			struct clock_timer *timer = clock_advance(w->clock);

			fact(TIMER, sched_stable_addr(timer), w->clock->now_ns);
			timer->fn(timer);
		}
		sched_block("the next timer", NULL, -1, 0);
	}
}

/* What it begins with has been chosen. */
static void ready(struct sched *s, struct task *t)
{
	if (s->ready)
		s->ready(t);
}

/* The clock is runnable when a timer is armed, or in the middle of one. */
static void refresh_clock(struct sched *s)
{
	struct task *t = &s->task[SCHED_CLOCK_TASK];

	if (t->state == TASK_READY || !timer_due(s))
		return;
	if (t->sp && t->wait.object)
		return; /* a timer's function itself is blocked on something */
	if (!t->sp) {
		t->fn = clock_body;
		t->gen = s->generation;
		t->checks = s->access_checks;
		t->observed = s->observed;
		ready(s, t);
		stack_prepare(t);
		t->life = ++s->lives;
		t->epoch = t->id << EPOCH_ID_SHIFT | 1;
		memset(t->vc, 0, sizeof(*s->vcs));
		t->vc[t->id] = t->epoch;
		t->vector = 0;
		s->live |= task_bit(t);
	}
	t->state = TASK_READY;
	s->runnable |= task_bit(t);
}

static bool all_ended(const struct sched *s)
{
	u64 live = s->live;

	while (live) {
		unsigned i = bit_lowest(live);

		live &= live - 1;
		if (!(s->task[i].flags & TASK_DAEMON))
			return false;
	}
	return true;
}

/* Ends the run if nobody is left who must or can go on. */
static bool at_end(struct sched *s)
{
	u64 clock = 1ULL << SCHED_CLOCK_TASK;

	if (!(s->runnable & ~clock) && all_ended(s)) {
		end_run(s, SCHED_AT_REST);
		return true;
	}
	if (!s->runnable) {
		end_run(s, SCHED_DEADLOCK);
		return true;
	}
	return false;
}

static void record_point(struct sched *s, struct switch_point p)
{
	if (s->n_points == s->points_max) {
		s->points_max *= 2;
		s->points = realloc(s->points, s->points_max * sizeof(*s->points));
		sim_assert(s->points);
	}
	s->points[s->n_points++] = p;
}

static struct task *pick(struct sched *s, struct task *cur, enum sched_why why)
{
	bool goes_on = why == WHY_PREEMPT && s->runnable & task_bit(cur);
	struct task *usual = goes_on ? cur : policy_default_pick(s, cur, why);
	struct task *next = usual;
	u64 limit;

	if (s->setup || !s->policy)
		sched_set_stop(next, NEVER);
	else
		next = s->policy->pick(s, cur, why);
	sim_assert(s->runnable & task_bit(next));
	sim_assert(next->mode != ACCESS_QUIET || !next->weight_shared || !IOMMULAB_HOOKS);
	if (next != usual)
		record_point(s, (struct switch_point){.task = cur ? cur->id : 0, .to = next->id,
						      .op = cur ? sched_ops(cur) : 0, .why = why});
	limit = sched_ops(next) + (s->steps_max > s->steps ? s->steps_max - s->steps : 0) + 1;
	sched_set_stop(next, min(next->stop_at, limit));
	return next;
}

/* The how manieth question this is in the task's operation. */
static u32 count_question(struct sched *s, const struct task *t)
{
	if (s->asked_task != t->id || s->asked_op != sched_ops(t)) {
		s->asked_task = t->id;
		s->asked_op = sched_ops(t);
		s->asked = 0;
	}
	return s->asked++;
}

bool sched_chance(struct sched *s, u32 one_in)
{
	struct switch_point p = {.why = WHY_CHANCE};
	bool yes;

	if (s->setup || !s->policy || !current_task || !one_in)
		return false;
	p.task = current_task->id;
	p.op = sched_ops(current_task);
	p.to = count_question(s, current_task);
	if (s->policy->chance)
		yes = s->policy->chance(s, &p);
	else
		yes = !choice_below(s->world->choice, CHOICE_CHANCE, one_in);
	if (yes)
		record_point(s, p);
	return yes;
}

/* The interrupt takes the CPU of the task that it was chosen over. */
static void irq_begin(struct sched *s, struct task *irq, struct task *cur)
{
	if (irq->started || !cur || cur->irq_off || cur->state != TASK_READY ||
	    cur->flags & TASK_IRQ || cur->id == SCHED_CLOCK_TASK)
		return;
	irq->victim = cur;
	cur->stopped_by = irq;
	s->runnable &= ~task_bit(cur);
}

static void irq_end(struct sched *s, struct task *irq)
{
	struct task *victim = irq->victim;

	if (!victim)
		return;
	irq->victim = NULL;
	victim->stopped_by = NULL;
	if (victim->state == TASK_READY)
		s->runnable |= task_bit(victim);
}

/* The moment of choice. `cur` has announced an operation, or cannot go on. */
static void reschedule(struct sched *s, struct task *cur, enum sched_why why)
{
	struct task *next;

	s->steps += sched_ops(cur) - cur->ops_at_switch;
	cur->ops_at_switch = sched_ops(cur);
	if (s->steps > s->steps_max) {
		end_run(s, SCHED_STEPS);
		return;
	}
	refresh_clock(s);
	if (why != WHY_PREEMPT && at_end(s))
		return;
	next = pick(s, cur, why);
	if (next == cur)
		return;
	if (next->flags & TASK_IRQ)
		irq_begin(s, next, cur);
	s->n_switches++;
	s->n_preempts += why == WHY_PREEMPT;
	fact(SWITCH, cur->id, next->id, sched_ops(cur), why);
	next->ops_at_switch = sched_ops(next);
	switch_to(s, cur, next);
}

/* Setting up and shutting down, nobody is preempted; but what spins for ever is ended. */
static void stop_at_limit(struct sched *s, struct task *t)
{
	s->steps += sched_ops(t) - t->ops_at_switch;
	t->ops_at_switch = sched_ops(t);
	if (s->steps > s->steps_max)
		end_run(s, SCHED_STEPS);
	else
		sched_set_stop(t, sched_ops(t) + (s->steps_max - s->steps) + 1);
}

void sched_preempt(struct task *t)
{
	struct sched *s = t->world->sched;

	if (unlikely(s->setup)) {
		stop_at_limit(s, t);
		return;
	}
	reschedule(s, t, WHY_PREEMPT);
}

void sched_stop_before(const void *addr, u32 size, u32 flags, u64 pc)
{
	struct task *t = current_task;

	t->pending.addr = addr;
	t->pending.size = size;
	t->pending.flags = flags;
	t->pending.pc = pc;
	sched_preempt(t);
}

void sched_point(const void *addr, u32 size, u32 flags)
{
	sched_point_at(current_task, addr, size, flags,
		       (u64)(uintptr_t)__builtin_return_address(0));
}

/* --- tasks --- */

static struct task *free_slot(struct sched *s)
{
	if (s->n_slots < SCHED_TASKS_MAX)
		return &s->task[s->n_slots++];
	for (u32 i = SCHED_FIRST_TASK; i < SCHED_TASKS_MAX; i++) {
		if (s->task[i].state == TASK_DEAD)
			return &s->task[i];
	}
	sim_fatal("more than %d live tasks", SCHED_TASKS_MAX - SCHED_FIRST_TASK);
}

static void task_start(struct sched *s, struct task *t, struct task *parent)
{
	t->gen = s->generation;
	t->checks = s->access_checks;
	t->observed = s->observed;
	ready(s, t);
	t->started = false;
	sched_set_stop(t, NEVER);
	sched_set_weight(t, 0);
	t->ops_at_switch = sched_ops(t);
	t->wake_pending = false;
	t->timed_out = false;
	t->preempt_count = 0;
	t->irq_off = 0;
	t->rcu_depth = 0;
	t->foreign_count = NULL;
	t->foreign_readers = NULL;
	t->fail_nth = 0;
	t->n_held = 0;
	t->n_unlisted = 0;
	t->life = ++s->lives;
	t->fake_stack = NULL;
	memset(&t->wait, 0, sizeof(t->wait));
	memset(&t->pending, 0, sizeof(t->pending));
	memset(t->kapi_private, 0, sizeof(t->kapi_private));
	stack_prepare(t);
	if (parent)
		memcpy(t->vc, parent->vc, sizeof(*s->vcs));
	else
		memset(t->vc, 0, sizeof(*s->vcs));
	/* A recycled slot's clock goes on, so that old accesses lie before. */
	t->epoch = max(t->epoch, t->id << EPOCH_ID_SHIFT) + 1;
	t->vc[t->id] = t->epoch;
	t->vector = 0;
	if (parent) {
		parent->epoch++;
		parent->vc[parent->id] = parent->epoch;
	}
}

struct task *sched_spawn(struct sched *s, const char *name, void (*fn)(void *), void *arg,
			 u32 flags)
{
	struct task *parent = current_task;
	struct task *t = free_slot(s);

	t->fn = fn;
	t->arg = arg;
	t->flags = flags;
	t->parent = parent ? parent->id : 0;
	strncpy(t->name, name, TASK_NAME_LEN - 1);
	t->name[TASK_NAME_LEN - 1] = '\0';
	task_start(s, t, parent ? parent : &s->task[0]);
	t->state = TASK_READY;
	s->live |= task_bit(t);
	s->runnable |= task_bit(t);
	if (parent)
		fact(TASK_START, t->id, parent->id, flags);
	if (s->policy && s->policy->spawned && !s->setup)
		s->policy->spawned(s, t);
	return t;
}

void sched_hold(struct task *t, const char *what)
{
	sim_assert(!t->started && t->state == TASK_READY);
	t->wait.what = what;
	t->wait.owner = -1;
	t->wait.since_ns = t->world->clock->now_ns;
	t->state = TASK_BLOCKED;
	t->flags |= TASK_OUTSIDE;
	t->world->sched->runnable &= ~task_bit(t);
}

void sched_skip(struct task *t)
{
	struct sched *s = t->world->sched;

	sim_assert(!t->started && t->state == TASK_READY);
	t->state = TASK_DEAD;
	s->live &= ~task_bit(t);
	s->runnable &= ~task_bit(t);
}

bool sched_fails(struct world *w, enum fault_kind kind, u64 pc)
{
	struct task *t = current_task;

	if (t && t->fail_nth && --t->fail_nth == 0)
		return true;
	return fault_fires(w->fault, kind, pc);
}

static void task_exit(struct task *t)
{
	struct sched *s = t->world->sched;

	t->due++;
	fact(TASK_EXIT, t->id);
	t->state = TASK_DEAD;
	s->live &= ~task_bit(t);
	s->runnable &= ~task_bit(t);
	if (t->flags & TASK_IRQ)
		irq_end(s, t);
	reschedule(s, t, WHY_EXIT);
}

bool sched_block(const char *what, const void *object, int owner, u64 timeout_ns)
{
	struct task *t = current_task;
	struct sched *s = t->world->sched;

	t->due++;
	if (t->wake_pending) {
		t->wake_pending = false;
		return true;
	}
	t->wait.what = what;
	t->wait.object = object;
	t->wait.owner = owner;
	t->wait.bounded = timeout_ns;
	t->wait.since_ns = t->world->clock->now_ns;
	t->wait.pc = (u64)(uintptr_t)__builtin_return_address(0);
	t->timed_out = false;
	if (timeout_ns)
		clock_timer_arm(t->world->clock, &t->timeout, timeout_ns);
	fact(BLOCK, (u64)(uintptr_t)what, (u64)(uintptr_t)object, (u64)(s64)owner);
	t->state = TASK_BLOCKED;
	s->runnable &= ~task_bit(t);
	reschedule(s, t, WHY_BLOCK);
	clock_timer_cancel(&t->timeout);
	t->wait.what = NULL;
	t->wait.object = NULL;
	return !t->timed_out;
}

void sched_wake(struct task *t)
{
	struct sched *s = t->world->sched;

	if (t->state != TASK_BLOCKED) {
		t->wake_pending = t->state == TASK_READY;
		return;
	}
	t->state = TASK_READY;
	if (!t->stopped_by)
		s->runnable |= task_bit(t);
	if (current_task)
		fact(WAKE, t->id, current_task->id);
	if (s->policy && s->policy->woken && !s->setup)
		s->policy->woken(s, t);
}

void sched_yield_now(void)
{
	struct task *t = current_task;

	t->due++;
	reschedule(t->world->sched, t, WHY_YIELD);
}

/* --- runs --- */

static enum sched_end run_loop(struct sched *s)
{
	struct task *first;

	sim_assert(!current_task);
	refresh_clock(s);
	if (!s->runnable)
		return s->end = all_ended(s) ? SCHED_AT_REST : SCHED_DEADLOCK;
	first = pick(s, NULL, WHY_START);
	first->ops_at_switch = sched_ops(first);
	switch_to(s, &s->main, first);
	return s->end;
}

enum sched_end sched_run(struct sched *s)
{
	sim_assert(!s->setup);
	return run_loop(s);
}

/*
 * Task 0 comes after everything that has happened; what daemons do from now on
 * is of another epoch (sim/access/clock.c says why that matters).
 */
static void join_all(struct sched *s, struct task *t)
{
	for (u32 i = 0; i < s->n_slots; i++) {
		struct task *other = &s->task[i];

		t->vc[i] = max(t->vc[i], other->epoch);
		if (other == t || !other->epoch)
			continue;
		other->epoch++;
		other->vc[i] = other->epoch;
	}
	t->vector = 0;
}

enum sched_end sched_setup(struct sched *s, void (*fn)(void *), void *arg)
{
	struct task *t = &s->task[0];
	enum sched_end end;

	s->setup = true;
	if (!s->steps_max)
		s->steps_max = ~0ULL >> 1;
	t->fn = fn;
	t->arg = arg;
	t->flags = TASK_SETUP;
	strcpy(t->name, "main");
	task_start(s, t, NULL);
	join_all(s, t);
	t->state = TASK_READY;
	s->live |= task_bit(t);
	s->runnable |= task_bit(t);
	end = run_loop(s);
	s->setup = false;
	return end;
}

/* --- stacks --- */

static u32 walk(const struct task *t, const u64 *frame, u64 *pcs, u32 n, u32 max)
{
	const u64 words = SCHED_STACK_SIZE / sizeof(*frame) - 2;

	while (n < max) {
		u64 at = (u64)((const char *)frame - (const char *)t->stack);
		const u64 *up;

		/* On the stack, and aligned: what is not has its low bits above all others. */
		if ((at >> 3 | at << 61) >= words || !frame[1])
			break;
		up = (const u64 *)(uintptr_t)frame[0];
		pcs[n++] = frame[1];
		if (up <= frame)
			break;
		frame = up;
	}
	return n;
}

__attribute__((no_sanitize("address"))) u32 sched_stack(u64 *pcs, u32 max)
{
	if (!current_task)
		return 0;
	return walk(current_task, __builtin_frame_address(0), pcs, 0, max);
}

__attribute__((no_sanitize("address"))) u32 sched_stack_of(const struct task *t, u64 *pcs, u32 max)
{
	const u64 *sp = t->sp;

	if (!sp || t == current_task || !max)
		return 0;
	pcs[0] = sp[FIBER_SAVED_RETURN];
	return walk(t, (const u64 *)(uintptr_t)sp[FIBER_SAVED_FRAME], pcs, 1, max);
}
