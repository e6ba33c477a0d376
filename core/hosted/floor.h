/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two tables between a hosted Linux tree and sim/, in plain C types: this
 * header is read with the tree's headers on one side and with ours on the other.
 *
 * struct floor is what the object stands on: it has no other way out. struct
 * hosted_kernel is what it offers: system calls of processes, and their memory.
 * User addresses are numbers of a process, never host pointers. Any task may
 * act for any process; process 0 is there from boot on.
 *
 * FLOOR_HOOKS names the compiler's access hooks; the object holds a jump per
 * name (custom/hook.c), so that the hook sees its caller as return address.
 */
#pragma once

#include "core/hosted/floor_machine.h"

#define FLOOR_ABI 9

/* Of the floor's task, bytes into it (some again in force.h). */
#define FLOOR_TASK_DUE 0       /* a long; one is added for an operation, unless that makes it 0 */
#define FLOOR_TASK_STOP 8      /* with DUE: how many operations there have been */
#define FLOOR_TASK_ID 40       /* an int */
#define FLOOR_TASK_WEIGHT 52   /* an unsigned: what a sync(), or a word of several, takes */
#define FLOOR_TASK_MODE 60     /* an int: what else is to be done, as follows */
#define FLOOR_QUIET 1          /* nothing */
#define FLOOR_LIGHT 2          /* the granule's word of OWNERS is kept */
#define FLOOR_TASK_WORD 88     /* the object's task; zero: the task is new to it */
#define FLOOR_THREAD_WORD 104  /* its thread_info; zero likewise */
#define FLOOR_TASK_OWNERS 152  /* where the words of all heaps' granules begin, 4 bytes each */
#define FLOOR_TASK_OWN 160     /* such a word: the task's; above 8 bits, in which run */
#define FLOOR_TASK_SHARED 164  /* likewise: several tasks' */

#define FLOOR_HOOK_GRANULE(X, name) X(name##1) X(name##2) X(name##4) X(name##8)
#define FLOOR_HOOK_UNALIGNED(X, name) X(name##2) X(name##4) X(name##8) X(name##16)
/* Of plain accesses: what lies outside the heap is nobody's concern, except near NULL. */
#define FLOOR_PLAIN_GRANULE_HOOKS(X)                      \
	FLOOR_HOOK_GRANULE(X, read)                       \
	FLOOR_HOOK_GRANULE(X, write)                      \
	FLOOR_HOOK_GRANULE(X, read_write)
#define FLOOR_PLAIN_OTHER_HOOKS(X)                        \
	X(read16) X(write16) X(read_write16)              \
	FLOOR_HOOK_UNALIGNED(X, unaligned_read)           \
	FLOOR_HOOK_UNALIGNED(X, unaligned_write)          \
	FLOOR_HOOK_UNALIGNED(X, unaligned_read_write)
#define FLOOR_UNORDERED_HOOKS(X)                          \
	FLOOR_HOOK_UNALIGNED(X, unaligned_volatile_read)  \
	FLOOR_HOOK_UNALIGNED(X, unaligned_volatile_write) \
	X(read_range) X(write_range) X(memcpy) X(memmove) X(memset)
#define FLOOR_VOLATILE_GRANULE_HOOKS(X)                   \
	FLOOR_HOOK_GRANULE(X, volatile_read)              \
	FLOOR_HOOK_GRANULE(X, volatile_write)
#define FLOOR_VOLATILE_OTHER_HOOKS(X) X(volatile_read16) X(volatile_write16)
#define FLOOR_PLAIN_HOOKS(X) FLOOR_PLAIN_GRANULE_HOOKS(X) FLOOR_PLAIN_OTHER_HOOKS(X)
#define FLOOR_VOLATILE_HOOKS(X) FLOOR_VOLATILE_GRANULE_HOOKS(X) FLOOR_VOLATILE_OTHER_HOOKS(X)
#define FLOOR_HOOKS(X) FLOOR_PLAIN_HOOKS(X) FLOOR_VOLATILE_HOOKS(X) FLOOR_UNORDERED_HOOKS(X)

/*
 * An address of some heap has FLOOR_HEAP_TAG above this bit. Stacks, frames, what an object does
 * not write, the program and its libraries have FLOOR_OTHER_BIT; below FLOOR_LOW it is near NULL.
 */
