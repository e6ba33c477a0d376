// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab run: explores each scenario, one after the other, and says how it
 * ended. An expected finding that is found is a success; one that is not is a
 * failure; so is any other finding.
 */
#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum outcome { CLEAN, FINDING, EXPECTED, MISSED };
static const char *const outcome_names[] = {"clean", "finding", "expected-finding", "missed"};

/* The finding to speak of: the expected one if it is there, else the first. */
static const struct explore_finding *main_finding(const struct scenario *s,
						  const struct explore_result *r, bool *expected)
{
	*expected = false;
	for (u32 i = 0; s->expect_finding && i < r->n_findings; i++) {
		if (!s->expect_title || strstr(r->findings[i].finding.title, s->expect_title)) {
			*expected = true;
			return &r->findings[i];
		}
	}
	return r->n_findings ? &r->findings[0] : NULL;
}

static enum outcome outcome_of(const struct cli *c, const struct scenario *s,
			       const struct explore_result *r)
{
	bool expected;
	const struct explore_finding *f = main_finding(s, r, &expected);

	if (expected)
		return c->o.strict && r->n_findings > 1 ? FINDING : EXPECTED;
	if (f)
		return FINDING;
	return s->expect_finding ? MISSED : CLEAN;
}

/* NULL: no unmap was deferred. */
static struct json_object *window_json(const struct oracle_window *win)
{
	const struct {
		const char *name;
		u64 value;
	} member[] = {
		{"unmaps", win->deferred},
		{"longest_ns", win->open_ns_max},
		{"total_ns", win->open_ns},
		{"longest_steps", win->open_steps_max},
		{"total_steps", win->open_steps},
		{"accesses", win->accesses},
		{"latest_access_ns", win->longest_ns},
	};
	struct json_object *o;

	if (!win->deferred)
		return NULL;
	o = json_object_new_object();
	for (u32 i = 0; i < ARRAY_SIZE(member); i++)
		json_object_object_add(o, member[i].name,
				       json_object_new_int64((int64_t)member[i].value));
	return o;
}

static struct json_object *known_json(const struct explore_options *o,
				      const struct explore_result *r)
{
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < r->n_known; i++) {
		const struct explore_finding *f = &r->known[i];
		struct json_object *row = json_object_new_object();
		const char *pattern = explore_known_title(o->known, f->finding.title);
		char *recipe = report_recipe(f);

		json_object_object_add(row, "title", json_object_new_string(f->finding.title));
		json_object_object_add(row, "pattern", json_object_new_string(pattern));
		json_object_object_add(row, "run", json_object_new_int64((int64_t)f->run));
		json_object_object_add(row, "recipe", json_object_new_string(recipe));
		json_object_array_add(list, row);
		free(recipe);
	}
	return list;
}

static struct json_object *to_json(const struct scenario *s, const struct explore_result *r,
				   const struct explore_options *o, enum outcome outcome)
{
	struct json_object *doc = cli_json_new("run"), *more = json_object_new_array();
	bool expected;
	const struct explore_finding *f = main_finding(s, r, &expected);

	json_object_object_add(doc, "scenario", json_object_new_string(s->path));
	json_object_object_add(doc, "outcome", json_object_new_string(outcome_names[outcome]));
	json_object_object_add(doc, "runs", json_object_new_int64((int64_t)r->runs));
	json_object_object_add(doc, "steps", json_object_new_int64((int64_t)r->steps));
	json_object_object_add(doc, "seconds",
			       cli_json_decimal(r->elapsed_us, 1000000));
	json_object_object_add(doc, "exhausted", json_object_new_boolean(r->exhausted));
	json_object_object_add(doc, "stopped", json_object_new_boolean(r->stopped));
	json_object_object_add(doc, "deferred", window_json(&r->window));
	if (f) {
		cli_json_add_finding(doc, f, s);
	} else {
		struct call_results *values = NULL;
		long *rets = explore_default_rets(s, o, &values);
		char hash[24];

		for (const char *const *k = (const char *const[]){"title", "oracle", "recipe",
								  NULL}; *k; k++)
			json_object_object_add(doc, *k, NULL);
		snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)r->hash);
		json_object_object_add(doc, "trace_hash", json_object_new_string(hash));
		json_object_object_add(doc, "sites", json_object_new_array());
		json_object_object_add(doc, "switches", json_object_new_int(0));
		json_object_object_add(doc, "calls", cli_calls_json(s, rets, values));
		free(rets);
		free(values);
	}
	for (u32 i = 0; i < r->n_findings; i++) {
		if (&r->findings[i] != f)
			json_object_array_add(more, report_json(&r->findings[i], s));
	}
	json_object_object_add(doc, "others", more);
	json_object_object_add(doc, "known", known_json(o, r));
	return doc;
}

