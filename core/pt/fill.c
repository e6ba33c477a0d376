// SPDX-License-Identifier: GPL-2.0-only
/*
 * The compiler's hooks stay out of here: the caller announces the run.
 */
#include "core/pt/fill.h"

#include <immintrin.h>

#define QUIET __attribute__((no_sanitize("thread")))
#define WIDE QUIET __attribute__((target("avx2")))

bool pt_has_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

WIDE static void fill_wide(u64 *p, u32 n, u64 first, u64 step)
{
	__m256i v, add4 = _mm256_set1_epi64x((long long)(4 * step));
	u32 i = 0;

	v = _mm256_set_epi64x((long long)(first + 3 * step), (long long)(first + 2 * step),
			      (long long)(first + step), (long long)first);
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
	for (; i < n; i++)
		p[i] = first + i * step;
}

QUIET void pt_fill(u64 *p, u32 n, u64 first, u64 step, bool wide)
{
	if (wide && n >= 4) {
		fill_wide(p, n, first, step);
		return;
	}
	for (u32 i = 0; i < n; i++)
		p[i] = first + i * step;
}

WIDE static bool is_zero_wide(const u64 *p, u32 n)
{
	__m256i any = _mm256_setzero_si256(), other = any;
	u64 rest = 0;
	u32 i = 0;

	for (; i + 8 <= n; i += 8) {
		any = _mm256_or_si256(any, _mm256_loadu_si256((const __m256i *)(p + i)));
		other = _mm256_or_si256(other, _mm256_loadu_si256((const __m256i *)(p + i + 4)));
	}
	for (; i < n; i++)
		rest |= p[i];
	any = _mm256_or_si256(any, other);
	return _mm256_testz_si256(any, any) && !rest;
}

QUIET bool pt_is_zero(const u64 *p, u32 n, bool wide)
{
	u64 any = 0;

	if (wide && n >= 8)
		return is_zero_wide(p, n);
	for (u32 i = 0; i < n; i++)
		any |= p[i];
	return !any;
}

WIDE static bool fill_new_wide(u64 *p, u32 n, u64 first, u64 step)
{
	if (!is_zero_wide(p, n))
		return false;
	fill_wide(p, n, first, step);
	return true;
}

QUIET bool pt_fill_new(u64 *p, u32 n, u64 first, u64 step, bool wide)
{
	if (wide && n >= 8)
		return fill_new_wide(p, n, first, step);
	if (!pt_is_zero(p, n, false))
		return false;
	pt_fill(p, n, first, step, wide);
	return true;
}

static inline QUIET bool goes(u64 word, u64 mask, u64 stop)
{
	return word & mask && !(word & stop);
}

QUIET static u32 clear_narrow(u64 *p, u32 n, u64 mask, u64 stop)
{
	u32 i = 0;

	for (; i < n && goes(p[i], mask, stop); i++)
		p[i] = 0;
	return i;
}

WIDE static u32 clear_wide(u64 *p, u32 n, u64 mask, u64 stop)
{
	__m256i zero = _mm256_setzero_si256();
	__m256i m = _mm256_set1_epi64x((long long)mask), s = _mm256_set1_epi64x((long long)stop);
	u32 i = 0;

	for (; i + 4 <= n; i += 4) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + i));
		__m256i off = _mm256_cmpeq_epi64(_mm256_and_si256(v, m), zero);
		__m256i on = _mm256_cmpeq_epi64(_mm256_and_si256(v, s), zero);

		/* all of `on`, none of `off` */
		if (!_mm256_testz_si256(off, off) ||
		    !_mm256_testc_si256(on, _mm256_cmpeq_epi64(zero, zero)))
			break;
		_mm256_storeu_si256((__m256i *)(p + i), zero);
	}
	return i + clear_narrow(p + i, n - i, mask, stop);
}

QUIET u32 pt_clear_run(u64 *p, u32 n, u64 mask, u64 stop, bool wide)
{
	return wide && n >= 4 ? clear_wide(p, n, mask, stop) : clear_narrow(p, n, mask, stop);
}
