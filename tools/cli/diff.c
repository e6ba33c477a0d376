// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab diff: the same programs on two kernels. What they answer is
 * compared call by call: results, error numbers, what they wrote into memory.
 */
#include "sim/host/host.h"
#include "tools/cli/diff_priv.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void value_text(const struct explore_difference *d, u32 which, char *buf, size_t size)
{
	long ret = which ? d->second_ret : d->first_ret;
	const char *name = scenario_errno_name(ret);

	if (d->field)
		snprintf(buf, size, "0x%llx", (unsigned long long)(which ? d->second : d->first));
	else if (ret == LONG_MIN)
		snprintf(buf, size, "not reached");
	else
		snprintf(buf, size, name ? "-%s" : "%s%ld", name ? name : "", ret);
}

static void texts(const struct diff *d, const struct explore_difference *x, char *call, size_t size,
		  char value[2][FINDING_TITLE_MAX])
{
	bool whole = x->op >= d->s->n_ops;

	snprintf(call, size, "the run");
	if (!whole)
		scenario_op_print(d->s, x->op, call, size);
	for (u32 i = 0; i < 2; i++) {
		if (whole)
			snprintf(value[i], FINDING_TITLE_MAX, "%s",
				 d->seen[i].title[0] ? d->seen[i].title : "no finding");
		else
			value_text(x, i, value[i], FINDING_TITLE_MAX);
	}
}

static void show(void *self, const struct explore_difference *x)
{
	struct diff *d = self;
	char call[160], value[2][FINDING_TITLE_MAX];
	struct json_object *row = json_object_new_object();

	const char *known;

	texts(d, x, call, sizeof(call), value);
	known = cli_diff_known(d, x, call);
	d->differences += !known;
	d->known += known != NULL;
	d->differs |= !known;
	json_object_object_add(row, "program", json_object_new_string(d->s->path));
	json_object_object_add(row, "call", json_object_new_string(call));
	json_object_object_add(row, "line", x->op < d->s->n_ops ?
			       json_object_new_int64(d->s->ops[x->op].line) : NULL);
	json_object_object_add(row, "field", x->field ? json_object_new_string(x->field) : NULL);
	json_object_object_add(row, "ours", json_object_new_string(value[0]));
	json_object_object_add(row, "hosted", json_object_new_string(value[1]));
	json_object_object_add(row, "explanation", json_object_new_string(x->explanation));
	json_object_object_add(row, "known", known ? json_object_new_string(known) : NULL);
	json_object_array_add(d->rows, row);
	if (d->quiet || (known && d->observer[0]))
		return;
	printf("%s:%u: %s\n  %s%s%s: %s\n  %s%s%s: %s\n  %s%s%s\n", d->s->path,
	       x->op < d->s->n_ops ? d->s->ops[x->op].line : 0, call, d->kernel[0]->name,
	       x->field ? ", " : "", x->field ? x->field : "", value[0], d->kernel[1]->name,
	       x->field ? ", " : "", x->field ? x->field : "", value[1], x->explanation,
	       known ? "; known: " : "", known ? known : "");
}

void cli_diff_compare(struct diff *d, const struct scenario *s, u64 seed)
{
	d->s = s;
	d->differs = d->led = false;
	for (u32 i = 0; i < 2; i++) {
		if (d->observer[i])
			explore_observer_look(d->observer[i], s, seed, &d->seen[i]);
		else
			explore_observe(s, d->kernel[i], seed, &d->seen[i]);
	}
	d->programs++;
	d->calls += s->n_ops;
	explore_differences(s, &d->seen[0], &d->seen[1], show, d);
	d->programs_differ += d->differs;
	for (u32 i = 0; i < 2; i++)
		explore_observed_free(&d->seen[i]);
}

static int diff_one(struct diff *d, const char *path, u64 seed)
{
	struct scenario *s = cli_read_scenario(path, (struct scenario_how){
		.threads_all = d->c->o.threads, .strict = d->c->o.strict});
	char why[512];

	if (!s)
		return CLI_USAGE;
	for (u32 i = 0; i < 2; i++) {
		if (explore_kernel_check(s, d->kernel[i], why, sizeof(why)))
			continue;
		scenario_free(s);
		return cli_fail("%s", why);
	}
	cli_diff_compare(d, s, seed);
	scenario_free(s);
	return CLI_OK;
}

static int finish(struct diff *d)
{
	struct json_object *doc;

	FILE *out = d->quiet ? stderr : stdout;

	if (d->known)
		fprintf(out, "%u known differences\n", d->known);
	if (d->differences)
		fprintf(out, "%u of the programs differ\n", d->programs_differ);
	fprintf(out, "%u programs, %llu calls, %u differences between %s and %s\n", d->programs,
		(unsigned long long)d->calls, d->differences, d->kernel[0]->name,
		d->kernel[1]->name);
	if (!d->c->o.json) {
		json_object_put(d->rows);
		return CLI_OK;
	}
	doc = cli_json_new("diff");
	json_object_object_add(doc, "ours", json_object_new_string(d->kernel[0]->name));
	json_object_object_add(doc, "hosted", json_object_new_string(d->kernel[1]->name));
	json_object_object_add(doc, "programs", json_object_new_int64(d->programs));
	json_object_object_add(doc, "calls", json_object_new_int64(d->calls));
	json_object_object_add(doc, "programs_differ", json_object_new_int64(d->programs_differ));
	json_object_object_add(doc, "known", json_object_new_int64(d->known));
	json_object_object_add(doc, "differences", d->rows);
	return cli_json_write(doc, d->c->o.json);
}

int cli_diff(struct cli *c)
{
	struct diff d = {.c = c, .quiet = c->o.json && strcmp(c->o.json, "-") == 0};
	u64 seed, n;
	int rc;

	if (!c->n_args && !c->o.generate)
		return cli_fail("diff: no file, expected FILE... or --generate N");
	if (!cli_number("generate", c->o.generate, 0, 1ULL << 40, 0, &n))
		return CLI_USAGE;
	if (!c->o.kernel && !c->o.against)
		return cli_fail("diff: one kernel, expected --kernel and --against");
	/* Without --against the model is the first, as in its JSON. */
	if (!c->o.against) {
		c->o.against = c->o.kernel;
		c->o.kernel = NULL;
	}
	rc = cli_check_world(c, &d.kernel[0]);
	if (!rc && !cli_number("seed", c->o.seed, 0, ~0ULL, 1, &seed))
		rc = CLI_USAGE;
	if (!rc)
		rc = cli_kernel_open("--against", c->o.against, &d.kernel[1]);
	if (rc)
		return rc;
	d.rows = json_object_new_array();
	for (int i = 0; i < c->n_args && !rc && !host_stop_asked(); i++)
		rc = diff_one(&d, c->args[i], seed);
	if (!rc)
		rc = cli_diff_generate(&d, n, seed);
	if (rc) {
		json_object_put(d.rows);
		return rc;
	}
	rc = finish(&d);
	return rc ? rc : d.differences ? CLI_FINDING : CLI_OK;
}
