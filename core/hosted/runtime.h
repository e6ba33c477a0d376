/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the runtime's files share; read with the tree's headers.
 */
#pragma once

#include "core/hosted/floor.h"

#include <linux/kernel.h>
#include <linux/sched.h>

/* Left alone when state is restored between runs: each run makes it anew. */
#define __hosted_keep __attribute__((section(".hosted_keep")))

#define HOSTED_CALLER ((unsigned long)__builtin_return_address(0))
#define HOSTED_TASKS_MAX 64

extern const struct floor *hosted_floor;
extern void *const *hosted_running;
extern struct floor_now hosted_now;

/*
 * Defines a function of the tree under a name of ours, so that the tree may
 * declare it as it likes: const here or there, another type of result that
 * holds ours.
 */
#define HOSTED_NAMED(name) asm(#name)

/* Its first member is what a task's word (FLOOR_TASK_WORD) points to. */
struct hosted_task {
	struct task_struct t;
#ifndef CONFIG_THREAD_INFO_IN_TASK
	struct thread_info ti;
#endif
#ifdef IOMMULAB_X86
	struct hosted_preempt preempt;
	int in_hardirq;
	bool in_lockdep; /* the tree's own */
	int irq_before;  /* ... entered it so */
#endif
	int irq_on;
	int racing; /* depth of data_race() */
	void *task;         /* the floor's; NULL: a process's leader, which never runs */
	unsigned int generation; /* the run in which it lives */
	unsigned int process;    /* for which it acts */
	bool kthread;            /* custom/kthread.c's */
	const void *spins_on;
};

/*
 * The floor's sync() of p, where all it does is to count: the task is quiet, what it
 * touches is in the heap, and nothing else is due. Else false, and nothing is done.
 */
static __always_inline bool hosted_sync_counted(const void *p, unsigned int flags)
{
	struct floor_notes *notes = hosted_floor->notes;
	char *task = hosted_floor_task();
	long *due = (long *)(task + FLOOR_TASK_DUE);
	long *stop = (long *)(task + FLOOR_TASK_STOP);
	unsigned int weight = *(unsigned int *)(task + FLOOR_TASK_WEIGHT);

	if (IS_ENABLED(IOMMULAB_X86) || *(int *)(task + FLOOR_TASK_MODE) != FLOOR_QUIET ||
	    notes->check_every || (unsigned long)p >> FLOOR_HEAP_SHIFT != FLOOR_HEAP_TAG ||
	    *due + 1 + weight >= 0)
		return false;
	*due += 1 + weight;
	*stop -= weight;
	notes->hash = floor_mix(notes->hash,
				floor_sync_word((unsigned long)p, *(int *)(task + FLOOR_TASK_ID),
						*due + *stop, flags | FLOOR_SYNC | FLOOR_MARKED));
	notes->n++;
	return true;
}

static __always_inline void hosted_sync(const void *p, unsigned int flags)
{
	if (!hosted_sync_counted(p, flags))
		hosted_floor->sync(p, flags);
}

/* What the tree has not announced, but did write; where nothing is announced, nobody asks. */
static inline void hosted_written(const void *p, size_t size)
{
	if (IS_ENABLED(IOMMULAB_HOOKS))
		hosted_floor->mark_written(p, size);
}

static inline struct hosted_task *hosted_task_of(struct task_struct *p)
{
	return container_of(p, struct hosted_task, t);
}

static inline struct thread_info *hosted_thread_info_of(struct hosted_task *h)
{
#ifdef CONFIG_THREAD_INFO_IN_TASK
	return &h->t.thread_info;
#else
	return &h->ti;
#endif
}

/* The tree's own lockdep is at work: nothing that it calls may give the CPU away. */
static inline bool hosted_in_lockdep(void)
{
#ifdef IOMMULAB_X86
	return hosted_task_of(current)->in_lockdep;
#else
	return false;
#endif
}

static inline int *hosted_preempt_count_of(struct hosted_task *h)
{
#ifdef IOMMULAB_X86
	return &h->preempt.preempt_count;
#else
	return &hosted_thread_info_of(h)->preempt_count;
#endif
}

/* After a section without preemption: who waits for its end is told (preempt_enable() does it). */
static inline void hosted_preempt_check(void)
{
	if (unlikely(!preempt_count() && tif_need_resched()))
		preempt_schedule();
}

