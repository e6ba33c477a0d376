// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seeds for a target's corpus, from scenario files.
 *
 *	fuzz_seeds TARGET FOLDER FILE.yaml...
 *
 * core_ops and canary: each scenario as bytes under several policies; yaml: the
 * file itself; recipe: recipes of it. The folder must exist. What no bytes can
 * say is named and left out. Exit codes: 0, 2 usage or bad input.
 */
#include "fuzz/op/fuzzop.h"
#include "scenarios/explore/recipe.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static bool put(const char *name, const char *tail, const void *data, size_t size)
{
	char path[HOST_PATH_MAX], err[256];

	snprintf(path, sizeof(path), "%s/%s%s", folder, name, tail);
	if (host_file_write(path, data, size, err, sizeof(err)))
		return true;
	fprintf(stderr, "fuzz_seeds: cannot write %s: %s\n", path, err);
	return false;
}

static bool put_core_ops(const struct scenario *s)
{
	/* Rows of fuzzop_policies[]: default, rw:3, rw:20, pos, pct:3. */
	static const u8 policies[] = {0, 2, 4, 6, 9};
	static u8 bytes[FUZZOP_BYTES_MAX];
	const char *why;
	char tail[16];

	for (u32 i = 0; i < ARRAY_SIZE(policies); i++) {
		struct fuzzop_choice c = {.policy = policies[i], .seed = i};
		size_t n = fuzzop_encode(s, &c, bytes, sizeof(bytes), &why);

		if (!n) {
			printf("%s: left out: %s\n", s->path, why);
			return true;
		}
		snprintf(tail, sizeof(tail), "-%u", i);
		if (!put(s->name, tail, bytes, n))
			return false;
	}
	return true;
}

static bool put_yaml(const struct scenario *s)
{
	char err[256], *text;
	size_t size;
	bool ok;

	if (!host_file_read(s->path, SCENARIO_FILE_MAX, &text, &size, err, sizeof(err))) {
		fprintf(stderr, "fuzz_seeds: %s: %s\n", s->path, err);
		return false;
	}
	ok = put(s->name, ".yaml", text, size);
	free(text);
	return ok;
}

static bool put_recipe(const struct scenario *s)
{
	static struct recipe r = {.build = "0123456789abcdef"};
	static char text[RECIPE_TEXT_MAX];

	snprintf(r.path, sizeof(r.path), "%s", s->path);
	r.content_hash = s->content_hash;
	r.seed++;
	r.bugs = s->bugs;
	r.nth = r.seed % 3;
	r.drop[0] = r.seed % 5 ? 0 : 6;
	snprintf(r.policy, sizeof(r.policy), "%s", r.seed % 2 ? "list" : "rw");
	snprintf(r.arg, sizeof(r.arg), "%s", r.seed % 2 ? "T2@17>T3,T3%4>T2" : "20");
	recipe_print(&r, text, sizeof(text));
	return put(s->name, "", text, strlen(text));
}

static const struct {
	const char *target;
	bool (*put)(const struct scenario *s);
} writers[] = {
	{"core_ops", put_core_ops},
	{"canary", put_core_ops},
	{"yaml", put_yaml},
	{"recipe", put_recipe},
};

int main(int argc, char **argv)
{
	bool (*write)(const struct scenario *s) = NULL;

	for (u32 i = 0; argc > 3 && i < ARRAY_SIZE(writers); i++)
		if (!strcmp(argv[1], writers[i].target))
			write = writers[i].put;
	if (!write) {
		fprintf(stderr,
			"usage: fuzz_seeds core_ops|canary|yaml|recipe FOLDER FILE.yaml...\n");
		return 2;
	}
	folder = argv[2];
	for (int i = 3; i < argc; i++) {
		struct scenario_error err;
		struct scenario *s = scenario_read(argv[i], &err);
		bool ok;

		if (!s) {
			char text[1024];

			scenario_error_print(&err, text, sizeof(text));
			fprintf(stderr, "%s\n", text);
			return 2;
		}
		ok = write(s);
		scenario_free(s);
		if (!ok)
			return 2;
	}
	return 0;
}
