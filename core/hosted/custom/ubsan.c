// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: where the compiler's checks of undefined behaviour end (`asan`
 * flavour): a finding named as the kernel's UBSAN names it, with the place that
 * the compiler tells. Values and types, which it tells as well, are not shown.
 */
#include "core/hosted/runtime.h"

/* How each description begins. */
struct place {
	const char *file;
	u32 line, column;
};

#define UBSAN(check, title)                                                        \
	void __ubsan_handle_##check(const struct place *at);                       \
	void __ubsan_handle_##check(const struct place *at)                        \
	{                                                                          \
		hosted_finding(HOSTED_CALLER, "UBSAN: " title " in %F", "%s:%u:%u", \
			       at->file, at->line, at->column);                    \
	}
UBSAN(out_of_bounds, "array-index-out-of-bounds")
UBSAN(shift_out_of_bounds, "shift-out-of-bounds")
UBSAN(load_invalid_value, "invalid-load")
UBSAN(divrem_overflow, "division-overflow")
UBSAN(builtin_unreachable, "unreachable")
