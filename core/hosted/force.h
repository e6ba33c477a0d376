/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before the first line of every file of a hosted tree, and of the
 * runtime's files that are compiled with the tree's headers.
 *
 * What ARCH=um keeps per CPU or takes from the stack pointer is per task
 * here: thread_info (and so `current` and preempt_count), the irq flag.
 * Macros over the tree's own definitions do it without a copy
 * of any header.
 */
#pragma once

/* As in floor.h, which files of a tree do not see. */
#define FLOOR_TASK_WORD 88     /* the object's task; zero: the task is new to it */
#define FLOOR_THREAD_WORD 104  /* its thread_info; zero likewise */

#ifndef __ASSEMBLY__
struct thread_info;
struct task_struct;
struct thread_info *hosted_thread_info(void);
struct task_struct *hosted_current(void);
int *hosted_irq_flag(void);

/*
 * The floor's running task, and a word of it. The same wherever a function asks, so one look
 * serves; assembly, so that it is no access to be announced.
 */
#define hosted_floor_task()                                         \
	({                                                          \
		char *task_;                                        \
		asm("movq hosted_running(%%rip), %0\n\t"            \
		    "movq (%0), %0"                                 \
		    : "=r"(task_));                                 \
		task_;                                              \
	})
#define hosted_own(offset)                                          \
	({                                                          \
		void *own_;                                         \
		asm("movq %c2(%1), %0"                              \
		    : "=r"(own_)                                    \
		    : "r"(hosted_floor_task()), "i"(offset));       \
		own_;                                               \
	})

#define signals_enabled (*hosted_irq_flag())
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <asm/irqflags.h>
#pragma GCC diagnostic pop
#include <asm/current.h>
#undef current
#define current ((struct task_struct *)hosted_own(FLOOR_TASK_WORD) ?: hosted_current())
#include <linux/thread_info.h>
#undef current_thread_info
#define current_thread_info() \
	((struct thread_info *)hosted_own(FLOOR_THREAD_WORD) ?: hosted_thread_info())
/* Its inline, which is compiled by now, looks for the flags below the stack pointer. */
#undef tif_need_resched
#define tif_need_resched() (hosted_own_flags() & _TIF_NEED_RESCHED)

/* What is the task's alone is no access to be announced, and no call. */
#define hosted_own_flags()                                                                    \
	({                                                                                    \
		unsigned long flags_;                                                         \
		asm volatile("movq %1, %0" : "=r"(flags_) : "m"(current_thread_info()->flags)); \
		flags_;                                                                       \
	})
#ifndef IOMMULAB_X86
/* It changes when a run ends. */
#include <linux/debug_locks.h>
#ifndef IOMMULAB_RUNTIME
#define debug_locks                                                                           \
	({                                                                                    \
		int on_;                                                                      \
		asm("movl debug_locks(%%rip), %0" : "=r"(on_));                                \
		on_;                                                                          \
	})
#endif
#include <asm/preempt.h>
#define hosted_own_count() (*(int *)&current_thread_info()->preempt_count)
#define preempt_count()                                                       \
	({                                                                    \
		int count_;                                                   \
		asm volatile("movl %1, %0" : "=r"(count_) : "m"(hosted_own_count())); \
		count_;                                                       \
	})
#define __preempt_count_add(n) asm volatile("addl %1, %0" : "+m"(hosted_own_count()) : "ri"((int)(n)))
#define __preempt_count_sub(n) asm volatile("subl %1, %0" : "+m"(hosted_own_count()) : "ri"((int)(n)))
#define __preempt_count_dec_and_test()                                                  \
	({                                                                              \
		_Bool none_;                                                            \
		asm volatile("decl %0" : "+m"(hosted_own_count()), "=@ccz"(none_));     \
		none_ && tif_need_resched();                                            \
	})
#endif
#endif
