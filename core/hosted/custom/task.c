// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: tasks. A floor's task becomes a task of the kernel when it first
 * asks for `current`. It acts for process 0 until a system call says for which
 * (process.c); tasks that the runtime starts are kernel threads. Each task has
 * a CPU of its own: preempt_count only forbids to sleep, "interrupts off" keeps
 * out only others that turn them off.
 *
 * A task of a process that sleeps interruptibly while nobody else can do
 * anything is interrupted, as its user would do it: that is no deadlock.
 *
 * False: no other signal, no priorities, no exit path of its own (a task that ends
 * runs its task works and is gone), pids are the floor's task numbers.
 */
#include "core/hosted/runtime.h"

#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/wake_q.h>
#include <linux/task_work.h>

const struct floor *hosted_floor;
void *const *hosted_running __hosted_keep;
struct floor_now hosted_now __hosted_keep; /* *hosted_running, one step nearer: for the hooks */

static struct hosted_task hosted_tasks[HOSTED_TASKS_MAX] __hosted_keep;
static unsigned int hosted_run __hosted_keep; /* the floor's generation */
static unsigned int hosted_tasks_end __hosted_keep; /* above the last that came in this run */

void hosted_task_boot(void)
{
	hosted_running = hosted_floor->running;
	hosted_floor->tell(&hosted_now);
	hosted_run = hosted_floor->generation();
}

/* The first task of a run brings back what the restored state leans on. */
static void begin_run(void)
{
	if (hosted_run == hosted_floor->generation())
		return;
	hosted_run = hosted_floor->generation();
	hosted_tasks_end = 0;
	hosted_page_new_run();
	hosted_process_new_run();
}

void hosted_task_init(struct hosted_task *h, const char *name)
{
	struct task_struct *p = &h->t;

	h->irq_on = 1;
#ifndef CONFIG_THREAD_INFO_IN_TASK
	h->ti.task = p;
#endif
	*hosted_preempt_count_of(h) = 0;
	p->stack = hosted_thread_info_of(h);
	p->group_leader = p;
	refcount_set(&p->usage, 1);
	refcount_set(&p->rcu_users, 1);
	hosted_process_none(p);
	strscpy(p->comm, name, sizeof(p->comm));
#ifdef IOMMULAB_X86
	lockdep_init_task(p);
#endif
	raw_spin_lock_init(&p->pi_lock);
	spin_lock_init(&p->alloc_lock);
#if HOSTED_HAS_BLOCKED_LOCK
	raw_spin_lock_init(&p->blocked_lock);
#endif
}

/* Of a task of the floor's. */
static inline void **word(const void *task, unsigned long offset)
{
	return (void **)((char *)task + offset);
}

/* The running task of the floor is this one of the kernel. */
static void bind(struct hosted_task *h)
{
	h->task = *hosted_running;
	h->generation = hosted_run;
	h->t.pid = h->t.tgid = hosted_floor->task_id() + 1;
	hosted_floor->preempt_at(hosted_preempt_count_of(h),
				 IS_ENABLED(IOMMULAB_HOOKS) ? NULL : &h->t.rcu_read_lock_nesting,
				 &hosted_thread_info_of(h)->flags, _TIF_NEED_RESCHED);
	*word(h->task, FLOOR_TASK_WORD) = h;
	*word(h->task, FLOOR_THREAD_WORD) = hosted_thread_info_of(h);
}

void hosted_task_enter(struct hosted_task *h)
{
	begin_run();
	bind(h);
}

static noinline struct hosted_task *adopt(void)
{
	struct hosted_task *h = &hosted_tasks[hosted_floor->task_id()];
	struct task_struct *p = &h->t;

	begin_run();
	hosted_tasks_end = max(hosted_tasks_end, hosted_floor->task_id() + 1);
	memset(h, 0, sizeof(*h));
	bind(h);
	p->flags = hosted_floor->is_daemon() ? PF_KTHREAD : 0;
	hosted_task_init(h, hosted_floor->task_name());
	if (!(p->flags & PF_KTHREAD))
		hosted_process_join(p, 0);
	return h;
}

static inline struct hosted_task *self(void)
{
	struct hosted_task *h = *word(*hosted_running, FLOOR_TASK_WORD);

	return likely(h) ? h : adopt();
}

void hosted_task_come(void)
{
	self();
}

struct thread_info *hosted_thread_info(void)
{
	return hosted_thread_info_of(self());
}

#ifdef IOMMULAB_X86
/* The tree's headers declare them as variables of a data section (x86/force.h). */
int *hosted_of_irqs(void) HOSTED_NAMED(hosted_hardirqs_enabled);
int *hosted_of_hardirq(void) HOSTED_NAMED(hosted_hardirq_context);

int *hosted_of_irqs(void)
{
	struct hosted_task *h = self();

	return h->in_lockdep ? &h->irq_before : &h->irq_on;
}

int *hosted_of_hardirq(void)
{
	return &self()->in_hardirq;
}

