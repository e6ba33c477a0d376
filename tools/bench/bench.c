// SPDX-License-Identifier: GPL-2.0-only
/*
 * `iommulab bench`: measures, prints a table or JSON rows.
 */
#include "tools/bench/bench.h"
#include "tools/bench/plot.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rows --- */

static bool is_met(const struct bench_row *r, double ratio)
{
	switch (r->kind) {
	case BENCH_AT_MOST:
		return r->value <= r->limit;
	case BENCH_AT_LEAST:
		return r->value >= r->limit;
	case BENCH_RATIO_AT_MOST:
		return ratio <= r->limit;
	default:
		return true;
	}
}

static void must_text(const struct bench_row *r, char *buf, size_t size)
{
	static const char *const form[] = {
		[BENCH_FREE] = "", [BENCH_AT_MOST] = "<= %.10g", [BENCH_AT_LEAST] = ">= %.10g",
		[BENCH_RATIO_AT_MOST] = "ratio <= %.4g"};

	snprintf(buf, size, form[r->kind], r->limit);
}

static struct json_object *json_number(double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4g", v);
	return json_object_new_double_s(v, text);
}

/*
 * What a rate or a time would be at the clock of the machine that its target is for, if
 * it followed the clock; 0: nothing is asked for, or it is a ratio. Told, never judged.
 */
static double at_reference_clock(const struct bench_row *r)
{
	double times = BENCH_REFERENCE_GHZ / bench_machine()->ghz;

	switch (r->kind) {
	case BENCH_AT_MOST:
		return r->value / times;
	case BENCH_AT_LEAST:
		return r->value * times;
	default:
		return 0;
	}
}

static void add_json(struct bench *b, const struct bench_row *r, double ratio, const char *must,
		     bool met, double reference)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(r->name));
	json_object_object_add(o, "value", json_number(r->value));
	json_object_object_add(o, "unit", json_object_new_string(r->unit));
	json_object_object_add(o, "baseline", r->baseline > 0 ? json_number(r->baseline) : NULL);
	json_object_object_add(o, "against", json_object_new_string(r->against ? r->against : ""));
	json_object_object_add(o, "ratio", ratio > 0 ? json_number(ratio) : NULL);
	json_object_object_add(o, "spread", json_number(r->spread));
	json_object_object_add(o, "must", *must ? json_object_new_string(must) : NULL);
	json_object_object_add(o, "met", *must ? json_object_new_boolean(met) : NULL);
	json_object_object_add(o, "at_reference_clock",
			       reference > 0 ? json_number(reference) : NULL);
	json_object_object_add(o, "series", r->series ? json_object_new_string(r->series) : NULL);
	json_object_object_add(o, "among", r->series ? json_object_new_uint64(r->among) : NULL);
	json_object_array_add(b->rows, o);
}

static void number_text(double v, char *buf, size_t size)
{
	if (v >= 1000)
		snprintf(buf, size, "%.0f", v);
	else
		snprintf(buf, size, "%.3g", v);
}

static void scaled_text(double v, char *buf, size_t size)
{
	char number[32];

	number_text(v, number, sizeof(number));
	snprintf(buf, size, " (%s at %.2g GHz)", number, BENCH_REFERENCE_GHZ);
}

void bench_add(struct bench *b, const struct bench_row *r)
{
	double ratio = r->ratio > 0 ? r->ratio : r->baseline > 0 ? r->value / r->baseline : 0;
	bool met = is_met(r, ratio);
	char must[32], value[32], baseline[32] = "-", times[32] = "-", scaled[64] = "";
	double reference = at_reference_clock(r);

	must_text(r, must, sizeof(must));
	b->n_rows++;
	b->n_missed += !met;
	if (b->rows)
		add_json(b, r, ratio, must, met, reference);
	if (!b->table)
		return;
	number_text(r->value, value, sizeof(value));
	if (r->baseline > 0)
		number_text(r->baseline, baseline, sizeof(baseline));
	if (ratio > 0)
		snprintf(times, sizeof(times), "%.3g", ratio);
	if (!met && reference > 0)
		scaled_text(reference, scaled, sizeof(scaled));
	printf("%-34s %10s %-12s %5.0f%% %10s %8s  %-18s %s%s%s%s\n", r->name, value, r->unit,
	       r->spread, baseline, times, must, !*must ? "" : met ? "met" : "MISSED", scaled,
	       r->against && *r->against ? "  against " : "", r->against ? r->against : "");
	fflush(stdout);
}

/* What figures that are no ratios must be read with. */
static void add_machine(struct bench *b, struct json_object *doc)
{
	const struct bench_machine *m = bench_machine();
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "ghz", json_number(m->ghz_best));
	json_object_object_add(o, "chunks", json_object_new_uint64(m->chunks));
	json_object_object_add(o, "disturbed", json_object_new_uint64(m->disturbed));
	json_object_object_add(doc, "machine", o);
	if (b->table)
		printf("machine: %.3g GHz; %llu of %llu chunks were disturbed and do not count\n",
		       m->ghz_best, (unsigned long long)m->disturbed,
		       (unsigned long long)m->chunks);
}

