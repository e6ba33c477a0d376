/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A YAML text as a tree of nodes that know their place.
 *
 * Built from libyaml's events, with every size bounded while it is built:
 * bytes, nodes, depth, entries of one mapping, anchors, and the number of
 * nodes that aliases stand for. An aliased node is shared, not copied. The
 * tree is destroyed as one.
 */
#pragma once

#include "scenarios/engine/scenario.h"

#define YAML_NODES_MAX 65536
#define YAML_DEPTH_MAX 16
#define YAML_ENTRIES_MAX 1024
#define YAML_ANCHORS_MAX 64
#define YAML_WEIGHT_MAX 65536

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_link;

struct yaml_node {
	enum yaml_kind kind;
	u32 line, column;     /* from 1 */
	bool plain;           /* text without quotes */
	bool open;            /* its end has not been read yet */
	const char *text;     /* YAML_TEXT, with a NUL behind it; may hold no other NUL */
	u32 len;
	u32 n;                /* entries */
	u32 weight;           /* nodes below and including it, aliases counted as copies */
	struct yaml_link *first, *last;
};

struct yaml_link {
	struct yaml_link *next;
	struct yaml_node *key; /* NULL in lists */
	struct yaml_node *value;
};

struct yaml_doc {
	struct yaml_node *root;
	struct yaml_chunk *chunks; /* all memory of the tree */
	struct scenario_error *err;
	u32 n_nodes;
	u32 n_anchors;
	struct {
		const char *name;
		struct yaml_node *node;
	} anchor[YAML_ANCHORS_MAX];
};

/* False and *err (but for its file) filled if text is not one bounded YAML document. */
bool scenario_yaml_read(struct yaml_doc *d, const char *text, size_t size,
			struct scenario_error *err);
void scenario_yaml_free(struct yaml_doc *d);

/* The first error stays; later ones only follow from it. Returns false. */
bool scenario_error_at(struct scenario_error *err, u32 line, u32 column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* text fit for one line of a message: cut, and without control characters. */
struct yaml_quote {
	char text[48];
};
struct yaml_quote scenario_quote(const char *text, size_t len);
