/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marked accesses, atomics and barriers.
 *
 * These are inlined on purpose: in instrumented code READ_ONCE and WRITE_ONCE
 * become __tsan_volatile_*, the atomics __tsan_atomic*, and are thereby
 * announced with size, kind and site. Value-returning read-modify-writes are
 * fully ordered, the others relaxed, as in the kernel.
 *
 * Barriers order nothing here, since the machine explored is sequentially
 * consistent; they are calls so that a weak memory model can find them.
 */
#pragma once

#include "sim/base/bits.h"

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* An intended race: the lvalue is read as a marked access. */
#define data_race(x) READ_ONCE(x)

/* Others may run, time may pass: the body of a polling loop. */
void cpu_relax(void);

enum kapi_barrier { KAPI_MB, KAPI_RMB, KAPI_WMB };
void kapi_barrier(enum kapi_barrier kind);

#define barrier() __asm__ volatile("" ::: "memory")
#define smp_mb() kapi_barrier(KAPI_MB)
#define smp_rmb() kapi_barrier(KAPI_RMB)
#define smp_wmb() kapi_barrier(KAPI_WMB)
#define dma_rmb() kapi_barrier(KAPI_RMB)
#define dma_wmb() kapi_barrier(KAPI_WMB)
#define mb() kapi_barrier(KAPI_MB)
#define smp_mb__before_atomic() kapi_barrier(KAPI_MB)
#define smp_mb__after_atomic() kapi_barrier(KAPI_MB)
#define smp_store_mb(x, v)                                                                         \
	do {                                                                                       \
		WRITE_ONCE(x, v);                                                                  \
		smp_mb();                                                                          \
	} while (0)

#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

/* Returns the old value; the exchange happened iff it equals `old`. */
#define cmpxchg(p, old, new)                                                                       \
	({                                                                                         \
		__typeof__(*(p)) cmpxchg_old_ = (old);                                             \
		__atomic_compare_exchange_n((p), &cmpxchg_old_, (new), 0, __ATOMIC_SEQ_CST,        \
					    __ATOMIC_SEQ_CST);                                     \
		cmpxchg_old_;                                                                      \
	})
#define cmpxchg_relaxed(p, old, new)                                                               \
	({                                                                                         \
		__typeof__(*(p)) cmpxchg_old_ = (old);                                             \
		__atomic_compare_exchange_n((p), &cmpxchg_old_, (new), 0, __ATOMIC_RELAXED,        \
					    __ATOMIC_RELAXED);                                     \
		cmpxchg_old_;                                                                      \
	})
