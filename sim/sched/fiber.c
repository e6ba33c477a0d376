// SPDX-License-Identifier: GPL-2.0-only
#include "sim/sched/fiber_priv.h"

#include "sim/base/assert.h"

#include <string.h>

#if defined(__x86_64__)
/*
 * System V ABI: rbx, rbp and r12..r15 belong to the caller. `ret` takes the
 * return address that the call of the other side pushed, which the processor
 * predicts right as long as both sides call from the same place.
 */
__asm__(".text\n"
	".p2align 4\n"
	".globl sched_fiber_switch\n"
	".type sched_fiber_switch, @function\n"
	"sched_fiber_switch:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size sched_fiber_switch, . - sched_fiber_switch\n");
#else
#error "iommulab: the fiber switch is written for x86-64 only (sim/sched/fiber.c)"
#endif

void *sched_fiber_prepare(void *stack, size_t size, void (*entry)(void))
{
	u64 *top = (u64 *)((char *)stack + size);
	u64 *sp;

	sim_assert(((uintptr_t)top & 15) == 0);
	/*
	 * The ABI wants rsp + 8 to be a multiple of 16 at a function's entry,
	 * and a zero return address ends a debugger's walk.
	 */
	top -= 1;
	top[0] = 0;
	sp = top - FIBER_SAVED_WORDS;
	memset(sp, 0, FIBER_SAVED_WORDS * sizeof(*sp));
	sp[FIBER_SAVED_WORDS - 1] = (u64)(uintptr_t)entry;
	return sp;
}
