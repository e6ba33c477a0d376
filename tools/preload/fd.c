// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors. A hosted file has the same number in the client and in the
 * hosted kernel; in the client a descriptor of the library's stands in for it,
 * so that the host gives the number to nobody else. Close-on-exec is kept on
 * the stand-in; a program that is executed starts without hosted files.
 */
#include "tools/preload/preload_priv.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>


static unsigned char kinds[PRELOAD_FDS_MAX];

enum preload_fd preload_fd_kind(long fd)
{
	unsigned long n = (unsigned int)fd;

	return n < PRELOAD_FDS_MAX ? kinds[n] : PRELOAD_HOST;
}

void preload_fd_set(long fd, enum preload_fd kind)
{
	unsigned long n = (unsigned int)fd;

	if (n < PRELOAD_FDS_MAX)
		kinds[n] = (unsigned char)kind;
}

/* --- what the client points to --- */

bool preload_peek(void *to, const void *from, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)from, size};
	long self = preload_raw(SYS_getpid, 0, 0, 0, 0, 0, 0), n;

	if (!size)
		return true;
	n = preload_raw(SYS_process_vm_readv, self, (long)&local, 1, (long)&remote, 1, 0);
	if (n == -ENOSYS || n == -EPERM) {
		memcpy(to, from, size);
		return true;
	}
	return n == (long)size;
}

long preload_string(char buf[PRELOAD_PATH_MAX], const char *from)
{
	size_t n = 0;

	while (n < PRELOAD_PATH_MAX) {
		size_t part = EXEC_PAGE - ((uintptr_t)from + n) % EXEC_PAGE, end;

		part = part < PRELOAD_PATH_MAX - n ? part : PRELOAD_PATH_MAX - n;
		if (!preload_peek(buf + n, from + n, part))
			return -EFAULT;
		end = strnlen(buf + n, part);
		n += end;
		if (end < part)
			return (long)n;
	}
	buf[PRELOAD_PATH_MAX - 1] = '\0';
	return -ENAMETOOLONG;
}

/* --- calls that make a descriptor --- */

/* Asks with a number reserved; the descriptor, if the hosted kernel took it, is the result. */
static long ask_for_fd(long nr, const preload_args a, bool cloexec)
{
	long fd = preload_reserve(cloexec), ret;
	bool took = false;

	if (fd < 0)
		return fd;
	ret = preload_ask(nr, a, (int)fd, &took);
	if (took && ret >= 0) {
		preload_fd_set(fd, PRELOAD_HOSTED);
		return ret;
	}
	preload_raw(SYS_close, fd, 0, 0, 0, 0, 0);
	return ret;
}

static bool is_hosted_path(const char *path)
{
	return strcmp(path, "/dev/iommu") == 0 || strcmp(path, "/dev/vfio") == 0 ||
	       strncmp(path, "/dev/vfio/", 10) == 0 ||
	       (strncmp(path, "/sys/module/vfio", 16) == 0 && strstr(path, "/parameters/"));
}

long preload_openat(long nr, const preload_args a)
{
	char path[PRELOAD_PATH_MAX], moved[PRELOAD_PATH_MAX];
	long ret;

	(void)nr;
	if (preload_string(path, (const char *)a[1]) <= 0)
		return preload_host(SYS_openat, a);
	if (is_hosted_path(path) && !(a[2] & O_PATH) && !(a[2] & O_DIRECTORY))
		return ask_for_fd(SYS_openat, a, a[2] & O_CLOEXEC);
	ret = preload_sysfs_open(a[0], path, a[2]);
	if (ret == -ENOSYS)
		ret = preload_special_open(a[0], path, a[2]);
	if (ret != -ENOSYS)
		return ret;
	if (preload_sysfs_path(a[0], path, moved) == path)
		return preload_host(SYS_openat, a);
	return preload_raw(SYS_openat, AT_FDCWD, (long)moved, a[2], a[3], 0, 0);
}

long preload_open(long nr, const preload_args a)
{
	bool creat = nr == SYS_creat;

	return preload_openat(SYS_openat, (preload_args){AT_FDCWD, a[0],
			      creat ? O_CREAT | O_WRONLY | O_TRUNC : a[1], creat ? a[1] : a[2]});
}

