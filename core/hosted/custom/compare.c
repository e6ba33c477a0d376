// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the comparisons that a fuzzer's compiler announces, each one jump to the fuzzer,
 * so that the return address is the comparison. Where there is none, nobody listens.
 */
#include "core/hosted/runtime.h"

static void nobody(void)
{
}

#define X(name) void *hosted_compare_##name __hosted_keep = nobody;
FLOOR_COMPARES(X)
#undef X

#define X(name)                                                          \
	asm(".text\n"                                                    \
	    ".globl __sanitizer_cov_trace_" #name "\n"                   \
	    ".hidden __sanitizer_cov_trace_" #name "\n"                  \
	    ".type __sanitizer_cov_trace_" #name ", @function\n"         \
	    "__sanitizer_cov_trace_" #name ":\n"                         \
	    "	jmp *hosted_compare_" #name "(%rip)\n"                   \
	    ".size __sanitizer_cov_trace_" #name ", . - __sanitizer_cov_trace_" #name);
FLOOR_COMPARES(X)
#undef X

void hosted_compare_boot(void)
{
	void *const *to = hosted_floor->compares;

#define X(name) hosted_compare_##name = to[FLOOR_COMPARE_##name] ?: nobody;
	FLOOR_COMPARES(X)
#undef X
}
