/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call's typed text is made from: its memory (image), what is taken
 * after it (out), and the text so far.
 */
#pragma once

#include "scenarios/syz/syz_priv.h"

struct text {
	char *at;
	size_t n, max;
};

struct printer {
	const struct call_program *p;
	bool recorded;     /* the call is from no text */
	struct text out;   /* the program */
	struct text line;  /* the call being printed */
	struct image m;
	const struct call_out **taken; /* by address */
	bool *taken_used;
	u32 n_taken;
	u32 *name; /* rN by slot, CALL_NO_RESULT: not named yet */
	u32 n_names;
	struct renamed {
		u32 slot, name;
	} *renamed;     /* names that hold from the next call on */
	u32 n_renamed;
	u32 *number; /* of the calls in the text, from 1, by id */
	u32 n_numbers, n_printed;
};

/* What is at an address, for a value of some bytes. */
enum found { FOUND_NOTHING, FOUND_BYTES, FOUND_RESULT, FOUND_OTHER };

void syz_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void syz_add_data(struct text *t, const u8 *data, u64 n, bool hex);
void syz_add_value(struct printer *r, const struct call_value *v);
/*
 * The name of what the call gives. A slot that has one gets another, behind the
 * call: a name that is defined again in text hides the old one at once, and
 * the call may use both (the id that goes in and comes out of one field).
 */
u32 syz_new_name(struct printer *r, u32 slot);
/* `<rN=>` if the call takes what is there, as a result with this default. */
void syz_add_taken(struct printer *r, u64 addr, u64 size, u64 def);

enum found syz_find(const struct printer *r, u64 addr, u64 size, struct call_value *v);
void syz_use(struct printer *r, u64 addr, u64 size);
/* Bytes (no results) from addr on; at most max. */
u64 syz_run(const struct printer *r, u64 addr, u64 max);
const u8 *syz_bytes(const struct printer *r, u64 addr, u64 n, u8 *buf);
/* First of what is taken at addr or behind it. */
u32 syz_taken_at(const struct printer *r, u64 addr);

/* Whether typed text says exactly what is there. */
bool syz_fits(const struct printer *r, const struct uapi_type *t, u64 addr, bool out);
void syz_print_typed(struct printer *r, const struct uapi_type *t, u64 addr, bool out, u64 count);
/* `count`: what a LEN says of it, 0: nothing. */
void syz_print_pointer(struct printer *r, const struct uapi_type *t, const struct call_value *v,
		       u64 count);
/* ANY=[...] of what lies from addr on without a hole; at most max bytes. */
void syz_print_any(struct printer *r, u64 addr, u64 max);
u64 syz_text_address(u64 addr);
