/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs of entries: filled, looked at and cleared with AVX2 where the machine has
 * it (`wide`, from pt_has_wide()), else word by word; both do the same.
 */
#pragma once

#include "sim/base/bits.h"

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
