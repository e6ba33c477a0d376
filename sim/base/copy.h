/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of a size that is known late and mostly small: a call's struct, a number in it.
 */
#pragma once

#include "sim/base/types.h"

#include <string.h>

/* All is read before any is written: the ends of a short one overlap. */
#define COPY_WORDS(to, from, n, words)                                              \
	do {                                                                        \
		u64 w_[2 * (words)];                                                \
		for (u32 i_ = 0; i_ < (words); i_++) {                              \
			memcpy(&w_[i_], (from) + 8 * i_, 8);                        \
			memcpy(&w_[(words) + i_], (from) + (n) - 8 * (i_ + 1), 8);  \
		}                                                                   \
		for (u32 i_ = 0; i_ < (words); i_++) {                              \
			memcpy((to) + 8 * i_, &w_[i_], 8);                          \
			memcpy((to) + (n) - 8 * (i_ + 1), &w_[(words) + i_], 8);    \
		}                                                                   \
	} while (0)

/* memcpy(), in line where it is of 4 to 64 bytes. */
static inline void copy_small(void *to_, const void *from_, size_t n)
{
	const char *from = from_;
	char *to = to_;
	u32 first, last;

	if (n - 4 > 60) {
		memcpy(to, from, n);
	} else if (n > 32) {
		COPY_WORDS(to, from, n, 4);
	} else if (n > 16) {
		COPY_WORDS(to, from, n, 2);
	} else if (n >= 8) {
		COPY_WORDS(to, from, n, 1);
	} else {
		memcpy(&first, from, 4);
		memcpy(&last, from + n - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + n - 4, &last, 4);
	}
}