/* eventfd and memfd_create: the hosted kernel's, for its calls take them; else the host's. */
long preload_make_fd(long nr, const preload_args a)
{
	static const struct {
		long nr, flag;
		int flags_at;
	} rows[] = {{SYS_eventfd2, 02000000, 1}, {SYS_memfd_create, 1, 1}};
	bool cloexec = false;
	long ret;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].nr == nr)
			cloexec = a[rows[i].flags_at] & rows[i].flag;
	}
	ret = ask_for_fd(nr, a, cloexec);
	return ret == -ENOSYS ? preload_host(nr, a) : ret;
}

/* --- calls on a descriptor --- */

long preload_io(long nr, const preload_args a)
{
	enum preload_fd kind = preload_fd_kind(a[0]);

	if (kind == PRELOAD_HOST)
		return preload_host(nr, a);
	if (kind == PRELOAD_HOSTED)
		return preload_ask(nr, a, -1, NULL);
	if (kind == PRELOAD_SYSFS && (nr == SYS_write || nr == SYS_pwrite64))
		return preload_sysfs_write(a[0], (const void *)a[1], (size_t)a[2]);
	return preload_special_io(kind, nr, a);
}

/* Any ioctl may give a new file, as its result or in its argument. */
long preload_ioctl(long nr, const preload_args a)
{
	if (preload_fd_kind(a[0]) != PRELOAD_HOSTED)
		return preload_host(nr, a);
	return ask_for_fd(nr, a, true);
}

long preload_close(long nr, const preload_args a)
{
	enum preload_fd kind = preload_fd_kind(a[0]);
	long ret = 0;

	if (preload_is_ours((int)a[0]))
		return -EBADF;
	if (kind == PRELOAD_HOST)
		return preload_host(nr, a);
	if (kind == PRELOAD_HOSTED)
		ret = preload_ask(nr, a, -1, NULL);
	if (kind == PRELOAD_SYSFS)
		preload_sysfs_closing(a[0]);
	preload_fd_set(a[0], PRELOAD_HOST);
	preload_host(nr, a);
	return ret;
}

long preload_close_range(long nr, const preload_args a)
{
	unsigned int first = (unsigned int)a[0], last = (unsigned int)a[1];

	if (first > last || a[2])
		return preload_host(nr, a);
	for (unsigned int fd = first; fd <= last && fd < PRELOAD_FDS_MAX; fd++)
		preload_close(SYS_close, (preload_args){(long)fd});
	return 0;
}

/* The copy `to` of `from` stands in for what `from` stands for. */
static void copied(long from, long to)
{
	preload_fd_set(to, preload_fd_kind(from));
	if (preload_fd_kind(from) == PRELOAD_SYSFS)
		preload_sysfs_copied(from, to);
}

long preload_dup2(long nr, const preload_args a)
{
	enum preload_fd from = preload_fd_kind(a[0]), to = preload_fd_kind(a[1]);
	long ret;

	if (preload_is_ours((int)a[1]))
		return -EBADF;
	if (to == PRELOAD_SYSFS && a[0] != a[1])
		preload_sysfs_closing(a[1]);
	ret = preload_host(nr, a);
	if (ret < 0 || a[0] == a[1])
		return ret;
	if (from == PRELOAD_HOSTED)
		preload_ask(SYS_dup3, (preload_args){a[0], a[1], nr == SYS_dup3 ? a[2] : 0}, -1,
			    NULL);
	else if (to == PRELOAD_HOSTED)
		preload_ask(SYS_close, (preload_args){a[1]}, -1, NULL);
	copied(a[0], a[1]);
	return ret;
}

/* The host says which number is free; the hosted kernel gets the same. */
static long dup_as_host(long fd, long copy)
{
	if (copy < 0)
		return copy;
	if (preload_fd_kind(fd) == PRELOAD_HOSTED)
		preload_ask(SYS_dup3, (preload_args){fd, copy}, -1, NULL);
	copied(fd, copy);
	return copy;
}

long preload_dup(long nr, const preload_args a)
{
	return dup_as_host(a[0], preload_host(nr, a));
}

long preload_fcntl(long nr, const preload_args a)
{
	if (preload_fd_kind(a[0]) == PRELOAD_HOST)
		return preload_host(nr, a);
	if (a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC)
		return dup_as_host(a[0], preload_host(nr, a));
	if (a[1] == F_GETFD || a[1] == F_SETFD || preload_fd_kind(a[0]) != PRELOAD_HOSTED)
		return preload_host(nr, a);
	return preload_ask(nr, a, -1, NULL);
}
