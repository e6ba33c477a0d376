// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab hunt: the table of historic bugs, one line per bug and policy.
 */
#include "sim/base/bits.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <string.h>

struct hunt {
	struct json_object *rows;
	bool quiet;
	u32 bugs, found;     /* by at least one policy */
	char bug[64];        /* the one whose rows are coming */
	bool bug_found;
	u64 shrink_us_max;
};

static void bug_over(struct hunt *h)
{
	h->bugs += h->bug[0] != '\0';
	h->found += h->bug_found;
	h->bug_found = false;
}

static void add_json(struct hunt *h, const struct explore_hunt_row *row)
{
	struct json_object *o = json_object_new_object();
	bool found = row->runs_median != ~0ULL && row->found;

	json_object_object_add(o, "bug", json_object_new_string(row->bug));
	json_object_object_add(o, "found", json_object_new_boolean(row->found));
	json_object_object_add(o, "policy", json_object_new_string(
				       row->any_schedule ? "any schedule" : row->policy));
	json_object_object_add(o, "runs_median", found ?
			       json_object_new_int64((int64_t)row->runs_median) : NULL);
	json_object_object_add(o, "ms_median", found ?
			       cli_json_decimal(row->us_median, 1000) : NULL);
	json_object_object_add(o, "switches_shrunk", row->switches != ~0U ?
			       json_object_new_int64(row->switches) : NULL);
	json_object_object_add(o, "shrink_ms", cli_json_decimal(row->shrink_us, 1000));
	json_object_object_add(o, "found_by", json_object_new_int64(row->found_by));
	json_object_object_add(o, "seeds", json_object_new_int64(row->seeds));
	if (row->error[0])
		json_object_object_add(o, "error", json_object_new_string(row->error));
	json_object_array_add(h->rows, o);
}

static void print_row(const struct explore_hunt_row *row)
{
	const char *policy = row->any_schedule ? "any schedule" : row->policy;

	if (row->error[0]) {
		printf("%-34s %s\n", row->bug, row->error);
		return;
	}
	printf("%-34s %-12s ", row->bug, policy);
	if (row->found)
		printf("found %10llu %8llu.%03llu", (unsigned long long)row->runs_median,
		       (unsigned long long)(row->us_median / 1000),
		       (unsigned long long)(row->us_median % 1000));
	else
		printf("%-5s %10s %12s", row->found_by ? "rare" : "no", "-", "-");
	if (row->switches != ~0U)
		printf(" %9u %6llu ms", row->switches, (unsigned long long)row->shrink_us / 1000);
	printf("   %u/%u\n", row->found_by, row->seeds);
}

static void see_row(void *self, const struct explore_hunt_row *row)
{
	struct hunt *h = self;

	if (strcmp(h->bug, row->bug) != 0) {
		bug_over(h);
		snprintf(h->bug, sizeof(h->bug), "%s", row->bug);
	}
	h->bug_found |= row->found;
	h->shrink_us_max = max(h->shrink_us_max, row->shrink_us);
	add_json(h, row);
	if (!h->quiet) {
		print_row(row);
		fflush(stdout);
	}
}

static int hunt_options(const struct cli *c, struct explore_hunt *h)
{
	static const char *const known[] = {"mix", "rw", "pct", "pos", "delay"};
	u64 seeds;
	bool ok = !c->o.policy;

	for (u32 i = 0; i < ARRAY_SIZE(known); i++)
		ok |= c->o.policy && strcmp(c->o.policy, known[i]) == 0;
	if (!ok)
		return cli_fail("--policy %s: expected mix, rw, pct, pos or delay", c->o.policy);
	if (c->n_args)
		return cli_fail("hunt: '%s', expected no argument (--bug ID hunts one)", c->args[0]);
	if (!cli_number("seeds", c->o.seeds, 1, 256, 20, &seeds) ||
	    !cli_number("runs", c->o.runs, 1, ~0ULL >> 1, 0, &h->runs))
		return CLI_USAGE;
	h->bugs = c->o.bugs;
	h->policy = c->o.policy;
	h->seeds = (u32)seeds;
	if (cli_check_world(c, &h->kernel))
		return CLI_USAGE;
	if (h->kernel->foreign)
		return cli_fail("hunt: %s: historic bugs are our own core's, expected --kernel model "
				"(tools/kernel_hunt.py hunts in trees)", c->o.kernel);
	return CLI_OK;
}

int cli_hunt(struct cli *c)
{
	struct hunt out = {.quiet = c->o.json && strcmp(c->o.json, "-") == 0};
	struct explore_hunt h = {.row = see_row, .self = &out};
	struct json_object *doc;
	const char *stopped;
	int rc = hunt_options(c, &h);

	if (rc)
		return rc;
	out.rows = json_object_new_array();
	if (!out.quiet)
		printf("%-34s %-12s %-5s %10s %12s %9s %9s   %s\n", "bug", "policy", "", "runs",
		       "ms", "switches", "shrink", "seeds");
	stopped = explore_hunt(&h);
	/* Not found so far is not "not found". */
	if (stopped && strcmp(out.bug, stopped) == 0 && !out.bug_found)
		out.bug[0] = '\0';
	bug_over(&out);
	if (stopped && !out.quiet)
		printf("%-34s interrupted: what was not tried is not counted\n", stopped);
	if (!out.quiet)
		printf("%u of %u bugs found; medians over the seeds; slowest shrink %llu ms\n",
		       out.found, out.bugs, (unsigned long long)out.shrink_us_max / 1000);
	doc = cli_json_new("hunt");
	json_object_object_add(doc, "stopped_at", stopped ? json_object_new_string(stopped) : NULL);
	json_object_object_add(doc, "rows", out.rows);
	if (c->o.json)
		rc = cli_json_write(doc, c->o.json);
	else
		json_object_put(doc);
	return rc ? rc : out.found == out.bugs ? CLI_OK : CLI_FINDING;
}
