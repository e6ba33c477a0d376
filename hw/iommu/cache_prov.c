// SPDX-License-Identifier: GPL-2.0-only
/*
 * Provenance: a log of what each entry was made from, in order of ids. Entries
 * that died are left in it until it is twice as long as it was after the last
 * clean-up.
 */
#include "hw/iommu/cache_layout.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

static const struct cache_slot *slot_of(const struct hw_cache *c, const struct cache_prov *p)
{
	u32 slot;

	if (p->space > c->n_spaces)
		return NULL;
	slot = c->probe->exact(c, p->space, p->addr >> p->lg2, p->lg2);
	return slot == NO_SLOT ? NULL : &c->slot[slot];
}

void cache_log_clean(struct hw_cache *c)
{
	struct cache_log *l = &c->log;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < l->n_recs; i++) {
		struct cache_prov p = l->rec[i];
		const struct cache_slot *e = slot_of(c, &p);

		if (!e || e->id != p.id)
			continue;
		memmove(l->word + at, l->word + p.at, p.n * sizeof(*l->word));
		p.at = at;
		at += p.n;
		l->rec[n++] = p;
	}
	l->n_recs = n;
	l->n_words = at;
}

static void *grown(void *p, size_t *max, size_t need, size_t size)
{
	if (need <= *max)
		return p;
	*max = max(*max * 2, need);
	p = hw_realloc(p, *max * size);
	sim_assert(p);
	return p;
}

void cache_log_add(struct hw_cache *c, const struct hw_cache_entry *e,
		   const struct hw_cache_word *w, u32 n)
{
	struct cache_log *l = &c->log;

	n = min(n, (u32)HW_PROV_MAX);
	if (l->n_recs == l->recs_max || l->n_words + n > l->words_max) {
		cache_log_clean(c);
		/* Room for as many again, so that the next clean-up has paid for itself. */
		l->rec = grown(l->rec, &l->recs_max, 2 * l->n_recs + 1024, sizeof(*l->rec));
		l->word = grown(l->word, &l->words_max, 2 * l->n_words + 4096, sizeof(*l->word));
	}
	l->rec[l->n_recs++] = (struct cache_prov){.addr = e->addr, .at = l->n_words, .id = e->id,
						  .space = e->space, .lg2 = e->lg2, .n = (u8)n};
	memcpy(l->word + l->n_words, w, n * sizeof(*w));
	l->n_words += n;
}

void cache_log_renumber(struct hw_cache *c)
{
	struct cache_log *l = &c->log;

	for (size_t i = 0; i < l->n_recs; i++)
		l->rec[i].id = slot_of(c, &l->rec[i])->id;
}

u32 hw_cache_provenance(const struct hw_cache *c, u32 id, struct hw_cache_word word[HW_PROV_MAX])
{
	const struct cache_log *l = &c->log;
	size_t low = 0, high = l->n_recs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->rec[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->n_recs && l->rec[low].id == id) {
		const struct cache_slot *e = slot_of(c, &l->rec[low]);

		if (e && e->id == id) {
			memcpy(word, l->word + l->rec[low].at, l->rec[low].n * sizeof(*word));
			return l->rec[low].n;
		}
	}
	return 0;
}
