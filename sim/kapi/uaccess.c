// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/uaccess.h"

#include "sim/fault/fault.h"
#include "sim/kapi/kapi_priv.h"

#include <string.h>

#define USER_PAGE_SIZE 4096UL

static bool in_heap(u64 addr)
{
	return addr - HEAP_BASE < HEAP_END - HEAP_BASE;
}

/* How many of the n bytes at p a user can have there. */
static size_t mapped(const void *p, size_t n)
{
	u64 addr = (u64)(uintptr_t)p;

	if (addr < USER_PAGE_SIZE || addr + n < addr)
		return 0;
	for (size_t i = 0; in_heap(addr) && i < n; i++) {
		const struct cell *c = access_cell((const char *)p + i);

		if (!c || !(c->open & 1u << ((addr + i) & 7)))
			return i;
	}
	return n;
}

bool access_ok(const void __user *p, size_t n)
{
	u64 addr = (u64)(uintptr_t)p;

	return addr >= USER_PAGE_SIZE && addr + n >= addr;
}

/* Where there are no processes: a user's memory is what others do not own. */
static __attribute__((noinline)) size_t move_here(void *kernel, const void *user, size_t n,
						  bool to_user)
{
	size_t done = mapped(user, n);

	if (done && to_user)
		memcpy((void *)(uintptr_t)user, kernel, done);
	else if (done)
		memcpy(kernel, user, done);
	if (to_user)
		access_set_init(user, done);
	return done;
}

/* n bytes between a kernel's buffer and its user; bytes copied. */
static inline size_t move(void *kernel, const void *user, size_t n, bool to_user)
{
	const struct world *w = this_world();

	if (likely(w->user_copy))
		return n - w->user_copy(kernel, (u64)(uintptr_t)user, n, to_user);
	return move_here(kernel, user, n, to_user);
}

/* The kernel's side; a buffer on the stack is nobody else's. */
static inline void announce(const void *p, size_t n, u32 flags, u64 pc)
{
	struct task *t = current_task;

	if (kapi_is_alone(t) && in_heap((u64)(uintptr_t)p))
		t->due += n != 0;
	else if (!kapi_is_alone(t) || (u64)(uintptr_t)p < USER_PAGE_SIZE)
		access_range(p, n, flags, pc);
}

static bool fails(u64 pc)
{
	kapi_sleeps("copy_user");
	return sched_fails(this_world(), FAULT_COPY, pc);
}

/*
 * Nobody looks, no failure is due, and there are processes: then a copy is counted, if the
 * kernel's side is in the heap, and made. Counts the failure point: who is told false asks
 * for it again, and must not have counted.
 */
static inline bool is_usual(const struct world *w, const struct task *t, const void *p)
{
	struct fault *f = w->fault;

	if (unlikely(!kapi_is_alone(t) || !kapi_sleeps_plainly(t) || t->fail_nth || !w->user_copy ||
		     (u64)(uintptr_t)p < USER_PAGE_SIZE || f->asked + 1 == f->nth))
		return false;
	f->asked += f->armed;
	return true;
}

static __attribute__((noinline)) unsigned long from_user(void *to, const void *from,
							 unsigned long n, u64 pc)
{
	size_t done = fails(pc) ? 0 : n;

	announce(to, n, OP_WRITE, pc);
	if (done)
		done = move(to, from, n, false);
	if (n > done)
		memset((char *)to + done, 0, n - done);
	return n - done;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	struct task *t = current_task;
	const struct world *w = t->world;
	unsigned long left;

	if (unlikely(!is_usual(w, t, to)))
		return from_user(to, from, n, KAPI_CALLER);
	t->due += in_heap((u64)(uintptr_t)to) && n;
	left = w->user_copy(to, (u64)(uintptr_t)from, n, false);
	if (unlikely(left))
		memset((char *)to + (n - left), 0, left);
	return left;
}

static __attribute__((noinline)) unsigned long to_user(void *to, const void *from,
						       unsigned long n, u64 pc)
{
	if (fails(pc))
		return n;
	announce(from, n, OP_READ, pc);
	return n - move((void *)(uintptr_t)from, to, n, true);
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	struct task *t = current_task;
	const struct world *w = t->world;

	if (unlikely(!is_usual(w, t, from)))
		return to_user(to, from, n, KAPI_CALLER);
	t->due += in_heap((u64)(uintptr_t)from) && n;
	return w->user_copy((void *)(uintptr_t)from, (u64)(uintptr_t)to, n, true);
}

unsigned long clear_user(void __user *to, unsigned long n)
{
	static const char zeroes[256];
	bool failed = fails(KAPI_CALLER);

	while (n && !failed) {
		size_t size = min(n, sizeof(zeroes));
		size_t done = move((void *)(uintptr_t)zeroes, to, size, true);

		to = (char *)to + done;
		n -= done;
		failed = done < size;
	}
	return n;
}

/* 1: all zero; 0: not; -EFAULT: zero up to where nothing can be read. */
static int check_zeroed_user(const void *from, size_t n)
{
	u64 part[32];

	while (n) {
		size_t size = min(n, sizeof(part)), got;
		u64 any = 0;

		memset(part, 0, sizeof(part));
		got = move(part, from, size, false);
		for (size_t i = 0; i < ARRAY_SIZE(part); i++)
			any |= part[i];
		if (any)
			return 0;
		if (got < size)
			return -EFAULT;
		from = (const char *)from + size;
		n -= size;
	}
	return 1;
}

int copy_struct_from_user(void *to, size_t size, const void __user *from, size_t user_size)
{
	size_t both = min(size, user_size);
	int zeroes;

	if (user_size > size) {
		zeroes = check_zeroed_user((const char *)from + both, user_size - both);
		if (zeroes <= 0)
			return zeroes ? zeroes : -E2BIG;
	}
	if (copy_from_user(to, from, both))
		return -EFAULT;
	if (size > both) {
		access_range((char *)to + both, size - both, OP_WRITE, KAPI_CALLER);
		memset((char *)to + both, 0, size - both);
	}
	return 0;
}
