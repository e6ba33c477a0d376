// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where scenarios lie, and what a misspelt word was meant to be.
 *
 * Places are tried in order: below the working directory, beside the program
 * (build/<preset>/iommulab lies two folders below the tree), in the share of
 * the installation (<prefix>/bin/iommulab).
 */
#include "scenarios/engine/scenario.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <string.h>

static const char *const places[] = {"scenarios", "/../../scenarios",
				     "/../share/iommulab/scenarios"};
#define N_PLACES (sizeof(places) / sizeof(*places))

/* Folder of place i, or "" if there is none. */
static void place(u32 i, char *buf, size_t size)
{
	const char *program = host_program_path();
	const char *slash = strrchr(program, '/');

	if (places[i][0] != '/')
		snprintf(buf, size, "%s", places[i]);
	else if (slash)
		snprintf(buf, size, "%.*s%s", (int)(slash - program), program, places[i]);
	else
		buf[0] = '\0';
}

static bool try_name(const char *folder, const char *sub, const char *name, char *path, size_t size)
{
	static const char *const ends[] = {"", ".yaml", ".syz"};

	for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
		int n = snprintf(path, size, "%s/%s%s%s%s", folder, sub, *sub ? "/" : "", name,
				 ends[i]);

		if (n > 0 && (size_t)n < size && host_file_exists(path))
			return true;
	}
	return false;
}

bool scenario_find(const char *name, const char *kind, char *path, size_t size)
{
	static const char *const folders[] = {"", "story", "historic", "hosted",
						"program"};
	char base[HOST_PATH_MAX];

	if (strcmp(name, "-") == 0 || strchr(name, '/') || host_file_exists(name)) {
		snprintf(path, size, "%s", name);
		return strcmp(name, "-") == 0 || host_file_exists(name);
	}
	for (u32 i = 0; i < N_PLACES; i++) {
		place(i, base, sizeof(base));
		if (*kind && try_name(base, kind, name, path, size))
			return true;
		for (u32 k = 0; !*kind && k < ARRAY_SIZE(folders); k++) {
			if (try_name(base, folders[k], name, path, size))
				return true;
		}
	}
	snprintf(path, size, "%s", name);
	return false;
}

struct each {
	const char *folder;
	void (*fn)(void *arg, const char *path);
	void *arg;
	u32 n;
};

static void each_file(void *arg, const char *name)
{
	struct each *e = arg;
	char path[HOST_PATH_MAX + 256];

	e->n++;
	snprintf(path, sizeof(path), "%s/%s", e->folder, name);
	e->fn(e->arg, path);
}

void scenario_each(const char *folder, void (*fn)(void *arg, const char *path), void *arg)
{
	for (u32 i = 0; i < N_PLACES; i++) {
		char base[HOST_PATH_MAX], dir[HOST_PATH_MAX + 64];
		struct each e = {dir, fn, arg, 0};

		place(i, base, sizeof(base));
		snprintf(dir, sizeof(dir), "%s/%s", base, folder);
		host_dir_each(dir, ".yaml", each_file, &e);
		if (e.n)
			return;
	}
}

#define WORD_MAX 48

/* Edit distance (insert, delete, replace, swap of neighbours count one each). */
static u32 edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	u32 d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= n; i++)
		d[i][0] = (u32)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (u32)j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			u32 best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			best = best < d[i - 1][j] + 1 ? best : d[i - 1][j] + 1;
			best = best < d[i][j - 1] + 1 ? best : d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

const char *scenario_did_you_mean(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word);
	u32 best = len < 3 ? 2 : len < 6 ? 3 : 4; /* less than this */
	const char *found = NULL;

	if (len > WORD_MAX || !len)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t m = strlen(names[i]);
		u32 d = m > WORD_MAX ? best : edit_distance(word, len, names[i], m);

		if (d < best && d < m) {
			best = d;
			found = names[i];
		}
	}
	return found;
}
