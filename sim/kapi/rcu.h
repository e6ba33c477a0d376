/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RCU. A grace period ends when every task that was in a reader section (or
 * had preemption, soft interrupts or interrupts off) at its start has left
 * it at least once. Callbacks run in the daemon task "rcu", in soft interrupt
 * context, in the order of call_rcu().
 *
 * rcu_dereference() reads with acquire, which stands for the address
 * dependency that the kernel relies on.
 */
#pragma once

#include "sim/kapi/atomic.h"
#include "sim/kapi/lockdep.h"

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

#define __rcu

void rcu_read_lock(void);
void rcu_read_unlock(void);
bool rcu_read_lock_held(void);

/* func runs after a grace period that begins no earlier than this call. Never sleeps. */
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
/* Returns after a grace period that begins no earlier than this call. Sleeps. */
void synchronize_rcu(void);
/* All callbacks queued so far (by any task) have run. Sleeps. */
void rcu_barrier(void);

/* The current task has just left a section that is none of ours (a hosted kernel's). */
void kapi_rcu_quiescent(void);
/* rcu_read_lock() and its end, as no operations: of a hosted kernel, whose accesses are. */
void kapi_rcu_enter(void);
void kapi_rcu_leave(void);

void kapi_kfree_rcu(struct rcu_head *head, size_t offset);
#define kfree_rcu(p, member) kapi_kfree_rcu(&(p)->member, offsetof(__typeof__(*(p)), member))

#define rcu_dereference_raw(p) smp_load_acquire(&(p))
#define rcu_dereference(p)                                                                         \
	({                                                                                         \
		(void)WARN_ON(!rcu_read_lock_held());                                              \
		rcu_dereference_raw(p);                                                            \
	})
#define rcu_dereference_check(p, cond)                                                             \
	({                                                                                         \
		(void)WARN_ON(!rcu_read_lock_held() && !(cond));                                   \
		rcu_dereference_raw(p);                                                            \
	})
#define rcu_dereference_protected(p, cond)                                                         \
	({                                                                                         \
		(void)WARN_ON(!(cond));                                                            \
		(p);                                                                               \
	})
#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_assign_pointer(p, v) smp_store_release(&(p), v)
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)
#define rcu_replace_pointer(p, v, cond)                                                            \
	({                                                                                         \
		__typeof__(p) rcu_old_ = rcu_dereference_protected(p, cond);                       \
		rcu_assign_pointer(p, v);                                                          \
		rcu_old_;                                                                          \
	})
