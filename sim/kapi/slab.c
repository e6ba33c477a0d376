// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/slab.h"

#include "sim/kapi/kapi_priv.h"
#include "sim/kapi/string.h"

#include <stdarg.h>
#include <stdio.h>

struct kmem_cache {
	const char *name;
	size_t size;
};

static const char *const cache_names[] = {
	"kmalloc-8",   "kmalloc-16", "kmalloc-32", "kmalloc-64", "kmalloc-128", "kmalloc-256",
	"kmalloc-512", "kmalloc-1k", "kmalloc-2k", "kmalloc-4k", "kmalloc-8k",	"kmalloc-large",
};

static const char *cache_name(size_t size)
{
	u32 lg2 = size <= 8 ? 3 : bit_highest(size - 1) + 1;

	return cache_names[min(lg2 - 3, (u32)ARRAY_SIZE(cache_names) - 1)];
}

static void *alloc(size_t size, gfp_t flags, const char *cache, u64 pc)
{
	u32 mem_flags = flags & __GFP_ZERO ? MEM_ZERO : 0;

	if (flags & __GFP_NOFAIL)
		mem_flags |= MEM_NOFAIL;
	if (flags & __GFP_SLEEP)
		kapi_sleeps("kmalloc");
	return mem_alloc(this_world()->mem, size, mem_flags, cache, pc);
}

void *kmalloc(size_t size, gfp_t flags)
{
	return alloc(size, flags, cache_name(size), KAPI_CALLER);
}

void *kzalloc(size_t size, gfp_t flags)
{
	return alloc(size, flags | __GFP_ZERO, cache_name(size), KAPI_CALLER);
}

static void *alloc_array(size_t n, size_t size, gfp_t flags, u64 pc)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return alloc(bytes, flags, cache_name(bytes), pc);
}

void *kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return alloc_array(n, size, flags, KAPI_CALLER);
}

void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return alloc_array(n, size, flags | __GFP_ZERO, KAPI_CALLER);
}

static void *resize(const void *p, size_t size, gfp_t flags, u64 pc)
{
	size_t old = p ? mem_size(this_world()->mem, p) : 0;
	void *to = alloc(size, flags, cache_name(size), pc);

	if (!to || !p)
		return to;
	kapi_memcpy(to, p, min(old, size));
	mem_free(this_world()->mem, p, pc);
	return to;
}

void *krealloc(const void *p, size_t size, gfp_t flags)
{
	return resize(p, size, flags, KAPI_CALLER);
}

void *krealloc_array(const void *p, size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return resize(p, bytes, flags, KAPI_CALLER);
}

void *kmemdup(const void *from, size_t size, gfp_t flags)
{
	void *to = alloc(size, flags, cache_name(size), KAPI_CALLER);

	return to ? kapi_memcpy(to, from, size) : NULL;
}

char *kstrdup(const char *s, gfp_t flags)
{
	size_t size;
	char *to;

	if (!s)
		return NULL;
	size = kapi_strlen(s) + 1;
	to = alloc(size, flags, cache_name(size), KAPI_CALLER);
	return to ? kapi_memcpy(to, s, size) : NULL;
}

char *kasprintf(gfp_t flags, const char *fmt, ...)
{
	char text[256];
	va_list args;
	size_t size;
	int n;
	char *to;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	size = n < 0 ? 1 : min((size_t)n, sizeof(text) - 1) + 1;
	to = alloc(size, flags, cache_name(size), KAPI_CALLER);
	return to ? kapi_memcpy(to, text, size) : NULL;
}

void kfree(const void *p)
{
	mem_free(this_world()->mem, p, KAPI_CALLER);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size)
{
	struct kmem_cache *c = alloc(sizeof(*c), GFP_KERNEL, "kmem_cache", KAPI_CALLER);

	if (!c)
		return NULL;
	c->name = name;
	c->size = size;
	return c;
}

void kmem_cache_destroy(struct kmem_cache *c)
{
	mem_free(this_world()->mem, c, KAPI_CALLER);
}

void *kmem_cache_alloc(struct kmem_cache *c, gfp_t flags)
{
	return alloc(c->size, flags, c->name, KAPI_CALLER);
}

void *kmem_cache_zalloc(struct kmem_cache *c, gfp_t flags)
{
	return alloc(c->size, flags | __GFP_ZERO, c->name, KAPI_CALLER);
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	(void)c;
	mem_free(this_world()->mem, p, KAPI_CALLER);
}
