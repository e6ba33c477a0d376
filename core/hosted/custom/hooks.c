// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the compiler's access hooks, each one jump into the floor, so that
 * the hook's return address is the access; and KCSAN's, which announce what
 * inline assembly does (atomics, bit operations).
 *
 * An atomic that reads counts as acquire, one that writes as release: the
 * memory order is not told here. That loses races, it never makes one up.
 */
#include "core/hosted/runtime.h"

#include <linux/kcsan-checks.h>

#define X(name) void *hosted_hook_##name __hosted_keep;
FLOOR_HOOKS(X)
#undef X
void *hosted_hook_typed __hosted_keep; /* what KCSAN's goes to */
/* Where an access goes that is not to the heap. */
#define X(name) void *hosted_far_##name __hosted_keep;
FLOOR_PLAIN_HOOKS(X)
FLOOR_VOLATILE_HOOKS(X)
#undef X

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

/*
 * A third of the announced accesses are to the task's own stack: they end here. So
 * does one of a quiet task that is not due; in files that are run through again and
 * again both are compiled in (inline/hooks.c), and what is left comes to hosted_slow_*.
 * One of a light task to a granule that nobody else has touched, or several have, ends
 * here, too. To the heap, the floor's hook finds the task in rcx, the place of a fourth
 * argument. The tree's lockdep, where it runs, counts nothing: its hooks are exchanged
 * (lockdep_tree.c).
 */
#define FUNCTION(name, body)                             \
	asm(".text\n"                                    \
	    ".globl " name "\n"                          \
	    ".hidden " name "\n"                         \
	    ".type " name ", @function\n"                \
	    name ":\n"                                   \
	    body                                         \
	    ".size " name ", . - " name);

/* Counted, but of nobody's heap: near NULL, or what is neither (elsewhere: not counted). */
#define COUNTED(elsewhere)                                         \
	"	btq $" NUMBER(FLOOR_OTHER_BIT) ", %rdi\n"          \
	"	jc " elsewhere "f\n"                               \
	"	cmpq $" NUMBER(FLOOR_LOW) ", %rdi\n"               \
	"	jb 3f\n"                                           \
	"	jmp hosted_counted\n"
#define FAR(name) "3:	jmp *hosted_far_" #name "(%rip)\n"

#define UNLESS_IN_HEAP(where)                                      \
	"	movq %rdi, %rax\n"                                 \
	"	shrq $" NUMBER(FLOOR_HEAP_SHIFT) ", %rax\n"        \
	"	cmpl $" NUMBER(FLOOR_HEAP_TAG) ", %eax\n"          \
	"	jne " where "f\n"

/* Where what is not to the heap goes on. Of volatile ones those to stacks, too, may order. */
#ifdef IOMMULAB_X86
#define NEAR_NULL                                                  \
	"2:	cmpq $" NUMBER(FLOOR_LOW) ", %rdi\n"               \
	"	jb 3f\n"                                           \
	"	ret\n"
