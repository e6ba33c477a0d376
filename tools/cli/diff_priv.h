/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of `iommulab diff` share. */
#pragma once

#include "scenarios/explore/observe.h"
#include "tools/cli/cli.h"

#include <json-c/json.h>

struct diff {
	struct cli *c;
	const struct kernel *kernel[2];
	struct explore_observer *observer[2]; /* NULL: each program boots its own */
	const struct scenario *s;
	struct explore_observed seen[2];
	struct json_object *rows;
	u32 programs, differences, known, programs_differ;
	bool differs; /* the program at hand, in what is not known */
	bool led;     /* ... in what is, and it goes its own way since */
	char why[512]; /* which versions' rows the last difference may be of */
	u64 calls;
	bool quiet;
};

void cli_diff_compare(struct diff *d, const struct scenario *s, u64 seed);
/* n programs of random calls, the first from this seed. */
int cli_diff_generate(struct diff *d, u64 n, u64 seed);

/*
 * Of the table of version deltas: since which Linux a call is there that not every tree
 * has, "6.13"; NULL: since 6.12 or before. The number: 0x060d.
 */
const char *cli_diff_since(const char *call, u32 *version);
/*
 * Why the two differ here, if that is in the table of differences that are no fault of
 * ours or of a version; NULL: it is not. call: its text.
 */
const char *cli_diff_known(struct diff *d, const struct explore_difference *x, const char *call);
/* What the kernel answers as, 0x060c. */
u32 cli_diff_version(const struct kernel *k);
