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
static __attribute__((noinline)) void ordered_elsewhere(u64 addr, u32 size, u32 flags, bool acquire,
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

static __attribute__((noinline)) void order_slow(struct task *t, u64 addr, u32 flags, bool acquire)
{
	order(t, addr, flags, acquire);
}

static __attribute__((noinline)) void ordered_slow(u64 addr, u32 size, u32 flags, bool acquire,
						   u64 pc)
{
	struct task *t = current_task;

	if (unlikely(size > 8 || (addr & 7) + size > 8))
		access_range((const void *)(uintptr_t)addr, size, flags, pc);
	else
		access_usual(addr, size, flags, pc);
	if (t->checks & ACCESS_CHECK_RACE)
		order(t, addr, flags, acquire);
}

/* What an access of the usual kind orders; without a call where nothing new is learnt. */
ACCESS_FAST void order_usual(struct task *t, struct cell *c, u64 addr, u32 flags, bool acquire)
{
	struct access_clock *k = (struct access_clock *)t->clocks + c->sync;

	if (!(flags & OP_WRITE)) {
		if (unlikely(!access_knows(t, k)))
			access_take(t, k);
		return;
	}
	if (unlikely(!c->sync || !access_knows(t, k) || !t->vector))
		return order_slow(t, addr, flags, acquire);
	access_give_known(t, k);
}

/*
 * Ordinary accesses are leaves that save no register; what others have touched as well
 * goes on from there. Not quite by size alone: an atomic says itself whether it acquires.
 */
#define ORDERED(name, size, flags)                                                       \
	static __attribute__((noinline)) void other_##name##size(                        \
		u64 addr, struct cell *c, u64 pc, struct task *t, bool acquire)          \
	{                                                                                \
		if (access_was_shared(t, c, access_bytes(addr, size, flags), flags, true)) \
			order_usual(t, c, addr, flags, acquire);                         \
		else                                                                     \
			ordered_slow(addr, size, flags, acquire, pc);                    \
	}                                                                                \
	/* Within a granule of the heap. */                                              \
	ACCESS_FAST void name##size(u64 addr, bool acquire, u64 pc, struct task *t)      \
	{                                                                                \
		struct cell *c = access_cell_at(addr);                                   \
		u32 bytes = access_bytes(addr, size, flags);                             \
											 \
		if (likely(access_was_ordinary(t, c, bytes, flags, true)))               \
			order_usual(t, c, addr, flags, acquire);                         \
		else                                                                     \
			other_##name##size(addr, c, pc, t, acquire);                     \
	}

#define ORDERED_SIZES(name, flags)                                                       \
	ORDERED(name, 1, flags)                                                          \
	ORDERED(name, 2, flags)                                                          \
	ORDERED(name, 4, flags)                                                          \
	ORDERED(name, 8, flags)

ORDERED_SIZES(once_read, OP_READ | OP_MARKED)
ORDERED_SIZES(once_write, OP_WRITE | OP_MARKED)
ORDERED(atomic_read, 4, OP_READ | OP_MARKED | OP_ATOMIC)
ORDERED(atomic_read, 8, OP_READ | OP_MARKED | OP_ATOMIC)
ORDERED(atomic_write, 4, OP_WRITE | OP_MARKED | OP_ATOMIC)
ORDERED(atomic_write, 8, OP_WRITE | OP_MARKED | OP_ATOMIC)

/* Wherever it is; false: it is in a granule of the heap, of a task that is looked at. */
static inline bool was_ordered(u64 addr, u32 size, u32 flags, bool acquire, u64 pc)
{
	struct task *t = current_task;

	if (addr - HEAP_BASE >= ACCESS_HEAP_BYTES)
		ordered_elsewhere(addr, size, flags, acquire, pc);
	else if (unlikely(!t) || access_was_quiet(t))
		;
	else if (unlikely(size > 8 || (addr & 7) + size > 8 || !t->checks))
		ordered_slow(addr, size, flags, acquire, pc);
	else
		return false;
	return true;
}

static __attribute__((noinline)) void atomic_any(u64 addr, u32 size, u32 flags, bool acquire,
						 u64 pc)
{
	if (!was_ordered(addr, size, flags, acquire, pc))
		ordered_slow(addr, size, flags, acquire, pc);
}

#define ATOMIC(name, size, flags)                                                        \
	static __attribute__((noinline)) void atomic_##name##size##_at(u64 addr, bool acquire, \
								       u64 pc)           \
	{                                                                                \
		if (!was_ordered(addr, size, flags | OP_MARKED | OP_ATOMIC, acquire, pc)) \
			atomic_##name##size(addr, acquire, pc, current_task);            \
	}

ATOMIC(read, 4, OP_READ)
ATOMIC(read, 8, OP_READ)
ATOMIC(write, 4, OP_WRITE)
ATOMIC(write, 8, OP_WRITE)

void access_ordered(const void *p, size_t size, u32 flags, bool acquire, u64 pc)
{
	u64 addr = (u64)(uintptr_t)p;

	if (size == 4 && flags & OP_WRITE)
		atomic_write4_at(addr, acquire, pc);
	else if (size == 4)
		atomic_read4_at(addr, acquire, pc);
	else if (size == 8 && flags & OP_WRITE)
		atomic_write8_at(addr, acquire, pc);
	else if (size == 8)
		atomic_read8_at(addr, acquire, pc);
	else
		atomic_any(addr, (u32)size, flags | OP_MARKED | OP_ATOMIC, acquire, pc);
}

#define ONCE(name, size, flags, acquire)                                                 \
	void access_once_##name##size(void *p)                                           \
	{                                                                                \
		u64 addr = (u64)(uintptr_t)p;                                            \
											 \
		if (!was_ordered(addr, size, flags | OP_MARKED, acquire, PC))            \
			once_##name##size(addr, acquire, PC, current_task);              \
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
	atomic_any((u64)(uintptr_t)p, 16, OP_READ | OP_MARKED, true, PC);
}

void access_once_write16(void *p)
{
	atomic_any((u64)(uintptr_t)p, 16, OP_WRITE | OP_MARKED, false, PC);
}

#define PLAIN_HEAP(name, size, flags)                                                    \
	static __attribute__((noinline)) void other_##name##size(                        \
		u64 addr, struct cell *c, u64 pc, struct task *t)                        \
	{                                                                                \
		if (!access_was_shared(t, c, access_bytes(addr, size, flags), flags, true)) \
			access_usual(addr, size, flags, pc);                             \
	}                                                                                \
	ACCESS_HEAP_HOOK(name##size)                                                     \
	{                                                                                \
		struct cell *at = access_cell_at(addr);                                  \
		u32 bytes = access_bytes(addr, size, flags);                             \
											 \
		(void)b;                                                                 \
		(void)c;                                                                 \
		if (unlikely(!access_was_ordinary(t, at, bytes, flags, true)))           \
			other_##name##size(addr, at, PC, t);                             \
	}

/* Aligned, as volatile accesses are but for those that have a hook of their own. */
#define ONCE_HEAP(name, size, acquire)                                                   \
	ACCESS_HEAP_HOOK(name##size)                                                     \
	{                                                                                \
		(void)b;                                                                 \
		(void)c;                                                                 \
		name##size(addr, acquire, PC, t);                                        \
	}

#define HEAP_HOOKS(size)                                                                 \
	PLAIN_HEAP(read, size, OP_READ)                                                  \
	PLAIN_HEAP(write, size, OP_WRITE)                                                \
	ONCE_HEAP(once_read, size, true)                                                 \
	ONCE_HEAP(once_write, size, false)

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
