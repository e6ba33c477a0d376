// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/jiffies.h"

#include "sim/kapi/kapi_priv.h"

unsigned long kapi_jiffies(void)
{
	return this_world()->clock->now_ns / NSEC_PER_MSEC;
}

ktime_t ktime_get(void)
{
	return (ktime_t)this_world()->clock->now_ns;
}

static void sleep_ns(const char *what, u64 ns)
{
	const struct clock *clock = this_world()->clock;
	u64 end = clock->now_ns + ns;

	kapi_sleeps(what);
	while (clock->now_ns < end)
		sched_block(what, NULL, -1, end - clock->now_ns);
}

void msleep(unsigned ms)
{
	sleep_ns("msleep", (u64)ms * NSEC_PER_MSEC);
}

void usleep_range(unsigned long us_min, unsigned long us_max)
{
	(void)us_max;
	sleep_ns("usleep_range", us_min * NSEC_PER_USEC);
}

long schedule_timeout(long timeout)
{
	const struct clock *clock = this_world()->clock;
	u64 began = clock->now_ns, limit = (u64)timeout * NSEC_PER_MSEC, past;

	kapi_sleeps("schedule_timeout");
	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		sched_block("schedule", NULL, -1, 0);
		return timeout;
	}
	if (timeout <= 0) {
		sched_yield_now();
		return 0;
	}
	sched_block("schedule_timeout", NULL, -1, limit);
	past = clock->now_ns - began;
	return past >= limit ? 0 : (long)((limit - past) / NSEC_PER_MSEC);
}
