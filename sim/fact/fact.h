/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts: the typed stream of what happened in a run.
 *
 * core/, hw/ and sim/kapi publish; the trace and every oracle subscribe.
 * A subscriber sees facts in the order of publication, in the context of the
 * task that published them, and may not touch the world under test.
 */
#pragma once

#include "sim/base/bits.h"

enum fact_kind {
#define FACT(name, text, a, b, c, d) FACT_##name,
#include "sim/fact/facts.def"
#undef FACT
	FACT_N,
};

/*
 * `what` of FACT_DIRTY: the domain's dirty tracking went off or on; a read of a range
 * begins (KEEP: which clears nothing); it has found this dirty; it has ended.
 */
enum fact_dirty {
	FACT_DIRTY_OFF, FACT_DIRTY_ON, FACT_DIRTY_READ, FACT_DIRTY_KEEP, FACT_DIRTY_FOUND,
	FACT_DIRTY_READ_END,
};

/* Last argument of OP_BEGIN and OP_END: what the operation may do to an IOMMU's tables. */
enum fact_effect {
	FACT_MAY_CHANGE,      /* by a driver, which invalidates before it ends */
	FACT_CHANGES_NOTHING,
	FACT_BY_HAND,         /* by the story itself, which invalidates when it likes */
	FACT_SHUTS_DOWN,      /* nothing is translated from here on */
};

struct fact {
	enum fact_kind kind;
	u32 task;  /* who: task id, 0 = the world itself (setup, teardown) */
	u64 op;    /* that task's operation count */
	u64 arg[4];
	u64 pc;    /* return address of the publishing call, 0 if none */
};

struct fact_row {
	const char *name, *text;
	const char *arg[4];
};
extern const struct fact_row fact_rows[FACT_N];

typedef void (*fact_fn)(void *self, const struct fact *f);

#define FACT_SUBSCRIBERS_MAX 24

struct fact_bus {
	u32 takers[FACT_N]; /* bit per subscriber that wants the kind: all a publisher tests */
	unsigned n;
	struct {
		u64 mask;
		fact_fn fn;
		void *self;
	} sub[FACT_SUBSCRIBERS_MAX];
};

#define FACT_BIT(kind) (1ULL << FACT_##kind)
#define FACT_ALL (~0ULL)
/* A mask is one word. Kinds that have no bit of it are for those alone who want all. */
#define FACT_BITS 64

static inline bool fact_mask_has(u64 mask, unsigned kind)
{
	return kind < FACT_BITS ? mask >> kind & 1 : mask == FACT_ALL;
}

void fact_bus_reset(struct fact_bus *bus);
void fact_subscribe(struct fact_bus *bus, u64 mask, fact_fn fn, void *self);
void fact_unsubscribe(struct fact_bus *bus, fact_fn fn, void *self);

/* To all who asked for facts of its kind; inlined: it is called for each fact. */
static inline void fact_hand_out(struct fact_bus *bus, const struct fact *f)
{
	for (u32 takers = bus->takers[f->kind]; takers; takers &= takers - 1) {
		unsigned i = bit_lowest(takers);

		bus->sub[i].fn(bus->sub[i].self, f);
	}
}

static inline bool fact_wanted(const struct fact_bus *bus, enum fact_kind kind)
{
	return bus->takers[kind];
}
