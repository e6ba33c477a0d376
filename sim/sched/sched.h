/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks on fibers, and the moment of choice.
 *
 * Exactly one task runs at a time. Before each operation that another task
 * could observe (a hooked memory access, a lock, a wake-up) the running task
 * announces it: its count of operations, sched_ops(), goes up by one, and when it
 * reaches `stop_at` the policy chooses who goes on. (task, operation) therefore
 * names a moment of a run, equal in every replay: it is what recipes, the
 * interleaving table and race reports speak of.
 *
 * A task leaves the CPU only in sched_point() (preempted before its announced
 * operation), sched_block(), sched_yield() or at its end. Abandoned fibers (a
 * finding ends the run at once) own nothing but their pooled stack.
 *
 * Interrupts: a task with TASK_IRQ is an interrupt. When it is chosen while a
 * task with interrupts on is running, that task is its victim and cannot run
 * until the interrupt has ended; otherwise it runs on an idle CPU. It may not
 * block. Timers: when any is armed, the task in slot SCHED_CLOCK_TASK becomes
 * runnable; running it fires the next timer. The default order runs it last.
 *
 * Limits: SCHED_TASKS_MAX live tasks, 64 KiB of stack each, steps_max
 * operations a run (beyond: a livelock finding).
 */
#pragma once

#include "sim/base/bits.h"
#include "sim/base/list.h"
#include "sim/base/region.h"
#include "sim/base/world.h"
#include "sim/clock/clock.h"
#include "sim/fact/fact.h"
#include "sim/fault/fault.h"

#define SCHED_TASKS_MAX 64
#define SCHED_CLOCK_TASK 1
#define SCHED_FIRST_TASK 2
#define SCHED_STACK_SIZE (64UL << 10)
#define TASK_NAME_LEN 24
#define TASK_HELD_MAX 24

/* How an announced operation touches its object; see sim/access. */
enum op_flags {
	OP_READ = 0,
	OP_WRITE = 1,
	OP_MARKED = 2,  /* volatile or atomic: exempt from race reports with its like */
	OP_ATOMIC = 4,
	OP_SYNC = 8,    /* a lock, wake-up or other kernel service, not memory */
	OP_SHARED = 16, /* another task has touched the object in this run */
};

/* What an access of a task does besides being counted. A hosted kernel's hooks know these. */
enum access_mode {
	ACCESS_FULL,  /* all that its cell's head says */
	ACCESS_QUIET, /* nothing: it is all the same who touches what */
	ACCESS_LIGHT, /* keeps who touched what, of which nothing but the policy learns */
};

enum task_state { TASK_FREE, TASK_READY, TASK_BLOCKED, TASK_DEAD };

enum task_flags {
	TASK_DAEMON = 1, /* may be blocked for ever when the world comes to rest */
	TASK_IRQ = 2,
	TASK_SETUP = 4,  /* runs outside the explored part: never preempted */
	TASK_OUTSIDE = 8, /* waits outside of the kernel, for as long as it likes */
};

/* WHY_CHANCE is no switch: see sched_chance(). */
enum sched_why { WHY_PREEMPT, WHY_BLOCK, WHY_YIELD, WHY_EXIT, WHY_START, WHY_CHANCE };

struct task_held {
	const void *lock; /* NULL: n_nested locks of the class, under a nest lock */
	u64 class_key;
	u32 mode; /* kapi's LOCK_* bits */
	u32 n_nested;
	u64 op;
	u64 pc;
};

struct task {
	/* Hot: touched by every hooked access. */
	s64 due;            /* operations past its stop: sched_ops() is their sum */
	u64 stop_at;
	u64 usual, usual_read, usual_write; /* sim/access: an ordinary cell, and masks */
	u32 id;
	u32 gen;            /* the world's generation: sim/access */
	u32 epoch;          /* id << 26 | own clock: sim/access */
	u32 weight_shared;  /* how much nearer a shared access brings stop_at */
	u32 checks;         /* ACCESS_CHECK_* that are on: sim/access */
	u32 mode;           /* enum access_mode: sim/access */
	bool observed;      /* someone recording wants every access: sim/access */
	bool started;
	bool alone;         /* nothing of it is looked at, in a build without hooks: sim/access */
	bool unseen;        /* nobody looks at the cells of what it allocates: sim/access */
	bool untold;        /* nor hears of it, in a build without hooks: sim/access */
	struct world *world;
	u32 *vc;            /* vector clock, SCHED_TASKS_MAX entries */
	u64 kapi_private[4]; /* of the kernel above, as is what comes last */
	u32 near_gen;        /* of cells that may be nearly ordinary, or 0: sim/access */
	u32 owner;           /* its number in cells */
	void *clocks, *readers; /* the world's, by index: sim/access */
	u32 life;            /* no two tasks of a world have the same; 0 is nobody's */
	u32 vector;          /* index of a copy of vc but for its own epoch, 0: none */
	/* Who touched what where nothing else is kept: sim/access. */
	u32 *owners;         /* a word per granule of all heaps */
	u32 own, shared;     /* such words: this task's, several tasks' */
	s64 alone_below;     /* while `due` is less: alone, and one more does not make it due */
	u64 usual_shared, usual_first; /* how several tasks' cells differ, and nobody's */

