/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmalloc and friends on the checked heap (sim/mem).
 *
 * Each allocation without __GFP_NOFAIL is a failure point; one that may sleep
 * (GFP_KERNEL) must not be made in atomic context. kfree(NULL) does nothing.
 */
#pragma once

#include "sim/kapi/slab_flags.h"
#include "sim/base/types.h"

struct kmem_cache;

void *kmalloc(size_t size, gfp_t flags);
void *kzalloc(size_t size, gfp_t flags);
/* NULL if n * size overflows. */
void *kmalloc_array(size_t n, size_t size, gfp_t flags);
void *kcalloc(size_t n, size_t size, gfp_t flags);
/* The old object stays valid if NULL is returned. */
void *krealloc(const void *p, size_t size, gfp_t flags);
void *krealloc_array(const void *p, size_t n, size_t size, gfp_t flags);
void *kmemdup(const void *from, size_t size, gfp_t flags);
char *kstrdup(const char *s, gfp_t flags);
char *kasprintf(gfp_t flags, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void kfree(const void *p);

#define kvmalloc kmalloc
#define kvzalloc kzalloc
#define kvcalloc kcalloc
#define kvfree kfree
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof((p)->member[0]) * (size_t)(n))

/* The name must outlive the cache. */
struct kmem_cache *kmem_cache_create(const char *name, size_t size);
void kmem_cache_destroy(struct kmem_cache *c);
void *kmem_cache_alloc(struct kmem_cache *c, gfp_t flags);
void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t flags);
void kmem_cache_free(struct kmem_cache *c, void *p);
