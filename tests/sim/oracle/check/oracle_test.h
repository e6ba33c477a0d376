/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the oracles' tests share: one oracle at work in a world, a program given
 * as a function that spawns tasks, and many schedules of it.
 */
#pragma once

#include "sim/kapi/kapi.h"
#include "sim/world/world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct world *w;

/* A world in which only the named oracles watch; boot may be NULL. */
static inline void load(const char *oracles, void (*boot)(struct world *, void *),
			void (*start)(struct world *, void *))
{
	struct world_program p = {.boot = boot, .start = start};

	w = world_create(0);
	cr_assert(world_set_oracles(w, oracles));
	world_load(w, &p);
}

static inline const struct finding *run(u64 seed)
{
	struct world_run r = {.seed = seed, .policy = policy_find("rw", 2), .policy_arg = ""};

	cr_assert_not_null(r.policy);
	world_run(w, &r);
	return r.finding;
}

#define RUNS 300

/* Some schedule shows it, none shows another thing. The finding lives until the next run. */
static inline const struct finding *fires(const char *title)
{
	for (u64 seed = 1; seed <= RUNS; seed++) {
		const struct finding *f = run(seed);

		if (!f)
			continue;
		cr_assert(strstr(f->title, title), "seed %lu: %s\n%s", (unsigned long)seed,
			  f->title, f->text);
		return f;
	}
	cr_assert_fail("no '%s' in %d runs", title, RUNS);
	return NULL;
}

static inline void silent(void)
{
	for (u64 seed = 1; seed <= RUNS; seed++) {
		const struct finding *f = run(seed);

		cr_assert_null(f, "seed %lu: %s\n%s", (unsigned long)seed, f->title, f->text);
	}
}

/* A task of the program, from its start function. */
static inline void spawn(const char *name, void (*fn)(void *), void *arg)
{
	sched_spawn(w->sched, name, fn, arg, 0);
}
