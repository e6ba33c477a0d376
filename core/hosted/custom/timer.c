// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: time and timers: virtual time in nanoseconds is the floor's, jiffies
 * follow it. A timer's function runs in the clock's task, as a soft interrupt.
 *
 * False: jiffies are brought up to date where a task has slept, where a timer
 * fires and where a system call begins, not in between; no hrtimers; the time
 * of day is a constant and the time since boot; timers do not slack.
 */
#include "core/hosted/runtime.h"

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/preempt.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>

#define EPOCH_S 1000000000LL /* the time of day at boot, in seconds since 1970 */

unsigned long volatile jiffies __cacheline_aligned_in_smp = INITIAL_JIFFIES;

static struct hlist_head hosted_timers; /* those that are pending; for their `entry` only */
static struct timer_list *hosted_running_timer;

void hosted_time_update(void)
{
	jiffies = INITIAL_JIFFIES + hosted_floor->now_ns() / (NSEC_PER_SEC / HZ);
}

static void fired(void *key)
{
	struct timer_list *timer = key;

	hosted_time_update();
	hlist_del_init(&timer->entry);
	hosted_floor->acquire(timer);
	hosted_running_timer = timer;
	preempt_count_add(SOFTIRQ_OFFSET);
	timer->function(timer);
	preempt_count_sub(SOFTIRQ_OFFSET);
	hosted_preempt_check();
	hosted_running_timer = NULL;
}

static bool pending(const struct timer_list *timer)
{
	return !hlist_unhashed(&timer->entry);
}

static int arm(struct timer_list *timer, unsigned long expires)
{
	long delay = expires - jiffies;
	bool was = pending(timer);

	hosted_floor->sync(timer, FLOOR_WRITE);
	hosted_floor->release(timer);
	if (!timer->function)
		return 0;
	timer->expires = expires;
	hosted_floor->timer_arm(timer, jiffies_to_nsecs(delay > 0 ? delay : 1), fired);
	if (!was)
		hlist_add_head(&timer->entry, &hosted_timers);
	return was;
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	return arm(timer, expires);
}

int mod_timer_pending(struct timer_list *timer, unsigned long expires)
{
	return pending(timer) ? arm(timer, expires) : 0;
}

void add_timer(struct timer_list *timer)
{
	WARN_ON_ONCE(pending(timer));
	arm(timer, timer->expires);
}

void add_timer_on(struct timer_list *timer, int cpu)
{
	add_timer(timer);
}

int timer_delete(struct timer_list *timer)
{
	hosted_floor->sync(timer, FLOOR_WRITE);
	if (!pending(timer))
		return 0;
	hosted_floor->timer_cancel(timer);
	hlist_del_init(&timer->entry);
	return 1;
}

int timer_delete_sync(struct timer_list *timer)
{
	int was = timer_delete(timer);

	while (hosted_running_timer == timer)
		hosted_floor->yield();
	return timer_delete(timer) | was;
}

int timer_shutdown(struct timer_list *timer)
{
	int was = timer_delete(timer);

	timer->function = NULL;
	return was;
}

int timer_shutdown_sync(struct timer_list *timer)
{
	int was = timer_delete_sync(timer);

	timer->function = NULL;
	return was;
}

/* --- reading the clock --- */

/*
 * Who looks at the clock again and again while it stands still waits for somebody, and
 * may not say so: SMMUv3's driver with a full queue, while another task waits behind the
 * commands in it. Others come first, then.
 */
#define LOOKS_MAX 64

static struct {
	struct task_struct *who;
	ktime_t seen;
	unsigned int times;
} looks;

ktime_t ktime_get(void)
{
	ktime_t now = hosted_floor->now_ns();

	if (looks.who != current || looks.seen != now) {
		looks.who = current;
		looks.seen = now;
		looks.times = 0;
	} else if (++looks.times == LOOKS_MAX) {
		looks.times = 0;
		hosted_floor->relax();
	}
	return now;
}

ktime_t ktime_get_raw(void)
{
	return ktime_get();
}

u64 ktime_get_mono_fast_ns(void)
{
	return ktime_get();
}

ktime_t ktime_get_with_offset(enum tk_offsets offset)
{
	return ktime_get() + (offset == TK_OFFS_BOOT ? 0 : EPOCH_S * NSEC_PER_SEC);
}

ktime_t ktime_get_coarse_with_offset(enum tk_offsets offset)
{
	return ktime_get_with_offset(offset);
}

time64_t ktime_get_seconds(void)
{
	return hosted_floor->now_ns() / NSEC_PER_SEC;
}

time64_t ktime_get_real_seconds(void)
{
	return EPOCH_S + ktime_get_seconds();
}

static struct timespec64 timespec_of(u64 ns)
{
	return (struct timespec64){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
}

void ktime_get_ts64(struct timespec64 *ts)
{
	*ts = timespec_of(ktime_get());
}

void ktime_get_real_ts64(struct timespec64 *ts)
{
	*ts = timespec_of(ktime_get_with_offset(TK_OFFS_REAL));
}

void ktime_get_coarse_real_ts64(struct timespec64 *ts)
{
	ktime_get_real_ts64(ts);
}

/* --- sleeping --- */

void msleep(unsigned int ms)
{
	long left = msecs_to_jiffies(ms) + 1;

	while (left) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		left = schedule_timeout(left);
	}
}

unsigned long msleep_interruptible(unsigned int ms)
{
	set_current_state(TASK_INTERRUPTIBLE);
	return jiffies_to_usecs(schedule_timeout(msecs_to_jiffies(ms) + 1)) / USEC_PER_MSEC;
}
