// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: sheaves of newer trees: objects of a cache, allocated ahead for code
 * that may not fail or sleep later. Each object is the floor's heap's.
 *
 * False: a cache has no sheaves of its own; a returned sheaf frees what is left
 * in it.
 */
#include "core/hosted/runtime.h"

#include <linux/slab.h>

struct slab_sheaf {
	unsigned int n, max;
	void *object[];
};

/* The tree may not know them yet. */
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int n);
int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheaf,
			    unsigned int n);
void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf);
void *kmem_cache_alloc_from_sheaf_noprof(struct kmem_cache *s, gfp_t gfp,
					 struct slab_sheaf *sheaf);
unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf);

static struct slab_sheaf *make(unsigned int max, gfp_t gfp)
{
	struct slab_sheaf *sheaf = kmalloc(struct_size(sheaf, object, max), gfp);

	if (!sheaf)
		return NULL;
	sheaf->n = 0;
	sheaf->max = max;
	hosted_written(sheaf, sizeof(*sheaf));
	return sheaf;
}

static bool fill(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf, unsigned int n)
{
	while (sheaf->n < n) {
		void *p = kmem_cache_alloc(s, gfp);

		if (!p)
			return false;
		sheaf->object[sheaf->n++] = p;
	}
	return true;
}

void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	kmem_cache_free_bulk(s, sheaf->n, sheaf->object);
	kfree(sheaf);
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned int n)
{
	struct slab_sheaf *sheaf = make(n, gfp);

	if (!sheaf || fill(s, gfp, sheaf, n))
		return sheaf;
	kmem_cache_return_sheaf(s, gfp, sheaf);
	return NULL;
}

int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheaf,
			    unsigned int n)
{
	struct slab_sheaf *old = *sheaf, *new;

	if (n <= old->max)
		return fill(s, gfp, old, n) ? 0 : -ENOMEM;
	new = kmem_cache_prefill_sheaf(s, gfp, n);
	if (!new)
		return -ENOMEM;
	kmem_cache_return_sheaf(s, gfp, old);
	*sheaf = new;
	return 0;
}

void *kmem_cache_alloc_from_sheaf_noprof(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	void *p = sheaf->n ? sheaf->object[--sheaf->n] : NULL;

	if (p && gfp & __GFP_ZERO) {
		memset(p, 0, kmem_cache_size(s));
		hosted_written(p, kmem_cache_size(s));
	}
	return p;
}

unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf->n;
}
