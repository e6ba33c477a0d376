// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spaces: what the hardware tags entries with, numbered. Found by a chained
 * hash of the tag word; the chains are walked in order of making, never in an
 * order that shows.
 */
#include "hw/iommu/cache_layout.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdlib.h>
#include <string.h>

#define HEADS 65536u

static u32 head_of(u64 tag)
{
	return (u32)(cache_mix(tag) & (HEADS - 1));
}

u32 hw_space_find(const struct hw_cache *c, u64 tag)
{
	for (u32 i = c->head[head_of(tag)]; i; i = c->space[i].next) {
		if (c->space[i].tag == tag)
			return i;
	}
	return 0;
}

u64 hw_space_tag(const struct hw_cache *c, u32 space)
{
	return space <= c->n_spaces ? c->space[space].tag : 0;
}

void cache_revive(struct hw_cache *c, struct cache_space *s)
{
	if (s->epoch == c->epoch)
		return;
	c->version++;
	s->epoch = c->epoch;
	s->floor = c->serial;
	s->live = 0;
	s->sizes = 0;
}

static void unlink_space(struct hw_cache *c, u32 space)
{
	u16 *at = &c->head[c->space[space].head];

	while (*at != space)
		at = &c->space[*at].next;
	*at = c->space[space].next;
}

/* The next one without live entries, else the next one. */
static u32 next_victim(const struct hw_cache *c)
{
	u32 hand = c->hand;

	for (u32 i = 0; i < c->n_spaces; i++) {
		const struct cache_space *s;

		hand = hand % c->n_spaces + 1;
		s = &c->space[hand];
		if (s->epoch != c->epoch || !s->live)
			return hand;
	}
	return hand % c->n_spaces + 1;
}

static u32 recycle(struct hw_cache *c)
{
	c->hand = next_victim(c);
	/* Who knows the number must ask for it anew. */
	c->version++;
	hw_cache_drop_space(c, c->hand);
	unlink_space(c, c->hand);
	return c->hand;
}

static u32 take_space(struct hw_cache *c)
{
	if (c->n_spaces == HW_SPACES_MAX)
		return recycle(c);
	if (c->n_spaces + 1 == c->spaces_max) {
		c->spaces_max *= 2;
		c->space = hw_realloc(c->space, c->spaces_max * sizeof(*c->space));
		sim_assert(c->space);
	}
	return ++c->n_spaces;
}

static __attribute__((noinline)) u32 make_space(struct hw_cache *c, u64 tag)
{
	u32 space = take_space(c);
	struct cache_space *s = &c->space[space];
	u32 head = head_of(tag);

	*s = (struct cache_space){.tag = tag, .salt = cache_mix(++c->salts), .epoch = c->epoch,
				  .floor = c->serial, .next = c->head[head], .head = (u16)head};
	c->head[head] = (u16)space;
	return space;
}

u32 hw_space(struct hw_cache *c, u64 tag)
{
	u32 space = hw_space_find(c, tag);

	return likely(space) ? space : make_space(c, tag);
}

void cache_spaces_reset(struct hw_cache *c)
{
	if (!c->head) {
		c->spaces_max = 64;
		c->head = cache_alloc(HEADS, sizeof(*c->head));
		c->space = hw_calloc(c->spaces_max, sizeof(*c->space));
		sim_assert(c->space);
	}
	for (u32 i = 1; i <= c->n_spaces; i++)
		c->head[c->space[i].head] = 0;
	c->n_spaces = 0;
	c->version++;
	c->hand = 0;
	c->salts = 0;
	/* Space 0 is of no epoch. */
	c->epoch = 1;
}

void hw_cache_drop_space(struct hw_cache *c, u32 space)
{
	struct cache_space *s = &c->space[space];

	/* Nothing lives there: it may stay as it is, and views of it as well. */
	if (s->epoch != c->epoch || !s->live)
		return;
	c->version++;
	c->live -= s->live;
	s->live = 0;
	s->sizes = 0;
	s->floor = c->serial;
	s->salt = cache_mix(++c->salts);
}

void hw_cache_drop_all(struct hw_cache *c)
{
	c->live = 0;
	c->version++;
	if (++c->epoch)
		return;
	/* It went once around: what is of the oldest epochs must not come back. */
	for (u32 i = 0; i <= c->n_spaces; i++)
		c->space[i].epoch = 0;
	c->epoch = 1;
}

/* Which of the n spaces from first on are such ones, and have something. Without branches. */
static u64 spaces_of(const struct hw_cache *c, u32 first, u32 n, u64 mask, u64 match)
{
	const struct cache_space *s = &c->space[first];
	u64 found = 0;

	for (u32 i = 0; i < n; i++)
		found |= (u64)(((s[i].tag & mask) == match) & (s[i].epoch == c->epoch) &
			       (s[i].live != 0)) << i;
	return found;
}

void hw_cache_drop_tags(struct hw_cache *c, u64 mask, u64 match)
{
	if (!c->live)
		return;
	for (u32 first = 1; first <= c->n_spaces; first += 64) {
		u32 n = min(c->n_spaces - first + 1, 64u);

		for (u64 m = spaces_of(c, first, n, mask, match); m; m &= m - 1)
			hw_cache_drop_space(c, first + (u32)__builtin_ctzll(m));
	}
}
