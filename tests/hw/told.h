/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that a model is told of (hw_prepare()), while neither its state nor its memory
 * may be written to: who does, ends the test.
 */
#pragma once

#include "hw/iommu/hw.h"
#include "sim/base/bits.h"
#include "tests/kit/aim.h"

#include <criterion/criterion.h>
#include <sys/mman.h>

#define TOLD_ARENA (512u << 20)
#define TOLD_PAGE 4096u

struct told {
	struct hw_arena *arena;
	u8 *first;   /* models are allocated behind it; NULL: nobody is told */
	u64 asked, known;
};

/* What hw/ allocates from now on can be protected. */
static inline void told_begin(struct told *t)
{
	u8 *p;

	t->arena = hw_arena_create(TOLD_ARENA);
	hw_arena_use(t->arena);
	/* A page lies in it, whatever it begins at; what comes next lies behind. */
	p = hw_malloc(2 * TOLD_PAGE);
	cr_assert_not_null(p);
	t->first = (u8 *)ALIGN((uintptr_t)p, TOLD_PAGE);
}

static inline void told_end(struct told *t)
{
	hw_arena_use(NULL);
	hw_arena_destroy(t->arena);
}

/* ram begins on a page. */
static inline void told_of(struct told *t, const struct hw_iommu *h, const struct hw_req *req,
			   u32 n)
{
	const struct hw_env *e = h->env;
	struct hw_ahead a;
	size_t size = TOLD_ARENA - 16 * TOLD_PAGE;

	cr_assert_eq(mprotect(t->first, size, PROT_READ), 0);
	cr_assert_eq(mprotect(e->ram, e->ram_size, PROT_READ), 0);
	hw_prepare(h, req, n);
	cr_assert_eq(mprotect(t->first, size, PROT_READ | PROT_WRITE), 0);
	cr_assert_eq(mprotect(e->ram, e->ram_size, PROT_READ | PROT_WRITE), 0);
	t->asked++;
	t->known += h->ops->ahead(h, req, &a);
}

/* Of a request among others like it, at other addresses and of other devices. */
static inline void told_among(struct told *t, const struct aim *a, struct pair *p,
			      const struct hw_req *req)
{
	struct hw_req list[40];
	u32 n = 1 + below(p, ARRAY_SIZE(list));

	for (u32 i = 0; i < n; i++) {
		list[i] = *req;
		list[i].addr = a->address(p);
		list[i].sid ^= !below(p, 8);
	}
	list[below(p, n)] = *req;
	told_of(t, p->s[0].h, list, n);
}
