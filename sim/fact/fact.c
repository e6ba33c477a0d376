// SPDX-License-Identifier: GPL-2.0-only
#include "sim/fact/fact.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <string.h>

const struct fact_row fact_rows[FACT_N] = {
#define FACT(name, text, a, b, c, d) {#name, text, {a, b, c, d}},
#include "sim/fact/facts.def"
#undef FACT
};

_Static_assert(FACT_SUBSCRIBERS_MAX <= 32, "the takers of a kind are one word");

void fact_bus_reset(struct fact_bus *bus)
{
	memset(bus, 0, sizeof(*bus));
}

static void recount(struct fact_bus *bus)
{
	memset(bus->takers, 0, sizeof(bus->takers));
	for (unsigned i = 0; i < bus->n; i++) {
		for (unsigned kind = 0; kind < FACT_N; kind++)
			bus->takers[kind] |= (u32)fact_mask_has(bus->sub[i].mask, kind) << i;
	}
}

void fact_subscribe(struct fact_bus *bus, u64 mask, fact_fn fn, void *self)
{
	sim_assert(bus->n < FACT_SUBSCRIBERS_MAX);
	bus->sub[bus->n].mask = mask;
	bus->sub[bus->n].fn = fn;
	bus->sub[bus->n].self = self;
	bus->n++;
	recount(bus);
}

void fact_unsubscribe(struct fact_bus *bus, fact_fn fn, void *self)
{
	for (unsigned i = 0; i < bus->n; i++) {
		if (bus->sub[i].fn != fn || bus->sub[i].self != self)
			continue;
		bus->n--;
		memmove(&bus->sub[i], &bus->sub[i + 1], (bus->n - i) * sizeof(bus->sub[0]));
		break;
	}
	recount(bus);
}
