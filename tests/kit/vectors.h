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