#define FLOOR_HEAP_SHIFT 31
#define FLOOR_HEAP_TAG 0x8000
#define FLOOR_OTHER_BIT 44
#define FLOOR_LOW 0x10000

/*
 * Who runs, and where its operations are counted: in FLOOR_TASK_DUE if it is quiet; else, for
 * each access is to be looked at, where it has no effect and is never negative.
 */
struct floor_now {
	void *task;
	long *due;
};

enum floor_hook {
#define X(name) FLOOR_HOOK_##name,
	FLOOR_HOOKS(X)
#undef X
	FLOOR_HOOKS_N,
};

/* What a fuzzer's compiler announces of comparisons: __sanitizer_cov_trace_NAME(). */
#define FLOOR_COMPARES(X)                                          \
	X(cmp1) X(cmp2) X(cmp4) X(cmp8)                            \
	X(const_cmp1) X(const_cmp2) X(const_cmp4) X(const_cmp8)    \
	X(switch)

enum floor_compare {
#define X(name) FLOOR_COMPARE_##name,
	FLOOR_COMPARES(X)
#undef X
	FLOOR_COMPARES_N,
};

/* As sim/sched's OP_*; checked in floor.c. */
enum floor_op {
	FLOOR_READ = 0,
	FLOOR_WRITE = 1,
	FLOOR_MARKED = 2,
	FLOOR_ATOMIC = 4,
	FLOOR_SYNC = 8,
};

/* KCSAN's types of accesses, and sim/access's; checked in custom/hooks.c and floor.c. */
enum floor_type {
	FLOOR_TYPE_WRITE = 1,
	FLOOR_TYPE_COMPOUND = 2,
	FLOOR_TYPE_ATOMIC = 4,
};

/* What a sync() of a quiet task writes down, if check_every is 0: sim/sched's. */
struct floor_notes {
	unsigned long hash, n;
	unsigned check_every;
};

static inline unsigned long floor_mix(unsigned long hash, unsigned long v)
{
	hash = (hash ^ v) * 0x9e3779b97f4a7c15UL;
	return hash ^ hash >> 29;
}

static inline unsigned long floor_sync_word(unsigned long addr, unsigned task, unsigned long op,
					    unsigned flags)
{
	return addr ^ (unsigned long)task << 56 ^ op << 16 ^ flags;
}

/* Bytes of the object's own per frame. */
#define FLOOR_BOOK 80

enum floor_alloc { FLOOR_ZERO = 1, FLOOR_NOFAIL = 2, FLOOR_ALIGN_256 = 4 };
enum floor_task_flag { FLOOR_DAEMON = 1 };
enum floor_fault { FLOOR_FAULT_ALLOC, FLOOR_FAULT_COPY, FLOOR_FAULT_CALL };

/* As sim/base/lockmode.h; checked in floor.c. */
enum floor_lock {
	FLOOR_LOCK_MUTEX = 1,
	FLOOR_LOCK_SPIN = 2,
	FLOOR_LOCK_RWSEM = 4,
	FLOOR_LOCK_MAP = 8,
	FLOOR_LOCK_READ = 16,
	FLOOR_LOCK_RECURSE = 32,
	FLOOR_LOCK_TRY = 64,
	FLOOR_LOCK_NEST = 128,
	FLOOR_LOCK_IRQ_OFF = 256,
};

/* What an endpoint may do besides untranslated requests without PASID: it is enabled. */
enum floor_endpoint { FLOOR_ENDPOINT_ATS = 1, FLOOR_ENDPOINT_PRI = 2, FLOOR_ENDPOINT_PASID = 4 };

/* What walkers see of frames that do not snoop the processors' caches (lines.c). */
enum floor_memory {
	FLOOR_MEMORY_SEEN,   /* each store, at once: the kernel's uncached memory, and processes' */
	FLOOR_MEMORY_CACHED, /* what was written back; nothing was yet */
};

/* Within a page of 4 KiB. */
struct floor_dma {
	unsigned iommu, sid, pasid; /* pasid FLOOR_NONE: none */
	unsigned endpoint;          /* enum floor_endpoint */
	unsigned epoch;             /* another whenever ATS was enabled: nothing is kept then */
	unsigned long addr;
	void *buf;
	unsigned size;
	_Bool write;                /* to memory */
	/* Nonzero: no access, but a group of page requests from addr on; gives the response. */
	unsigned pages;
};

struct floor {
	unsigned abi, size;

