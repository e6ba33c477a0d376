/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The graph of lock classes that a campaign has seen, for check/lockorder.c.
 *
 * A node is a class with its subclass. An edge A -> B says: some task took B
 * while it held A. Its types say how (a bit each, enum lock_edge_type): A held
 * shared or exclusively; B taken by a reader that never waits for a waiting
 * writer (recursive) or otherwise. A cycle is a deadlock unless some lock on it
 * is entered by a recursive reader and left by a shared holder: those two never
 * exclude each other.
 *
 * A chain is the list of what a task holds plus what it takes now, hashed. A
 * chain that is known taught its edges when it was first met, so that the usual
 * acquisition costs one look-up.
 *
 * All-zero bytes are an empty graph. When a table is full, no more is learned.
 */
#pragma once

#include "sim/oracle/oracle.h"

#define LOCK_CLASSES_MAX 512
#define LOCK_EDGES_MAX 2048
#define LOCK_CHAINS_MAX 8192 /* a power of two */

enum lock_edge_type { LOCK_EDGE_RECURSIVE = 1, LOCK_EDGE_SHARED = 2 };

enum lock_usage { LOCK_USED_IN_IRQ, LOCK_USED_IRQ_ON, LOCK_USAGES };

/* Where and in which run something was first seen. */
struct lock_place {
	u64 run;
	struct mem_stack stack;
};

struct lock_class {
	u64 key;       /* with the subclass in the low bits */
	u32 usage;     /* bit per enum lock_usage */
	u16 first;     /* edge index + 1, 0 = none */
	struct lock_place used[LOCK_USAGES];
};

struct lock_edge {
	u16 from, to;  /* class indices */
	u16 next;      /* of the same `from`: index + 1, 0 = none */
	u16 types;     /* bit per combination of enum lock_edge_type */
	struct lock_place place;
};

struct lock_graph {
	u32 n_classes, n_edges, n_chains;
	struct lock_class class[LOCK_CLASSES_MAX];
	struct lock_edge edge[LOCK_EDGES_MAX];
	u64 chain[LOCK_CHAINS_MAX];
	u16 class_hash[2 * LOCK_CLASSES_MAX]; /* class index + 1 */
};

/* False: not seen before (or forgotten for lack of room). */
static inline bool lock_chain_known(const struct lock_graph *g, u64 chain)
{
	u32 i = (u32)chain & (LOCK_CHAINS_MAX - 1);

	while (g->chain[i] && g->chain[i] != chain)
		i = (i + 1) & (LOCK_CHAINS_MAX - 1);
	return g->chain[i];
}

void oracle_graph_learn_chain(struct lock_graph *g, u64 chain);
/* The class of key, made if need be; NULL when there is no room. */
struct lock_class *oracle_graph_class(struct lock_graph *g, u64 key);
/* Whether the edge was new, or is now of one more type. */
bool oracle_graph_add(struct lock_graph *g, const struct lock_class *from,
		      const struct lock_class *to, u32 type, const struct lock_place *place);
/*
 * A shortest path start -> ... -> end that, closed by an edge end -> start of
 * the given type, is a deadlock. Stores edge indices in path[LOCK_PATH_MAX],
 * returns their number, 0 = there is none.
 */
#define LOCK_PATH_MAX 16
u32 oracle_graph_path(const struct lock_graph *g, const struct lock_class *start,
		      const struct lock_class *end, u32 type, u16 *path);
