// SPDX-License-Identifier: GPL-2.0-only
/*
 * The compiler's access hooks as far as they are compiled into a tree's files: bit
 * code, which build/compiler.py links into the files that a program runs through
 * again and again, after the pass that put in the calls. What they do is custom/hooks.c's
 * COUNT; without a call, callers keep their values in registers.
 */
#include "core/hosted/floor.h"

#define HIDDEN __attribute__((visibility("hidden")))

extern HIDDEN struct floor_now hosted_now;

/* Assembly, since one instruction is to count and to tell; nothing else may move across. */
static inline __attribute__((always_inline)) _Bool is_due(void)
{
	_Bool due;

	asm volatile("incq %1" : "=@ccns"(due), "+m"(*hosted_now.due)::"memory");
	return due;
}

#define NEARLY_ALWAYS(x) __builtin_expect_with_probability(!!(x), 1, 0.999)
#define ELSEWHERE(p) __builtin_expect((unsigned long)(p) >> FLOOR_OTHER_BIT & 1, 0)

#define HOOK(name, is_counted)                                                        \
	HIDDEN void hosted_slow_##name(void *p);                                      \
	__attribute__((always_inline)) void __tsan_##name(void *p);                   \
	void __tsan_##name(void *p)                                                   \
	{                                                                             \
		if (is_counted)                                                       \
			return;                                                       \
		hosted_slow_##name(p);                                                \
	}

#define X(name) HOOK(name, ELSEWHERE(p) || NEARLY_ALWAYS(!is_due()))
FLOOR_PLAIN_HOOKS(X)
#undef X
/* To stacks, too, they may order. */
#define X(name) HOOK(name, !ELSEWHERE(p) && NEARLY_ALWAYS(!is_due()))
FLOOR_VOLATILE_HOOKS(X)
#undef X
