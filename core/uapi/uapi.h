/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The typed table of system calls on /dev/iommu, /dev/vfio and the files that
 * come with them: calls.def has a row per call, structs.def the layouts. From
 * it come the types of syzkaller programs, the YAML verbs, what the fuzzers
 * make, the manual page and the check against a tree's own headers.
 *
 * A type describes a value where it lies in memory or in a register; a field
 * is a type with a name and a place.
 */
#pragma once

#include "sim/base/types.h"

enum uapi_kind {
	UAPI_INT,     /* `size` bytes; `def` its default */
	UAPI_CONST,   /* as INT, but the value is the table's unless somebody overrides it */
	UAPI_FLAGS,   /* as INT */
	UAPI_LEN,     /* bytes (of == NULL: of the struct around it) or elements of field `of` */
	UAPI_RES,     /* a resource: an fd or an id that the kernel gave */
	UAPI_PTR,     /* 8 bytes: address of `to` */
	UAPI_VMA,     /* 8 bytes: address of whole pages */
	UAPI_STRING,  /* NUL-terminated; `def_data` the default */
	UAPI_BUFFER,  /* bytes; `size` 0: of any length */
	UAPI_ARRAY,   /* of `to`; `n` elements, 0: any number */
	UAPI_STRUCT,
	UAPI_UNION,
	UAPI_PAD,     /* zeroes that programs do not mention */
};

enum uapi_dir { UAPI_IN, UAPI_OUT, UAPI_INOUT };

struct uapi_struct;
struct uapi_type;

struct uapi_resource {
	const char *name;   /* "fd_iommufd", "ioas_handle" */
	const char *parent; /* a resource that it may be used as, or NULL */
	u32 size;           /* 4 or 8 */
	u64 def;            /* what a missing one is: 0, or ~0 for an fd */
};

struct uapi_type {
	enum uapi_kind kind;
	enum uapi_dir dir;
	u32 size;                 /* bytes; 0 = of any length */
	u8 bits;                  /* a bit field of so many bits, else 0 */
	u64 def;
	const char *def_data;     /* STRING */
	u32 n;                    /* ARRAY */
	const char *of;           /* LEN */
	bool big_endian, optional;
	const struct uapi_resource *resource;
	const struct uapi_struct *layout; /* STRUCT, UNION */
	const struct uapi_type *to;       /* PTR, ARRAY */
};

struct uapi_field {
	const char *name;
	u32 offset;               /* from the struct's start; in a union 0 */
	struct uapi_type type;
};

struct uapi_struct {
	const char *name;         /* the header's: "iommu_ioas_map" */
	const char *header;       /* "linux/iommufd.h"; NULL: is in no header of the tree */
	const struct uapi_field *field;
	u32 n, size;              /* size 0: of any length */
	bool is_union;
};

struct uapi_call {
	const char *name;         /* syzkaller's, "ioctl$IOMMU_IOAS_ALLOC" */
	const char *verb;         /* YAML's, "IOMMU_IOAS_ALLOC"; NULL: none */
	const char *doc;          /* one sentence */
	long nr;                  /* x86-64's, below 0: pseudo or harmless, answered with 0 */
	u64 cmd;                  /* ioctl number, else 0 */
	const char *cmd_name;     /* macro of the header, or NULL */
	u32 min_size;             /* the size rule: the smallest argument, 0 = none */
	const struct uapi_field *arg;
	u32 n_args;
	const struct uapi_resource *ret; /* what it gives, or NULL */
};

extern const struct uapi_call uapi_calls[];
extern const u32 uapi_calls_n;
extern const struct uapi_struct *const uapi_structs[];
extern const u32 uapi_structs_n;

/* By syzkaller's name; NULL if there is none. */
const struct uapi_call *uapi_call_find(const char *name);
/* By YAML verb. */
const struct uapi_call *uapi_verb_find(const char *verb);
/*
 * What a raw call is: of several rows with one number the one whose constants
 * fit the bytes at the argument (may be NULL, 0), else the first. NULL: unknown.
 */
const struct uapi_call *uapi_call_of(long nr, u64 cmd, const u8 *arg, u64 size);
