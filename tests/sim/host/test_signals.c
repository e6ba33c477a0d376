// SPDX-License-Identifier: GPL-2.0-only
/* Signals that ask to stop: one wish said twice, and a second wish. */
#include "sim/host/host.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define WISH_US 1000000 /* how long a wish lasts */
#define LATER_US 1100000

/* How a process ends that gets a signal, another after us, and goes on to its end. */
static int end_of(int first, unsigned int us, int second)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		host_signals_init();
		raise(first);
		if (us)
			usleep(us);
		raise(second);
		_exit(host_stop_asked() ? host_stop_signal() : 0);
	}
	cr_assert(pid > 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The same, of two signals at once: where the host let them be further apart, again. */
static int end_of_two(int first, int second)
{
	u64 begun;
	int end;

	do {
		begun = host_now_us();
		end = end_of(first, 0, second);
	} while (host_now_us() - begun >= WISH_US);
	return end;
}

/* As timeout(1) does: it tells the program, and then the program's group. */
Test(signals, one_wish_said_twice)
{
	cr_assert_eq(end_of_two(SIGINT, SIGINT), SIGINT);
	cr_assert_eq(end_of_two(SIGTERM, SIGTERM), SIGTERM);
	cr_assert_eq(end_of_two(SIGTERM, SIGHUP), SIGTERM, "it was the first that asked");
}

Test(signals, a_second_wish_ends_the_program)
{
	cr_assert_eq(end_of(SIGINT, LATER_US, SIGINT), -SIGINT);
	cr_assert_eq(end_of(SIGINT, LATER_US, SIGTERM), -SIGTERM, "another signal is one, too");
}
