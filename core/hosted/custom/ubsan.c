// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: where the compiler's checks of undefined behaviour end (`asan`
 * flavour): a finding named as the kernel's UBSAN names it. The compiler tells
 * neither values nor types here.
 */
#include "core/hosted/runtime.h"

#define UBSAN(check, title)                                            \
	void __ubsan_handle_##check##_minimal(void);                   \
	void __ubsan_handle_##check##_minimal(void)                    \
	{                                                              \
		hosted_finding(HOSTED_CALLER, "UBSAN: " title " in %F", \
			       "The compiler's check of undefined behaviour.\n"); \
	}
UBSAN(out_of_bounds, "array-index-out-of-bounds")
UBSAN(shift_out_of_bounds, "shift-out-of-bounds")
UBSAN(load_invalid_value, "invalid-load")
UBSAN(divrem_overflow, "division-overflow")
UBSAN(builtin_unreachable, "unreachable")
