/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Notifier chains: blocking (an rwsem around the calls) and atomic (a
 * spinlock for changes, RCU around the calls).
 */
#pragma once

#include "sim/kapi/rwsem.h"
#include "sim/kapi/spinlock.h"

struct notifier_block;
typedef int (*notifier_fn_t)(struct notifier_block *nb, unsigned long action, void *data);

struct notifier_block {
	notifier_fn_t notifier_call;
	struct notifier_block *next;
	int priority; /* higher is called first */
};

struct blocking_notifier_head {
	struct rw_semaphore rwsem;
	struct notifier_block *head;
};

struct atomic_notifier_head {
	spinlock_t lock;
	struct notifier_block *head;
};

#define NOTIFY_DONE 0
#define NOTIFY_OK 1
#define NOTIFY_STOP_MASK 0x8000
#define NOTIFY_BAD (NOTIFY_STOP_MASK | 2)
#define NOTIFY_STOP (NOTIFY_OK | NOTIFY_STOP_MASK)

void kapi_blocking_notifier_init(struct blocking_notifier_head *h, const char *name,
				 const struct lock_class_key *key);
#define BLOCKING_INIT_NOTIFIER_HEAD(h) kapi_blocking_notifier_init(h, #h, KAPI_LOCK_KEY(#h))
/* -EEXIST if it is registered already. */
int blocking_notifier_chain_register(struct blocking_notifier_head *h, struct notifier_block *nb);
/* -ENOENT if it is not registered. */
int blocking_notifier_chain_unregister(struct blocking_notifier_head *h, struct notifier_block *nb);
int blocking_notifier_call_chain(struct blocking_notifier_head *h, unsigned long action,
				 void *data);

void kapi_atomic_notifier_init(struct atomic_notifier_head *h, const char *name,
			       const struct lock_class_key *key);
#define ATOMIC_INIT_NOTIFIER_HEAD(h) kapi_atomic_notifier_init(h, #h, KAPI_LOCK_KEY(#h))
int atomic_notifier_chain_register(struct atomic_notifier_head *h, struct notifier_block *nb);
/* Also waits for calls that run. */
int atomic_notifier_chain_unregister(struct atomic_notifier_head *h, struct notifier_block *nb);
int atomic_notifier_call_chain(struct atomic_notifier_head *h, unsigned long action, void *data);