#define try_cmpxchg(p, oldp, new)                                                                  \
	__atomic_compare_exchange_n((p), (oldp), (new), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define xchg(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define ATOMIC_INIT(i)                                                                             \
	{                                                                                          \
		(i)                                                                                \
	}
#define ATOMIC64_INIT(i)                                                                           \
	{                                                                                          \
		(i)                                                                                \
	}

#define KAPI_ATOMIC_OPS(prefix, type, val)                                                         \
	static inline val prefix##_read(const type *v)                                             \
	{                                                                                          \
		return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);                             \
	}                                                                                          \
	static inline val prefix##_read_acquire(const type *v)                                     \
	{                                                                                          \
		return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);                             \
	}                                                                                          \
	static inline void prefix##_set(type *v, val i)                                            \
	{                                                                                          \
		__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);                                \
	}                                                                                          \
	static inline void prefix##_set_release(type *v, val i)                                    \
	{                                                                                          \
		__atomic_store_n(&v->counter, i, __ATOMIC_RELEASE);                                \
	}                                                                                          \
	static inline void prefix##_add(val i, type *v)                                            \
	{                                                                                          \
		__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);                              \
	}                                                                                          \
	static inline void prefix##_sub(val i, type *v)                                            \
	{                                                                                          \
		__atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED);                              \
	}                                                                                          \
	static inline void prefix##_inc(type *v)                                                   \
	{                                                                                          \
		prefix##_add(1, v);                                                                \
	}                                                                                          \
	static inline void prefix##_dec(type *v)                                                   \
	{                                                                                          \
		prefix##_sub(1, v);                                                                \
	}                                                                                          \
	static inline val prefix##_add_return(val i, type *v)                                      \
	{                                                                                          \
		return __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST);                       \
	}                                                                                          \
	static inline val prefix##_sub_return(val i, type *v)                                      \
	{                                                                                          \
		return __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST);                       \
	}                                                                                          \
	static inline val prefix##_fetch_add(val i, type *v)                                       \
	{                                                                                          \
		return __atomic_fetch_add(&v->counter, i, __ATOMIC_SEQ_CST);                       \
	}                                                                                          \
	static inline val prefix##_inc_return(type *v)                                             \
	{                                                                                          \
		return prefix##_add_return(1, v);                                                  \
	}                                                                                          \
	static inline val prefix##_dec_return(type *v)                                             \
	{                                                                                          \
		return prefix##_sub_return(1, v);                                                  \
	}                                                                                          \
	static inline bool prefix##_dec_and_test(type *v)                                          \
	{                                                                                          \
		return prefix##_sub_return(1, v) == 0;                                             \
	}                                                                                          \
	static inline bool prefix##_inc_and_test(type *v)                                          \
	{                                                                                          \
		return prefix##_add_return(1, v) == 0;                                             \
	}                                                                                          \
	static inline val prefix##_xchg(type *v, val i)                                            \
	{                                                                                          \
		return __atomic_exchange_n(&v->counter, i, __ATOMIC_SEQ_CST);                      \
	}                                                                                          \
	static inline val prefix##_cmpxchg(type *v, val old, val i)                                \
	{                                                                                          \
		return cmpxchg(&v->counter, old, i);                                               \
	}                                                                                          \
	static inline bool prefix##_try_cmpxchg(type *v, val *old, val i)                          \
	{                                                                                          \
		return try_cmpxchg(&v->counter, old, i);                                           \
	}                                                                                          \
	static inline bool prefix##_add_unless(type *v, val a, val u)                              \
	{                                                                                          \
		val c = prefix##_read(v);                                                          \
                                                                                                   \
		while (c != u)                                                                     \
			if (prefix##_try_cmpxchg(v, &c, c + a))                                    \
				return true;                                                       \
		return false;                                                                      \
	}                                                                                          \
	static inline bool prefix##_inc_not_zero(type *v)                                          \
	{                                                                                          \
		return prefix##_add_unless(v, 1, 0);                                               \
	}

KAPI_ATOMIC_OPS(atomic, atomic_t, int)
KAPI_ATOMIC_OPS(atomic64, atomic64_t, s64)

/* Bit operations on an unsigned long array; atomic but for the __ forms. */
static inline bool test_bit(unsigned n, const unsigned long *p)
{
	return READ_ONCE(p[n / 64]) >> (n % 64) & 1;
}

static inline void set_bit(unsigned n, unsigned long *p)
{
	__atomic_fetch_or(&p[n / 64], 1UL << (n % 64), __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned n, unsigned long *p)
{
	__atomic_fetch_and(&p[n / 64], ~(1UL << (n % 64)), __ATOMIC_RELAXED);
}

static inline bool test_and_set_bit(unsigned n, unsigned long *p)
{
	return __atomic_fetch_or(&p[n / 64], 1UL << (n % 64), __ATOMIC_SEQ_CST) >> (n % 64) & 1;
}

static inline bool test_and_clear_bit(unsigned n, unsigned long *p)
{
	return __atomic_fetch_and(&p[n / 64], ~(1UL << (n % 64)), __ATOMIC_SEQ_CST) >> (n % 64) & 1;
}

static inline void __set_bit(unsigned n, unsigned long *p)
{
	p[n / 64] |= 1UL << (n % 64);
}

static inline void __clear_bit(unsigned n, unsigned long *p)
{
	p[n / 64] &= ~(1UL << (n % 64));
}