/* --- the command --- */

static const struct bench_entry *const tables[] = {
	bench_core_entries, bench_engine_entries, bench_hosted_entries, bench_pt_entries,
	bench_hw_entries, bench_model_entries, bench_model_inv_entries, bench_model_exec_entries,
	bench_ioas_entries,
};

static const struct bench_entry *entry_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct bench_entry *e = tables[i]; e->name; e++) {
			if (!strcmp(e->name, name))
				return e;
		}
	}
	return NULL;
}

static int list_entries(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct bench_entry *e = tables[i]; e->name; e++)
			printf("%-14s %s\n", e->name, e->help);
	}
	return CLI_OK;
}

static void run_entry(struct bench *b, const struct bench_entry *e)
{
	if (!e->hooks || IOMMULAB_HOOKS)
		e->run(b);
}

struct bench_command {
	struct bench bench;
	const char *json, *plot;
	const struct bench_entry *entry[64];
	u32 n;
};

/* 0, or the exit code of a complaint; -1: something else was asked for and done. */
static int read_arguments(struct bench_command *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!strcmp(arg, "--quick")) {
			c->bench.quick = true;
		} else if (!strcmp(arg, "--list") || !strcmp(arg, "--help")) {
			printf("iommulab bench [--quick] [--json FILE|-] [--plot FILE] "
			       "[--kernel FILE] [NAME...]\n");
			return list_entries() ? CLI_USAGE : -1;
		} else if (!strcmp(arg, "--json") && i + 1 < argc) {
			c->json = argv[++i];
		} else if (!strcmp(arg, "--plot") && i + 1 < argc) {
			c->plot = argv[++i];
		} else if (!strcmp(arg, "--kernel") && i + 1 < argc) {
			bench_hosted_kernel(argv[++i]);
		} else if (!strcmp(arg, "--json") || !strcmp(arg, "--kernel") ||
			   !strcmp(arg, "--plot")) {
			return cli_fail("bench: %s: expected a file name", arg);
		} else if (arg[0] == '-') {
			return cli_fail("bench: unknown option '%s', see `iommulab bench --help`",
					arg);
		} else if (!entry_find(arg)) {
			return cli_fail("bench: unknown row '%s', expected one of `iommulab bench "
					"--list`", arg);
		} else if (c->n < ARRAY_SIZE(c->entry)) {
			c->entry[c->n++] = entry_find(arg);
		}
	}
	return 0;
}

/* Asked before minutes of measuring. */
static int check_outputs(const struct bench_command *c)
{
	const char *const path[] = {c->json, c->plot}, *const name[] = {"json", "plot"};

	for (u32 i = 0; i < ARRAY_SIZE(path); i++) {
		if (path[i] && strcmp(path[i], "-") != 0 &&
		    (!host_can_write(path[i]) || host_is_folder(path[i])))
			return cli_fail("--%s: %s cannot be written", name[i], path[i]);
	}
	return CLI_OK;
}

static void run_all(struct bench *b)
{
	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct bench_entry *e = tables[i]; e->name; e++)
			run_entry(b, e);
	}
}

/* Writes the files that were asked for; doc is gone. */
static int leave(struct bench_command *c, struct json_object *doc)
{
	char err[160];

	if (c->plot && !bench_plot(c->bench.rows, c->plot, err, sizeof(err))) {
		json_object_put(doc);
		return cli_fail("--plot: %s: %s", c->plot, err);
	}
	if (c->json)
		return cli_json_write(doc, c->json);
	json_object_put(doc);
	return CLI_OK;
}

int bench_main(int argc, char **argv)
{
	struct bench_command c = {.n = 0};
	struct json_object *doc;
	int rc;

	if (argc == 2 && !strcmp(argv[1], "--memory-of-demo"))
		return bench_memory_child();
	rc = read_arguments(&c, argc, argv);
	if (rc)
		return rc < 0 ? CLI_OK : rc;
	if (check_outputs(&c) || bench_hosted_check())
		return CLI_USAGE;
	doc = cli_json_new("bench");
	c.bench.rows = json_object_new_array();
	json_object_object_add(doc, "build", json_object_new_string(IOMMULAB_FLAVOUR));
	json_object_object_add(doc, "rows", c.bench.rows);
	c.bench.table = !c.json;
	if (c.bench.table)
		printf("%-34s %10s %-12s %6s %10s %8s  %s\n", "row", "value", "unit", "spread",
		       "baseline", "ratio", "must");
	for (u32 i = 0; i < c.n; i++)
		run_entry(&c.bench, c.entry[i]);
	if (!c.n)
		run_all(&c.bench);
	if (c.bench.scenarios_missing) {
		json_object_put(doc);
		return cli_fail("bench: scenario '%s' not found, run at the root of the source",
				c.bench.scenarios_missing);
	}
	add_machine(&c.bench, doc);
	rc = leave(&c, doc);
	if (rc)
		return rc;
	return c.bench.n_missed && !c.bench.quick ? CLI_FINDING : CLI_OK;
}
