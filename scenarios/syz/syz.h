/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * syzkaller's program text, typed by core/uapi's table: read into calls as they
 * are executed, and printed from them.
 */
#pragma once

#include "core/uapi/call.h"
#include "core/uapi/uapi.h"

#define SYZ_TEXT_MAX (16UL << 20)
#define SYZ_CALLS_MAX 1024

struct syz_error {
	u32 line, column; /* from 1 */
	char text[256];   /* "what is wrong, expected what" */
};

/* Calls that the table does not know: skipped with a note, or (strict) an error. */
struct syz_note {
	u32 line;
	char text[192];
};

struct syz_options {
	bool strict; /* unknown calls, surplus and missing arguments are errors */
	/* Called for each thing that was skipped or repaired; may be NULL. */
	void (*note)(void *self, const struct syz_note *n);
	void *self;
};

/* NULL and *err filled on bad input; never aborts, whatever the bytes. */
struct call_program *syz_parse(const char *text, size_t size, const struct syz_options *o,
			       struct syz_error *err);
/* The program as text that syz_parse() reads to an equal program; malloc()ed. */
char *syz_print(const struct call_program *p);
