/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes and their system calls, as far as programs against /dev/iommu and
 * /dev/vfio need them: memory, descriptors, memfds, eventfds, poll, limits,
 * capabilities, fork and the end. A kernel of ours stands on it: it brings the
 * files that have names.
 *
 * Every process has one address space, one table of descriptors, limits and
 * credentials; there is one user. No signals but the one that ends sleeps of a
 * process that is told to exit.
 */
#pragma once

#include "sim/sched/sched.h"
#include "sim/user/file.h"
#include "sim/user/mm.h"

#define CAP_SETUID 7
#define CAP_IPC_LOCK 14
#define CAP_SYS_RAWIO 17
#define CAP_SYS_RESOURCE 24
#define RLIMIT_MEMLOCK 8
#define RLIMIT_NOFILE 7
#define RLIM_NLIMITS 16

/* A user: all processes share one. locked_vm: pages. */
struct user_struct {
	atomic64_t locked_vm;
};

/* At boot: a world's processes, of which 0 is there. nodes ends with a NULL path. */
void user_boot(struct world *w, const struct user_node *nodes);
/* All processes end. */
void user_shutdown(struct world *w);

/* As struct kernel's members (core/kernel/kernel.h). */
long user_syscall(struct world *w, u32 process, long nr, const u64 arg[6]);
u64 user_peek(struct world *w, u32 process, void *buf, u64 addr, u64 size);
u64 user_poke(struct world *w, u32 process, u64 addr, const void *buf, u64 size);
long user_fork(struct world *w, u32 process);
void user_exit(struct world *w, u32 process);
long user_frame(struct world *w, u32 process, u64 addr, bool write);
void user_interrupt(struct world *w, struct task *t);
void user_next_fd(struct world *w, u32 process, int fd);

/* --- of the process that the task acts for --- */
/* NULL: the task acts for nobody. */
struct mm_struct *current_mm(void);
struct user_struct *current_user(void);
bool capable(int cap);
/* Pages; of a process that may have ended meanwhile: as it was. */
struct process;
struct process *current_process(void);
void process_get(struct process *p);
void process_put(struct process *p);
/* Its memory, to be given back by mmput(); NULL: no such process, or it has ended. */
struct mm_struct *process_mm_get(u32 process);
unsigned long process_rlimit(const struct process *p, u32 which);
