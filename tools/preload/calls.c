// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which calls concern the hosted kernel, by number; and libc's names for them,
 * syscall() among them.
 */
#include "tools/preload/preload_priv.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/time.h>
#include <time.h>

struct pollfd;

#define CALLS_MAX 512
#define EXPORT __attribute__((visibility("default")))

static long (*const rows[CALLS_MAX])(long nr, const preload_args a) = {
	[SYS_open] = preload_open,
	[SYS_creat] = preload_open,
	[SYS_openat] = preload_openat,
	[SYS_close] = preload_close,
	[SYS_close_range] = preload_close_range,
	[SYS_read] = preload_io,
	[SYS_write] = preload_io,
	[SYS_readv] = preload_io,
	[SYS_writev] = preload_io,
	[SYS_pread64] = preload_io,
	[SYS_pwrite64] = preload_io,
	[SYS_lseek] = preload_io,
	[SYS_ftruncate] = preload_io,
	[SYS_fallocate] = preload_io,
	[SYS_ioctl] = preload_ioctl,
	[SYS_eventfd] = preload_make_fd,
	[SYS_eventfd2] = preload_make_fd,
	[SYS_memfd_create] = preload_make_fd,
	[SYS_dup] = preload_dup,
	[SYS_dup2] = preload_dup2,
	[SYS_dup3] = preload_dup2,
	[SYS_fcntl] = preload_fcntl,
	[SYS_poll] = preload_poll,
	[SYS_ppoll] = preload_poll,
	[SYS_mmap] = preload_mmap,
	[SYS_munmap] = preload_munmap,
	[SYS_mprotect] = preload_protect,
	[SYS_madvise] = preload_protect,
	[SYS_mremap] = preload_mremap,
	[SYS_fork] = preload_fork,
	[SYS_vfork] = preload_fork,
	[SYS_clone] = preload_clone,
	[SYS_nanosleep] = preload_sleep,
	[SYS_clock_nanosleep] = preload_sleep,
	[SYS_clock_gettime] = preload_clock,
	[SYS_futex] = preload_futex,
};

long preload_call(long nr, const preload_args a)
{
	if (!preload_active() || nr < 0 || nr >= CALLS_MAX || !rows[nr])
		return preload_host(nr, a);
	return rows[nr](nr, a);
}

/* As libc gives it back. */
static long finish(long ret)
{
	if (ret >= 0 || ret < -4095)
		return ret;
	errno = (int)-ret;
	return -1;
}

#define CALL(nr, ...) finish(preload_call(nr, (preload_args){__VA_ARGS__}))
#define P(p) ((long)(p))
/* The optional last argument of open() and fcntl(): there or not, it is read alike. */
#define LAST(last, type)             \
	({                           \
		va_list ap;          \
		type v;              \
		va_start(ap, last);  \
		v = va_arg(ap, type); \
		va_end(ap);          \
		v;                   \
	})

EXPORT long syscall(long nr, ...)
{
	preload_args a;
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return finish(preload_call(nr, a));
}

/* --- files --- */

EXPORT int open(const char *path, int flags, ...)
{
	return (int)CALL(SYS_open, P(path), flags, LAST(flags, int));
}

EXPORT int open64(const char *path, int flags, ...)
{
	return (int)CALL(SYS_open, P(path), flags, LAST(flags, int));
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
	return (int)CALL(SYS_openat, dir, P(path), flags, LAST(flags, int));
}

EXPORT int openat64(int dir, const char *path, int flags, ...)
{
	return (int)CALL(SYS_openat, dir, P(path), flags, LAST(flags, int));
}

EXPORT int __open_2(const char *path, int flags)
{
	return (int)CALL(SYS_open, P(path), flags);
}

EXPORT int __open64_2(const char *path, int flags)
{
	return (int)CALL(SYS_open, P(path), flags);
}

EXPORT int __openat_2(int dir, const char *path, int flags)
{
	return (int)CALL(SYS_openat, dir, P(path), flags);
}

EXPORT int __openat64_2(int dir, const char *path, int flags)
{
	return (int)CALL(SYS_openat, dir, P(path), flags);
}

EXPORT int creat(const char *path, unsigned int mode)
{
	return (int)CALL(SYS_creat, P(path), mode);
}

EXPORT int close(int fd)
{
	return (int)CALL(SYS_close, fd);
}

EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	return (int)CALL(SYS_close_range, first, last, flags);
}

EXPORT long read(int fd, void *buf, size_t n)
{
	return CALL(SYS_read, fd, P(buf), P(n));
}

EXPORT long __read_chk(int fd, void *buf, size_t n, size_t size)
{
	if (n > size)
		__builtin_trap();
	return CALL(SYS_read, fd, P(buf), P(n));
}

EXPORT long write(int fd, const void *buf, size_t n)
{
	return CALL(SYS_write, fd, P(buf), P(n));
}

EXPORT long readv(int fd, const void *iov, int n)
{
	return CALL(SYS_readv, fd, P(iov), n);
}

EXPORT long writev(int fd, const void *iov, int n)
{
	return CALL(SYS_writev, fd, P(iov), n);
}

EXPORT long pread(int fd, void *buf, size_t n, long offset)
{
	return CALL(SYS_pread64, fd, P(buf), P(n), offset);
}

EXPORT long pread64(int fd, void *buf, size_t n, long offset)
{
	return CALL(SYS_pread64, fd, P(buf), P(n), offset);
}

EXPORT long __pread_chk(int fd, void *buf, size_t n, long offset, size_t size)
{
	if (n > size)
		__builtin_trap();
	return CALL(SYS_pread64, fd, P(buf), P(n), offset);
}

