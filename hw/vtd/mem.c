// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the model sees physical memory: words of 8 bytes, each read a moment at
 * which others may run, through the processor's caches or past them.
 */
#include "hw/vtd/vtd_priv.h"

bool vtd_load(struct vtd *v, u64 pa, u64 *value)
{
	const struct hw_env *e = v->h.env;

	if (e->ram_size < 8 || pa > e->ram_size - 8)
		return false;
	memcpy(value, e->ram + pa, 8);
	return true;
}

bool vtd_store(struct vtd *v, u64 pa, u64 value, u32 bytes)
{
	const struct hw_env *e = v->h.env;

	if (e->ram_size < bytes || pa > e->ram_size - bytes)
		return false;
	hw_wrote(v->h.env, pa, bytes);
	memcpy(e->ram + pa, &value, bytes);
	return true;
}

void vtd_watched_word(struct vtd_walk *w, u64 pa, bool snoop, u64 *value)
{
	struct hw_env *e = w->v->h.env;

	if (!w->quiet)
		hw_point(e, "vtd: table word");
	if (!snoop && e->read_flushed)
		*value = e->read_flushed(e, pa);
	else
		memcpy(value, e->ram + pa, 8);
	vtd_fact(w->v, HW_FACT_WALK_WORD, pa, *value, w->req->sid, w->req->addr);
	if (w->n_words < HW_PROV_MAX)
		w->word[w->n_words++] = (struct hw_cache_word){pa, *value};
}

/*
 * Told: the words of a present entry that were neither there together when the
 * first of them was read (then) nor are now. Walkers past the caches see lines
 * in whatever order they were written back: nothing is said of these.
 */
static void judge(struct vtd_walk *w, u64 pa, const u64 *then, const u64 *word, u32 n)
{
	const struct hw_env *e = w->v->h.env;

	if (!(word[0] & VTD_P) || !memcmp(then, word, 8 * n) || !memcmp(e->ram + pa, word, 8 * n))
		return;
	vtd_fact(w->v, HW_FACT_TORN, pa, n, 0, 0);
}

/* Words of an entry, at most 8; with atom=16 each pair of them at once (3.x "128-bit atomic"). */
bool vtd_read_watched(struct vtd_walk *w, u64 pa, u64 *word, u32 n)
{
	const struct hw_env *e = w->v->h.env;
	bool snoop = w->v->k.coherent, quiet = w->quiet;
	bool watched = w->watched && snoop && e->ram_size >= 64 && pa <= e->ram_size - 64;
	u64 then[8];

	for (u32 i = 0; i < n; i++) {
		bool ok;

		w->quiet = quiet || (w->v->k.atom == 16 && (i & 1));
		ok = vtd_read(w, pa + 8 * i, snoop, &word[i]);
		w->quiet = quiet;
		if (!ok)
			return false;
		/* The point of the first word has passed: from here on they may change. */
		if (i == 0 && watched)
			memcpy(then, e->ram + pa, 8 * n);
	}
	if (watched)
		judge(w, pa, then, word, n);
	return true;
}
