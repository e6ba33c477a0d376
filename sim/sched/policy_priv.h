/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the strategies in sim/sched/policy/.
 */
#pragma once

#include "sim/sched/policy.h"

/* A distance that no run reaches, and a weight that makes each shared access a stop. */
#define POLICY_FAR 0x7fffffffULL
#define POLICY_STOP_AT_SHARED 0x7fffffffU

/* The task after cur in ring order; the clock only when nobody else can run. */
struct task *policy_ring_pick(struct sched *s, const struct task *cur);

/*
 * Who a random strategy chooses among: the runnable tasks, and one time in 16
 * (or when nothing else can run) the clock as well. Never empty.
 */
u64 policy_candidates(struct sched *s);

/* Reads a decimal number < 2^31 and moves *text behind it; false: there is none. */
bool policy_number(const char **text, u32 *value);
