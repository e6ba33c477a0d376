// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our own runtime for code compiled with -fsanitize=thread (not linked with
 * it): the compiler's announcements become access_*() calls.
 *
 * Volatile accesses (READ_ONCE, WRITE_ONCE) come separately because of
 * tsan-distinguish-volatile; they and atomics count as marked. An atomic is
 * announced, made, and gives happens-before edges as its memory order says:
 * relaxed none, as in the kernel's memory model.
 *
 * With AddressSanitizer, which excludes ThreadSanitizer's pass, the same
 * events come from -fsanitize-coverage=trace-loads,trace-stores; there, plain
 * and marked cannot be told apart: all count as marked, and none races.
 */
#include "sim/access/access_priv.h"

#include <string.h>

#define PC ((u64)(uintptr_t)__builtin_return_address(0))

#define TSAN_SCALAR(name, size, flags)                                      \
	void __tsan_##name##size(void *p);                                  \
	void __tsan_##name##size(void *p)                                   \
	{                                                                   \
		access_granule((u64)(uintptr_t)p, size, flags, PC);         \
	}

#define HOOK_RANGE(hook, size, flags)                                       \
	void hook##size(void *p);                                           \
	void hook##size(void *p)                                            \
	{                                                                   \
		access_range(p, size, flags, PC);                           \
	}

#define TSAN_RANGE(name, size, flags) HOOK_RANGE(__tsan_##name, size, flags)

#define TSAN_SIZES(name, flags)                                             \
	TSAN_SCALAR(name, 1, flags)                                         \
	TSAN_SCALAR(name, 2, flags)                                         \
	TSAN_SCALAR(name, 4, flags)                                         \
	TSAN_SCALAR(name, 8, flags)                                         \
	TSAN_RANGE(name, 16, flags)

#define TSAN_UNALIGNED(name, flags)                                         \
	TSAN_RANGE(name, 2, flags)                                          \
	TSAN_RANGE(name, 4, flags)                                          \
	TSAN_RANGE(name, 8, flags)                                          \
	TSAN_RANGE(name, 16, flags)

TSAN_SIZES(read, OP_READ)
TSAN_SIZES(write, OP_WRITE)
TSAN_SIZES(volatile_read, OP_READ | OP_MARKED)
TSAN_SIZES(volatile_write, OP_WRITE | OP_MARKED)
TSAN_UNALIGNED(unaligned_read, OP_READ)
TSAN_UNALIGNED(unaligned_write, OP_WRITE)
TSAN_UNALIGNED(unaligned_volatile_read, OP_READ | OP_MARKED)
TSAN_UNALIGNED(unaligned_volatile_write, OP_WRITE | OP_MARKED)
TSAN_SIZES(read_write, OP_WRITE)
TSAN_UNALIGNED(unaligned_read_write, OP_WRITE)

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_read_range(void *p, size_t size);
void __tsan_read_range(void *p, size_t size)
{
	access_range(p, size, OP_READ, PC);
}

void __tsan_write_range(void *p, size_t size);
void __tsan_write_range(void *p, size_t size)
{
	access_range(p, size, OP_WRITE, PC);
}

/* A copy may hold bytes that nobody has written (padding): it carries them on. */
static void copy_init(const void *to, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const struct cell *src = access_cell((const char *)from + i);
		struct cell *dst = access_cell((const char *)to + i);
		u64 from_bit = ((u64)(uintptr_t)from + i) & 7,
		    to_bit = ((u64)(uintptr_t)to + i) & 7;

		if (src && dst && !(src->init & 1u << from_bit))
			dst->init &= (u8)~(1u << to_bit);
	}
}

void access_copy(const void *to, const void *from, size_t size, u64 pc)
{
	struct task *t = current_task;
	u32 checks;

	if (!t || !size)
		return;
	checks = t->checks;
	t->checks &= ~ACCESS_CHECK_UNINIT;
	access_range(from, size, OP_READ, pc);
	access_range(to, size, OP_WRITE, pc);
	t->checks = checks;
	if (checks & ACCESS_CHECK_UNINIT && access_first_uninit(from, size) < size)
		copy_init(to, from, size);
}

