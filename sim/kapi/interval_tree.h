/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interval trees: closed intervals of unsigned longs, equal ones included, in
 * the order of their starts. Insertion, removal and lookup take logarithmic
 * time. The nodes are their owner's, embedded; the tree takes no lock and
 * allocates nothing. Each call announces one access to the tree's root: a read,
 * or a write.
 */
#pragma once

#include "sim/base/bits.h"

/*
 * Embedded by its owner, who protects it with the tree. start and last do not change meanwhile.
 * What a lookup reads of a node on its way comes first, to lie in one line of the cache.
 */
struct interval_tree_node {
	struct interval_tree_node *child[2]; /* the tree's own: left, right */
	unsigned long left_last;             /* the greatest last of the left subtree, or 0 */
	unsigned long last, start;           /* the owner's */
	unsigned long subtree_last;          /* the tree's own again: of all from here */
	struct interval_tree_node *parent;
	int balance; /* height of the right subtree less that of the left */
};

struct interval_tree_root {
	struct interval_tree_node *node;
};

void interval_tree_insert(struct interval_tree_node *node, struct interval_tree_root *root);
/* The node must be in the tree. */
void interval_tree_remove(struct interval_tree_node *node, struct interval_tree_root *root);
/* The first interval that meets [start, last], or NULL. */
struct interval_tree_node *interval_tree_iter_first(struct interval_tree_root *root,
						    unsigned long start, unsigned long last);
/* The next one after node, in the same tree. */
struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last);
bool interval_tree_empty(const struct interval_tree_root *root);

/*
 * The first run of [start, last] that no interval covers: [*hole, *hole_last].
 * False: there is none.
 */
bool interval_tree_hole(struct interval_tree_root *root, unsigned long start, unsigned long last,
			unsigned long *hole, unsigned long *hole_last);
