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

/* Bytes that get through: all, none (an injected failure), or up to a hole. */
static size_t passes(const void *user, size_t n, u64 pc)
{
	kapi_might_sleep("copy_user");
	if (sched_fails(this_world(), FAULT_COPY, pc))
		return 0;
	return mapped(user, n);
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	size_t done = passes(from, n, KAPI_CALLER);

	access_range(to, n, OP_WRITE, KAPI_CALLER);
	if (done)
		memcpy(to, from, done);
	if (n > done)
		memset((char *)to + done, 0, n - done);
	return n - done;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	size_t done = passes(to, n, KAPI_CALLER);

	access_range(from, n, OP_READ, KAPI_CALLER);
	if (done)
		memcpy(to, from, done);
	access_set_init(to, done);
	return n - done;
}

unsigned long clear_user(void __user *to, unsigned long n)
{
	size_t done = passes(to, n, KAPI_CALLER);

	if (done)
		memset(to, 0, done);
	access_set_init(to, done);
	return n - done;
}

int copy_struct_from_user(void *to, size_t size, const void __user *from, size_t user_size)
{
	size_t both = min(size, user_size);
	const char *tail = (const char *)from + both;

	if (mapped(from, user_size) < user_size)
		return -EFAULT;
	for (size_t i = 0; i < user_size - both; i++) {
		if (tail[i])
			return -E2BIG;
	}
	if (copy_from_user(to, from, both))
		return -EFAULT;
	access_range((char *)to + both, size - both, OP_WRITE, KAPI_CALLER);
	memset((char *)to + both, 0, size - both);
	return 0;
}