/* Findings go to standard output unless JSON does. */
static int print_findings(const struct cli *c, const struct scenario *s,
			  const struct explore_result *r)
{
	bool quiet = c->o.json && strcmp(c->o.json, "-") == 0, expected;
	const struct explore_finding *f = main_finding(s, r, &expected);
	int rc = CLI_OK;

	if (f && !quiet)
		report_print(stdout, f, s);
	for (u32 i = 0; i < r->n_findings && !rc; i++) {
		if (&r->findings[i] != f && !quiet) {
			char *recipe = report_recipe(&r->findings[i]);

			printf("%s: %s\n    replay: iommulab replay '%s'\n",
			       c->o.keep_going && !expected ? "finding" : "also seen",
			       r->findings[i].finding.title, recipe);
			free(recipe);
		}
		if (c->o.out)
			rc = cli_publish(&r->findings[i], s, c->o.out);
	}
	return rc;
}

/* By design where unmaps are deferred: measured, no finding. */
static void print_window(FILE *to, const struct scenario *s, const struct oracle_window *win)
{
	fprintf(to, "%s: %llu deferred unmaps, open for at most %llu.%03llu ms or %llu operations "
		    "(all: %llu.%03llu ms, %llu); %llu accesses through them\n", s->name,
		(unsigned long long)win->deferred,
		(unsigned long long)(win->open_ns_max / 1000000),
		(unsigned long long)(win->open_ns_max / 1000 % 1000),
		(unsigned long long)win->open_steps_max,
		(unsigned long long)(win->open_ns / 1000000),
		(unsigned long long)(win->open_ns / 1000 % 1000),
		(unsigned long long)win->open_steps, (unsigned long long)win->accesses);
}

static const char *stopped_by(const struct explore_result *r)
{
	static char text[32];

	if (!r->stopped || !host_stop_asked())
		return r->stopped ? ", stopped" : "";
	snprintf(text, sizeof(text), ", stopped by SIG%s", sigabbrev_np(host_stop_signal()));
	return text;
}

static void print_summary(const struct cli *c, const struct scenario *s,
			  const struct explore_result *r, enum outcome outcome)
{
	bool quiet = c->o.json && strcmp(c->o.json, "-") == 0;
	u64 us = r->elapsed_us ? r->elapsed_us : 1;

	fprintf(quiet ? stderr : stdout, "%s: %s, %llu runs, %llu.%03llu s, %llu runs/s%s%s\n",
		s->name, outcome_names[outcome], (unsigned long long)r->runs,
		(unsigned long long)(us / 1000000), (unsigned long long)(us / 1000 % 1000),
		(unsigned long long)(r->runs * 1000000 / us),
		r->exhausted ? ", nothing left to try" : "", stopped_by(r));
	for (u32 i = 0; i < r->n_known; i++)
		fprintf(quiet ? stderr : stdout, "%s: known, first in run %llu: %s\n", s->name,
			(unsigned long long)r->known[i].run, r->known[i].finding.title);
	if (r->window.deferred)
		print_window(quiet ? stderr : stdout, s, &r->window);
	if (outcome == MISSED)
		fprintf(quiet ? stderr : stdout, "%s: expected a finding%s%s\n", s->name,
			s->expect_title ? " with " : "", s->expect_title ? s->expect_title : "");
}