void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
	access_copy(to, from, size, PC);
	return memcpy(to, from, size);
}

void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size)
{
	access_copy(to, from, size, PC);
	return memmove(to, from, size);
}

void *__tsan_memset(void *to, int value, size_t size);
void *__tsan_memset(void *to, int value, size_t size)
{
	access_range(to, size, OP_WRITE, PC);
	return memset(to, value, size);
}

/* --- atomics; mo: 0 relaxed, 1 consume, 2 acquire, 3 release, 4 acq_rel, 5 seq_cst --- */

static inline bool acquires(int mo)
{
	return mo != 0 && mo != 3;
}

static inline bool releases(int mo)
{
	return mo >= 3;
}

static inline void atomic_begin(const volatile void *p, u32 size, u32 flags, int mo, u64 pc)
{
	access_granule((u64)(uintptr_t)p, size, flags | OP_MARKED | OP_ATOMIC, pc);
	if (!current_task)
		return;
	if (acquires(mo))
		access_acquire((const void *)p);
	if (releases(mo) && flags & OP_WRITE)
		access_release((const void *)p);
}

#define TSAN_ATOMIC_RMW(bits, type, name, builtin)                                       \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int mo);             \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int mo)              \
	{                                                                                \
		atomic_begin(p, sizeof(*p), OP_WRITE, mo, PC);                           \
		return builtin(p, v, __ATOMIC_RELAXED);                                  \
	}

#define TSAN_ATOMIC_CAS(bits, type, name)                                                 \
	int __tsan_atomic##bits##_compare_exchange_##name(volatile type *p, type *old,    \
							  type v, int mo, int fail);      \
	int __tsan_atomic##bits##_compare_exchange_##name(volatile type *p, type *old,    \
							  type v, int mo, int fail)       \
	{                                                                                 \
		(void)fail;                                                               \
		atomic_begin(p, sizeof(*p), OP_WRITE, mo, PC);                            \
		return __atomic_compare_exchange_n(p, old, v, 0, __ATOMIC_RELAXED,        \
						   __ATOMIC_RELAXED);                     \
	}

#define TSAN_ATOMIC(bits, type)                                                           \
	type __tsan_atomic##bits##_load(const volatile type *p, int mo);                  \
	type __tsan_atomic##bits##_load(const volatile type *p, int mo)                   \
	{                                                                                 \
		atomic_begin(p, sizeof(*p), OP_READ, mo, PC);                             \
		return *p;                                                                \
	}                                                                                 \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int mo);               \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int mo)                \
	{                                                                                 \
		atomic_begin(p, sizeof(*p), OP_WRITE, mo == 5 ? 3 : mo, PC);              \
		*p = v;                                                                   \
	}                                                                                 \
	TSAN_ATOMIC_RMW(bits, type, exchange, __atomic_exchange_n)                        \
	TSAN_ATOMIC_RMW(bits, type, fetch_add, __atomic_fetch_add)                        \
	TSAN_ATOMIC_RMW(bits, type, fetch_sub, __atomic_fetch_sub)                        \
	TSAN_ATOMIC_RMW(bits, type, fetch_and, __atomic_fetch_and)                        \
	TSAN_ATOMIC_RMW(bits, type, fetch_or, __atomic_fetch_or)                          \
	TSAN_ATOMIC_RMW(bits, type, fetch_xor, __atomic_fetch_xor)                        \
	TSAN_ATOMIC_RMW(bits, type, fetch_nand, __atomic_fetch_nand)                      \
	TSAN_ATOMIC_CAS(bits, type, strong)                                               \
	TSAN_ATOMIC_CAS(bits, type, weak)                                                 \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type old,       \
							type v, int mo, int fail);        \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *p, type old,       \
							type v, int mo, int fail)         \
	{                                                                                 \
		__tsan_atomic##bits##_compare_exchange_strong(p, &old, v, mo, fail);      \
		return old;                                                               \
	}

TSAN_ATOMIC(8, u8)
TSAN_ATOMIC(16, u16)
TSAN_ATOMIC(32, u32)
TSAN_ATOMIC(64, u64)

