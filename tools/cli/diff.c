// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab diff: the same programs on two kernels. What they answer is
 * compared call by call: results, error numbers, what they wrote into memory.
 */
#include "fuzz/op/callgen.h"
#include "scenarios/explore/observe.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct diff {
	struct cli *c;
	const struct kernel *kernel[2];
	const struct scenario *s;
	struct explore_observed seen[2];
	struct json_object *rows;
	u32 programs, calls, differences;
	bool quiet;
};

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

	texts(d, x, call, sizeof(call), value);
	d->differences++;
	json_object_object_add(row, "program", json_object_new_string(d->s->path));
	json_object_object_add(row, "call", json_object_new_string(call));
	json_object_object_add(row, "line", x->op < d->s->n_ops ?
			       json_object_new_int64(d->s->ops[x->op].line) : NULL);
	json_object_object_add(row, "field", x->field ? json_object_new_string(x->field) : NULL);
	json_object_object_add(row, "ours", json_object_new_string(value[0]));
	json_object_object_add(row, "hosted", json_object_new_string(value[1]));
	json_object_object_add(row, "explanation", json_object_new_string(x->explanation));
	json_object_array_add(d->rows, row);
	if (d->quiet)
		return;
	printf("%s:%u: %s\n  %s%s%s: %s\n  %s%s%s: %s\n  %s\n", d->s->path,
	       x->op < d->s->n_ops ? d->s->ops[x->op].line : 0, call, d->kernel[0]->name,
	       x->field ? ", " : "", x->field ? x->field : "", value[0], d->kernel[1]->name,
	       x->field ? ", " : "", x->field ? x->field : "", value[1], x->explanation);
}

static void compare(struct diff *d, struct scenario *s, u64 seed)
{
	d->s = s;
	for (u32 i = 0; i < 2; i++)
		explore_observe(s, d->kernel[i], seed, &d->seen[i]);
	d->programs++;
	d->calls += s->n_ops;
	explore_differences(s, &d->seen[0], &d->seen[1], show, d);
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
	compare(d, s, seed);
	scenario_free(s);
	return CLI_OK;
}

/* --- programs of random calls --- */

#define GENERATED_BYTES 1024
#define GENERATED_OPS 56

/* What both kernels have: the rest of a program goes on as if it were not there. */
static bool comparable(const struct call *c)
{
	static const char *const not_there[] = {
		"VIOMMU", "VDEVICE", "VEVENT", "HW_QUEUE", "NOIOMMU", "PASID", "DMABUF", "MAP_FILE",
		"CHANGE_PROCESS", "DEV_CHECK_CACHE", "veventq", "vfio", "VTD", "SMMUV3", "AMD"};

	for (u32 i = 0; i < sizeof(not_there) / sizeof(*not_there); i++) {
		if (strstr(c->name, not_there[i]))
			return false;
	}
	return strncmp(c->name, "ioctl$VFIO", 10) != 0;
}

/* Its calls one after the other, in one process. */
static struct call_program *random_program(u64 seed)
{
	u8 bytes[GENERATED_BYTES];
	struct call_program *p;
	u64 word = seed;

	for (u32 i = 0; i < GENERATED_BYTES; i++) {
		word = hash_mix(word + 0x9e3779b97f4a7c15ULL, i);
		bytes[i] = (u8)(word >> 32);
	}
	bytes[FUZZOP_HEAD_MACHINE] = 0;
	bytes[FUZZOP_HEAD_OPS] = GENERATED_OPS;
	bytes[FUZZOP_HEAD_SCHED_LOW] = bytes[FUZZOP_HEAD_SCHED_HIGH] = 0;
	p = fuzzop_calls(bytes, sizeof(bytes));
	for (u32 i = 0; i < p->n; i++) {
		struct call *c = &p->call[i];

		c->async = false;
		if (!comparable(c)) {
			c->nr = -1; /* accepted, answered with 0 */
			c->n_in = c->n_out = 0;
			c->result = CALL_NO_RESULT;
		}
	}
	return p;
}

/* The program as a file, to look at and to run again. */
static int keep(const struct diff *d, struct call_program *p, u64 seed)
{
	char path[HOST_PATH_MAX], why[256];
	char *text;
	bool ok;

	if (!d->c->o.out)
		return CLI_OK;
	text = syz_print(p);
	snprintf(path, sizeof(path), "%s/generated-%llu.syz", d->c->o.out,
		 (unsigned long long)seed);
	ok = text && host_file_write(path, text, strlen(text), why, sizeof(why));
	free(text);
	return ok ? CLI_OK : cli_fail("--out: %s: %s", path, text ? why : "cannot be printed");
}

static int generate(struct diff *d, u64 n, u64 seed)
{
	int rc = CLI_OK;

	for (u64 i = 0; i < n && !rc; i++, seed++) {
		struct call_program *p = random_program(seed);
		u32 before = d->differences;
		struct scenario_error err;
		char name[64];
		struct scenario *s;

		snprintf(name, sizeof(name), "generated-%llu.syz", (unsigned long long)seed);
		s = scenario_of_calls(name, p, false, &err);
		if (!s)
			return cli_fail("%s", err.text);
		compare(d, s, seed);
		if (d->differences != before)
			rc = keep(d, p, seed);
		scenario_free(s);
	}
	return rc;
}

static int finish(struct diff *d)
{
	struct json_object *doc;

	fprintf(d->quiet ? stderr : stdout, "%u programs, %u calls, %u differences between %s and %s\n",
		d->programs, d->calls, d->differences, d->kernel[0]->name, d->kernel[1]->name);
	if (!d->c->o.json) {
		json_object_put(d->rows);
		return CLI_OK;
	}
	doc = cli_json_new("diff");
	json_object_object_add(doc, "ours", json_object_new_string(d->kernel[0]->name));
	json_object_object_add(doc, "hosted", json_object_new_string(d->kernel[1]->name));
	json_object_object_add(doc, "programs", json_object_new_int64(d->programs));
	json_object_object_add(doc, "calls", json_object_new_int64(d->calls));
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
	for (int i = 0; i < c->n_args && !rc; i++)
		rc = diff_one(&d, c->args[i], seed);
	if (!rc)
		rc = generate(&d, n, seed);
	if (rc) {
		json_object_put(d.rows);
		return rc;
	}
	rc = finish(&d);
	return rc ? rc : d.differences ? CLI_FINDING : CLI_OK;
}
