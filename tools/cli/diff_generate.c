// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommulab diff --generate: programs of random calls. Both kernels boot once and
 * stay; each program begins from what they were then.
 */
#include "tools/cli/diff_priv.h"

#include "fuzz/op/deepgen.h"
#include "scenarios/syz/syz.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"

#include <stdlib.h>
#include <string.h>

#define PASID_SINCE 0x060f
#define PROGRESS 10000 /* programs from one line to the next */

/* What only one of them has would lead them apart for the rest of the program. */
static bool younger(void *self, const char *name)
{
	const struct diff *d = self;
	u32 version;

	return cli_diff_since(name, &version) && (cli_diff_version(d->kernel[0]) < version ||
					      cli_diff_version(d->kernel[1]) < version);
}

static struct deepgen *generator(struct diff *d)
{
	u32 a = cli_diff_version(d->kernel[0]), b = cli_diff_version(d->kernel[1]);
	struct deepgen_how how = {.leave_out = younger, .self = d,
				  .pasid = a >= PASID_SINCE && b >= PASID_SINCE};

	return deepgen_new(&how);
}

/* The program as a file, to look at and to run again. */
static int keep(const struct diff *d, const struct call_program *p, u64 seed)
{
	char path[HOST_PATH_MAX], why[256];
	char *text;
	bool ok;

	if (!d->c->o.out)
		return CLI_OK;
	if (!host_dir_make(d->c->o.out))
		return cli_fail("--out: %s cannot be written", d->c->o.out);
	text = syz_print(p);
	snprintf(path, sizeof(path), "%s/generated-%llu.syz", d->c->o.out,
		 (unsigned long long)seed);
	ok = text && host_file_write(path, text, strlen(text), why, sizeof(why));
	free(text);
	return ok ? CLI_OK : cli_fail("--out: %s: %s", path, text ? why : "cannot be printed");
}

static struct scenario *scenario_of_seed(struct deepgen *g, u64 seed)
{
	struct scenario_error err;
	struct scenario *s;
	char name[64];

	snprintf(name, sizeof(name), "generated-%llu.syz", (unsigned long long)seed);
	s = scenario_of_calls(name, deepgen_program(g, seed), false, &err);
	if (!s)
		cli_fail("%s", err.text);
	return s;
}

static int one(struct diff *d, struct deepgen *g, u64 seed)
{
	struct scenario *s = scenario_of_seed(g, seed);
	u32 before = d->differences;
	int rc = CLI_OK;

	if (!s)
		return CLI_USAGE;
	cli_diff_compare(d, s, seed);
	if (d->differences != before)
		rc = keep(d, s->program, seed);
	scenario_free(s);
	return rc;
}

int cli_diff_generate(struct diff *d, u64 n, u64 seed)
{
	struct scenario *home;
	struct deepgen *g;
	int rc = CLI_OK;

	if (!n)
		return CLI_OK;
	g = generator(d);
	home = scenario_of_seed(g, 0);
	if (!home)
		return CLI_USAGE;
	for (u32 i = 0; i < 2; i++)
		d->observer[i] = explore_observer_new(home, d->kernel[i], i);
	for (u64 i = 0; i < n && !rc && !host_stop_asked(); i++) {
		rc = one(d, g, seed + i);
		if ((i + 1) % PROGRESS == 0)
			fprintf(stderr, "%llu of %llu programs, %u differ\n",
				(unsigned long long)i + 1, (unsigned long long)n,
				d->programs_differ);
	}
	for (u32 i = 0; i < 2; i++) {
		explore_observer_free(d->observer[i]);
		d->observer[i] = NULL;
	}
	scenario_free(home);
	deepgen_free(g);
	return rc;
}
