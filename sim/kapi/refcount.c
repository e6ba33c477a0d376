// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/refcount.h"

#include "sim/kapi/kapi_priv.h"
#include "sim/kapi/mutex.h"
#include "sim/kapi/spinlock.h"

#include <limits.h>

#define REF_READ (OP_READ | OP_ATOMIC | OP_MARKED)
#define REF_WRITE (OP_WRITE | OP_ATOMIC | OP_MARKED)

static void saturate(refcount_t *r, const char *why, u64 pc)
{
	r->refs = REFCOUNT_SATURATED;
	kapi_finding(pc, "WARNING: refcount bug in %%F\nrefcount_t: %s", why);
}

void refcount_set(refcount_t *r, int n)
{
	access_range(r, sizeof(*r), REF_WRITE, KAPI_CALLER);
	r->refs = n;
}

unsigned refcount_read(const refcount_t *r)
{
	access_range(r, sizeof(*r), REF_READ, KAPI_CALLER);
	return (unsigned)r->refs;
}

/* Nobody wants to hear of it: the count is all there is. */
static inline bool is_plain(const struct task *t, const refcount_t *r)
{
	return kapi_is_alone(t) && (u64)(uintptr_t)r - HEAP_BASE < HEAP_END - HEAP_BASE;
}

static __attribute__((noinline)) void add_watched(refcount_t *r, int i, u64 pc)
{
	int old;

	access_range(r, sizeof(*r), REF_WRITE, pc);
	old = r->refs;
	r->refs = (int)((u32)old + (u32)i);
	fact(REF_GET, kapi_addr(r), (u64)(s64)r->refs);
	if (unlikely(!old))
		saturate(r, "addition on 0; use-after-free.", pc);
	else if (unlikely(old < 0 || r->refs < 0))
		saturate(r, "saturated; leaking memory.", pc);
}

static inline void add(refcount_t *r, int i, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!is_plain(t, r) || r->refs <= 0 || r->refs + (s64)i > INT_MAX || i < 0)) {
		add_watched(r, i, pc);
		return;
	}
	t->due++;
	r->refs += i;
}

void refcount_inc(refcount_t *r)
{
	add(r, 1, KAPI_CALLER);
}

void refcount_add(int i, refcount_t *r)
{
	add(r, i, KAPI_CALLER);
}

static __attribute__((noinline)) bool inc_watched(refcount_t *r, u64 pc)
{
	access_range(r, sizeof(*r), REF_WRITE, pc);
	if (!r->refs)
		return false;
	r->refs = (int)((u32)r->refs + 1);
	fact(REF_GET, kapi_addr(r), (u64)(s64)r->refs);
	if (unlikely(r->refs < 0))
		saturate(r, "saturated; leaking memory.", pc);
	return true;
}

bool refcount_inc_not_zero(refcount_t *r)
{
	struct task *t = current_task;

	if (unlikely(!is_plain(t, r) || r->refs <= 0 || r->refs == INT_MAX))
		return inc_watched(r, KAPI_CALLER);
	t->due++;
	r->refs++;
	return true;
}

static __attribute__((noinline)) bool sub_watched(refcount_t *r, int i, u64 pc)
{
	int old;

	access_range(r, sizeof(*r), REF_WRITE, pc);
	access_release(r);
	old = r->refs;
	r->refs = (int)((u32)old - (u32)i);
	fact(REF_PUT, kapi_addr(r), (u64)(s64)r->refs);
	if (old == i) {
		access_acquire(r);
		return true;
	}
	if (unlikely(old < 0 || old < i))
		saturate(r, "underflow; use-after-free.", pc);
	return false;
}

static inline bool sub(refcount_t *r, int i, u64 pc)
{
	struct task *t = current_task;

	if (unlikely(!is_plain(t, r) || i <= 0 || r->refs < i))
		return sub_watched(r, i, pc);
	t->due++;
	r->refs -= i;
	return !r->refs;
}

bool refcount_dec_and_test(refcount_t *r)
{
	return sub(r, 1, KAPI_CALLER);
}

bool refcount_sub_and_test(int i, refcount_t *r)
{
	return sub(r, i, KAPI_CALLER);
}

void refcount_dec(refcount_t *r)
{
	if (sub(r, 1, KAPI_CALLER))
		saturate(r, "decrement hit 0; leaking memory.", KAPI_CALLER);
}

bool refcount_dec_if_one(refcount_t *r)
{
	struct task *t = current_task;

	if (likely(is_plain(t, r))) {
		t->due++;
		if (r->refs != 1)
			return false;
		r->refs = 0;
		return true;
	}
	access_range(r, sizeof(*r), REF_WRITE, KAPI_CALLER);
	if (r->refs != 1)
		return false;
	r->refs = 0;
	access_acquire(r);
	fact(REF_PUT, kapi_addr(r), 0);
	return true;
}

/* True if the count was above one and has been lowered without a lock. */
static bool dec_not_one(refcount_t *r, u64 pc)
{
	access_range(r, sizeof(*r), REF_WRITE, pc);
	if (r->refs == 1)
		return false;
	access_release(r);
	r->refs = (int)((u32)r->refs - 1);
	fact(REF_PUT, kapi_addr(r), (u64)(s64)r->refs);
	if (unlikely(r->refs < 0))
		saturate(r, "underflow; use-after-free.", pc);
	return true;
}

bool refcount_dec_and_mutex_lock(refcount_t *r, struct mutex *m)
{
	if (dec_not_one(r, KAPI_CALLER))
		return false;
	mutex_lock(m);
	if (sub(r, 1, KAPI_CALLER))
		return true;
	mutex_unlock(m);
	return false;
}
