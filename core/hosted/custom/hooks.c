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
 * Half of the announced accesses are to the task's own stack: they end here. So
 * does one of a quiet task that is not due. To the heap, the floor's hook finds
 * the task in rcx, the place of a fourth argument. The tree's lockdep, where it
 * runs, counts nothing: its hooks are exchanged (lockdep_tree.c).
 */
#ifdef IOMMULAB_X86
#define QUIET ""
#else
#define QUIET                                                      \
	"	movq hosted_running(%rip), %rcx\n"                 \
	"	movq (%rcx), %rcx\n"                               \
	"	cmpl $0, " NUMBER(FLOOR_TASK_QUIET) "(%rcx)\n"     \
	"	je 1f\n"                                           \
	"	movq " NUMBER(FLOOR_TASK_OPS) "(%rcx), %rax\n"     \
	"	incq %rax\n"                                       \
	"	cmpq " NUMBER(FLOOR_TASK_STOP) "(%rcx), %rax\n"    \
	"	jns 1f\n"                                          \
	"	movq %rax, " NUMBER(FLOOR_TASK_OPS) "(%rcx)\n"     \
	"	ret\n"
#endif

#define IN_HEAP                                                    \
	"	movq %rdi, %rax\n"                                 \
	"	shrq $" NUMBER(FLOOR_HEAP_SHIFT) ", %rax\n"        \
	"	cmpl $" NUMBER(FLOOR_HEAP_TAG) ", %eax\n"          \
	"	jne 2f\n"                                          \
	QUIET

#define NEAR_NULL(name)                                            \
	"2:	cmpq $" NUMBER(FLOOR_LOW) ", %rdi\n"               \
	"	jb 3f\n"                                           \
	"	ret\n"                                             \
	"3:	jmp *hosted_far_" #name "(%rip)\n"

/* Of volatile ones those to stacks, too, may order. */
#define ANYWHERE(name)                                             \
	"2:	jmp *hosted_far_" #name "(%rip)\n"

#define X(name) HOOK(name, IN_HEAP, NEAR_NULL(name))
FLOOR_PLAIN_HOOKS(X)
#undef X
#define X(name) HOOK(name, IN_HEAP, ANYWHERE(name))
FLOOR_VOLATILE_HOOKS(X)
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

/* As QUIET: whether the access is counted, and nothing else is due. */
static inline bool is_quiet(const volatile void *p)
{
	char *task = *hosted_running;
	long *ops = (long *)(task + FLOOR_TASK_OPS);

	if (IS_ENABLED(CONFIG_PROVE_LOCKING) || !*(int *)(task + FLOOR_TASK_QUIET) ||
	    (unsigned long)p >> FLOOR_HEAP_SHIFT != FLOOR_HEAP_TAG ||
	    *ops + 1 - *(long *)(task + FLOOR_TASK_STOP) >= 0)
		return false;
	++*ops;
	return true;
}

/* In files without hooks the name is an inline that does nothing. */
void hosted_check_access(const volatile void *p, size_t size, int type)
	asm("__kcsan_check_access");

void hosted_check_access(const volatile void *p, size_t size, int type)
{
	unsigned int op = type & KCSAN_ACCESS_WRITE ? FLOOR_WRITE : FLOOR_READ;
	bool reads = type & KCSAN_ACCESS_COMPOUND || !(type & KCSAN_ACCESS_WRITE);

	if (is_quiet(p))
		return;
	if (type & KCSAN_ACCESS_ATOMIC)
		hosted_floor->ordered((const void *)p, size, op, reads, HOSTED_CALLER);
	else
		hosted_floor->access((const void *)p, size, op, HOSTED_CALLER);
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
