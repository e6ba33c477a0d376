/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Planted heap bugs; compiled with the access hooks.
 */
#pragma once

#include "sim/base/types.h"

struct planted {
	u64 first, second;
	u32 tail;
};

u64 kasan_read(const struct planted *p);
void kasan_write_behind(struct planted *p, int distance);
u64 kasan_add(const struct planted *p);