/* custom/task.c */
void hosted_task_boot(void);
/* A new task_struct of no process; its task is to come. */
void hosted_task_init(struct hosted_task *h, const char *name);
/* The running task, which is new, is h. */
void hosted_task_enter(struct hosted_task *h);
/*
 * The running task is about to do something, perhaps only with hardware, which asks for no
 * task: the first of a run has the frames brought back.
 */
void hosted_task_come(void);
/* custom/kthread.c: p is a thread that has not begun in this run, and does now. */
bool hosted_kthread_wake(struct task_struct *p);
void hosted_kthread_free(struct task_struct *p);
/* A kernel thread; name and arg live as long as it does. */
void *hosted_spawn(const char *name, void (*fn)(void *), void *arg, bool daemon);
/* Local interrupts, without waiting for another task's section. */
void hosted_irq_set(int on);
/* Interrupts the sleeps of a process's tasks. */
void hosted_task_interrupt(unsigned int process);
/* The way back to user mode: what was left to do (delayed fput). */
void hosted_syscall_exit(void);
/* struct hosted_kernel's interrupt(). */
void hosted_interrupt(void *task);
/* A deadlocked or misused service: ends the run. */
void hosted_finding(unsigned long pc, const char *title, const char *fmt, ...)
	__printf(3, 4);

/* custom/lockdep_tree.c: the tree's own lockdep, where there is one. */
bool hosted_tree_init(struct lockdep_map *map, const char *name, struct lock_class_key *key,
		      int subclass, u8 inner, u8 outer, u8 type);
void hosted_tree_acquire(struct lockdep_map *map, unsigned int subclass, int trylock, int read,
			 int check, struct lockdep_map *nest, unsigned long ip);
void hosted_tree_release(struct lockdep_map *map, unsigned long ip);
void hosted_tree_downgrade(struct lockdep_map *map, unsigned long ip);
void hosted_tree_set_class(struct lockdep_map *map, const char *name, struct lock_class_key *key,
			   unsigned int subclass, unsigned long ip);
void hosted_lockdep_said(const char *text, size_t n);

/* custom/page.c */
bool hosted_frame_used(unsigned long pfn);
void hosted_page_boot(void);
/* Cleared; the kernel's, which walkers that do not snoop see once it is flushed. */
enum hosted_page_flag { HOSTED_ZERO = 1, HOSTED_CACHED = 2 };
struct page *hosted_page_alloc(unsigned int order, unsigned int flags);
/* As asked for at pc: may fail on purpose, may sleep. */
struct page *hosted_alloc_pages(gfp_t gfp, unsigned int order, unsigned long pc);
void hosted_page_free(struct page *page);

/* A compound page, unless order is 0. */
struct page *hosted_page_alloc_compound(unsigned int order, unsigned int flags);
/* Boot is over, and the run has begun that all others begin like. */
bool hosted_page_in_run(void);
/* At the start of a run: frames are not part of what was restored. */
void hosted_page_new_run(void);

/* custom/mm_fault.c: the frame behind an address, faulted in if that may sleep here; or NULL. */
struct page *hosted_user_page(struct mm_struct *mm, unsigned long addr, bool write);
/* Copies page by page from or to the current process; what could not be copied. */
unsigned long hosted_user_copy(void *buf, unsigned long addr, unsigned long size, bool to_user);

/* custom/process.c */
void hosted_process_boot(void);
void hosted_process_new_run(void);
void hosted_process_shutdown(void);
/* The task acts for a process; false: there is no such process. */
bool hosted_process_join(struct task_struct *t, unsigned int id);
void hosted_process_none(struct task_struct *t);
/* Around whatever the current task does for a process, which does not end in between. */
bool hosted_process_enter(unsigned int id);
void hosted_process_leave(unsigned int id);
long hosted_fork(unsigned int id);
void hosted_exit(unsigned int id);

/* custom/timer.c: brings jiffies up to date. */
void hosted_time_update(void);

/* custom/slab.c */
void hosted_slab_boot(void);

/* custom/workqueue.c */
void hosted_workqueue_boot(void);

/* custom/compare.c */
void hosted_compare_boot(void);

/* custom/devnode.c: the device number of a path below /dev, or 0. */
dev_t hosted_devnode(const char *path);
struct inode *hosted_devnode_inode(dev_t devt);

/* stub/vfs.c */
void hosted_vfs_boot(void);