	/* The announced operation, valid while preempted before it. */
	struct {
		const void *addr;
		u32 size;
		u32 flags;
		u64 pc;
	} pending;

	/* Scheduling. */
	void *sp;
	enum task_state state;
	u32 flags;
	struct task *victim;     /* of an interrupt */
	struct task *stopped_by; /* the interrupt that runs on this task's CPU */
	bool wake_pending;
	bool timed_out;
	struct clock_timer timeout;
	u64 ops_at_switch; /* `ops` when it last got the CPU */
	void (*fn)(void *arg);
	void *arg;
	char name[TASK_NAME_LEN];
	u32 parent;
	void *stack;             /* lowest address */
	void *fake_stack;        /* ASan's, while switched out */
	struct {
		const char *what; /* "mutex_lock", "wait_for_completion" ... */
		const void *object;
		int owner;        /* task id that must act, or -1 */
		bool bounded;     /* by a time-out */
		u64 since_ns, pc;
	} wait;

	/* Kernel state, kept by sim/kapi. */
	int preempt_count;   /* spinlocks, explicit, hardirq: > 0 is atomic */
	int irq_off;
	int rcu_depth;
	u64 rcu_since_op;
	/*
	 * A hosted kernel's own count of sections without preemption, and the flags of which
	 * foreign_ask is set while a grace period waits for their end; NULL: it has none.
	 */
	const int *foreign_count, *foreign_readers;
	unsigned long *foreign_flags, foreign_ask;
	u64 fail_nth;      /* the so-many-eth failure point from here fails, 0 = none */
	u32 n_held, n_unlisted; /* n_unlisted: a hosted kernel's, for which there was no room */
	struct task_held held[TASK_HELD_MAX];
};

#define SCHED_NEVER_ALONE (-0x7fffffffffffffffLL - 1)

/* The one global: who runs now. NULL outside sched_run(), but for setup. */
extern struct task *current_task __attribute__((visibility("hidden")));

static inline struct world *this_world(void)
{
	return current_task->world;
}

struct policy;

/*
 * One deviation from the default order: before op `op` of `task`, go to `to`. With WHY_CHANCE: to
 * question `to`, from 0, that sched_chance() was asked in this operation, the answer was yes.
 */
struct switch_point {
	u32 task, to;
	u64 op;
	u32 why; /* in a recipe WHY_PREEMPT is `@`, WHY_CHANCE `!`, a block, yield or exit `%` */
};

enum sched_end {
	SCHED_AT_REST,  /* every task that is no daemon has ended */
	SCHED_DEADLOCK, /* nobody can run, no timer is armed, someone has not ended */
	SCHED_STOPPED,  /* sched_stop(): a finding */
	SCHED_STEPS,    /* more than steps_max operations */
};

/* As core/hosted/floor.h's struct floor_now. */
struct sched_told {
	struct task *task;
	s64 *due;
};

