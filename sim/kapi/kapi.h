/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The per-world part of the in-kernel API, as sim/world sees it, and the few
 * hooks that every task of a modelled kernel passes through.
 *
 * kapi's state of a world lies in the world's own heap, so that the snapshot
 * of the heap covers it; struct kapi only keeps the way to it. Daemon tasks
 * (rcu, workers, the deferred-probe worker) do not survive a reset: they are
 * made at first use in each run.
 */
#pragma once

#include "sim/sched/sched.h"

/* Creates the services of a world; w->mem, w->sched and w->access exist already. */
struct kapi *kapi_create(struct world *w);
void kapi_destroy(struct kapi *k);
/* Back to the snapshot, or to nothing. Call after mem_reset(). */
void kapi_reset(struct kapi *k);
/* Keep the present state. Call before mem_snapshot(). */
void kapi_snapshot(struct kapi *k);
/* Forgets the snapshot: the heap is about to be emptied (world_load). */
void kapi_forget(struct kapi *k);

/*
 * Last call of each task's function: a lock still held, an open RCU section
 * and interrupts or preemption left off are findings.
 */
void kapi_task_exit_check(void);

/* A kernel thread; its function's end runs kapi_task_exit_check(). */
struct task *kthread_run(void (*fn)(void *), void *arg, u32 flags, const char *name);
