/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Oracles: witnesses that only watch facts; and the finding they make.
 *
 * An oracle is one file in sim/oracle/check/ and one struct oracle. It keeps
 * its own shadow (`size` zeroed bytes per world), learns from facts, and
 * reports through oracle_report(). The first report of a run is its finding
 * and ends the run. Stacks and the interleaving are not collected while
 * exploring: the explorer replays the run with recording on (see sim/trace).
 */
#pragma once

#include "sim/mem/mem.h"

#define FINDING_TITLE_MAX 160
#define FINDING_TEXT_MAX 2048
#define FINDING_HELD_MAX 32
#define FINDING_WHAT_MAX 80

/* A place in a run: who, at which operation, where in the code. */
struct finding_spot {
	char what[FINDING_WHAT_MAX]; /* "Write of size 8", "Allocated", "blocked in mutex_lock" */
	u32 task;
	u64 op;           /* 0 = unknown; the full stack is found by replay */
	u32 n;
	u64 pc[MEM_STACK_MAX];
};

#define FINDING_SPOTS_MAX 12

struct finding {
	const char *oracle;            /* its name */
	char title[FINDING_TITLE_MAX]; /* kernel form; %F: the function of spot 0, %G: of spot 1 */
	char text[FINDING_TEXT_MAX];   /* further lines, kernel form */
	u32 n_spots;
	struct finding_spot spot[FINDING_SPOTS_MAX]; /* [0] = where it was seen */
	u64 addr;                      /* what was accessed, or the lock concerned; 0 = none */
	u64 object;                    /* start of the heap object in or near which it lies */
	u32 object_size;
	u64 time_ns, step;
	struct {
		u32 task;
		const void *lock;
		u64 pc;
		u64 op;
		u32 mode;         /* enum lock_mode bits */
		u32 subclass;
		const char *name; /* as its initialisation wrote it: "&group->mutex" */
	} held[FINDING_HELD_MAX];
	u32 n_held;
	bool needs_carry;              /* rests on earlier runs too (lock order) */
	bool anywhere;                 /* a loop, found where the task happened to be */
};

struct oracle {
	const char *name; /* as in `iommulab list oracles` */
	const char *help; /* what it checks, one line */
	size_t size;      /* per-world state */
	size_t carry;     /* state kept across the runs of a campaign, 0 = none */
	u64 facts;        /* FACT_BIT()s it wants */
	u32 checks;       /* ACCESS_CHECK_* it needs */
	void (*begin)(struct world *w, void *state, void *carry);
	void (*see)(struct world *w, void *state, void *carry, const struct fact *f);
	/* A LOCK_ACQUIRE of this class and mode, now, would tell it nothing (optional). */
	bool (*knows_lock)(const void *carry, u64 class_key, u32 mode);
	/* The world is at rest: leaks, balances (optional). */
	void (*rest)(struct world *w, void *state, void *carry);
	/* The run could not come to rest (deadlock, step limit) (optional). */
	void (*stuck)(struct world *w, void *state, void *carry, enum sched_end end);
};

/* Generated from the files in sim/oracle/check/, sorted by name, NULL at the end. */
extern const struct oracle *const oracle_table[];

struct oracles *oracles_create(struct world *w);
void oracles_destroy(struct oracles *o);
/* Which oracles watch: a comma list of names, "all" or "none". False: unknown name. */
bool oracles_select(struct oracles *o, const char *names);
/* A new run begins: per-run state zeroed, carry kept. */
void oracles_begin(struct oracles *o);
/* The run has ended this way: lets oracles sweep. */
void oracles_end(struct oracles *o, enum sched_end end);
/* Forgets what campaigns taught (the empty lock graph of a replay). */
void oracles_forget(struct oracles *o);

