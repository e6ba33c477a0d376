/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two steps: text.c reads a line into a tree of values, knowing no types;
 * type.c walks it beside the types of the call and makes stores. Each line's
 * tree is gone before the next is read.
 */
#pragma once

#include "scenarios/syz/syz.h"

#define SYZ_NAME_MAX 128

enum node_kind {
	NODE_INT,    /* value */
	NODE_RESULT, /* name; value = div, add */
	NODE_PTR,    /* value: address; size: of a vma; child: what it points at, 0: its default */
	NODE_DATA,   /* text: between the quotes */
	NODE_STRUCT,
	NODE_ARRAY,
	NODE_UNION, /* name; child or 0 */
	NODE_NIL,
	NODE_AUTO,
};

enum node_data { DATA_ASCII, DATA_HEX, DATA_BASE64 };

struct node {
	u8 kind, data;
	bool any;      /* PTR: content is ANY=[...] */
	bool anywhere; /* PTR: &AUTO */
	bool sized;    /* has /size */
	u32 at;        /* offset in the text */
	u32 next, child, n; /* indices of nodes, 0: none; number of children */
	u32 def, def_n; /* <name=>: offset and length in the text, 0: none */
	u32 text, text_n; /* name, or data between the quotes */
	u64 value, size, add;
};

/* What a line says. */
struct syz_line {
	u32 name, name_n; /* of the call */
	u32 var, var_n;   /* result, 0: none */
	u32 at, end;      /* the line's place */
	u32 arg, n_args;  /* first argument, 0: none */
	bool async;
	u32 fail_nth, rerun;
};

/* A result name as it stands: the latest definition, or (no slot) of a skipped call. */
struct syz_var {
	u32 text, n;
	u32 slot; /* CALL_NO_RESULT: gives its default */
	u32 next; /* in the hash chain */
};

struct syz {
	const char *text;
	u32 size, at, end, line_at; /* end: of the line */
	u32 line;
	u32 depth;
	const struct syz_options *o;
	struct syz_error *err;
	bool failed;
	struct node *node; /* [0] is none */
	u32 n_nodes, max_nodes;
	struct call_program *p;
	u32 max_calls, max_results, skipped;
	struct call *call; /* being made; not in p yet */
	u32 max_in, max_out, max_areas;
	u32 process; /* of the next call */
	bool has_ret;
	long ret;
	u32 thread, *after, n_after; /* likewise */
	u32 own_results; /* from this slot on, they are the call's own */
	u64 stored;  /* bytes */
	u64 auto_at; /* for &AUTO */
	bool used_base, used_old;
	struct syz_var *var;
	u32 n_vars, max_vars;
	u32 bucket[1024];
};

/* text.c; the errors of all are set by syz_fail(), at a place in the text. */
void syz_fail(struct syz *s, u32 at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* In strict mode an error. */
void syz_note(struct syz *s, u32 at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool syz_read_line(struct syz *s, struct syz_line *l);
void *syz_grow(void *array, u32 n, u32 *max, size_t size);
/* Whether there may be another call; says so otherwise. */
bool syz_has_room(struct syz *s, u32 at);
/* comment.c */
void syz_take_thread(struct syz *s, struct call *c);
/* A line that begins with #. */
void syz_comment(struct syz *s);

/* data.c: decoded bytes, malloc()ed; *n their number. NULL when there are none or on error. */
u8 *syz_decode(struct syz *s, const struct node *d, u64 *n);

/* type.c */
void syz_type_call(struct syz *s, const struct syz_line *l, const struct uapi_call *row);
void syz_type_fetch(struct syz *s, const struct syz_line *l);
u32 syz_define(struct syz *s, u32 text, u32 n, u64 def, bool real);

/* image.c: memory as a call's stores leave it. */
struct cell {
	u64 addr, size;
	const struct call_in *result; /* NULL: bytes */
	u64 data;                     /* bytes: where in image.data */
	bool used;                    /* result */
};

struct image {
	struct cell *cell; /* by address, not overlapping */
	u32 n;
	u8 *data;
	bool *used; /* per byte of data */
	u64 n_data;
};

void syz_image(struct image *m, const struct call *c);
void syz_image_free(struct image *m);
/* First cell that ends after addr; n if none. */
u32 syz_image_at(const struct image *m, u64 addr);
