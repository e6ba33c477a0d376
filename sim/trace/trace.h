/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Readers of facts: a printer (text or JSON lines) and a recorder, and the
 * names of code addresses.
 *
 * The recorder is how a finding is explained: the explorer replays the run
 * with a recorder attached, which keeps every fact and every hooked access
 * (with its call stack where someone asked for it).
 */
#pragma once

#include "sim/access/access.h"

#include <stdio.h>

/* --- names of code addresses (from the program's own DWARF) --- */
struct trace_frame {
	char function[64];
	char file[96]; /* relative to the source root */
	u32 line;
	bool inlined;  /* inlined into the next frame */
};
/* Frames of pc, innermost first (inlined ones included); at least one. */
u32 trace_frames(u64 pc, struct trace_frame *frames, u32 max);
/*
 * Reads all names now. Otherwise they are read when they are first asked for,
 * which needs more stack than a task has: to be called, on the host's stack,
 * before anyone asks from within a run.
 */
void trace_names_load(void);
/* An object that no dynamic linker knows lies at base: its names, from its file. */
void trace_module_add(const char *path, u64 base, u64 size);
/*
 * The innermost frame of a stack that lies outside sim/ and the hosted runtime and is no
 * helper around one access, one counter or one bit (atomics, refcounts, bit operations):
 * what a report names. Where all is helpers, the innermost of these. False if there is
 * nothing outside; then *frame is the innermost of all.
 */
bool trace_first_frame(const u64 *pcs, u32 n, struct trace_frame *frame);
/* pc as module-relative offset, equal under ASLR. */
u64 trace_site(u64 pc);
/* The program's GNU build id, its first 16 hexadecimal digits. */
const char *trace_build_id(void);

/* "lock lock=heap+0xa40 class=0x8 mode=0x1 subclass=0" */
void trace_fact_text(const struct fact *f, char *buf, size_t size);

/* --- printing while it happens --- */
enum trace_format { TRACE_TEXT, TRACE_JSON };
struct trace_printer;
struct trace_printer *trace_print_to(struct world *w, FILE *out, enum trace_format format);
void trace_print_end(struct trace_printer *p);

#define TRACE_STACK_MAX 10

/* --- recording for a report --- */
struct trace_entry {
	bool is_access;
	u32 step;  /* position in the whole run, from 1 */
	u32 task;
	u64 op;
	union {
		struct access_event access;
		struct fact fact;
	};
	const char *lock_name; /* of a FACT_LOCK_*: its class as its initialisation wrote it */
	u32 n_pcs; /* call stack, 0 if not kept */
	u64 pc[TRACE_STACK_MAX];
};

struct trace_record {
	struct trace_entry *entry; /* ring of the last `max` */
	u32 n, max;
	u64 seen;                  /* entries in total */
	char task_name[SCHED_TASKS_MAX][TASK_NAME_LEN];
	u64 op_value;
};

/* Keeps the last max entries, each with its call stack. */
struct trace_record *trace_record_start(struct world *w, u32 max);
/* Detaches from the world; the record stays readable. */
void trace_record_stop(struct trace_record *r);
void trace_record_free(struct trace_record *r);
/* i counts from the oldest kept entry. */
const struct trace_entry *trace_record_entry(const struct trace_record *r, u32 i);
/* Any entry of (task, op low 32 bits), an access before a fact, or NULL. */
const struct trace_entry *trace_record_find(const struct trace_record *r, u32 task, u32 op);
/* The entry of (task, op low 32 bits) that is an access, or NULL. */
const struct trace_entry *trace_record_at(const struct trace_record *r, u32 task, u32 op);