/* Its trace is that of the finding's recipe; without a finding, of the default order. */
static int write_trace(const struct cli *c, const struct scenario *s,
		       const struct explore_options *o, const struct explore_result *r)
{
	bool expected, to_stdout = strcmp(c->o.trace, "-") == 0;
	const struct explore_finding *f = main_finding(s, r, &expected);
	struct explore_result played;
	struct explore_replay how = {.n = 1, .times = 1, .kernel = o->kernel};

	how.trace = to_stdout ? stdout : fopen(c->o.trace, "w");
	if (!how.trace)
		return cli_fail("--trace: %s cannot be written", c->o.trace);
	if (f) {
		how.recipe = &f->recipe;
		explore_replay(s, &how, &played);
		explore_result_free(&played);
	} else {
		explore_default_trace(s, o, how.trace);
	}
	return to_stdout || fclose(how.trace) == 0 ? CLI_OK :
	       cli_fail("--trace: %s cannot be written", c->o.trace);
}

static int run_one(struct cli *c, const struct scenario *s, struct explore_options *o, int *worst,
		   struct json_object **doc)
{
	struct explore_result r;
	enum outcome outcome;
	int rc;

	o->want = s->expect_title;
	cli_progress_begin(o);
	explore_run(s, o, &r);
	cli_progress_end();
	outcome = outcome_of(c, s, &r);
	rc = print_findings(c, s, &r);
	print_summary(c, s, &r, outcome);
	if (r.diverged)
		fprintf(stderr, "iommulab: %s: not deterministic: %s\n", s->name, r.divergence);
	/* Not found so far is not missed. */
	if (outcome == FINDING || (outcome == MISSED && !host_stop_asked()) || r.diverged)
		*worst = CLI_FINDING;
	if (r.incomplete[0] && !rc)
		rc = cli_fail("%s: %s", s->name, r.incomplete);
	if (c->o.json)
		*doc = to_json(s, &r, o, outcome);
	if (!rc && c->o.trace)
		rc = write_trace(c, s, o, &r);
	explore_result_free(&r);
	return rc;
}

/* All files, before the first of them is run: what cannot be run costs no campaign. */
static int read_all(const struct cli *c, const struct explore_options *o, struct scenario **s)
{
	char text[1024];

	for (int i = 0; i < c->n_args; i++) {
		s[i] = cli_read_scenario(c->args[i], (struct scenario_how){
			.threads_all = c->o.threads, .strict = c->o.strict});
		if (!s[i])
			return CLI_USAGE;
		if (!explore_check(s[i], o, text, sizeof(text)))
			return cli_fail("%s", text);
	}
	return CLI_OK;
}

/* The result of what was run, also where something else has gone wrong. */
static int run_all(struct cli *c, struct explore_options *o, struct scenario **s)
{
	struct json_object *all = NULL, *doc = NULL;
	int worst = CLI_OK, rc = CLI_OK, written;

	if (c->n_args > 1 && c->o.json)
		all = json_object_new_array();
	for (int i = 0; i < c->n_args && !rc && !host_stop_asked(); i++) {
		doc = NULL;
		rc = run_one(c, s[i], o, &worst, &doc);
		if (all && doc)
			json_object_array_add(all, doc);
	}
	if (all) {
		doc = cli_json_new("run");
		json_object_object_add(doc, "results", all);
	}
	if (doc) {
		written = cli_json_write(doc, c->o.json);
		rc = rc ? rc : written;
	}
	return rc ? rc : worst;
}

int cli_run(struct cli *c)
{
	struct explore_known *known = NULL;
	struct explore_options o;
	struct scenario **s;
	char err[512];
	int rc = cli_explore_options(c, &o);

	if (rc)
		return rc;
	if (!c->n_args)
		return cli_fail("run: no file, expected FILE...");
	if (c->o.known) {
		known = explore_known_read(c->o.known, err, sizeof(err));
		if (!known)
			return cli_fail("%s", err);
	}
	o.known = known;
	s = calloc((size_t)c->n_args, sizeof(struct scenario *));
	sim_assert(s);
	rc = read_all(c, &o, s);
	if (!rc)
		rc = run_all(c, &o, s);
	for (int i = 0; i < c->n_args && s[i]; i++)
		scenario_free(s[i]);
	free(s);
	explore_known_free(known);
	return rc;
}
