// SPDX-License-Identifier: GPL-2.0-only
#include "tests/kit/program.h"

#include "sim/base/bits.h"

struct world *w;

static struct program program;

/* --- the walk --- */

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
	sched_set_stop(next, sched_ops(next) + 1 + choice_below(c, CHOICE_SCHED, 3));
	return next;
}

static const struct policy walk = {
	.name = "walk",
	.parse = walk_parse,
	.begin = walk_begin,
	.pick = walk_pick,
};

/* --- the program --- */

static void program_boot(struct world *world, void *self)
{
	(void)world;
	(void)self;
	program.boot();
}

static void program_start(struct world *world, void *self)
{
	static const char *const names[PROGRAM_TASKS_MAX] = {
		"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
	};

	(void)world;
	(void)self;
	if (program.begin)
		program.begin();
	for (u32 i = 0; i < PROGRAM_TASKS_MAX; i++) {
		if (program.task[i])
			spawn(names[i], program.task[i], program.arg[i]);
	}
}

static void program_shutdown(struct world *world, void *self)
{
	(void)world;
	(void)self;
	program.shutdown();
}

void program_load(const struct program *p)
{
	struct world_program wp = {
		.boot = p->boot ? program_boot : NULL,
		.start = program_start,
		.shutdown = p->shutdown ? program_shutdown : NULL,
	};

	program = *p;
	if (w)
		world_destroy(w);
	w = world_create(0);
	if (p->oracles)
		cr_assert(world_set_oracles(w, p->oracles), "no oracles '%s'", p->oracles);
	if (p->prepare)
		p->prepare();
	world_load(w, &wp);
}

void program_task(u32 i, void (*task)(void *arg))
{
	program.task[i] = task;
}

/* --- its runs --- */

struct world_run program_run(struct world_run r)
{
	world_run(w, &r);
	return r;
}

struct world_run run(u64 seed)
{
	const struct policy *policy = &walk;

	if (program.policy)
		policy = policy_find(program.policy, strlen(program.policy));
	cr_assert_not_null(policy, "no policy '%s'", program.policy);
	return run_with(.seed = seed, .policy = policy, .policy_arg = "");
}

void assert_clean(const struct world_run *r)
{
	unsigned long seed = (unsigned long)r->seed;

	cr_assert_null(r->finding, "seed %lu: %s\n%s", seed, r->finding->title, r->finding->text);
	cr_assert_eq(r->end, SCHED_AT_REST, "seed %lu ended as %d", seed, r->end);
}

void run_clean(u64 n)
{
	for (u64 seed = 1; seed <= n; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
	}
}

u64 run_count(u64 n, enum sched_end end)
{
	u64 count = 0;

	for (u64 seed = 1; seed <= n; seed++)
		count += run(seed).end == end;
	return count;
}

const struct finding *assert_title(const struct finding *f, const char *title)
{
	cr_assert_not_null(f, "no '%s'", title);
	cr_assert(strstr(f->title, title), "not '%s' but %s\n%s", title, f->title, f->text);
	return f;
}

/* The first finding of seeds 1 to n. */
static const struct finding *first_finding(u64 n)
{
	const struct finding *f = NULL;

	for (u64 seed = 1; seed <= n && !f; seed++)
		f = run(seed).finding;
	return f;
}

const struct finding *run_finds(u64 n, const char *title)
{
	return assert_title(first_finding(n), title);
}

const struct finding *run_finds_text(u64 n, const char *text)
{
	const struct finding *f = first_finding(n);

	cr_assert_not_null(f, "no '%s' in %lu runs", text, (unsigned long)n);
	cr_assert(strstr(f->title, text) || strstr(f->text, text), "not '%s' but %s\n%s", text,
		  f->title, f->text);
	return f;
}