struct hosted_preempt *hosted_preempt(void)
{
	return &self()->preempt;
}
#endif

struct task_struct *hosted_current(void)
{
	return &self()->t;
}

int *hosted_irq_flag(void)
{
	return &self()->irq_on;
}

/*
 * Only one task at a time is between local_irq_save() and its restore: on one
 * CPU, code relies on that (percpu_counter). Who holds a spinlock does not
 * wait for another's section, which might wait for the lock.
 */
static struct hosted_task *hosted_irq_owner;

void hosted_irq_set(int on)
{
	struct hosted_task *h = self();

	h->irq_on = on;
	if (on && unlikely(hosted_irq_owner == h)) {
		hosted_floor->release(&hosted_irq_owner);
		hosted_irq_owner = NULL;
	}
	*(int *)((char *)h->task + hosted_floor->irq_off_offset) = !on;
	if (on)
		hosted_floor->quiescent();
}

/* The tree's lockdep turns interrupts off for nobody but itself. */
static inline bool keeps_to_itself(struct hosted_task *h, int on)
{
#ifdef IOMMULAB_X86
	if (h->in_lockdep)
		h->irq_on = on;
	return h->in_lockdep;
#else
	return false;
#endif
}

static void irq_off(struct hosted_task *h)
{
	if (keeps_to_itself(h, 0))
		return;
	if (!h->irq_on)
		return;
	while (hosted_irq_owner && !*hosted_preempt_count_of(h))
		hosted_floor->yield();
	if (!hosted_irq_owner)
		hosted_irq_owner = h;
	hosted_irq_set(0);
	hosted_floor->acquire(&hosted_irq_owner);
}

static void irq_on(struct hosted_task *h)
{
	if (keeps_to_itself(h, 1))
		return;
	if (h->irq_on)
		return;
	if (hosted_irq_owner != h)
		hosted_floor->release(&hosted_irq_owner);
	hosted_irq_set(1);
}

int um_get_signals(void)
{
	return self()->irq_on;
}

int um_set_signals(int enable)
{
	struct hosted_task *h = self();
	int old = h->irq_on;

	if (enable)
		irq_on(h);
	else
		irq_off(h);
	return old;
}

void block_signals(void)
{
	irq_off(self());
}

void unblock_signals(void)
{
	irq_on(self());
}

void *hosted_spawn(const char *name, void (*fn)(void *), void *arg, bool daemon)
{
	return hosted_floor->spawn(name, fn, arg, daemon ? FLOOR_DAEMON : 0);
}

void hosted_syscall_exit(void)
{
	while (READ_ONCE(current->task_works))
		task_work_run();
	sigemptyset(&current->pending.signal);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
}

/* The signal is gone when the call has returned. */
void hosted_interrupt(void *task)
{
	struct hosted_task *h = *word(task, FLOOR_TASK_WORD);

	if (!h)
		return;
	sigaddset(&h->t.pending.signal, SIGKILL);
	set_tsk_thread_flag(&h->t, TIF_SIGPENDING);
	wake_up_state(&h->t, TASK_INTERRUPTIBLE | TASK_WAKEKILL);
}

/* Ends the sleeps of a process's tasks, as its end does. */
void hosted_task_interrupt(unsigned int process)
{
	for (unsigned int i = 0; i < hosted_tasks_end; i++) {
		struct hosted_task *h = &hosted_tasks[i];

		if (h->generation != hosted_run || h->process != process ||
		    h->t.flags & PF_KTHREAD || &h->t == current)
			continue;
		hosted_interrupt(h->task);
	}
}

/* Where a tree frees tasks after a grace period. */
void hosted_put_task_rcu(struct rcu_head *head) HOSTED_NAMED(__put_task_struct_rcu_cb);

void hosted_put_task_rcu(struct rcu_head *head)
{
	__put_task_struct(container_of(head, struct task_struct, rcu));
}

/* An inline where there is one CPU, in older trees. */
void hosted_kick_process(struct task_struct *p) HOSTED_NAMED(kick_process);

void hosted_kick_process(struct task_struct *p)
{
}

/* --- sleeping and waking --- */

static void check_may_sleep(unsigned long pc, const char *what)
{
	if (unlikely(preempt_count() || !self()->irq_on))
		hosted_finding(pc, "BUG: scheduling while atomic in %F",
			       "%s: preempt_count %#x, interrupts %s", what, preempt_count(),
			       self()->irq_on ? "on" : "off");
}

#define PATIENCE_NS (100 * NSEC_PER_SEC) /* far: fires when nobody else can run */

static bool interruptible(const struct task_struct *p)
{
	return READ_ONCE(p->__state) & TASK_INTERRUPTIBLE && !(p->flags & PF_KTHREAD);
}