struct sched {
	struct world *world;
	struct task task[SCHED_TASKS_MAX];
	u64 live;      /* bit per task that is neither free nor dead */
	u64 runnable;  /* bit per task that may be chosen now */
	u32 n_slots;   /* highest slot ever used in this run, plus 1 */
	const struct policy *policy;
	bool weighs; /* it gives tasks a weight_shared: who touches what is to be kept */
	void *policy_state;  /* POLICY_STATE_MAX bytes, zeroed before begin() */
	u64 steps_max;
	/*
	 * A timer that is at least this far off only fires when nobody else can
	 * run: a time-out of last resort. 0: there are none.
	 */
	u64 far_ns;
	u64 steps;     /* operations of ended tasks; see sched_steps() */
	/* These three in this order: a hosted kernel's runtime keeps them, too. */
	u64 hash;      /* rolling hash of every switch, fact and sync operation */
	u64 notes;     /* sync operations and facts hashed so far */
	u32 check_every; /* record hash checkpoints for comparing runs; 0 = none */
	u32 n_switches, n_preempts;
	struct switch_point *points; /* deviations of this run, in order */
	u32 n_points, points_max;
	/* Who was last asked for a chance, in which operation, and for which of it. */
	u32 asked_task, asked;
	u64 asked_op;
	u64 *checks;
	u32 n_checks, checks_max;
	struct task main;    /* the host's own stack, only switched to and from */
	struct sched_told *told; /* a hosted kernel's own copy of who runs; never NULL */
	struct sched_told told_nobody;
	s64 uncounted;           /* see sched_tell() */
	enum sched_end end;
	u32 generation;      /* of the world; sim/access sets it, tasks copy it */
	u32 access_checks;   /* copied into tasks, as is the next */
	bool observed;
	void (*ready)(struct task *t); /* sim/access: a task begins */
	u32 lives;           /* given to tasks so far, in all runs */
	bool setup;          /* sched_setup() is running */
	char *stacks;
	u32 (*vcs)[SCHED_TASKS_MAX];
};

struct sched *sched_create(struct world *w);
void sched_destroy(struct sched *s);
/* Forgets all tasks. Cheap when none was spawned. */
void sched_reset(struct sched *s);
void sched_set_policy(struct sched *s, const struct policy *p);

/*
 * A new task, ready to run. From a running task: its child, with a
 * happens-before edge. The name is cut to TASK_NAME_LEN. Aborts when there
 * are more than SCHED_TASKS_MAX.
 */
struct task *sched_spawn(struct sched *s, const char *name, void (*fn)(void *), void *arg,
			 u32 flags);

/*
 * Holds back a task that sched_spawn() has just made: it begins when somebody
 * wakes it. `what` is what it waits for, in reports of deadlocks. It is
 * TASK_OUTSIDE until it says otherwise.
 */
void sched_hold(struct task *t, const char *what);

/* The same, for ever: the task never runs, and its number is nobody else's. */
void sched_skip(struct task *t);

/* Runs fn as task 0 (setup, teardown): no preemption, no policy, must not block for ever. */
enum sched_end sched_setup(struct sched *s, void (*fn)(void *), void *arg);

/* Runs all tasks until rest, deadlock, stop or step limit. */
enum sched_end sched_run(struct sched *s);

/* From a task: ends the run at once; does not return. */
_Noreturn void sched_stop(struct sched *s);

/*
 * Announces an operation of the current task on addr and lets the policy
 * preempt it. sched_point() is for kernel services; hooked memory accesses
 * come through sim/access, which inlines the count and calls sched_preempt()
 * only when it is reached.
 */
void sched_point(const void *addr, u32 size, u32 flags);
void sched_preempt(struct task *t);

/*
 * Blocks the current task until sched_wake(). `what` names the service,
 * `object` what is waited for, `owner` the task that must act (or -1): they
 * appear in deadlock and hang reports. A wake that came between the caller's
 * check and this call is not lost (wake_pending); a wake-up may be spurious, so
 * callers test their condition again. Must not be called in
 * atomic context: kapi checks. Returns false on time-out (timeout_ns of
 * virtual time; 0 = none).
 */
bool sched_block(const char *what, const void *object, int owner, u64 timeout_ns);
void sched_wake(struct task *t);

/* Whether this failure point fails: for the task alone (fail_nth), or for the run (sim/fault). */
bool sched_fails(struct world *w, enum fault_kind kind, u64 pc);

/*
 * Whether something happens now that hardware may do and usually does not, once in `one_in`
 * questions (0: never). The policy answers, from the run's seed; a yes is one of the run's points,
 * as its switches are: a recipe has it, and shrinking tries without. No while nothing is explored.
 */
bool sched_chance(struct sched *s, u32 one_in);

/* Polling loops (cpu_relax, cond_resched, udelay): others first, time may pass. */
void sched_yield_now(void);

/* Mixes v into the run's hash; called for each sync operation and fact. */
void sched_keep_check(struct sched *s);
static inline void sched_note_plain(struct sched *s, u64 v)
{
	s->hash = hash_mix(s->hash, v);
	s->notes++;
}