/* One task runs at a time: a fence orders nothing that is not ordered already. */
void __tsan_atomic_thread_fence(int mo);
void __tsan_atomic_thread_fence(int mo)
{
	(void)mo;
}

void __tsan_atomic_signal_fence(int mo);
void __tsan_atomic_signal_fence(int mo)
{
	(void)mo;
}

/* --- a hosted kernel's --- */

/* What lies elsewhere orders, too, where it is looked at. */
static __attribute__((noinline)) void elsewhere_slow(u64 addr, u32 size, u32 flags, bool acquire,
						     u64 pc)
{
	struct task *t = current_task;
	struct access_clock *k;

	if (unlikely(addr < ACCESS_LOW))
		access_wild(addr, size, flags, pc);
	if (!t || !(t->checks & ACCESS_CHECK_RACE))
		return;
	k = access_off_heap_clock(t->world->access, addr, flags & OP_WRITE);
	if (k && acquire && !access_knows(t, k))
		access_take(t, k);
	if (k && flags & OP_WRITE)
		access_give(t, k);
	else if (flags & OP_WRITE)
		access_next_epoch(t);
}

/* The same without a call where the location is known, and nothing new is learnt of it. */
static __attribute__((noinline)) void ordered_elsewhere(u64 addr, u32 size, u32 flags, bool acquire,
							u64 pc)
{
	struct task *t = current_task;
	const struct access_off_heap *at;
	struct access_clock *k;
	struct access *a;

	if (unlikely(addr < ACCESS_LOW || !t || !(t->checks & ACCESS_CHECK_RACE)))
		return elsewhere_slow(addr, size, flags, acquire, pc);
	a = t->world->access;
	at = &a->off_heap[access_off_heap_place(addr)];
	if (at->gen != a->gen && !(flags & OP_WRITE))
		return;
	k = (struct access_clock *)t->clocks + at->clock;
	if (at->gen != a->gen || at->addr != addr || !access_knows(t, k) || !t->vector)
		return elsewhere_slow(addr, size, flags, acquire, pc);
	if (flags & OP_WRITE)
		access_give_known(t, k);
}

static void order(struct task *t, u64 addr, u32 flags, bool acquire)
{
	struct cell *c = access_cell_at(addr);
	struct access_clock *k = (struct access_clock *)t->clocks + c->sync;

	if (!c->sync) {
		if (!(flags & OP_WRITE))
			return;
		k = access_new_clock(t, c);
		if (!k)
			return access_next_epoch(t);
	} else if (acquire && !access_knows(t, k)) {
		access_take(t, k);
	}
	if (flags & OP_WRITE)
		access_give(t, k);
}

/* Several granules. */
static __attribute__((noinline)) void ordered_range(u64 addr, u32 size, u32 flags, bool acquire,
						    u64 pc)
{
	struct task *t = current_task;

	access_range((const void *)(uintptr_t)addr, size, flags, pc);
	if (t->checks & ACCESS_CHECK_RACE)
		order(t, addr, flags, acquire);
}

static __attribute__((noinline)) void order_slow(struct task *t, u64 addr, u32 flags, bool acquire)
{
	order(t, addr, flags, acquire);
}

/* Nobody has released the location before. */
static __attribute__((noinline)) void order_first(struct task *t, struct cell *c)
{
	struct access *a = t->world->access;
	u32 i = a->n_clocks;

	if (unlikely(i == ACCESS_CLOCKS_MAX))
		return access_next_epoch(t);
	a->n_clocks++;
	c->sync = (u16)i;
	if (unlikely(!t->vector)) {
		a->clock[i] = (struct access_clock){0, 0};
		return access_give(t, &a->clock[i]);
	}
	access_give_known(t, &a->clock[i]);
}

