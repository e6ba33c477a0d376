/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs conformance vectors; tests/conformance/README.md describes their text.
 */
#pragma once

#include "hw/iommu/hw.h"

struct vectors_report {
	u32 vectors, failed;
	bool bad;        /* a file is malformed; nothing of it was run */
	char text[4096]; /* the first complaints, a line each */
	u32 text_len;
};

/* Adds to *r. name: of the file, for complaints. */
void vectors_run_text(const struct hw_iommu_ops *ops, const char *name, const char *text,
		      size_t size, struct vectors_report *r);
/* All *.vec of a folder, by name. */
void vectors_run_dir(const struct hw_iommu_ops *ops, const char *dir, struct vectors_report *r);

/*
 * The same vectors on a model of other capabilities, unwatched: whether any notices. Of the
 * capability registers themselves (below `below`) nothing that is read counts. A vector takes
 * part, and is counted, if the options can stand in the place of its own and change `bits` of the
 * register at `off`, some of them; with `along` others as well. The first that fails ends it.
 */
struct vectors_twist {
	const char *options;
	u64 bits;
	u32 off, size, below;
	bool along; /* others may change, too: what needs the capability goes with it */
};
void vectors_run_twisted(const struct hw_iommu_ops *ops, const char *dir,
			 const struct vectors_twist *twist, struct vectors_report *r);