static inline void sched_note(struct sched *s, u64 v)
{
	sched_note_plain(s, v);
	if (unlikely(s->check_every))
		sched_keep_check(s);
}

u64 sched_steps(const struct sched *s);

/*
 * A task's operations so far. What is kept is their distance from the stop, so that
 * to count one and to know that the stop is reached is one instruction.
 */
static inline u64 sched_ops(const struct task *t)
{
	return t->stop_at + (u64)t->due;
}

/* t is asked again when it has done so many operations in all. */
static inline void sched_set_stop(struct task *t, u64 ops)
{
	t->due += (s64)(t->stop_at - ops);
	t->stop_at = ops;
}

/* Brings the stop nearer: it may come to lie behind. */
static inline void sched_weigh(struct task *t, u32 weight)
{
	t->due += weight;
	t->stop_at -= weight;
}

/*
 * t runs, and whether it is quiet: a hosted kernel's hooks count a quiet task's operations by
 * themselves until its stop; another's are counted in vain and looked at one by one.
 */
static inline void sched_tell(struct sched *s, struct task *t)
{
	s->told->task = t;
	s->told->due = t->mode == ACCESS_QUIET ? &t->due : &s->uncounted;
}

/*
 * What each shared access counts besides, and up to where a task that is `alone` is so for
 * the services as well: one comparison tells them all, and one addition counts. Where a policy
 * weighs accesses nobody is.
 */
static inline void sched_set_weight(struct task *t, u32 weight)
{
	t->weight_shared = weight;
	t->alone_below = t->alone && !weight ? -1 : SCHED_NEVER_ALONE;
}

/* Whether t has reached its stop. */
static inline bool sched_due(const struct task *t)
{
	return t->due >= 0;
}

/* Addresses of the world are the same in every run; others are left out. */
static inline u64 sched_stable_addr(const void *p)
{
	u64 a = (u64)(uintptr_t)p;

	return a - HEAP_BASE < HEAP_END - HEAP_BASE ||
			       a - STACK_BASE < WORLD_SLOTS * STACK_SLOT ?
		       a :
		       0;
}

/* What the run's hash learns of an operation; addr is a stable one, the count has it. */
static inline u64 sched_point_word(const struct task *t, u64 addr, u32 flags)
{
	return addr ^ (u64)t->id << 56 ^ sched_ops(t) << 16 ^ flags;
}

/* sched_point() of the running task, inlined. */
void sched_stop_before(const void *addr, u32 size, u32 flags, u64 pc);
static inline __attribute__((always_inline)) void sched_point_at(struct task *t, const void *addr,
								 u32 size, u32 flags, u64 pc)
{
	t->due++;
	sched_note(t->world->sched, sched_point_word(t, sched_stable_addr(addr), flags));
	if (flags & (OP_SHARED | OP_SYNC))
		sched_weigh(t, t->weight_shared);
	if (unlikely(sched_due(t)))
		sched_stop_before(addr, size, flags, pc);
}

/*
 * Publishes a fact in the name of the current task. Facts of lock and counter
 * operations do not enter the run's hash: the operation itself was announced.
 */
#define FACTS_ANNOUNCED                                                             \
	(FACT_BIT(LOCK_ACQUIRE) | FACT_BIT(LOCK_ACQUIRED) | FACT_BIT(LOCK_RELEASE) | \
	 FACT_BIT(REF_GET) | FACT_BIT(REF_PUT))
#define fact(kind, ...) fact_publish(FACT_##kind, (u64[4]){__VA_ARGS__})
void fact_send(enum fact_kind kind, const u64 arg[4]);

/* What the run's hash learns of a fact. No run comes near 2^48 operations. */
static inline u64 fact_word(const struct task *t, enum fact_kind kind)
{
	return ((u64)kind << 56 | (u64)t->id << 48) + sched_ops(t);
}

static inline void fact_publish(enum fact_kind kind, const u64 arg[4])
{
	struct task *t = current_task;
	struct world *w = t->world;

	if (!fact_mask_has(FACTS_ANNOUNCED, kind))
		sched_note(w->sched, fact_word(t, kind));
	if (fact_wanted(w->fact, kind))
		fact_send(kind, arg);
}

/* Frame-pointer walk of the current task's stack; returns the depth. */
u32 sched_stack(u64 *pcs, u32 max);
/* The same for another task that is not running. */
u32 sched_stack_of(const struct task *t, u64 *pcs, u32 max);
