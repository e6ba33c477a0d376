/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Completions: a count of events, each let through to one waiter.
 */
#pragma once

#include "sim/kapi/wait.h"

struct completion {
	u32 done;
	wait_queue_head_t wait;
};

void kapi_init_completion(struct completion *c, const char *name, const struct lock_class_key *key);
#define init_completion(c) kapi_init_completion(c, #c, KAPI_LOCK_KEY(#c))
/* Nobody may be waiting. */
void reinit_completion(struct completion *c);
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
/* Jiffies left, at least 1; 0 = it timed out. */
unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout);
bool try_wait_for_completion(struct completion *c);
bool completion_done(struct completion *c);