EXPORT long __pread64_chk(int fd, void *buf, size_t n, long offset, size_t size)
{
	return __pread_chk(fd, buf, n, offset, size);
}

EXPORT long pwrite(int fd, const void *buf, size_t n, long offset)
{
	return CALL(SYS_pwrite64, fd, P(buf), P(n), offset);
}

EXPORT long pwrite64(int fd, const void *buf, size_t n, long offset)
{
	return CALL(SYS_pwrite64, fd, P(buf), P(n), offset);
}

EXPORT long lseek(int fd, long offset, int whence)
{
	return CALL(SYS_lseek, fd, offset, whence);
}

EXPORT long lseek64(int fd, long offset, int whence)
{
	return CALL(SYS_lseek, fd, offset, whence);
}

EXPORT int ftruncate(int fd, long size)
{
	return (int)CALL(SYS_ftruncate, fd, size);
}

EXPORT int ftruncate64(int fd, long size)
{
	return (int)CALL(SYS_ftruncate, fd, size);
}

EXPORT int ioctl(int fd, unsigned long cmd, ...)
{
	return (int)CALL(SYS_ioctl, fd, P(cmd), LAST(cmd, long));
}

EXPORT int dup(int fd)
{
	return (int)CALL(SYS_dup, fd);
}

EXPORT int dup2(int from, int to)
{
	return (int)CALL(SYS_dup2, from, to);
}

EXPORT int dup3(int from, int to, int flags)
{
	return (int)CALL(SYS_dup3, from, to, flags);
}

EXPORT int fcntl(int fd, int cmd, ...)
{
	return (int)CALL(SYS_fcntl, fd, cmd, LAST(cmd, long));
}

EXPORT int fcntl64(int fd, int cmd, ...)
{
	return (int)CALL(SYS_fcntl, fd, cmd, LAST(cmd, long));
}

EXPORT int eventfd(unsigned int count, int flags)
{
	return (int)CALL(SYS_eventfd2, count, flags);
}

EXPORT int eventfd_read(int fd, unsigned long *value)
{
	return CALL(SYS_read, fd, P(value), sizeof(*value)) == sizeof(*value) ? 0 : -1;
}

EXPORT int eventfd_write(int fd, unsigned long value)
{
	return CALL(SYS_write, fd, P(&value), sizeof(value)) == sizeof(value) ? 0 : -1;
}

EXPORT int memfd_create(const char *name, unsigned int flags)
{
	return (int)CALL(SYS_memfd_create, P(name), flags);
}

EXPORT int poll(struct pollfd *fds, unsigned long n, int ms)
{
	return (int)CALL(SYS_poll, P(fds), P(n), ms);
}

EXPORT int __poll_chk(struct pollfd *fds, unsigned long n, int ms, size_t size)
{
	if (n > size / 8)
		__builtin_trap();
	return (int)CALL(SYS_poll, P(fds), P(n), ms);
}

EXPORT int ppoll(struct pollfd *fds, unsigned long n, const struct timespec *t, const void *mask)
{
	struct timespec left;

	if (t)
		left = *t;
	return (int)CALL(SYS_ppoll, P(fds), P(n), P(t ? &left : NULL), P(mask), 8);
}

/* --- memory --- */

EXPORT void *mmap(void *at, size_t size, int prot, int flags, int fd, long offset)
{
	return (void *)CALL(SYS_mmap, P(at), P(size), prot, flags, fd, offset);
}

EXPORT void *mmap64(void *at, size_t size, int prot, int flags, int fd, long offset)
{
	return (void *)CALL(SYS_mmap, P(at), P(size), prot, flags, fd, offset);
}

EXPORT int munmap(void *at, size_t size)
{
	return (int)CALL(SYS_munmap, P(at), P(size));
}

EXPORT int mprotect(void *at, size_t size, int prot)
{
	return (int)CALL(SYS_mprotect, P(at), P(size), prot);
}

EXPORT int madvise(void *at, size_t size, int advice)
{
	return (int)CALL(SYS_madvise, P(at), P(size), advice);
}

EXPORT void *mremap(void *at, size_t size, size_t to, int flags, ...)
{
	void *place = LAST(flags, void *);

	return (void *)CALL(SYS_mremap, P(at), P(size), P(to), flags, P(place));
}

/* --- processes and time --- */

EXPORT int fork(void)
{
	return (int)finish(preload_fork(SYS_fork, (preload_args){0}));
}

EXPORT int _Fork(void)
{
	return fork();
}

EXPORT int vfork(void)
{
	return fork();
}

EXPORT int nanosleep(const struct timespec *t, struct timespec *left)
{
	return (int)CALL(SYS_nanosleep, P(t), P(left));
}

EXPORT int clock_nanosleep(int clock, int flags, const struct timespec *t, struct timespec *left)
{
	return (int)-preload_call(SYS_clock_nanosleep,
				  (preload_args){clock, flags, P(t), P(left)});
}

EXPORT int clock_gettime(int clock, struct timespec *t)
{
	return (int)CALL(SYS_clock_gettime, clock, P(t));
}

EXPORT int gettimeofday(struct timeval *t, void *zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

EXPORT time_t time(time_t *t)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	if (t)
		*t = now.tv_sec;
	return now.tv_sec;
}

EXPORT int usleep(unsigned int us)
{
	struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};

	return nanosleep(&t, NULL);
}

EXPORT unsigned int sleep(unsigned int seconds)
{
	struct timespec t = {seconds, 0}, left = {0, 0};

	return nanosleep(&t, &left) ? (unsigned int)left.tv_sec : 0;
}
