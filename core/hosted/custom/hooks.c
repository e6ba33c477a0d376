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
/* Where an access goes that is not to the heap. */
#define X(name) void *hosted_far_##name __hosted_keep;
FLOOR_PLAIN_HOOKS(X)
FLOOR_VOLATILE_HOOKS(X)
#undef X

#define TEXT(x) #x
#define NUMBER(x) TEXT(x)
#define HOOK(name, filter, far)                          \
	asm(".text\n"                                    \
	    ".globl __tsan_" #name "\n"                  \
	    ".hidden __tsan_" #name "\n"                 \
	    ".type __tsan_" #name ", @function\n"        \
	    "__tsan_" #name ":\n"                        \
	    filter                                       \
	    "1:	jmp *hosted_hook_" #name "(%rip)\n"      \
	    far                                          \
	    ".size __tsan_" #name ", . - __tsan_" #name);

/*
 * A third of the announced accesses are to the task's own stack: they end here. So
 * does one of a quiet task that is not due, and one of a light task to a granule that
 * nobody else has touched, or several have. To the heap, the floor's hook finds
 * the task in rcx, the place of a fourth argument. The tree's lockdep, where it
 * runs, counts nothing: its hooks are exchanged (lockdep_tree.c).
 */
#ifdef IOMMULAB_X86
#define COUNT(light) ""
#else
#define COUNT(light)                                               \
	"	movq hosted_now(%rip), %rcx\n"                     \
	"	cmpl $" NUMBER(FLOOR_QUIET) ", " NUMBER(FLOOR_TASK_MODE) "(%rcx)\n" \
	"	jb 1f\n"                                           \
	"	ja " light "f\n"                                   \
	"5:	movq " NUMBER(FLOOR_TASK_OPS) "(%rcx), %rax\n"     \
	"	incq %rax\n"                                       \
	"	cmpq " NUMBER(FLOOR_TASK_STOP) "(%rcx), %rax\n"    \
	"	jns 1f\n"                                          \
	"	movq %rax, " NUMBER(FLOOR_TASK_OPS) "(%rcx)\n"     \
	"	ret\n"
#endif

/* Within one granule: its own; several tasks'; nobody's so far; else it is another's. */
#define LIGHT                                                      \
	"4:	movl %edi, %esi\n"                                 \
	"	shrl $3, %esi\n"                                   \
	"	movq " NUMBER(FLOOR_TASK_OWNERS) "(%rcx), %rdx\n"  \
	"	movl " NUMBER(FLOOR_TASK_OWN) "(%rcx), %eax\n"     \
	"	movl (%rdx, %rsi, 4), %r8d\n"                      \
	"	cmpl %eax, %r8d\n"                                 \
	"	je 5b\n"                                           \
	"	cmpl " NUMBER(FLOOR_TASK_SHARED) "(%rcx), %r8d\n"  \
	"	jne 6f\n"                                          \
	"	movq " NUMBER(FLOOR_TASK_STOP) "(%rcx), %rdx\n"    \
	"	movl " NUMBER(FLOOR_TASK_WEIGHT) "(%rcx), %esi\n"  \
	"	movq " NUMBER(FLOOR_TASK_OPS) "(%rcx), %rax\n"     \
	"	subq %rsi, %rdx\n"                                 \
	"	incq %rax\n"                                       \
	"	cmpq %rdx, %rax\n"                                 \
	"	jns 1f\n"                                          \
	"	movq %rdx, " NUMBER(FLOOR_TASK_STOP) "(%rcx)\n"    \
	"	movq %rax, " NUMBER(FLOOR_TASK_OPS) "(%rcx)\n"     \
	"	ret\n"                                             \
	"6:	xorl %eax, %r8d\n"                                 \
	"	cmpl $0xff, %r8d\n"                                \
	"	jbe 1f\n"                                          \
	"	movl %eax, (%rdx, %rsi, 4)\n"                      \
	"	jmp 5b\n"

#define IN_HEAP(light)                                             \
	"	movq %rdi, %rax\n"                                 \
	"	shrq $" NUMBER(FLOOR_HEAP_SHIFT) ", %rax\n"        \
	"	cmpl $" NUMBER(FLOOR_HEAP_TAG) ", %eax\n"          \
	"	jne 2f\n"                                          \
	COUNT(light)

#ifdef IOMMULAB_X86
#define GRANULE IN_HEAP("1")
#else
#define GRANULE IN_HEAP("4") LIGHT
#endif
#define GRANULES IN_HEAP("1") /* maybe more than one */

#define NEAR_NULL(name)                                            \
	"2:	cmpq $" NUMBER(FLOOR_LOW) ", %rdi\n"               \
	"	jb 3f\n"                                           \
	"	ret\n"                                             \
	"3:	jmp *hosted_far_" #name "(%rip)\n"

/* Of volatile ones those to stacks, too, may order. */
#define ANYWHERE(name)                                             \
	"2:	jmp *hosted_far_" #name "(%rip)\n"

#define X(name) HOOK(name, GRANULE, NEAR_NULL(name))
FLOOR_PLAIN_GRANULE_HOOKS(X)
#undef X
#define X(name) HOOK(name, GRANULES, NEAR_NULL(name))
FLOOR_PLAIN_OTHER_HOOKS(X)
#undef X
#define X(name) HOOK(name, GRANULE, ANYWHERE(name))
FLOOR_VOLATILE_GRANULE_HOOKS(X)
#undef X
#define X(name) HOOK(name, GRANULES, ANYWHERE(name))
FLOOR_VOLATILE_OTHER_HOOKS(X)
#undef X
#define X(name) HOOK(name, "", "")
FLOOR_UNORDERED_HOOKS(X)
#undef X

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
	char *task = hosted_now;
	long *ops = (long *)(task + FLOOR_TASK_OPS), *stop = (long *)(task + FLOOR_TASK_STOP);
	int mode = *(int *)(task + FLOOR_TASK_MODE);
	long weight;

	if (IS_ENABLED(CONFIG_PROVE_LOCKING) || mode < FLOOR_QUIET ||
	    (unsigned long)p >> FLOOR_HEAP_SHIFT != FLOOR_HEAP_TAG)
		return false;
	weight = mode == FLOOR_QUIET ? 0 : weight_of(task, (unsigned long)p, size);
	if (unlikely(weight < 0) || *ops + 1 - (*stop - weight) >= 0)
		return false;
	++*ops;
	*stop -= weight;
	return true;
}

/* In files without hooks the name is an inline that does nothing. */
void hosted_check_access(const volatile void *p, size_t size, int type)
	asm("__kcsan_check_access");

/* Apart, so that what is counted saves no registers. */
static noinline void check(const volatile void *p, size_t size, int type, unsigned long pc)
{
	unsigned int op = type & KCSAN_ACCESS_WRITE ? FLOOR_WRITE : FLOOR_READ;
	bool reads = type & KCSAN_ACCESS_COMPOUND || !(type & KCSAN_ACCESS_WRITE);

	if (type & KCSAN_ACCESS_ATOMIC)
		hosted_floor->ordered((const void *)p, size, op, reads, pc);
	else
		hosted_floor->access((const void *)p, size, op, pc);
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
