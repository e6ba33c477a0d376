// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical memory as the SMMU sees it. Out of it: an external abort.
 */
#include "hw/smmuv3/smmu_priv.h"

bool smmu_read_slow(struct smmu_walk *w, u64 pa, u64 *value)
{
	struct hw_env *e = w->h->base.env;

	if (w->points) {
		hw_point(e, "smmu: word of a table");
		/* CMD_SYNC has said that what was read so far is not used any more (4.6, 4.8). */
		if (smmu_overtaken(w))
			return false;
	}
	if (e->read_flushed && !w->h->cap.cohacc)
		*value = e->read_flushed(e, pa);
	else
		*value = __atomic_load_n((const u64 *)(e->ram + pa), __ATOMIC_RELAXED);
	if (w->truth)
		return true;
	smmu_fact(w->h, HW_FACT_WALK_WORD, pa, *value, 0, 0);
	if (w->h->policy.provenance && w->n_prov < HW_PROV_MAX)
		w->prov[w->n_prov++] = (struct hw_cache_word){pa, *value};
	return true;
}

static bool inside(const struct hw_smmuv3 *h, u64 pa, u32 n)
{
	u64 size = h->base.env->ram_size;

	return size >= 8ull * n && pa <= size - 8ull * n;
}

bool smmu_write_words(struct hw_smmuv3 *h, u64 pa, const u64 *word, u32 n)
{
	if (!inside(h, pa, n))
		return false;
	hw_wrote(h->base.env, pa, 8ull * n);
	if (!h->base.env->point && n == 4) {
		memcpy(h->base.env->ram + pa, word, 32);
		return true;
	}
	for (u32 i = 0; i < n; i++)
		__atomic_store_n((u64 *)(h->base.env->ram + pa + 8 * i), word[i], __ATOMIC_RELAXED);
	return true;
}

bool smmu_read_words(struct hw_smmuv3 *h, u64 pa, u64 *word, u32 n)
{
	if (!inside(h, pa, n))
		return false;
	for (u32 i = 0; i < n; i++)
		word[i] = __atomic_load_n((const u64 *)(h->base.env->ram + pa + 8 * i),
					  __ATOMIC_RELAXED);
	return true;
}
