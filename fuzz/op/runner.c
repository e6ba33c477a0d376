// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs programs in one world. The machine boots only when it differs from the
 * last one's; the scenario lies at one address for good, since the kernel
 * keeps a pointer to its machine.
 *
 * An input must mean the same in a campaign and alone. So nothing is carried
 * over: the lock graph is forgotten and the policies' memory cleared before
 * each run (a lock order taught by two inputs is not seen; `iommulab run` and
 * soak runs look for those).
 */
#include "fuzz/op/fuzzop_priv.h"

#include "sim/base/assert.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct fuzzop_runner {
	struct world *world;
	struct scenario_program sp;
	struct fuzzop program;
	struct machine loaded;
	bool is_loaded;
	struct bug_set bugs;
	long rets[FUZZOP_OPS_MAX];
};

struct fuzzop_runner *fuzzop_runner_create(const char *bug)
{
	struct fuzzop_runner *r = calloc(1, sizeof(*r));

	sim_assert(r);
	bug_set_clear(&r->bugs);
	if (bug) {
		int row = bug_find(bug);

		sim_assert(row >= 0);
		bug_set_add(&r->bugs, (unsigned)row);
	}
	r->world = world_create(0);
	world_set_bugs(r->world, &r->bugs);
	r->sp = (struct scenario_program){
		.scenario = &r->program.scenario,
		.kernel = &kernel_model,
		.rets = r->rets,
	};
	return r;
}

void fuzzop_runner_stop(struct fuzzop_runner *r)
{
	world_destroy(r->world);
	r->world = NULL;
}

static void load(struct fuzzop_runner *r)
{
	struct world_program program;

	if (r->is_loaded && !memcmp(&r->loaded, &r->program.scenario.machine, sizeof(r->loaded)))
		return;
	scenario_program_init(&program, &r->sp);
	world_load(r->world, &program);
	r->loaded = r->program.scenario.machine;
	r->is_loaded = true;
}

static void forget(struct fuzzop_runner *r)
{
	struct policy_carry *carry = world_carry(r->world);

	oracles_forget(r->world->oracles);
	/* Its bytes belong to exhaustive policies, which fuzzop_policies[] has none of. */
	memset(carry, 0, offsetof(struct policy_carry, bytes));
}

const struct finding *fuzzop_run(struct fuzzop_runner *r, const u8 *bytes, size_t size)
{
	fuzzop_decode(&r->program, bytes, size);
	r->program.scenario.bugs = r->bugs;
	for (u32 i = 0; i < FUZZOP_OPS_MAX; i++)
		r->rets[i] = LONG_MIN;
	load(r);
	forget(r);
	world_run(r->world, &r->program.run);
	return r->program.run.finding;
}

const struct fuzzop *fuzzop_program(const struct fuzzop_runner *r)
{
	return &r->program;
}

long fuzzop_result(const struct fuzzop_runner *r, u32 i)
{
	return r->rets[i];
}