/* Whether it was woken; ns 0: no limit. */
static bool sleep(unsigned long ns)
{
	struct task_struct *p = current;
	bool rests = hosted_task_of(p)->kthread && READ_ONCE(p->__state) & TASK_INTERRUPTIBLE;
	bool woken = true;

	/* A thread that waits for something to do may do so for ever. */
	if (rests)
		hosted_floor->serving(false);
	while (woken && READ_ONCE(p->__state) != TASK_RUNNING)
		woken = hosted_floor->block("schedule", NULL, -1, ns);
	if (rests)
		hosted_floor->serving(true);
	hosted_floor->acquire(p);
	hosted_time_update();
	return woken;
}

void schedule(void)
{
	check_may_sleep(HOSTED_CALLER, "schedule");
	if (READ_ONCE(current->__state) == TASK_RUNNING)
		hosted_floor->yield();
	else if (!interruptible(current))
		sleep(0);
	else if (!sleep(PATIENCE_NS)) {
		set_tsk_thread_flag(current, TIF_SIGPENDING);
		WRITE_ONCE(current->__state, TASK_RUNNING);
	}
}

void schedule_preempt_disabled(void)
{
	preempt_enable_no_resched();
	hosted_preempt_check();
	schedule();
	preempt_disable();
}

/* Nobody preempts but the floor; a grace period that waits for us has set TIF_NEED_RESCHED. */
void preempt_schedule(void)
{
	hosted_floor->quiescent();
}

signed long schedule_timeout(signed long timeout)
{
	unsigned long start = hosted_floor->now_ns();
	signed long left;

	check_may_sleep(HOSTED_CALLER, "schedule_timeout");
	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	/* jiffies_to_nsecs() counts in 32 bits of microseconds, which is an hour. */
	timeout = min(timeout, LONG_MAX / (signed long)TICK_NSEC);
	if (!sleep(timeout > 0 ? timeout * TICK_NSEC : 1))
		WRITE_ONCE(current->__state, TASK_RUNNING);
	left = timeout - nsecs_to_jiffies64(hosted_floor->now_ns() - start);
	return left > 0 ? left : 0;
}

void io_schedule(void)
{
	schedule();
}

long io_schedule_timeout(long timeout)
{
	return schedule_timeout(timeout);
}

int io_schedule_prepare(void)
{
	return 0;
}

void io_schedule_finish(int token)
{
}

int try_to_wake_up(struct task_struct *p, unsigned int state, int flags)
{
	hosted_sync(p, FLOOR_WRITE);
	hosted_floor->release(p);
	if (!(READ_ONCE(p->__state) & state))
		return 0;
	if (hosted_kthread_wake(p))
		return 1;
	WRITE_ONCE(p->__state, TASK_RUNNING);
	hosted_floor->wake(hosted_task_of(p)->task);
	return 1;
}

int wake_up_process(struct task_struct *p)
{
	return try_to_wake_up(p, TASK_NORMAL, 0);
}

int wake_up_state(struct task_struct *p, unsigned int state)
{
	return try_to_wake_up(p, state, 0);
}

int default_wake_function(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	return try_to_wake_up(entry->private, mode, flags);
}

static bool wake_q_put(struct wake_q_head *head, struct task_struct *p)
{
	if (p->wake_q.next)
		return false;
	p->wake_q.next = WAKE_Q_TAIL;
	*head->lastp = &p->wake_q;
	head->lastp = &p->wake_q.next;
	return true;
}

void wake_q_add(struct wake_q_head *head, struct task_struct *p)
{
	if (wake_q_put(head, p))
		get_task_struct(p);
}

void wake_q_add_safe(struct wake_q_head *head, struct task_struct *p)
{
	if (!wake_q_put(head, p))
		put_task_struct(p);
}

void wake_up_q(struct wake_q_head *head)
{
	struct wake_q_node *node = head->first;

	while (node != WAKE_Q_TAIL) {
		struct task_struct *p = container_of(node, struct task_struct, wake_q);

		node = node->next;
		p->wake_q.next = NULL;
		wake_up_process(p);
		put_task_struct(p);
	}
}

/* --- assertions on the context --- */

#ifdef CONFIG_DEBUG_ATOMIC_SLEEP
static noinline void may_not_sleep(const char *file, int line, unsigned long pc)
{
	hosted_finding(pc, "BUG: sleeping function called from invalid context in %F",
		       "at %s:%d: preempt_count %#x, interrupts %s, rcu depth %d", file, line,
		       preempt_count(), self()->irq_on ? "on" : "off",
		       current->rcu_read_lock_nesting);
}

static __always_inline void check_context(const char *file, int line)
{
	struct hosted_task *h = self();

	if (unlikely(*hosted_preempt_count_of(h) || !h->irq_on || h->t.rcu_read_lock_nesting))
		may_not_sleep(file, line, HOSTED_CALLER);
}

void __might_resched(const char *file, int line, unsigned int offsets)
{
	check_context(file, line);
}

void __might_sleep(const char *file, int line)
{
	check_context(file, line);
}

void __might_fault(const char *file, int line)
{
	check_context(file, line);
}
#endif
