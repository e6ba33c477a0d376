// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the client maps is made in the hosted kernel first; what it
 * mapped there the server names as runs of frames, which take the place of the
 * client's own pages: both see the same memory.
 *
 * Left to the host: files, stacks, and reservations (no access, or huge); a
 * page of those becomes a frame when the hosted kernel pins it.
 */
#include "tools/preload/preload_priv.h"

#include <sys/mman.h>

#define LAZY_SIZE (300UL << 20)
#define HUGE_DEFAULT_LG2 21

static unsigned long huge_size(long flags)
{
	unsigned long lg2 = (unsigned long)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

	if (!(flags & MAP_HUGETLB))
		return EXEC_PAGE;
	return 1UL << (lg2 ? lg2 : HUGE_DEFAULT_LG2);
}

static bool is_hosted(const preload_args a)
{
	if (preload_fd_kind(a[4]) == PRELOAD_HOSTED && !(a[3] & MAP_ANONYMOUS))
		return true;
	if (!(a[3] & MAP_ANONYMOUS) || a[3] & (MAP_GROWSDOWN | MAP_STACK))
		return false;
	return a[1] > 0 && (unsigned long)a[1] <= LAZY_SIZE &&
	       (a[2] != PROT_NONE || !(a[3] & MAP_NORESERVE));
}

static bool failed(long ret)
{
	return ret < 0 && ret > -4096;
}

/* Address space of the client for what is to come, aligned; or -errno. */
static long reserve(long hint, unsigned long size, unsigned long align, long flags)
{
	long keep = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, at;
	unsigned long more = align > EXEC_PAGE ? align : 0, start;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		keep |= flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
		return preload_raw(SYS_mmap, hint, (long)size, PROT_NONE, keep, -1, 0);
	}
	keep |= flags & MAP_32BIT;
	at = preload_raw(SYS_mmap, hint, (long)(size + more), PROT_NONE, keep, -1, 0);
	if (failed(at) || !more)
		return at;
	start = ((unsigned long)at + align - 1) & ~(align - 1);
	if (start != (unsigned long)at)
		preload_raw(SYS_munmap, at, (long)(start - (unsigned long)at), 0, 0, 0, 0);
	if (start + size != (unsigned long)at + size + more)
		preload_raw(SYS_munmap, (long)(start + size),
			    (long)((unsigned long)at + more - start), 0, 0, 0, 0);
	return (long)start;
}

static long host_mmap(const preload_args a)
{
	if (a[3] & MAP_FIXED)
		preload_ask(SYS_munmap, (preload_args){a[0], a[1]}, -1, NULL);
	return preload_host(SYS_mmap, a);
}

long preload_mmap(long nr, const preload_args a)
{
	unsigned long align = huge_size(a[3]), size;
	long at, ret, flags = (a[3] & ~MAP_FIXED_NOREPLACE) | MAP_FIXED;

	(void)nr;
	if (!is_hosted(a))
		return host_mmap(a);
	size = ((unsigned long)a[1] + align - 1) & ~(align - 1);
	if (a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE) && (unsigned long)a[0] & (align - 1))
		return -EINVAL;
	at = reserve(a[0], size, align, a[3]);
	if (failed(at))
		return at;
	ret = preload_ask(SYS_mmap, (preload_args){at, (long)size, a[2], flags, a[4], a[5]}, -1,
			  NULL);
	if (!failed(ret)) {
		preload_registers_cut((unsigned long)at, (unsigned long)at + size);
		if (!(a[3] & MAP_ANONYMOUS) && !preload_named())
			preload_registers_add((unsigned long)at, (unsigned long)at + size);
		return at;
	}
	preload_raw(SYS_munmap, at, (long)size, 0, 0, 0, 0);
	return ret == -ENOSYS || ret == -EIO ? preload_host(SYS_mmap, a) : ret;
}

/* The hosted kernel first: its notifiers may still look at the pages. */
long preload_munmap(long nr, const preload_args a)
{
	preload_ask(nr, a, -1, NULL);
	preload_registers_cut((unsigned long)a[0], (unsigned long)a[0] + (unsigned long)a[1]);
	return preload_host(nr, a);
}

/* mprotect, madvise: both; ranges may be partly the host's. */
long preload_protect(long nr, const preload_args a)
{
	long ret;

	if (nr == SYS_madvise && a[2] != MADV_DONTNEED && a[2] != MADV_REMOVE)
		return preload_host(nr, a);
	ret = preload_host(nr, a);
	if (ret == 0)
		preload_ask(nr, a, -1, NULL);
	return ret;
}

/* Registers never grow (VM_PFNMAP); where the pages stay, the server need not be asked. */
static long resize_registers(const preload_args a)
{
	unsigned long now = ((unsigned long)a[1] + EXEC_PAGE - 1) & ~(EXEC_PAGE - 1);
	unsigned long to = ((unsigned long)a[2] + EXEC_PAGE - 1) & ~(EXEC_PAGE - 1);

	if (a[3] & ~(long)MREMAP_MAYMOVE || a[0] & (EXEC_PAGE - 1) || !to)
		return -EINVAL;
	if (to > now)
		return -EFAULT;
	if (to < now)
		preload_munmap(SYS_munmap, (preload_args){a[0] + (long)to, (long)(now - to)});
	return a[0];
}

/* Moved by way of a place that the client has free; a host's mapping is the host's to move. */
long preload_mremap(long nr, const preload_args a)
{
	long flags = a[3], at = a[4], ret;

	if (preload_is_registers((unsigned long)a[0]) && !(flags & MREMAP_FIXED))
		return resize_registers(a);
	if (!(flags & MREMAP_MAYMOVE)) {
		if (a[2] > a[1])
			return preload_host(nr, a);
		if (a[2] < a[1])
			preload_munmap(SYS_munmap, (preload_args){a[0] + a[2], a[1] - a[2]});
		return a[0];
	}
	if (!(flags & MREMAP_FIXED))
		at = reserve(0, (unsigned long)a[2], EXEC_PAGE, 0);
	if (failed(at))
		return at;
	ret = preload_ask(nr, (preload_args){a[0], a[1], a[2], flags | MREMAP_FIXED, at}, -1, NULL);
	if (!failed(ret)) {
		preload_raw(SYS_munmap, a[0], a[1], 0, 0, 0, 0);
		return at;
	}
	if (!(flags & MREMAP_FIXED))
		preload_raw(SYS_munmap, at, a[2], 0, 0, 0, 0);
	if (preload_is_registers((unsigned long)a[0]))
		return ret;
	return ret == -EFAULT || ret == -ENOSYS ? preload_host(nr, a) : ret;
}
