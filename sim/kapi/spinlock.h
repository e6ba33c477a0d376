/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spinlocks. A waiting task is blocked, not polling, so that a deadlock is
 * seen at once and exactly. Holding one is atomic context. raw_ forms are the
 * same lock.
 */
#pragma once

#include "sim/base/list.h"
#include "sim/kapi/lockdep.h"
#include "sim/kapi/preempt.h"

struct task;

typedef struct spinlock {
	struct lockdep_map dep;
	struct task *owner;
	struct list_head waiters;
} spinlock_t;
typedef struct spinlock raw_spinlock_t;

void kapi_spin_init(spinlock_t *l, const char *name, const struct lock_class_key *key);
#define spin_lock_init(l) kapi_spin_init(l, #l, KAPI_LOCK_KEY(#l))
#define raw_spin_lock_init(l) spin_lock_init(l)

void spin_lock(spinlock_t *l);
void spin_lock_nested(spinlock_t *l, unsigned subclass);
bool spin_trylock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
void spin_lock_irq(spinlock_t *l);
void spin_unlock_irq(spinlock_t *l);
unsigned long kapi_spin_lock_irqsave(spinlock_t *l);
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags);
#define spin_lock_irqsave(l, flags) ((void)((flags) = kapi_spin_lock_irqsave(l)))

#define raw_spin_lock(l) spin_lock(l)
#define raw_spin_lock_nested(l, s) spin_lock_nested(l, s)
#define raw_spin_trylock(l) spin_trylock(l)
#define raw_spin_unlock(l) spin_unlock(l)
#define raw_spin_lock_irq(l) spin_lock_irq(l)
#define raw_spin_unlock_irq(l) spin_unlock_irq(l)
#define raw_spin_lock_irqsave(l, flags) spin_lock_irqsave(l, flags)
#define raw_spin_unlock_irqrestore(l, flags) spin_unlock_irqrestore(l, flags)
