// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: every object comes from the floor's checked heap: redzones, a
 * quarantine, the stacks of its allocation and release.
 *
 * False: no slab is ever full or shared; a constructor runs at each
 * allocation; an object of a SLAB_TYPESAFE_BY_RCU cache is not used again
 * before a grace period has ended. Alignment is 16
 * bytes, of caches that ask for more it is 256; objects of those that ask for
 * more than that are a frame each, as tables that devices read must be, and
 * are not checked.
 */
#include "core/hosted/runtime.h"

#include <linux/fdtable.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

struct kmem_cache {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	unsigned int floor_flags;
	bool in_frames;
	bool has_link; /* see cache_alloc() */
	void (*ctor)(void *p);
};

kmem_buckets kmalloc_caches[NR_KMALLOC_TYPES];
static struct kmem_cache hosted_caches[64];
static int hosted_n_caches;
struct kmem_cache *files_cachep;

void hosted_slab_boot(void)
{
	files_cachep = kmem_cache_create("files_cache", sizeof(struct files_struct), 0, 0, NULL);
}

bool slab_is_available(void)
{
	return true;
}

static void *alloc_with(size_t size, gfp_t gfp, unsigned int flags, const char *cache,
			unsigned long pc)
{
	if (!size)
		return ZERO_SIZE_PTR;
	if (gfp & __GFP_ZERO)
		flags |= FLOOR_ZERO;
	if (gfp & __GFP_NOFAIL)
		flags |= FLOOR_NOFAIL;
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	return hosted_floor->alloc(size, flags, cache, pc);
}

static void *alloc(size_t size, gfp_t gfp, const char *cache, unsigned long pc)
{
	return alloc_with(size, gfp, 0, cache, pc);
}

void *__kmalloc_noprof(size_t size, gfp_t gfp)
{
	return alloc(size, gfp, "kmalloc", HOSTED_CALLER);
}

void *__kmalloc_node_noprof(size_t size, gfp_t gfp, int node)
{
	return alloc(size, gfp, "kmalloc", HOSTED_CALLER);
}

void *__kmalloc_cache_noprof(struct kmem_cache *s, gfp_t gfp, size_t size)
{
	return alloc(size, gfp, "kmalloc", HOSTED_CALLER);
}

void *__kmalloc_cache_node_noprof(struct kmem_cache *s, gfp_t gfp, int node, size_t size)
{
	return alloc(size, gfp, "kmalloc", HOSTED_CALLER);
}

void *__kmalloc_large_noprof(size_t size, gfp_t gfp)
{
	return alloc(size, gfp, "kmalloc", HOSTED_CALLER);
}

void *__kmalloc_node_track_caller_noprof(size_t size, gfp_t gfp, int node, unsigned long caller)
{
	return alloc(size, gfp, "kmalloc", caller);
}

#if HOSTED_HAS_KVMALLOC_ALIGN
void *__kvmalloc_node_noprof(size_t size, unsigned long align, gfp_t gfp, int node)
#else
void *__kvmalloc_node_noprof(size_t size, gfp_t gfp, int node)
#endif
{
	return alloc(size, gfp, "kvmalloc", HOSTED_CALLER);
}

static void release(const void *p, unsigned long pc)
{
	if (!ZERO_OR_NULL_PTR(p))
		hosted_floor->free(p, pc);
}

void kfree(const void *p)
{
	release(p, HOSTED_CALLER);
}

void kvfree(const void *p)
{
	release(p, HOSTED_CALLER);
}

void kfree_sensitive(const void *p)
{
	release(p, HOSTED_CALLER);
}

static bool is_constant(const void *p)
{
	return p && !ZERO_OR_NULL_PTR(p) && !hosted_floor->size_of(p);
}

/* Strings of the object itself were never copied. */
void kfree_const(const void *p)
{
	if (!is_constant(p))
		release(p, HOSTED_CALLER);
}