/* What an access of the usual kind orders; without a call where nothing new is learnt. */
ACCESS_FAST void order_usual(struct task *t, struct cell *c, u64 addr, u32 flags, bool acquire)
{
	struct access_clock *k = (struct access_clock *)t->clocks + c->sync;

	if (!(flags & OP_WRITE)) {
		if (c->sync && unlikely(!access_knows(t, k)))
			access_take(t, k);
		return;
	}
	if (!c->sync)
		return order_first(t, c);
	if (unlikely(!access_knows(t, k) || !t->vector))
		return order_slow(t, addr, flags, acquire);
	access_give_known(t, k);
}

static __attribute__((noinline)) void ordered_slow(u64 addr, u64 pc, struct task *t, u32 what)
{
	access_slow(t, addr, what, pc);
	if (t->checks & ACCESS_CHECK_RACE)
		order(t, addr, access_what_flags(what), access_what_acquires(what));
}

static __attribute__((noinline)) void renewed_ordered(u64 addr, struct cell *c, u64 pc,
						      struct task *t, u32 what, access_fn again)
{
	if (!t->near_gen)
		return ordered_slow(addr, pc, t, what);
	access_refresh(c, addr);
	again(addr, c, pc, t, what);
}

static __attribute__((noinline)) void near_ordered_read(u64 addr, struct cell *c, u64 pc,
							struct task *t, u32 what)
{
	if (unlikely(c->gen != t->near_gen))
		return renewed_ordered(addr, c, pc, t, what, near_ordered_read);
	if (unlikely(!access_was_near(t, c, what, false)))
		return ordered_slow(addr, pc, t, what);
	order_usual(t, c, addr, OP_READ, true);
}

static __attribute__((noinline)) void near_ordered_write(u64 addr, struct cell *c, u64 pc,
							 struct task *t, u32 what)
{
	if (unlikely(c->gen != t->near_gen))
		return renewed_ordered(addr, c, pc, t, what, near_ordered_write);
	if (unlikely(!access_was_near(t, c, what, true)))
		return ordered_slow(addr, pc, t, what);
	order_usual(t, c, addr, OP_WRITE, access_what_acquires(what));
}

static __attribute__((noinline)) void other_ordered_read(u64 addr, struct cell *c, u64 pc,
							 struct task *t, u32 what)
{
	if (unlikely(!access_was_common(t, c, what, false)))
		return near_ordered_read(addr, c, pc, t, what);
	order_usual(t, c, addr, OP_READ, true);
}

static __attribute__((noinline)) void other_ordered_write(u64 addr, struct cell *c, u64 pc,
							  struct task *t, u32 what)
{
	if (unlikely(!access_was_common(t, c, what, true)))
		return near_ordered_write(addr, c, pc, t, what);
	order_usual(t, c, addr, OP_WRITE, access_what_acquires(what));
}

/* Within a granule of the heap, and something is checked. */
ACCESS_FAST void ordered_heap(struct task *t, u64 addr, u32 size, u32 flags, bool acquire, u64 pc)
{
	struct cell *c = access_cell_at(addr);
	u32 bytes = access_bytes(addr, size, flags);
	u32 what = ACCESS_WHAT(bytes, size, flags, acquire);

	if (likely(access_was_ordinary(t, c, bytes, flags, true)))
		order_usual(t, c, addr, flags, acquire);
	else if (flags & OP_WRITE)
		other_ordered_write(addr, c, pc, t, what);
	else
		other_ordered_read(addr, c, pc, t, what);
}

/* In several granules, or of a task of which nothing is checked. */
static __attribute__((noinline)) void ordered_oddly(u64 addr, u32 size, u32 flags, bool acquire,
						    u64 pc)
{
	struct task *t = current_task;
	u32 bytes = access_bytes(addr, size, flags);

	if (!t || access_was_quiet(t))
		return;
	if (size > 8 || (addr & 7) + size > 8)
		ordered_range(addr, size, flags, acquire, pc);
	else
		ordered_slow(addr, pc, t, ACCESS_WHAT(bytes, size, flags, acquire));
}

/* Wherever it is. */
ACCESS_FAST void ordered(u64 addr, u32 size, u32 flags, bool acquire, u64 pc)
{
	struct task *t = current_task;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES)
		ordered_elsewhere(addr, size, flags, acquire, pc);
	else if (unlikely(!t || !t->checks || size > 8 || access_bytes(addr, size, flags) > 0xff))
		ordered_oddly(addr, size, flags, acquire, pc);
	else
		ordered_heap(t, addr, size, flags, acquire, pc);
}

