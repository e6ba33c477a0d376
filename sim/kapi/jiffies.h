/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual time under the kernel's names. HZ is 1000.
 */
#pragma once

#include "sim/base/types.h"

#define HZ 1000
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_USEC 1000L
#define NSEC_PER_SEC 1000000000L
#define MAX_SCHEDULE_TIMEOUT ((long)(~0UL >> 1))

typedef s64 ktime_t;

unsigned long kapi_jiffies(void);
#define jiffies kapi_jiffies()
ktime_t ktime_get(void);
#define ktime_get_ns() ((u64)ktime_get())

#define msecs_to_jiffies(ms) ((unsigned long)(ms))
#define usecs_to_jiffies(us) (((unsigned long)(us) + 999) / 1000)
#define jiffies_to_msecs(j) ((unsigned)(j))
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)

/* They sleep: virtual time passes. */
void msleep(unsigned ms);
void usleep_range(unsigned long us_min, unsigned long us_max);
/* Returns what is left of timeout; woken by sched_wake() or at its end. */
long schedule_timeout(long timeout);