size_t ksize(const void *p)
{
	return ZERO_OR_NULL_PTR(p) ? 0 : hosted_floor->size_of(p);
}

size_t kmalloc_size_roundup(size_t size)
{
	return size;
}

static void *grow(const void *p, size_t size, gfp_t gfp, unsigned long pc)
{
	size_t old = ksize(p);
	void *new;

	if (!size) {
		release(p, pc);
		return ZERO_SIZE_PTR;
	}
	new = alloc(size, gfp, "kmalloc", pc);
	if (!new || !old)
		return new;
	memcpy(new, p, min(old, size));
	hosted_written(new, min(old, size));
	release(p, pc);
	return new;
}

/* In newer trees it is a macro for the other. */
void *hosted_krealloc(const void *p, size_t size, gfp_t gfp) HOSTED_NAMED(krealloc_noprof);
void *hosted_krealloc_align(const void *p, size_t size, unsigned long align, gfp_t gfp, int node)
	HOSTED_NAMED(krealloc_node_align_noprof);

void *hosted_krealloc(const void *p, size_t size, gfp_t gfp)
{
	return grow(p, size, gfp, HOSTED_CALLER);
}

void *hosted_krealloc_align(const void *p, size_t size, unsigned long align, gfp_t gfp, int node)
{
	return grow(p, size, gfp, HOSTED_CALLER);
}

/* --- caches --- */

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    struct kmem_cache_args *args, slab_flags_t flags)
{
	struct kmem_cache *s = &hosted_caches[hosted_n_caches++];

	BUG_ON(hosted_n_caches > ARRAY_SIZE(hosted_caches));
	s->name = name;
	s->size = ALIGN(size, 8);
	s->flags = flags;
	s->in_frames = args->align > 256;
	BUG_ON(args->align > PAGE_SIZE || (s->in_frames && size > PAGE_SIZE));
	s->floor_flags = args->align > 16 ? FLOOR_ALIGN_256 : 0;
	s->has_link = name && strcmp(name, "maple_node") == 0;
	s->ctor = args->ctor;
	return s;
}

unsigned int kmem_cache_size(struct kmem_cache *s)
{
	return s->size;
}

void kmem_cache_destroy(struct kmem_cache *s)
{
}

static void *cache_alloc(struct kmem_cache *s, gfp_t gfp, unsigned long pc)
{
	size_t size = s->size;
	void *p;

	if (s->in_frames)
		return (void *)__get_free_page(gfp);
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		size += sizeof(struct rcu_head);
	p = alloc_with(size, gfp, s->floor_flags, s->name, pc);
	/* Its tree moves the link of a spare node before there is one. */
	if (p && s->has_link)
		hosted_written(p, 3 * sizeof(p));
	if (p && s->ctor)
		s->ctor(p);
	return p;
}

static void cache_free(struct kmem_cache *s, void *p, unsigned long pc)
{
	struct rcu_head *head = p + s->size;

	if (s->in_frames)
		free_page((unsigned long)p);
	else if (p && s->flags & SLAB_TYPESAFE_BY_RCU)
		hosted_floor->rcu_call(head, (void (*)(void *))(unsigned long)s->size);
	else
		release(p, pc);
}

void *kmem_cache_alloc_noprof(struct kmem_cache *s, gfp_t gfp)
{
	return cache_alloc(s, gfp, HOSTED_CALLER);
}

void *kmem_cache_alloc_node_noprof(struct kmem_cache *s, gfp_t gfp, int node)
{
	return cache_alloc(s, gfp, HOSTED_CALLER);
}

void *kmem_cache_alloc_lru_noprof(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp)
{
	return cache_alloc(s, gfp, HOSTED_CALLER);
}

void kmem_cache_free(struct kmem_cache *s, void *p)
{
	cache_free(s, p, HOSTED_CALLER);
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **p)
{
	for (size_t i = 0; i < n; i++)
		cache_free(s, p[i], HOSTED_CALLER);
}

