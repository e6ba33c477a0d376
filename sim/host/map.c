// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and memory at a chosen address.
 */
#include "sim/host/host.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

bool host_map_at(void *at, size_t size, int prot, const char *path, u64 offset)
{
	int flags = MAP_PRIVATE | MAP_FIXED, fd = -1;
	void *p;

	if (path) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return false;
	} else {
		flags |= MAP_ANONYMOUS | MAP_NORESERVE;
	}
	p = mmap(at, size, prot, flags, fd, (off_t)offset);
	if (fd >= 0)
		close(fd);
	return p == at;
}

bool host_reserve_at(void *at, size_t size)
{
	void *p = mmap(at, size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	return p == at;
}

bool host_protect(void *at, size_t size, int prot)
{
	return mprotect(at, size, prot) == 0;
}
