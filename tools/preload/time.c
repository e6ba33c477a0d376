// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time and waiting. Where threads take turns, a client's clocks show the
 * session's virtual time, sleeping lets that pass, and a futex that is waited on
 * by its system call is waited on in the session. Clocks of processors and of
 * other processes are the host's, and so is what libc waits for by itself.
 */
#include "tools/preload/preload_priv.h"

#include <linux/futex.h>
#include <time.h>

#define NS_PER_S 1000000000L
#define SECONDS_MAX (1L << 32)

static long real_at_start; /* CLOCK_REALTIME less the session's time, nanoseconds */

static bool is_time(const long ts[2])
{
	return ts[0] >= 0 && ts[0] < SECONDS_MAX && ts[1] >= 0 && ts[1] < NS_PER_S;
}

static long now_of(long clock)
{
	long now = preload_ask1(EXEC_NR_CLOCK, 0), ts[2];

	if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
		return now;
	if (!real_at_start) {
		preload_raw(SYS_clock_gettime, CLOCK_REALTIME, (long)ts, 0, 0, 0, 0);
		real_at_start = ts[0] * NS_PER_S + ts[1] - now;
	}
	return real_at_start + now;
}

static bool is_virtual(long clock)
{
	static const long clocks[] = {
		CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE,
		CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME, CLOCK_TAI,
	};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (clocks[i] == clock)
			return preload_turns();
	}
	return false;
}

/* nanosleep, clock_nanosleep. Without turns the client sleeps, then as much time has passed. */
long preload_sleep(long nr, const preload_args a)
{
	bool plain = nr == SYS_nanosleep, absolute = !plain && a[1] & TIMER_ABSTIME;
	const long *request = (const long *)(plain ? a[0] : a[2]);
	long ts[2], ns, ret;

	if (!preload_peek(ts, request, sizeof(ts)) || !is_time(ts) ||
	    (preload_turns() && !plain && !is_virtual(a[0])))
		return preload_host(nr, a);
	ns = ts[0] * NS_PER_S + ts[1];
	if (preload_turns()) {
		ns -= absolute ? now_of(a[0]) : 0;
		return preload_ask1(EXEC_NR_SLEEP, ns > 0 ? ns : 0);
	}
	ret = preload_host(nr, a);
	if (ret == 0 && !absolute)
		preload_ask1(EXEC_NR_SLEPT, ns);
	return ret;
}

long preload_clock(long nr, const preload_args a)
{
	long now, *to = (long *)a[1];

	if (!is_virtual(a[0]))
		return preload_host(nr, a);
	if (!to)
		return -EFAULT;
	now = now_of(a[0]);
	to[0] = now / NS_PER_S;
	to[1] = now % NS_PER_S;
	return 0;
}

/* How long a wait may last: ~0 is for ever; false: the host is to say what is wrong with it. */
static bool patience(const preload_args a, bool absolute, long *ns)
{
	long ts[2];

	*ns = -1;
	if (!a[3])
		return true;
	if (!preload_peek(ts, (const void *)a[3], sizeof(ts)) || !is_time(ts))
		return false;
	*ns = ts[0] * NS_PER_S + ts[1];
	if (absolute)
		*ns -= now_of(a[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC);
	if (*ns < 0)
		*ns = 0;
	return true;
}

static long wait_on(const preload_args a, long ns)
{
	return preload_ask(EXEC_NR_FUTEX_WAIT, (preload_args){a[0], a[2], ns}, -1, NULL);
}

/* Those who wait in the session first, then those who wait in the host, as libc's locks do. */
static long wake_on(const preload_args a)
{
	long n = 0, more;

	if (a[2] > 0)
		n = preload_ask(EXEC_NR_FUTEX_WAKE, (preload_args){a[0], a[2]}, -1, NULL);
	if (n < 0 || n >= a[2])
		return n;
	more = preload_raw(SYS_futex, a[0], a[1], a[2] - n, 0, 0, a[5]);
	return more < 0 ? more : n + more;
}

long preload_futex(long nr, const preload_args a)
{
	long op = a[1] & FUTEX_CMD_MASK, ns;
	bool any = (unsigned int)a[5] == FUTEX_BITSET_MATCH_ANY;

	if (!preload_turns())
		return preload_host(nr, a);
	if ((op == FUTEX_WAIT && patience(a, false, &ns)) ||
	    (op == FUTEX_WAIT_BITSET && any && patience(a, true, &ns)))
		return wait_on(a, ns);
	if (op == FUTEX_WAKE || (op == FUTEX_WAKE_BITSET && any))
		return wake_on(a);
	return preload_host(nr, a);
}
