/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of entries: filled, looked at and cleared with AVX2 where the machine has
 * it (`wide`, from pt_has_wide()), else word by word; both do the same.
 */
#pragma once

#include "sim/base/bits.h"

#include <immintrin.h>

bool pt_has_wide(void);
/* p[i] = first + i * step for i < n. */
void pt_fill(u64 *p, u32 n, u64 first, u64 step, bool wide);
/* The same if all of them are 0; else false, and nothing is written. */
bool pt_fill_new(u64 *p, u32 n, u64 first, u64 step, bool wide);
/* Whether p[0] to p[n - 1] all are 0. */
bool pt_is_zero(const u64 *p, u32 n, bool wide);
/*
 * Zeroes words from p[0] on for as long as (word & mask) != 0 and (word & stop) ==
 * 0, n at most; how many.
 */
u32 pt_clear_run(u64 *p, u32 n, u64 mask, u64 stop, bool wide);

/* --- for code that knows of AVX2, as a whole --- */

/* The compiler's hooks stay out of here: the caller announces the run. */
#define WIDE __attribute__((no_sanitize("thread"), target(WIDE_TARGET)))
#define WIDE_INLINE                                                                      \
	inline __attribute__((always_inline, no_sanitize("thread"), target(WIDE_TARGET)))
/* Where there is AVX2, a load of 32 bytes is one instruction, aligned or not. */
#define WIDE_TARGET "avx2,tune=haswell"
/* Runs are short: unrolled further, these loops are mostly their own beginnings. */
#ifdef __clang__
#define WIDE_LOOP _Pragma("clang loop unroll(disable)")
#else
#define WIDE_LOOP
#endif

static WIDE_INLINE void wide_fill(u64 *p, u32 n, u64 first, u64 step)
{
	__m256i v, add4 = _mm256_set1_epi64x((long long)(4 * step));
	u32 i = 0;

	v = _mm256_set_epi64x((long long)(first + 3 * step), (long long)(first + 2 * step),
			      (long long)(first + step), (long long)first);
	WIDE_LOOP
	for (; i + 8 <= n; i += 8) {
		__m256i next = _mm256_add_epi64(v, add4);

		_mm256_storeu_si256((__m256i *)(p + i), v);
		_mm256_storeu_si256((__m256i *)(p + i + 4), next);
		v = _mm256_add_epi64(next, add4);
	}
	if (i + 4 <= n) {
		_mm256_storeu_si256((__m256i *)(p + i), v);
		i += 4;
	}
	WIDE_LOOP
	for (; i < n; i++)
		p[i] = first + i * step;
}

static WIDE_INLINE bool wide_is_zero(const u64 *p, u32 n)
{
	__m256i any = _mm256_setzero_si256(), other = any;
	u64 rest = 0;
	u32 i = 0;

	WIDE_LOOP
	for (; i + 8 <= n; i += 8) {
		any = _mm256_or_si256(any, _mm256_loadu_si256((const __m256i *)(p + i)));
		other = _mm256_or_si256(other, _mm256_loadu_si256((const __m256i *)(p + i + 4)));
	}
	WIDE_LOOP
	for (; i < n; i++)
		rest |= p[i];
	any = _mm256_or_si256(any, other);
	return _mm256_testz_si256(any, any) && !rest;
}
