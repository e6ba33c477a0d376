// SPDX-License-Identifier: GPL-2.0-only
/*
 * The compiler's hooks stay out of here: the caller announces the run.
 */
#include "core/pt/fill.h"

#define QUIET __attribute__((no_sanitize("thread")))

bool pt_has_wide(void)
{
	return __builtin_cpu_supports("avx2");
}

WIDE static void fill_wide(u64 *p, u32 n, u64 first, u64 step)
{
	wide_fill(p, n, first, step);
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
	return wide_is_zero(p, n);
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
	if (!wide_is_zero(p, n))
		return false;
	wide_fill(p, n, first, step);
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
