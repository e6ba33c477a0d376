/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The typed table of system calls on /dev/iommu, /dev/vfio and the files that
 * come with them: calls.def has a row per call, structs.def the layouts. From
 * it come the types of syzkaller programs, the YAML verbs, what the fuzzers
 * make, the manual page and the check against a tree's own headers.
 *
 * A type describes a value where it lies in memory or in a register; a field
 * is a type with a name and a place.
 *
 * The .def files are X-macros: who defines STRUCT, FIELD, END and the others
 * before including them makes of the rows what is wanted, for example a
 * static_assert of each offset against a tree's header (see their heads).
 */
#pragma once

#include "sim/base/types.h"

enum uapi_kind {
	UAPI_INT,     /* `size` bytes; `def` its default */
	UAPI_CONST,   /* as INT, but the value is the table's unless somebody overrides it */
	UAPI_FLAGS,   /* as INT */
	/* Elements of `of` if it is an array, else its bytes; NULL: bytes of the struct around. */
	UAPI_LEN,
	UAPI_RES,     /* a resource: an fd or an id that the kernel gave */
	UAPI_PTR,     /* 8 bytes: address of `to` */
	UAPI_VMA,     /* 8 bytes: address of whole pages */
	UAPI_STRING,  /* NUL-terminated; `def_data` the default, NULL: "" */
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

/* Named values: of a FLAGS they are or-ed, of an INT or CONST one of them is taken. */
struct uapi_flags {
	const char *name;
	const struct uapi_value {
		const char *name; /* the header's macro or enumerator */
		u64 value;
	} *value;
	u32 n;
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
	bool in_bytes;                    /* LEN: bytes of an array, too */
	bool big_endian, optional; /* optional: a PTR or VMA that is NULL when left out */
	const struct uapi_flags *flags;   /* FLAGS, INT, CONST: the values that have names */
	const struct uapi_resource *resource;
	const struct uapi_struct *layout; /* STRUCT, UNION */
	const struct uapi_type *to;       /* PTR, ARRAY */
};

struct uapi_field {
	const char *name;         /* syzkaller's, which is the header's but for a few */
	const char *member;       /* the header's, "add_reserved.start"; NULL: it has none */
	u32 offset;               /* from the struct's start; in a union 0 */
	/*
	 * Unknown to syzkaller's descriptions, so to its programs: left out, it is
	 * not stored, and does not count for a LEN of the struct around it.
	 */
	bool extra;
	struct uapi_type type;
};

struct uapi_struct {
	const char *symbol;       /* one per layout: "ioas_map_pages" */
	const char *name;         /* the header's: "iommu_ioas_map"; several layouts may be of one */
	const char *header;       /* "linux/iommufd.h"; NULL: is in no header of the tree */
	const struct uapi_field *field;
	u32 n, size;              /* size 0: of any length */
	u32 was;                  /* size in older trees, else == size */
	bool is_union;
};

struct uapi_call {
	const char *name;         /* syzkaller's, "ioctl$IOMMU_IOAS_ALLOC" */
	const char *verb;         /* YAML's, "IOMMU_IOAS_ALLOC"; NULL: a variant of another row */
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
extern const struct uapi_resource uapi_resources[];
extern const u32 uapi_resources_n;

/* By syzkaller's name; NULL if there is none. */
const struct uapi_call *uapi_call_find(const char *name);
/* By YAML verb. */
const struct uapi_call *uapi_verb_find(const char *verb);
/*
 * What a raw call is: of several rows with one number the one that shares most
 * constants with the bytes at the first pointer argument (may be NULL, 0: a
 * struct, or a path), reserved fields aside; then the plainest. An ioctl that is
 * in no row: "ioctl". NULL: unknown.
 */
const struct uapi_call *uapi_call_of(long nr, u64 cmd, const u8 *arg, u64 size);
/* NULL if the struct has no such field. */
const struct uapi_field *uapi_field_find(const struct uapi_struct *s, const char *name);
/* Of a call's only pointer to a struct, as ioctls have it; NULL: it has none. */
const struct uapi_struct *uapi_call_layout(const struct uapi_call *c);
/* Whether a resource may stand where `wanted` is asked: itself or one of its parents. */
bool uapi_resource_fits(const struct uapi_resource *have, const struct uapi_resource *wanted);