void access_typed(const void *p, size_t size, int type, u64 pc)
{
	u64 addr = (u64)(uintptr_t)p;

	if (unlikely(!(type & ACCESS_TYPE_ATOMIC)))
		access_range(p, size, type & ACCESS_TYPE_WRITE ? OP_WRITE : OP_READ, pc);
	else if (type & ACCESS_TYPE_WRITE)
		ordered(addr, (u32)size, OP_WRITE | OP_MARKED | OP_ATOMIC,
			type & ACCESS_TYPE_COMPOUND, pc);
	else
		ordered(addr, (u32)size, OP_READ | OP_MARKED | OP_ATOMIC, true, pc);
}

void access_typed_hook(const void *p, size_t size, int type)
{
	access_typed(p, size, type, PC);
}

#define ONCE(name, size, flags, acquire)                                                 \
	void access_once_##name##size(void *p)                                           \
	{                                                                                \
		ordered((u64)(uintptr_t)p, size, (flags) | OP_MARKED, acquire, PC);      \
	}

#define ONCE_SIZES(name, flags, acquire)                                                 \
	ONCE(name, 1, flags, acquire)                                                    \
	ONCE(name, 2, flags, acquire)                                                    \
	ONCE(name, 4, flags, acquire)                                                    \
	ONCE(name, 8, flags, acquire)

ONCE_SIZES(read, OP_READ, true)
ONCE_SIZES(write, OP_WRITE, false)

void access_once_read16(void *p)
{
	ordered((u64)(uintptr_t)p, 16, OP_READ | OP_MARKED, true, PC);
}

void access_once_write16(void *p)
{
	ordered((u64)(uintptr_t)p, 16, OP_WRITE | OP_MARKED, false, PC);
}

#define PLAIN_HEAP(name, size, flags)                                                    \
	ACCESS_HEAP_HOOK(name##size)                                                     \
	{                                                                                \
		struct cell *at = access_cell_at(addr);                                  \
		u32 bytes = access_bytes(addr, size, flags);                             \
											 \
		(void)b;                                                                 \
		(void)c;                                                                 \
		if (unlikely(!access_was_ordinary(t, at, bytes, flags, true)))           \
			access_other_##name(addr, at, PC, t,                             \
					    ACCESS_WHAT(bytes, size, flags, false));     \
	}

/* Aligned, as volatile accesses are but for those that have a hook of their own. */
#define ONCE_HEAP(name, size, flags, acquire)                                            \
	ACCESS_HEAP_HOOK(once_##name##size)                                              \
	{                                                                                \
		(void)b;                                                                 \
		(void)c;                                                                 \
		ordered_heap(t, addr, size, (flags) | OP_MARKED, acquire, PC);           \
	}

#define HEAP_HOOKS(size)                                                                 \
	PLAIN_HEAP(read, size, OP_READ)                                                  \
	PLAIN_HEAP(write, size, OP_WRITE)                                                \
	ONCE_HEAP(read, size, OP_READ, true)                                             \
	ONCE_HEAP(write, size, OP_WRITE, false)

HEAP_HOOKS(1)
HEAP_HOOKS(2)
HEAP_HOOKS(4)
HEAP_HOOKS(8)

#if IOMMULAB_ASAN
#define COV_SIZES(name, flags)                                              \
	HOOK_RANGE(__sanitizer_cov_##name, 1, flags)                        \
	HOOK_RANGE(__sanitizer_cov_##name, 2, flags)                        \
	HOOK_RANGE(__sanitizer_cov_##name, 4, flags)                        \
	HOOK_RANGE(__sanitizer_cov_##name, 8, flags)                        \
	HOOK_RANGE(__sanitizer_cov_##name, 16, flags)

COV_SIZES(load, OP_READ | OP_MARKED)
COV_SIZES(store, OP_WRITE | OP_MARKED)
#endif