	/* Tasks. The object's own words of a task (FLOOR_TASK_WORD) are zero when it is new. */
	void *const *running;      /* where the running task's pointer is */
	/* It is also kept in *now, in what no reset touches, from here on. */
	void (*tell)(struct floor_now *now);
	/* An operation on memory that is in no heap; may choose who goes on. */
	void (*counted)(const void *p);
	unsigned (*task_id)(void);
	unsigned (*generation)(void); /* another in every run: tasks do not outlive it */
	_Bool (*is_daemon)(void);
	const char *(*task_name)(void);
	void *(*spawn)(const char *name, void (*fn)(void *), void *arg, unsigned flags);
	/* See sched_block(): false on time-out, may wake without cause. */
	_Bool (*block)(const char *what, const void *object, int owner, unsigned long timeout_ns);
	void (*wake)(void *task);
	void (*yield)(void);
	/* A daemon serves someone now, or rests: a resting one may stay blocked for ever. */
	void (*serving)(_Bool now);
	/*
	 * An interrupt: fn takes the CPU of a running task whose `irq_off` (an int so many
	 * bytes into the task) is 0, or an idle one. It may not sleep.
	 */
	void (*irq)(void (*fn)(void *), void *arg);
	unsigned long irq_off_offset;

	/* Accesses that no compiler announces, and happens-before. */
	void (*sync)(const void *addr, unsigned flags);
	struct floor_notes *notes;
	void (*access)(const void *addr, unsigned long size, unsigned flags, unsigned long pc);
	/* One of a type, which orders if it is atomic; the hook's pc is its caller's. */
	void (*typed)(const void *addr, unsigned long size, int type, unsigned long pc);
	void (*typed_hook)(const void *addr, unsigned long size, int type);
	void (*acquire)(const void *addr);
	void (*release)(const void *addr);
	void (*racing)(_Bool now); /* the running task's accesses are data_race() now */
	/* FLOOR_HOOKS_N; with_task: those of the heap alone, with the task as fourth argument. */
	void *const *(*hooks)(_Bool with_task);
	void *const *compares; /* FLOOR_COMPARES_N; NULL in it: no fuzzer wants to know */

	/* The checked heap. */
	void *(*alloc)(unsigned long size, unsigned flags, const char *cache, unsigned long pc);
	void (*free)(const void *p, unsigned long pc);
	unsigned long (*size_of)(const void *p);
	void (*mark_written)(const void *p, unsigned long size);
	_Bool (*fails)(enum floor_fault kind, unsigned long pc);

	/*
	 * Frames: memory outside the heap, page aligned; contents are the object's
	 * business. FLOOR_BOOK bytes of its own per frame, zero at first, are in
	 * `book`. Neither is restored between runs; pages of both cost nothing until
	 * they are touched.
	 */
	void *frames, *book;
	unsigned long n_frames;
	unsigned long (*random)(void); /* from the run's data stream */

	/* Virtual time. A timer that fires calls fn in the clock's task. */
	unsigned long (*now_ns)(void);
	void (*timer_arm)(void *key, unsigned long delay_ns, void (*fn)(void *key));
	_Bool (*timer_cancel)(void *key);

	/* RCU; func(head) in a task of its own after a grace period. */
	void (*rcu_lock)(void);
	void (*rcu_unlock)(void);
	void (*rcu_call)(void *head, void (*func)(void *head));
	void (*rcu_wait)(void);
	/*
	 * Sections without preemption or interrupts are readers, too. preempt_at: where the
	 * running task counts the former, and readers it did not tell of with rcu_lock() (NULL:
	 * none); while a grace period waits for the end of either, `ask` is set in *flags.
	 * quiescent: the running task is in no section that the object knows of.
	 */
	void (*preempt_at)(const int *count, const int *readers, unsigned long *flags,
			   unsigned long ask);
	void (*quiescent)(void);

	/*
	 * The hardware of the machine's IOMMUs that have a model, by index. Registers:
	 * size 1, 2, 4 or 8. What is written is worked on by a task of hardware.
	 */
	unsigned long (*mmio_read)(unsigned iommu, unsigned long off, unsigned size);
	void (*mmio_write)(unsigned iommu, unsigned long off, unsigned size, unsigned long value);
	/*
	 * An endpoint's access, through its IOMMU to the frames: 0, or -EFAULT: it was aborted,
	 * or the endpoint cannot ask for pages.
	 */
	int (*dma)(const struct floor_dma *d);
	/* In a polling loop: others run first, the hardware among them; time passes. */
	void (*relax)(void);
	/*
	 * n frames are allocated as such memory; false: nobody wants to know, and need not be
	 * told again in this world. Lines of [pa, pa + len) are written back.
	 */
	_Bool (*memory)(unsigned long pfn, unsigned long n, enum floor_memory kind);
	void (*flush)(unsigned long pa, unsigned long len);

