/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two mutexes, and tasks that take them in one order or the other.
 */
#pragma once

#include "sim/kapi/mutex.h"

struct locks {
	struct mutex *a, *b;
};

extern struct locks locks;

/* In a program's boot(). */
void locks_boot(void);

/* Takes and releases one inside of the other. */
void lock_pair(struct mutex *outer, struct mutex *inner);

/* Tasks. */
void a_then_b(void *arg);
void b_then_a(void *arg);
