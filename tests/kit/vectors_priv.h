/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the runner: text to tokens (vectors_text.c), blocks and rows
 * (vectors.c), statements (vectors_do.c). Each file is gone through twice, first
 * dry: a malformed vector anywhere means that nothing of it runs.
 */
#pragma once

#include "tests/kit/vectors.h"

#define VEC_TOKENS 128
#define VEC_TEXT 16384
#define VEC_PARAMS 24
#define VEC_NAMES 512
#define VEC_EVENTS 256
#define VEC_AT 16
#define VEC_DEPTH 8
#define VEC_RAM_MAX (64u << 20)

struct vec_token {
	char *text;
	u32 column;
	bool quoted;
};

struct vec_line {
	struct vec_token token[VEC_TOKENS];
	u32 n, number;
	char room[VEC_TEXT];
	u32 used;
};

struct vec_scope {
	const struct vec_scope *outer;
	u32 n;
	char name[VEC_PARAMS][24];
	char value[VEC_PARAMS][256];
};

struct vec_name {
	char name[40];
	u64 value;
};

struct vec_block {
	char name[40];
	u32 first, last;  /* lines between its head and its end */
	struct vec_scope params; /* with defaults */
	bool has_default[VEC_PARAMS];
	bool table;
};

enum vec_event_kind { VEC_MSG, VEC_MSI, VEC_WIRE, VEC_DELIVER, VEC_RESUME, VEC_KINDS };

struct vec_event {
	u8 kind;
	struct hw_msg msg;
	u64 a, b;
};

struct vec_at {
	u64 when;
	char text[512];
	u32 line;
	bool done;
};

#define VEC_UNFIT 16u

struct vec {
	const struct hw_iommu_ops *ops;
	const char *file;
	struct vectors_report *r;
	const char **line;   /* starts of lines; line[n_lines] is the end */
	u32 n_lines;
	bool dry, failed, stop;
	bool watched;        /* facts and moments from the start */
	const struct vectors_twist *twist; /* NULL: as the vectors say */
	bool unfit;          /* the twist is none for this vector */
	char unfit_for[VEC_UNFIT][512]; /* nor for any other with these options */
	u32 n_unfit;
	u32 number;          /* of the line that is done, from 1 */
	struct vec_name name[VEC_NAMES];
	u32 n_names;
	struct vec_block *block;
	u32 n_blocks;
	char options[512], title[200];
	u64 ram_size;
	/* Of the vector that runs. */
	struct hw_env env;
	struct hw_iommu *h;
	u8 *ram, *flushed;
	char own_options[512];
	bool started, expects;
	struct vec_event event[VEC_EVENTS];
	u32 n_events;
	struct vec_at at[VEC_AT];
	u32 n_at;
	u64 points;
	bool in_at;
	u32 choice[64], n_choices, next_choice;
	u16 last_itag;
};

/* vectors_text.c */
bool vec_tokens(struct vec *v, struct vec_line *l, u32 number, const char *text, size_t len);
bool vec_substitute(struct vec *v, struct vec_line *to, const struct vec_line *from,
		    const struct vec_scope *scope);
bool vec_number(struct vec *v, const struct vec_token *t, const char *text, u64 *value);
/* A complaint; false. An expectation that fails also comes here. */
bool vec_error(struct vec *v, u32 column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* vectors_do.c */
bool vec_statement(struct vec *v, struct vec_line *l);
bool vec_start(struct vec *v, u32 column);
void vec_finish(struct vec *v);
