/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sim_assert(): a defect of ours. It prints the place and, when a run is
 * under way, what replays it (sim/world registers the printer), then aborts.
 * Always on. Values from scenarios, guests and files are outcomes, never
 * assertions.
 */
#pragma once

/* Called before the abort, to print the replay line. One printer a process. */
extern void (*sim_panic_notify)(void);

_Noreturn void sim_panic(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The host refuses what we need (address space, memory, processes), or a user's kernel its
 * machine: one line on standard error, exit code 2. No defect of ours, nothing to replay.
 */
_Noreturn void sim_exhausted(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define sim_assert(cond)                                                \
	do {                                                            \
		if (__builtin_expect(!(cond), 0))                       \
			sim_panic(__FILE__, __LINE__, "%s", #cond);     \
	} while (0)

#define sim_fatal(...) sim_panic(__FILE__, __LINE__, __VA_ARGS__)
