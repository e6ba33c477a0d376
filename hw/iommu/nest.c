// SPDX-License-Identifier: GPL-2.0-only
/*
 * Uses of tables that are still due.
 */
#include "hw/iommu/nest.h"

#include "sim/base/assert.h"

#include <stdlib.h>
#include <string.h>

/* When, which of a walk's three look-ups, and of which slot. */
#define ROLE_SHIFT 28
#define STAMP_SHIFT 30

static u64 event(u32 stamp, u64 role, u32 slot)
{
	return (u64)stamp << STAMP_SHIFT | role << ROLE_SHIFT | slot;
}

struct hw_nests *hw_nests_create(struct hw_cache *c)
{
	const size_t align = _Alignof(struct hw_nests);
	/* Pages of it are only there once they are written. */
	void *block = hw_calloc(1, sizeof(struct hw_nests) + align);
	struct hw_nests *n;

	sim_assert(block);
	n = (struct hw_nests *)ALIGN((uintptr_t)block, align);
	n->block = block;
	n->c = c;
	return n;
}

void hw_nests_destroy(struct hw_nests *n)
{
	if (n)
		hw_free(n->block);
}

static int by_number(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* In order of use; mostly they are a handful. */
static void sort(u64 *e, u32 n)
{
	if (n > 24) {
		qsort(e, n, sizeof(*e), by_number);
		return;
	}
	for (u32 i = 1; i < n; i++) {
		u64 x = e[i];
		u32 at = i;

		for (; at && e[at - 1] > x; at--)
			e[at] = e[at - 1];
		e[at] = x;
	}
}

static void touch_due(struct hw_nests *n)
{
	u64 *e = cache_scratch(n->c, 2 * n->n_due + n->n_due_below);
	u32 n_events = 0;

	for (u32 i = 0; i < n->n_due; i++) {
		u32 stamp = n->nest[n->due[i]].stamp, *slot = n->slot[n->due[i]];

		e[n_events++] = event(stamp, 0, slot[0]);
		e[n_events++] = event(stamp, 1, slot[1]);
	}
	for (u32 i = 0; i < n->n_due_below; i++) {
		const struct hw_below *below = &n->below[n->due_below[i]];

		e[n_events++] = event(below->stamp, 2, below->slot);
	}
	sort(e, n_events);
	for (u32 i = 0; i < n_events; i++)
		cache_touch(n->c, (u32)(e[i] & ((1ULL << ROLE_SHIFT) - 1)));
}

void hw_nests_settle(struct hw_nests *n)
{
	if (!n || !(n->n_due | n->n_due_below))
		return;
	if (n->c->keeps_age)
		touch_due(n);
	for (u32 i = 0; i < n->n_due; i++)
		n->nest[n->due[i]].stamp = 0;
	for (u32 i = 0; i < n->n_due_below; i++)
		n->below[n->due_below[i]].stamp = 0;
	n->n_due = n->n_due_below = 0;
	n->uses = 0;
}

void hw_nests_forget(struct hw_nests *n)
{
	if (!n)
		return;
	hw_nests_settle(n);
	memset(n->nest, 0, sizeof(n->nest));
	memset(n->below, 0, sizeof(n->below));
}

void hw_nests_due(struct hw_nests *n, struct hw_nest *nest, struct hw_below *below)
{
	if (!n->uses) {
		hw_nests_settle(n);
		n->uses = 1;
	}
	if (!nest->stamp)
		n->due[n->n_due++] = (u16)(nest - n->nest);
	if (!below->stamp)
		n->due_below[n->n_due_below++] = (u16)(below - n->below);
	nest->stamp = below->stamp = n->uses;
}