/* The number, or in newer trees whether all are there. */
__typeof__(kmem_cache_alloc_bulk_noprof(NULL, 0, 0, NULL))
kmem_cache_alloc_bulk_noprof(struct kmem_cache *s, gfp_t gfp, size_t n, void **p)
{
	for (size_t i = 0; i < n; i++) {
		p[i] = cache_alloc(s, gfp, HOSTED_CALLER);
		if (!p[i]) {
			kmem_cache_free_bulk(s, i, p);
			return 0;
		}
	}
	hosted_written(p, n * sizeof(*p));
	return n;
}

/* --- one CPU's worth of per-CPU memory --- */

void __percpu *pcpu_alloc_noprof(size_t size, size_t align, bool reserved, gfp_t gfp)
{
	return (void __percpu *)alloc(size, gfp | __GFP_ZERO, "percpu", HOSTED_CALLER);
}

void free_percpu(void __percpu *p)
{
	release((const void *)p, HOSTED_CALLER);
}

/* --- copies --- */

static void *copy(const void *from, size_t size, size_t room, gfp_t gfp, unsigned long pc)
{
	void *p = alloc(room, gfp, "kmalloc", pc);

	if (!p)
		return NULL;
	memcpy(p, from, size);
	hosted_written(p, size);
	return p;
}

char *kstrdup(const char *s, gfp_t gfp)
{
	return s ? copy(s, strlen(s) + 1, strlen(s) + 1, gfp, HOSTED_CALLER) : NULL;
}

const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return is_constant(s) ? s : kstrdup(s, gfp);
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	size_t len = s ? strnlen(s, max) : 0;
	char *p = s ? copy(s, len, len + 1, gfp | __GFP_ZERO, HOSTED_CALLER) : NULL;

	return p;
}

void *kmemdup_noprof(const void *from, size_t size, gfp_t gfp)
{
	return copy(from, size, size, gfp, HOSTED_CALLER);
}

void *kmemdup_array(const void *from, size_t n, size_t size, gfp_t gfp)
{
	return copy(from, n * size, n * size, gfp, HOSTED_CALLER);
}

static void *from_user(const void __user *from, size_t size, size_t room)
{
	void *p = alloc(room, GFP_KERNEL | __GFP_ZERO, "kmalloc", HOSTED_CALLER);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p, from, size)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

void *memdup_user(const void __user *from, size_t size)
{
	return from_user(from, size, size);
}

void *memdup_user_nul(const void __user *from, size_t size)
{
	return from_user(from, size, size + 1);
}

char *kmemdup_nul(const char *s, size_t size, gfp_t gfp)
{
	return s ? copy(s, size, size + 1, gfp | __GFP_ZERO, HOSTED_CALLER) : NULL;
}

char *strndup_user(const char __user *from, long max)
{
	char *p;
	long n;

	for (n = 0; n < max; n++) {
		char c;

		if (copy_from_user(&c, from + n, 1))
			return ERR_PTR(-EFAULT);
		if (!c)
			break;
	}
	if (n == max)
		return ERR_PTR(-EINVAL);
	p = from_user(from, n, n + 1);
	return p;
}

/* --- what is contiguous only virtually is contiguous --- */

void *vmalloc_noprof(unsigned long size)
{
	return alloc(size, GFP_KERNEL, "vmalloc", HOSTED_CALLER);
}

void vfree(const void *p)
{
	release(p, HOSTED_CALLER);
}

void *hosted_kvrealloc(const void *p, size_t size, gfp_t gfp) HOSTED_NAMED(kvrealloc_noprof);
void *hosted_kvrealloc_align(const void *p, size_t size, unsigned long align, gfp_t gfp, int node)
	HOSTED_NAMED(kvrealloc_node_align_noprof);

void *hosted_kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	return grow(p, size, gfp, HOSTED_CALLER);
}

void *hosted_kvrealloc_align(const void *p, size_t size, unsigned long align, gfp_t gfp, int node)
{
	return grow(p, size, gfp, HOSTED_CALLER);
}
