/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sleepable RCU: a domain of its own, whose readers may sleep.
 *
 * synchronize_srcu() waits for the sections of the index that was current
 * when it began, as in the kernel: two counters, flipped by each grace period.
 */
#pragma once

#include "sim/kapi/rcu.h"
#include "sim/kapi/workqueue.h"

struct srcu_struct {
	struct lockdep_map dep;
	u32 index; /* which counter new readers use */
	u32 readers[2];
	bool gp;		  /* a grace period is under way: one at a time */
	struct list_head waiters; /* tasks that wait for the readers, or for their turn */
	struct work_struct work;  /* runs callbacks, on system_wq */
	struct rcu_head *cb_head, **cb_tail;
	u64 n_queued, n_done; /* callbacks */
};

int kapi_srcu_init(struct srcu_struct *s, const char *name, const struct lock_class_key *key);
#define init_srcu_struct(s) kapi_srcu_init(s, #s, KAPI_LOCK_KEY(#s))
/* Readers or callbacks left are a WARN. */
void cleanup_srcu_struct(struct srcu_struct *s);
int srcu_read_lock(struct srcu_struct *s);
void srcu_read_unlock(struct srcu_struct *s, int index);
bool srcu_read_lock_held(const struct srcu_struct *s);
void synchronize_srcu(struct srcu_struct *s);
/* func runs in soft interrupt context after a grace period of s. */
void call_srcu(struct srcu_struct *s, struct rcu_head *head, void (*func)(struct rcu_head *head));
void srcu_barrier(struct srcu_struct *s);

#define srcu_dereference(p, s)                                                                     \
	({                                                                                         \
		(void)WARN_ON(!srcu_read_lock_held(s));                                            \
		rcu_dereference_raw(p);                                                            \
	})
