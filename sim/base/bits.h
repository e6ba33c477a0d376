/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bit, alignment and comparison helpers. No state, no I/O.
 */
#pragma once

#include "sim/base/types.h"

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN(x, a) ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define min(a, b)                              \
	({                                     \
		__typeof__(a) min_a_ = (a);    \
		__typeof__(b) min_b_ = (b);    \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define max(a, b)                              \
	({                                     \
		__typeof__(a) max_a_ = (a);    \
		__typeof__(b) max_b_ = (b);    \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

/* Index of the lowest and highest set bit; the argument must not be 0. */
static inline unsigned bit_lowest(u64 x)
{
	return (unsigned)__builtin_ctzll(x);
}

static inline unsigned bit_highest(u64 x)
{
	return 63u - (unsigned)__builtin_clzll(x);
}

/* Index of the n-th (from 0) set bit of x; x must have more than n bits set. */
static inline unsigned bit_nth(u64 x, unsigned n)
{
	while (n--)
		x &= x - 1;
	return bit_lowest(x);
}

/* A well-mixing 64-bit step: h is the state so far, v what is added. */
static inline u64 hash_mix(u64 h, u64 v)
{
	h ^= v;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}