#define ANYWHERE "2:\n"
#define HOOK(name, light, far)                                                        \
	FUNCTION("__tsan_" #name, UNLESS_IN_HEAP("2")                                 \
		 "	jmp *hosted_hook_" #name "(%rip)\n" far FAR(name))
#else
#define NEAR_NULL "7"
#define ANYWHERE "3"
/* The carry says that it is elsewhere, and nothing is added. */
#define COUNT(name)                                                \
	"	movq hosted_now + 8(%rip), %rax\n"                 \
	"	btq $" NUMBER(FLOOR_OTHER_BIT) ", %rdi\n"          \
	"	sbbq $-1, (%rax)\n"                                \
	"	jns hosted_slow_" #name "\n"                       \
	"	ret\n"

/* Counted in vain, but for a quiet task's that is due: it is as if it were not. */
#define SLOW(name, light)                                          \
	UNLESS_IN_HEAP("2")                                        \
	"	movq hosted_now(%rip), %rcx\n"                     \
	"	cmpl $" NUMBER(FLOOR_QUIET) ", " NUMBER(FLOOR_TASK_MODE) "(%rcx)\n" \
	"	jb 1f\n"                                           \
	"	ja " light "f\n"                                   \
	"	decq " NUMBER(FLOOR_TASK_DUE) "(%rcx)\n"           \
	"1:	jmp *hosted_hook_" #name "(%rip)\n"

/* Within one granule: its own; several tasks'; nobody's so far; else it is another's. */
#define LIGHT                                                      \
	"4:	movl %edi, %esi\n"                                 \
	"	shrl $3, %esi\n"                                   \
	"	movq " NUMBER(FLOOR_TASK_OWNERS) "(%rcx), %rdx\n"  \
	"	movl " NUMBER(FLOOR_TASK_OWN) "(%rcx), %eax\n"     \
	"	movl (%rdx, %rsi, 4), %r8d\n"                      \
	"	cmpl %eax, %r8d\n"                                 \
	"	je 5f\n"                                           \
	"	cmpl " NUMBER(FLOOR_TASK_SHARED) "(%rcx), %r8d\n"  \
	"	jne 6f\n"                                          \
	"	movl " NUMBER(FLOOR_TASK_WEIGHT) "(%rcx), %esi\n"  \
	"	movq " NUMBER(FLOOR_TASK_DUE) "(%rcx), %rax\n"     \
	"	leaq 1(%rax, %rsi), %rax\n"                        \
	"	testq %rax, %rax\n"                                \
	"	jns 1b\n"                                          \
	"	movq %rax, " NUMBER(FLOOR_TASK_DUE) "(%rcx)\n"     \
	"	subq %rsi, " NUMBER(FLOOR_TASK_STOP) "(%rcx)\n"    \
	"	ret\n"                                             \
	"6:	xorl %eax, %r8d\n"                                 \
	"	cmpl $0xff, %r8d\n"                                \
	"	jbe 1b\n"                                          \
	"	movl %eax, (%rdx, %rsi, 4)\n"                      \
	"5:	movq " NUMBER(FLOOR_TASK_DUE) "(%rcx), %rax\n"     \
	"	incq %rax\n"                                       \
	"	jns 1b\n"                                          \
	"	movq %rax, " NUMBER(FLOOR_TASK_DUE) "(%rcx)\n"     \
	"	ret\n"
#define HOOK(name, light, far)                                                        \
	FUNCTION("__tsan_" #name, COUNT(name))                                        \
	FUNCTION("hosted_slow_" #name, light "2:\n" COUNTED(far) FAR(name) "7:	ret\n")
#endif

#define GRANULE(name, far) HOOK(name, SLOW(name, "4") LIGHT, far)
#define GRANULES(name, far) HOOK(name, SLOW(name, "1"), far) /* maybe more than one */

#define X(name) GRANULE(name, NEAR_NULL)
FLOOR_PLAIN_GRANULE_HOOKS(X)
#undef X
#define X(name) GRANULES(name, NEAR_NULL)
FLOOR_PLAIN_OTHER_HOOKS(X)
#undef X
#define X(name) GRANULE(name, ANYWHERE)
FLOOR_VOLATILE_GRANULE_HOOKS(X)
#undef X
#define X(name) GRANULES(name, ANYWHERE)
FLOOR_VOLATILE_OTHER_HOOKS(X)
#undef X
#define X(name) FUNCTION("__tsan_" #name, "	jmp *hosted_hook_" #name "(%rip)\n")
FLOOR_UNORDERED_HOOKS(X)
#undef X

#ifndef IOMMULAB_X86
void hosted_counted(const void *p);

void hosted_counted(const void *p)
{
	if (*(int *)(hosted_now.task + FLOOR_TASK_MODE) == FLOOR_QUIET)
		--*hosted_now.due;
	hosted_floor->counted(p);
}
#endif

void hosted_hooks_boot(void);

void hosted_hooks_boot(void)
{
	void *const *far = hosted_floor->hooks(false);
	void *const *hooks = hosted_floor->hooks(!IS_ENABLED(CONFIG_PROVE_LOCKING));

#define X(name) hosted_hook_##name = hooks[FLOOR_HOOK_##name];
	FLOOR_HOOKS(X)
#undef X
#define X(name) hosted_far_##name = far[FLOOR_HOOK_##name];
	FLOOR_PLAIN_HOOKS(X)
	FLOOR_VOLATILE_HOOKS(X)
#undef X
	hosted_hook_typed = hosted_floor->typed_hook;
}

void __tsan_init(void)
{
}

/* The compiler's constructors, which never run: the loader hands the counters on. */
void __sanitizer_cov_8bit_counters_init(char *start, char *stop);
void __sanitizer_cov_pcs_init(const unsigned long *start, const unsigned long *stop);

void __sanitizer_cov_8bit_counters_init(char *start, char *stop)
{
}

void __sanitizer_cov_pcs_init(const unsigned long *start, const unsigned long *stop)
{
}

/* As LIGHT: what the operation takes from the stop, or -1: that is for the floor to say. */
static inline long weight_of(char *task, unsigned long addr, size_t size)
{
	unsigned int own = *(unsigned int *)(task + FLOOR_TASK_OWN);
	unsigned int *owner = *(unsigned int **)(task + FLOOR_TASK_OWNERS);

	if ((addr & 7) + size > 8)
		return -1;
	owner += (unsigned int)addr >> 3;
	if (*owner == *(unsigned int *)(task + FLOOR_TASK_SHARED))
		return *(unsigned int *)(task + FLOOR_TASK_WEIGHT);
	if (*owner != own && (*owner ^ own) <= 0xff)
		return -1;
	*owner = own;
	return 0;
}

/* As COUNT: whether the access is counted, and nothing else is due. */
static inline bool is_counted(const volatile void *p, size_t size)
{
	char *task = hosted_now.task;
	long *due = (long *)(task + FLOOR_TASK_DUE), *stop = (long *)(task + FLOOR_TASK_STOP);
	int mode = *(int *)(task + FLOOR_TASK_MODE);
	long weight;

	if (IS_ENABLED(CONFIG_PROVE_LOCKING) || mode < FLOOR_QUIET ||
	    (unsigned long)p >> FLOOR_HEAP_SHIFT != FLOOR_HEAP_TAG)
		return false;
	weight = mode == FLOOR_QUIET ? 0 : weight_of(task, (unsigned long)p, size);
	if (unlikely(weight < 0) || *due + 1 + weight >= 0)
		return false;
	*due += 1 + weight;
	*stop -= weight;
	return true;
}

_Static_assert(KCSAN_ACCESS_WRITE == FLOOR_TYPE_WRITE &&
	       KCSAN_ACCESS_COMPOUND == FLOOR_TYPE_COMPOUND &&
	       KCSAN_ACCESS_ATOMIC == FLOOR_TYPE_ATOMIC, "as the floor takes them");

/* In files without hooks the name of KCSAN's hook is an inline that does nothing. */
#ifdef IOMMULAB_X86
void hosted_check_access(const volatile void *p, size_t size, int type)
	asm("__kcsan_check_access");
#else
void hosted_check_access(const volatile void *p, size_t size, int type);

/*
 * As SLOW: where each access is to be looked at, the floor sees the caller, too; one of a
 * quiet task to the heap is counted, unless that makes it due.
 */
FUNCTION("__kcsan_check_access",
	 "	movq hosted_now(%rip), %rax\n"
	 "	cmpl $" NUMBER(FLOOR_QUIET) ", " NUMBER(FLOOR_TASK_MODE) "(%rax)\n"
	 "	jb 1f\n"
	 "	ja hosted_check_access\n"
	 "	movq %rdi, %rcx\n"
	 "	shrq $" NUMBER(FLOOR_HEAP_SHIFT) ", %rcx\n"
	 "	cmpl $" NUMBER(FLOOR_HEAP_TAG) ", %ecx\n"
	 "	jne hosted_check_access\n"
	 "	incq " NUMBER(FLOOR_TASK_DUE) "(%rax)\n"
	 "	jns 2f\n"
	 "	ret\n"
	 "2:	decq " NUMBER(FLOOR_TASK_DUE) "(%rax)\n"
	 "	jmp hosted_check_access\n"
	 "1:	jmp *hosted_hook_typed(%rip)\n");
#endif

/* Apart, so that what is counted saves no registers. */
static noinline void check(const volatile void *p, size_t size, int type, unsigned long pc)
{
	hosted_floor->typed((const void *)p, size, type, pc);
}

void hosted_check_access(const volatile void *p, size_t size, int type)
{
	if (!is_counted(p, size))
		check(p, size, type, HOSTED_CALLER);
}

#ifdef IOMMULAB_HOOKS
/* Around data_race(). */
void kcsan_disable_current(void)
{
	if (!hosted_task_of(current)->racing++)
		hosted_floor->racing(true);
}

void kcsan_enable_current(void)
{
	if (!--hosted_task_of(current)->racing)
		hosted_floor->racing(false);
}

void kcsan_enable_current_nowarn(void)
{
	kcsan_enable_current();
}
#endif
