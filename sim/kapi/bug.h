/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * WARN_ON and BUG_ON: the modelled kernel found its own defect. Both make the
 * run's finding and thereby end it; outside a run (setup) they return.
 */
#pragma once

#include "sim/base/bits.h"

/* The slow path; bug = it was a BUG_ON. */
void kapi_warn(bool bug, const char *expr, const char *file, int line);
void kapi_warn_fmt(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define WARN_ON(cond)                                                                              \
	({                                                                                         \
		bool warn_on_ = !!(cond);                                                          \
		if (unlikely(warn_on_))                                                            \
			kapi_warn(false, "WARN_ON(" #cond ")", __FILE__, __LINE__);                \
		unlikely(warn_on_);                                                                \
	})
#define WARN_ON_ONCE(cond) WARN_ON(cond)

#define WARN(cond, ...)                                                                            \
	({                                                                                         \
		bool warn_on_ = !!(cond);                                                          \
		if (unlikely(warn_on_))                                                            \
			kapi_warn_fmt(__FILE__, __LINE__, __VA_ARGS__);                            \
		unlikely(warn_on_);                                                                \
	})
#define WARN_ONCE(cond, ...) WARN(cond, __VA_ARGS__)

#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (unlikely(cond))                                                                \
			kapi_warn(true, "BUG_ON(" #cond ")", __FILE__, __LINE__);                  \
	} while (0)