	/* What oracles learn. */
	void (*lock_init)(const void *lock, unsigned long class_key, const char *name);
	void (*lock_acquire)(const void *lock, unsigned long class_key, unsigned subclass,
			     unsigned mode, unsigned long pc);
	void (*lock_release)(const void *lock, unsigned long pc);
	int (*lock_held)(const void *lock); /* 0 no, 1 write, 2 read */

	/* The end of the run: a finding with this title. In setup it ends the process. */
	void (*finding)(const char *title, const char *text, unsigned long pc);
	void (*print)(const char *text, unsigned long len);

	/*
	 * Processes that have memory beside what their mm knows, as clients of
	 * `exec` have: copies (bytes not copied); the page that becomes a frame,
	 * because it is pinned (0 or -errno); what was read of a process.
	 */
	unsigned long (*foreign_copy)(unsigned process, void *buf, unsigned long addr,
				      unsigned long size, _Bool to_user);
	int (*foreign_page)(unsigned process, unsigned long addr, unsigned long frame,
			    _Bool write);
	void (*user_read)(unsigned process, unsigned long addr, const void *buf,
			  unsigned long size);
	const void *const *clients; /* *clients NULL: there are no such processes */
};

/* Numbers of system calls that are not Linux's. */
enum floor_nr {
	FLOOR_NR_NEXT_FD = 0x10000, /* the next file gets the first free number from arg[0] on */
	FLOOR_NR_SELFTEST,          /* the tree's number arg[0]: 0, -EIO; -ENOENT: no such */
};

/* What the tree refers to and nobody has: it lies in pages that may not be touched. */
struct hosted_absent {
	const char *name;
	const void *addr;
	unsigned long size;
};

struct hosted_kernel {
	unsigned abi, size;
	const char *version;
	const struct floor **floor; /* set by the loader before boot() */
	/* Of a fuzzer: a counter per edge, which no reset touches, and {pc, flags} of each. */
	unsigned char *counters, *counters_end;
	const unsigned long *pcs, *pcs_end;
	/* Data that the runtime lacks, sorted by address. */
	const struct hosted_absent *absent, *absent_end;
	/*
	 * As task 0, in setup: runs the tree's initcalls and finds the machine (one without
	 * devices: the default one). Process 0 is there then.
	 */
	void (*boot)(const struct floor_machine *m);

	/*
	 * In any task: a system call of a process by x86-64's number; pointers are
	 * addresses of the process. Its result or -errno; -ENOSYS: there is none of
	 * that number, -ESRCH: no such process.
	 */
	long (*syscall)(unsigned process, long nr, const unsigned long arg[6]);
	/* Copies between buf and the process's memory, as the process; bytes not copied. */
	unsigned long (*peek)(unsigned process, void *buf, unsigned long addr, unsigned long size);
	unsigned long (*poke)(unsigned process, unsigned long addr, const void *buf,
			      unsigned long size);
	/* A copy of a process: its number, or -errno. */
	long (*fork)(unsigned process);
	/* Its end, once the last of its system calls has returned. */
	void (*exit)(unsigned process);
	/* The page frame number behind an address, faulted in as the process; or -EFAULT. */
	long (*frame)(unsigned process, unsigned long addr, _Bool write);
	/* From another task: as a deadly signal, what t's system call waits for is given up. */
	void (*interrupt)(void *t);
	/* In any task: a row of core/uapi/ops.def below OP_CORE_CODES. Its result or -errno. */
	long (*core_op)(unsigned code, const unsigned long arg[4]);
	/* Whether a frame is somebody's. */
	_Bool (*frame_used)(unsigned long pfn);
	/* In any task: a message signalled interrupt; the level of a wired line of an IOMMU. */
	void (*message)(unsigned long addr, unsigned data);
	void (*wire)(unsigned iommu, unsigned line, _Bool level);
	/* As task 0, at rest: ends every process, then runs what that left to do. */
	void (*shutdown)(void);
};
