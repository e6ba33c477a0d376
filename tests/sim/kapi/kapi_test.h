/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of sim/kapi share: a world, a program given as a function
 * that spawns tasks, and a random walk of their own that chooses anew at
 * every second operation or so.
 */
#pragma once

#include "sim/kapi/kapi.h"
#include "sim/world/world.h"

#include <criterion/criterion.h>
#include <string.h>

static bool walk_parse(struct sched *s, const char *arg)
{
	(void)s;
	(void)arg;
	return true;
}

static void walk_begin(struct sched *s, struct policy_carry *carry)
{
	(void)s;
	(void)carry;
}

static struct task *walk_pick(struct sched *s, struct task *cur, enum sched_why why)
{
	struct choice *c = s->world->choice;
	u32 n = (u32)__builtin_popcountll(s->runnable);
	struct task *next = &s->task[bit_nth(s->runnable, choice_below(c, CHOICE_SCHED, n))];

	(void)cur;
	(void)why;
	next->stop_at = next->ops + 1 + choice_below(c, CHOICE_SCHED, 3);
	return next;
}

static const struct policy walk = {
	.name = "walk",
	.parse = walk_parse,
	.begin = walk_begin,
	.pick = walk_pick,
};

/* The world of the test, and what its tasks share. */
static struct world *w;

static inline void load(void (*start)(struct world *, void *),
			void (*shutdown)(struct world *, void *))
{
	struct world_program p = {.start = start, .shutdown = shutdown};

	w = world_create(0);
	world_load(w, &p);
}

/* A program with a boot part. */
static inline void load_booted(void (*boot)(struct world *, void *),
			       void (*start)(struct world *, void *))
{
	struct world_program p = {.boot = boot, .start = start};

	w = world_create(0);
	world_load(w, &p);
}

static struct world_run run(u64 seed)
{
	struct world_run r = {.seed = seed, .policy = &walk};

	world_run(w, &r);
	return r;
}

/* All seeds come to rest without a finding. */
static inline void run_clean(u64 n)
{
	for (u64 seed = 1; seed <= n; seed++) {
		struct world_run r = run(seed);

		cr_assert_null(r.finding, "seed %lu: %s\n%s", (unsigned long)seed, r.finding->title,
			       r.finding->text);
		cr_assert_eq(r.end, SCHED_AT_REST, "seed %lu ended as %d", (unsigned long)seed,
			     r.end);
	}
}

/* Some seed's finding has `title` in its title (or text); none has another. */
static inline u64 runs_until_finding(u64 n, const char *title)
{
	for (u64 seed = 1; seed <= n; seed++) {
		struct world_run r = run(seed);

		if (!r.finding)
			continue;
		cr_assert(strstr(r.finding->title, title) || strstr(r.finding->text, title),
			  "seed %lu: %s\n%s", (unsigned long)seed, r.finding->title,
			  r.finding->text);
		return seed;
	}
	cr_assert_fail("no finding '%s' in %lu runs", title, (unsigned long)n);
	return 0;
}

/* A kernel thread of the program. */
static inline void spawn(const char *name, void (*fn)(void *), void *arg)
{
	kthread_run(fn, arg, 0, name);
}

/* Work between two moments of choice. */
static inline void step(void)
{
	sched_point(NULL, 0, OP_SYNC);
}