/*
 * Lock order is learned over a campaign. Each run's lessons are kept under a
 * number: the caller's own, if it gives one before each run, else a count of
 * the runs. After a finding with needs_carry, oracle_lockorder_edges() says
 * which runs taught the edges of the cycle, in ascending order without repeats
 * and without the finding's own run: their recipes and then the finding's own,
 * run on an empty graph (oracles_forget()), give the finding again. Returns how
 * many there are; at most max are stored.
 */
void oracles_set_run(struct oracles *o, u64 number);
u32 oracle_lockorder_edges(struct oracles *o, u64 *run_numbers, u32 max);

/*
 * Accesses of this run that went through a mapping that was unmapped and not yet
 * invalidated, and how long after the unmap (virtual time) the last of them came.
 * Where unmaps are deferred that is by design; strict ones make it short.
 * Deferred: mappings whose unmap was followed by a flush of their whole domain
 * instead of an invalidation of their own; how long they were open, the longest and
 * all together, in virtual time and in operations of the run. False: the oracle is
 * not there.
 */
struct oracle_window {
	u64 accesses, longest_ns;
	u64 deferred, open_ns_max, open_ns, open_steps_max, open_steps;
};
bool oracle_iotlb_window(struct oracles *o, struct oracle_window *window);
/* Sums and maxima of both. */
void oracle_window_add(struct oracle_window *to, const struct oracle_window *w);

/*
 * What a walk of the tables as they are now says of an access that did not do that, and what
 * its translation was made from, as it was read. Kept for whoever judges the HW_DMA fact
 * that comes next, marked ORACLE_DMA_TWIN.
 */
#define ORACLE_TRUTH_WORDS 32
struct oracle_truth {
	bool ok;      /* the tables let it through, to pa */
	u64 pa;
	u32 n;        /* 0: nothing is known */
	struct {
		u64 pa, value;
	} word[ORACLE_TRUTH_WORDS];
};
void oracle_truth_set(struct oracles *o, const struct oracle_truth *truth);

/* Bits of the last argument of HW_DMA. */
enum oracle_dma {
	ORACLE_DMA_OK = 1,
	ORACLE_DMA_WRITE = 2,
	ORACLE_DMA_PASID = 4,
	ORACLE_DMA_TWIN = 8,     /* the tables say otherwise by now */
	ORACLE_DMA_PENDING = 16, /* invalidations are on their way */
};

/*
 * Whether the running task's LOCK_ACQUIRE is to be told of, if anybody takes such facts: mostly
 * one oracle alone does, and knows this one.
 */
bool oracle_wants_lock(const struct world *w, u64 class_key, u32 mode);

/* The name of a lock class: the first that is told stays, from run to run. */
void oracle_name_class(struct oracles *o, u64 class_key, const char *name);
/* The name under which locks of this class were initialised; "?" if none was seen. */
const char *oracle_class_name(const struct oracles *o, u64 class_key);

/* The run's finding, or NULL. */
const struct finding *oracles_finding(const struct oracles *o);

/*
 * Begins a finding: returns a zeroed record with oracle, title, time, step and
 * held locks filled in, or NULL when the run already has one. Fill in the rest,
 * then oracle_report() it; in a task, that ends the run and does not return.
 */
struct finding *oracle_finding(struct world *w, const char *oracle, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void oracle_report(struct world *w, struct finding *f);
/* Adds a spot with the current task's stack, from the frame that pc lies in (0: from the top). */
struct finding_spot *finding_here(struct finding *f, const char *what, u64 pc);
/* Adds a spot from a recorded stack (mem_object's). */
struct finding_spot *finding_stack(struct finding *f, const char *what, const struct mem_stack *s);
/* Adds a spot with the stack of a task that does not run. */
struct finding_spot *finding_task(struct finding *f, const char *what, const struct task *t);
/* Adds a spot of which only (task, op) is known. */
struct finding_spot *finding_at(struct finding *f, const char *what, u32 task, u64 op);
void finding_printf(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* WARN_ON and BUG_ON of the modelled kernel come here (from sim/kapi). */
void oracle_kernel_warning(struct world *w, bool bug, const char *expr, const char *file, int line,
			   u64 pc);
