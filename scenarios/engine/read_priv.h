/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading values out of a YAML tree, each with its place in any complaint.
 *
 * The first error is kept and reading goes on with defaults, so that readers
 * need no error paths: whoever started them looks at err once, at the end.
 */
#pragma once

#include "scenarios/engine/yaml_priv.h"

struct reader {
	struct scenario *s;
	struct scenario_error *err;
	const char *file; /* what it names may lie beside it */
	struct verbs *verbs; /* NULL: no system call so far */
};

/* One key of a mapping: who reads its value, into which member. */
struct field {
	const char *name;
	void (*read)(struct reader *r, const struct yaml_node *v, void *member, const void *aux);
	size_t offset;
	const void *aux;
	bool required;
};

/* A closed set of words, each standing for its index. */
struct words {
	const char *const *word;
	u32 n;
};

void read_error(struct reader *r, const struct yaml_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Reads a mapping's entries into *object by table; what = "an IOMMU". */
void read_fields(struct reader *r, const struct yaml_node *map, const struct field *field, u32 n,
		 void *object, const char *what);

/* Whether v is of the kind, and not empty; else an error that says what was expected. */
bool read_kind(struct reader *r, const struct yaml_node *v, enum yaml_kind kind,
	       const char *expected);
/* A name of at most MACHINE_NAME_LEN - 1 letters, digits, _ - . */
bool read_name(struct reader *r, const struct yaml_node *v, const char *expected,
	       char name[MACHINE_NAME_LEN]);
/* A number, decimal or 0x, with K, M, G or T behind it; between min and max. */
bool read_number(struct reader *r, const struct yaml_node *v, u64 min, u64 max, u64 *value);
/* Index of the word, or -1. */
int read_word(struct reader *r, const struct yaml_node *v, const struct words *w,
	      const char *what);
bool read_is_null(const struct yaml_node *v);

/* Field readers: member is bool, u64, char * (malloced), u32 (an enum; aux: struct words). */
void read_bool(struct reader *r, const struct yaml_node *v, void *member, const void *aux);
void read_string(struct reader *r, const struct yaml_node *v, void *member, const void *aux);
void read_enum(struct reader *r, const struct yaml_node *v, void *member, const void *aux);

/* References into the machine; MACHINE_NONE after an error. */
u32 read_iommu_ref(struct reader *r, const struct yaml_node *v);
u32 read_bus_ref(struct reader *r, const struct yaml_node *v);
u32 read_device_ref(struct reader *r, const struct yaml_node *v);

/* The sections (member is the struct scenario). */
void read_machine(struct reader *r, const struct yaml_node *v, void *member, const void *aux);
void read_tasks(struct reader *r, const struct yaml_node *v, void *member, const void *aux);

/* What waits for what, of the operations that were read: `signal` and `wait`. */
void read_signals(struct reader *r);

/* The scenario's name and path, and the file of err, which is emptied. */
void scenario_set_path(struct scenario *s, const char *path, struct scenario_error *err);
/* The YAML in the text of a .syz file (syz.h): none until a line is added. */
struct yaml_of_syz {
	const char *text;
	size_t size;
	char *in_place; /* the lines where they stand in the text, up to `end` */
	char *alone;    /* as they were in their own file */
	size_t end, n_alone;
};

/* A line of it: `size` bytes of the text from `at` on; lines come in order. */
void scenario_yaml_of_syz_add(struct yaml_of_syz *y, size_t at, size_t size);
void scenario_yaml_of_syz_free(struct yaml_of_syz *y);
/* What it says, into s; false and *err. */
bool scenario_read_yaml_of_syz(struct scenario *s, struct yaml_of_syz *y,
			       struct scenario_error *err);
/* Each call of s becomes a task of its own; false: it has other operations. */
bool read_threads_all(struct scenario *s, struct scenario_error *err);
