// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two trees in one process: each in a slot of its own, run in turns, with the
 * runs that each has alone. two_trees.sh names the objects; the second one's
 * unmap fails.
 */
#include "core/hosted/hosted.h"
#include "tests/kit/program.h"

#include <errno.h>
#include <stdlib.h>

#define SEEDS 20

struct tree {
	const struct kernel *kernel;
	struct world *world;
	u64 hash[SEEDS];
	long unmapped; /* what the last run's unmap gave */
	u32 printed;
};

static long op(struct tree *t, enum op_code code, u64 a, u64 b, u64 c)
{
	return t->kernel->op(t->world, &(struct op){.code = (u16)code, .arg = {a, b, c}});
}

static void mapper(void *arg)
{
	struct tree *t = arg;

	op(t, OP_ioas_map, 1, 0x1000000, 0x4000);
	t->unmapped = op(t, OP_ioas_unmap, 1, 0x1000000, 0x4000);
}

static void attacher(void *arg)
{
	struct tree *t = arg;

	op(t, OP_mock_device, 2, 1, 0);
	op(t, OP_destroy, 2, 0, 0);
}

static void boot(struct world *world, void *self)
{
	struct tree *t = self;

	t->world = world;
	world->kernel = (void *)(uintptr_t)t->kernel;
	t->kernel->boot(world, NULL);
	cr_assert_eq(op(t, OP_iommufd_open, 0, 0, 0), 0);
	cr_assert_eq(op(t, OP_ioas_alloc, 1, 0, 0), 0);
}

static void start(struct world *world, void *self)
{
	sched_spawn(world->sched, "mapper", mapper, self, 0);
	sched_spawn(world->sched, "attacher", attacher, self, 0);
}

static void end(struct world *world, void *self)
{
	((struct tree *)self)->kernel->shutdown(world);
}

static void heard(void *arg, const char *text, unsigned long len)
{
	(void)text;
	((struct tree *)arg)->printed += len > 0;
}

static void tree_load(struct tree *t, const char *variable, u32 slot)
{
	const char *path = getenv(variable);
	struct world_program p = {.boot = boot, .start = start, .shutdown = end, .self = t};
	char err[512];

	if (!path)
		cr_skip_test("%s names no hosted kernel", variable);
	t->kernel = hosted_open(path, err, sizeof(err));
	cr_assert(t->kernel, "%s", err);
	hosted_on_print(t->kernel, heard, t);
	world_load(world_create(slot), &p);
}

static void tree_end(struct tree *t)
{
	world_destroy(t->world);
	hosted_close(t->kernel);
}

static u64 tree_run_under(struct tree *t, u64 seed, const char *policy, const char *arg)
{
	struct world_run r = {.seed = seed,
			      .policy = policy_find(policy, strlen(policy)),
			      .policy_arg = arg};

	t->unmapped = 1;
	world_run(t->world, &r);
	cr_assert_null(r.finding, "seed %lu: %s\n%s", (unsigned long)seed, r.finding->title,
		       r.finding->text);
	return r.hash;
}

static u64 tree_run(struct tree *t, u64 seed)
{
	return tree_run_under(t, seed, "rw", "");
}

static void runs_alone(struct tree *t, const char *variable, u32 slot)
{
	tree_load(t, variable, slot);
	for (u64 i = 0; i < SEEDS; i++)
		t->hash[i] = tree_run(t, i + 1);
	tree_end(t);
}

static void runs_in_turns(const char *first, const char *second)
{
	static struct tree a, b;
	bool swapped = strcmp(first, "HOSTED_KERNEL") != 0;
	u32 same = 0;

	runs_alone(&a, first, 0);
	runs_alone(&b, second, 1);
	tree_load(&a, first, 0);
	tree_load(&b, second, 1);
	for (u64 i = 0; i < SEEDS; i++) {
		cr_assert_eq(tree_run(&a, i + 1), a.hash[i], "slot 0, seed %lu", (unsigned long)i + 1);
		cr_assert_eq(tree_run(&b, i + 1), b.hash[i], "slot 1, seed %lu", (unsigned long)i + 1);
		cr_assert_eq((swapped ? &a : &b)->unmapped, -ENOSPC);
		cr_assert_neq((swapped ? &b : &a)->unmapped, -ENOSPC);
		same += a.hash[i] == b.hash[i];
	}
	cr_assert_lt(same, SEEDS, "both trees ran alike");
	tree_end(&a);
	tree_end(&b);
}

Test(worlds, two_trees_run_in_turns)
{
	runs_in_turns("HOSTED_KERNEL", "HOSTED_KERNEL_2");
}

Test(worlds, and_in_each_others_slots)
{
	runs_in_turns("HOSTED_KERNEL_2", "HOSTED_KERNEL");
}

/* What several tasks touch draws preemptions; it is kept apart where no oracle looks at cells. */
Test(worlds, oracles_change_no_run)
{
	static const char *const policy[][2] = {
		{"rw", "100"}, {"rw", "3"}, {"rw", "100,0"}, {"rw", "7,0"}, {"pos", ""}};
	static struct tree t;
	u64 hash[2];

	tree_load(&t, "HOSTED_KERNEL", 0);
	for (u32 i = 0; i < ARRAY_SIZE(policy) * SEEDS; i++) {
		const char *name = policy[i / SEEDS][0], *arg = policy[i / SEEDS][1];

		for (u32 k = 0; k < 2; k++) {
			cr_assert(world_set_oracles(t.world, k ? "all" : "none"));
			hash[k] = tree_run_under(&t, i + 1, name, arg);
		}
		cr_assert_eq(hash[0], hash[1], "%s:%s, seed %u", name, arg, i + 1);
	}
	tree_end(&t);
}
