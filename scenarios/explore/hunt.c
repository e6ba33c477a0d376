// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hunt: how soon each policy finds each historic bug through its witness.
 *
 * Per bug and policy there are `seeds` campaigns that end at the finding the
 * bug's row promises; the medians of their runs and times are reported (a
 * campaign without the finding counts as endless). A bug that the default order
 * shows in its first run needs no policy: "any schedule".
 */
#include "scenarios/explore/explore_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_DEFAULT 20
#define SEEDS_MAX 256
#define RUNS_DEFAULT 10000
#define SEED_STRIDE 1000003ULL

static const char *const policies[] = {"mix", "rw", "pct", "pos", "delay"};

struct hunter {
	const struct explore_hunt *h;
	struct explorer *e;
	struct explore_hit *hit;
	const struct scenario *s;
	const char *want;
	u64 runs[SEEDS_MAX], us[SEEDS_MAX];
};

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *v, u32 n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(n - 1) / 2];
}

/* The hit that has the finding wanted, or NULL. */
static const struct explore_hit *wanted_hit(const struct hunter *hu, u32 n, u64 end)
{
	for (u32 i = 0; i < n; i++) {
		if (hu->hit[i].run == end && hu->hit[i].finding.title[0])
			return &hu->hit[i];
	}
	return NULL;
}

/* One campaign; false: not found. */
static bool campaign(struct hunter *hu, const char *policy, u64 seed, u64 runs, u32 slot)
{
	struct explore_options o = {
		.seed = seed,
		.runs = runs,
		.policy = policy,
		.kernel = hu->h->kernel,
		.want = hu->want,
		.no_shrink = true,
		.jobs = 1,
		.verify = ~0U,
	};
	struct explore_campaign c;
	struct explore_result result;
	char err[256];
	const struct explore_hit *hit;
	u32 n;

	memset(&result, 0, sizeof(result));
	if (!explore_campaign_init(&c, hu->s, &o, err, sizeof(err)))
		return false;
	c.e = hu->e;
	explorer_forget(hu->e);
	n = explore_campaign_run(&c, hu->hit, &result);
	hit = wanted_hit(hu, n, result.runs);
	if (!hit || !explore_wanted(&hit->finding, hu->want))
		return false;
	hu->runs[slot] = hit->run;
	hu->us[slot] = hit->at_us;
	if (hit != hu->hit)
		hu->hit[0] = *hit;
	return true;
}

static void shrink_first(struct hunter *hu, struct explore_hunt_row *row)
{
	struct explore_finding *f = malloc(sizeof(*f));

	sim_assert(f);
	explore_finish(hu->e, &hu->hit[0], FINISH_SHRUNK, f);
	row->switches = f->switches;
	row->shrink_us = f->shrink_us;
	explore_finding_free(f);
	free(f);
}

static void hunt_policy(struct hunter *hu, const char *bug, const char *policy)
{
	u32 seeds = hu->h->seeds ? min(hu->h->seeds, (u32)SEEDS_MAX) : SEEDS_DEFAULT;
	u64 runs = hu->h->runs ? hu->h->runs : hu->s->runs ? hu->s->runs : RUNS_DEFAULT;
	struct explore_hunt_row row = {.bug = bug, .policy = policy, .switches = ~0U};

	row.seeds = strcmp(policy, "delay") == 0 ? 1 : seeds; /* draws nothing */
	for (u32 i = 0; i < row.seeds; i++) {
		hu->runs[i] = hu->us[i] = ~0ULL;
		if (!campaign(hu, policy, 1 + i * SEED_STRIDE, runs, i))
			continue;
		if (!row.found_by++)
			shrink_first(hu, &row);
	}
	/* Campaigns that were cut short say nothing of the policy. */
	if (host_stop_asked())
		return;
	row.runs_median = median(hu->runs, row.seeds);
	row.us_median = median(hu->us, row.seeds);
	row.found = row.runs_median != ~0ULL;
	hu->h->row(hu->h->self, &row);
}

static bool any_schedule(struct hunter *hu, const char *bug)
{
	struct explore_hunt_row row = {
		.bug = bug, .policy = "any", .found = true, .any_schedule = true, .seeds = 1,
		.found_by = 1, .runs_median = 1,
	};

	if (!campaign(hu, "list", 1, 1, 0))
		return false;
	row.us_median = hu->us[0];
	shrink_first(hu, &row);
	hu->h->row(hu->h->self, &row);
	return true;
}

static void hunt_bug(const struct explore_hunt *h, int bug)
{
	const char *id = bug_rows[bug].id;
	struct explore_hunt_row failed = {.bug = id, .policy = "-", .switches = ~0U};
	struct hunter *hu = calloc(1, sizeof(*hu));
	struct scenario_error err;
	struct scenario *s = scenario_read(id, &err);
	struct bug_set set;

	sim_assert(hu);
	if (!s) {
		scenario_error_print(&err, failed.error, sizeof(failed.error));
		h->row(h->self, &failed);
		free(hu);
		return;
	}
	bug_set_clear(&set);
	bug_set_add(&set, (unsigned)bug);
	hu->h = h;
	hu->s = s;
	hu->want = s->expect_title ? s->expect_title : bug_rows[bug].oracle;
	hu->e = malloc(sizeof(*hu->e));
	hu->hit = calloc(EXPLORE_HITS_MAX, sizeof(*hu->hit));
	sim_assert(hu->e && hu->hit && explorer_open(hu->e, s, h->kernel, &set, NULL));
	if (!any_schedule(hu, id)) {
		for (size_t i = 0; i < ARRAY_SIZE(policies) && !host_stop_asked(); i++) {
			if (!h->policy || strcmp(h->policy, policies[i]) == 0)
				hunt_policy(hu, id, policies[i]);
		}
	}
	explorer_close(hu->e);
	free(hu->hit);
	free(hu->e);
	free(hu);
	scenario_free(s);
}

const char *explore_hunt(const struct explore_hunt *h)
{
	bool all = true;

	for (unsigned i = 0; i < BUG_N; i++)
		all &= !bug_set_has(&h->bugs, i);
	for (unsigned i = 0; i < BUG_N; i++) {
		if (!all && !bug_set_has(&h->bugs, i))
			continue;
		/* What an interrupted hunt has not tried it does not speak of. */
		if (!host_stop_asked())
			hunt_bug(h, (int)i);
		if (host_stop_asked())
			return bug_rows[i].id;
	}
	return NULL;
}
