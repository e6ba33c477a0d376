// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll: hosted files are the hosted kernel's to wait for, others the host's; a
 * mixture is asked for in turns, a millisecond apart.
 */
#include "tools/preload/preload_priv.h"

#include <poll.h>
#include <string.h>

#define POLL_MAX 256
#define TURN_NS 1000000L

static long host_poll(struct pollfd *p, long n, long ms)
{
	return preload_raw(SYS_poll, (long)p, n, ms, 0, 0, 0);
}

static void part(struct pollfd *to, const struct pollfd *from, long n, bool hosted)
{
	memcpy(to, from, (size_t)n * sizeof(*to));
	for (long i = 0; i < n; i++) {
		to[i].revents = 0;
		if ((preload_fd_kind(from[i].fd) == PRELOAD_HOSTED) != hosted)
			to[i].fd = -1;
	}
}

/* Both once, without waiting; answers go to the client. */
static long turn(struct pollfd *client, const struct pollfd *p, long n)
{
	struct pollfd host[POLL_MAX], hosted[POLL_MAX];
	long a, b;

	part(host, p, n, false);
	part(hosted, p, n, true);
	a = host_poll(host, n, 0);
	b = preload_ask(SYS_poll, (preload_args){(long)hosted, n, 0}, -1, NULL);
	if (a < 0 || b < 0)
		return a < 0 ? a : b;
	for (long i = 0; a + b > 0 && i < n; i++)
		client[i].revents = host[i].revents | hosted[i].revents;
	return a + b;
}

static long in_turns(struct pollfd *client, const struct pollfd *p, long n, long ms)
{
	long ns[2] = {0, TURN_NS};

	for (long waited = 0;; waited++) {
		long ret = turn(client, p, n);

		if (ret || (ms >= 0 && waited >= ms))
			return ret;
		ret = preload_sleep(SYS_nanosleep, (preload_args){(long)ns});
		if (ret == -EINTR)
			return ret;
	}
}

long preload_poll(long nr, const preload_args a)
{
	struct pollfd p[POLL_MAX];
	long n = a[1], hosted = 0, host = 0, ms = a[2], ts[2];

	if (n == 0 && nr == SYS_poll && ms > 0 && preload_turns())
		return preload_ask1(EXEC_NR_SLEEP, ms * 1000000);
	if (n <= 0 || n > POLL_MAX || !preload_peek(p, (void *)a[0], (size_t)n * sizeof(*p)))
		return preload_host(nr, a);
	for (long i = 0; i < n; i++) {
		if (preload_fd_kind(p[i].fd) == PRELOAD_HOSTED)
			hosted++;
		else if (p[i].fd >= 0)
			host++;
	}
	if (!hosted)
		return preload_host(nr, a);
	if (nr == SYS_ppoll) {
		ms = -1;
		if (a[2] && !preload_peek(ts, (void *)a[2], sizeof(ts)))
			return -EFAULT;
		if (a[2])
			ms = ts[0] * 1000 + (ts[1] + 999999) / 1000000;
	}
	if (!host)
		return preload_ask(SYS_poll, (preload_args){a[0], n, (int)ms}, -1, NULL);
	return in_turns((struct pollfd *)a[0], p, n, (int)ms);
}
