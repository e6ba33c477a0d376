/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One oracle at work alone: it fires, or it is silent, whatever the schedule.
 * For an oracle that only listens, the tasks publish the facts by hand.
 */
#pragma once

#include "tests/kit/program.h"

#define ORACLE_RUNS 300

/* A program under random walks, watched by this oracle; further fields of struct program. */
#define load_oracle(name, ...) load(.oracles = name, .policy = "rw", __VA_ARGS__)

/* Some schedule shows it, none shows another thing. The finding lives until the next run. */
static inline const struct finding *fires(const char *title)
{
	return run_finds(ORACLE_RUNS, title);
}

/* No schedule shows anything. */
static inline void silent(void)
{
	run_clean(ORACLE_RUNS);
}
