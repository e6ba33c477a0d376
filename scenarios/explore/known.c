// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/explore/known.h"

#include "scenarios/explore/report.h"
#include "sim/base/assert.h"
#include "sim/host/host.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (256 << 10)
#define PATTERNS_MAX 1024
#define BUG "BUG: "

struct explore_known {
	char *text; /* lines end in 0 */
	const char *pattern[PATTERNS_MAX];
	u32 n;
};

static char *trimmed(char *line)
{
	char *end = line + strlen(line);

	while (end > line && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return line + strspn(line, " \t");
}

/* Line `number` of the file; false: one line in err. */
static bool add_line(struct explore_known *k, char *line, const char *path, u32 number, char *err,
		     size_t err_size)
{
	line = trimmed(line);
	if (!*line || *line == '#')
		return true;
	if (strlen(line) >= FINDING_TITLE_MAX) {
		snprintf(err, err_size, "%s:%u:1: a pattern of %zu letters, expected at most %d",
			 path, number, strlen(line), FINDING_TITLE_MAX - 1);
		return false;
	}
	if (k->n == PATTERNS_MAX) {
		snprintf(err, err_size, "%s:%u:1: more than %d patterns", path, number,
			 PATTERNS_MAX);
		return false;
	}
	k->pattern[k->n++] = line;
	return true;
}

struct explore_known *explore_known_read(const char *path, char *err, size_t err_size)
{
	struct explore_known *k = calloc(1, sizeof(*k));
	size_t size;
	char why[160], *next;
	u32 number = 0;
	bool ok;

	sim_assert(k);
	if (!host_file_read(path, FILE_MAX, &k->text, &size, why, sizeof(why))) {
		snprintf(err, err_size, "%s: %s", path, why);
		free(k);
		return NULL;
	}
	ok = !memchr(k->text, 0, size);
	if (!ok)
		snprintf(err, err_size, "%s: a byte of 0, expected a text with a pattern a line",
			 path);
	for (next = k->text; ok && next;) {
		char *line = strsep(&next, "\n");

		ok = add_line(k, line, path, ++number, err, err_size);
	}
	if (ok)
		return k;
	explore_known_free(k);
	return NULL;
}

void explore_known_free(struct explore_known *k)
{
	if (k)
		free(k->text);
	free(k);
}

const char *explore_known_title(const struct explore_known *k, const char *title)
{
	const char *bare = strncmp(title, BUG, strlen(BUG)) ? title : title + strlen(BUG);

	for (u32 i = 0; k && i < k->n; i++) {
		if (!fnmatch(k->pattern[i], title, 0) || !fnmatch(k->pattern[i], bare, 0))
			return k->pattern[i];
	}
	return NULL;
}

bool explore_known_maybe(const struct explore_known *k, const struct finding *f)
{
	struct finding copy;
	const char *side;

	if (!k)
		return false;
	copy = *f;
	report_resolve_title(&copy, NULL);
	if (explore_known_title(k, copy.title))
		return true;
	/* "?" comes before all names. */
	side = strstr(copy.title, " in ? / ");
	if (!side)
		return false;
	side += strlen(" in ? / ");
	for (u32 i = 0; i < k->n; i++) {
		if (strstr(k->pattern[i], side) || strpbrk(k->pattern[i], "*?["))
			return true;
	}
	return false;
}
