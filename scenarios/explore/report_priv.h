/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of a report share: places, steps, and the interleaving.
 */
#pragma once

#include "scenarios/explore/report.h"

#define REPORT_FRAMES_MAX 24
#define REPORT_ROW_TEXT 240

/* The frames of a stack without those of sim/ at either end. */
u32 report_frames(const u64 *pcs, u32 n, struct trace_frame *frames);

/* The step of (task, op), 0 if the record does not have it. */
u32 report_step(const struct trace_record *r, u32 task, u64 op);

const char *report_task_name(const struct trace_record *r, u32 task);

/* One line of the interleaving. */
struct report_row {
	u32 step;
	u32 task;
	u32 skipped;        /* rows left out before this one */
	u32 times;          /* the same again, in direct succession */
	u32 switch_number;  /* from 1: a deviation of the recipe; 0: not one */
	char text[REPORT_ROW_TEXT];
};

/* The rows worth showing, at most REPORT_ROWS_MAX; the caller's to free(). */
#define REPORT_ROWS_MAX 60u
struct report_row *report_rows(const struct explore_finding *f, const struct scenario *s, u32 *n);
void report_table_print(FILE *out, const struct explore_finding *f, const struct scenario *s);
