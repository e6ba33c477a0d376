// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modelled machine's devices below /sys, and the listing of /dev/vfio: files
 * and links that the server has made in a folder of its own, which is put before
 * the client's paths. Files that bind drivers are written through the server.
 */
#include "tools/preload/preload_priv.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define EXPORT __attribute__((visibility("default")))
#define WRITERS_MAX 64

static char root[PRELOAD_PATH_MAX / 2];
static size_t root_size;
static bool ready; /* the server has filled it */

/* Files that are open for writing; free where the descriptor is none of those any more. */
static struct writer {
	long fd; /* + 1 */
	char path[PRELOAD_PATH_MAX / 2];
} writers[WRITERS_MAX];

static const char *const below[] = {
	"/sys/bus/pci", "/sys/bus/platform", "/sys/kernel/iommu_groups", "/sys/devices/pci",
	"/sys/devices/platform", "/dev/vfio",
};

void preload_sysfs_begin(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n && n < sizeof(root)) {
		memcpy(root, text, n + 1);
		root_size = n;
	}
}

static bool is_ours(const char *path)
{
	for (size_t i = 0; root_size && path && i < sizeof(below) / sizeof(*below); i++) {
		if (strncmp(path, below[i], strlen(below[i])) == 0)
			return true;
	}
	return false;
}

/* As the client sees it: without the folder that is put before. */
static char *without_root(char *path)
{
	bool inside = root_size && strncmp(path, root, root_size) == 0;

	return inside ? path + root_size : path;
}

/* Where a relative path begins; false: nowhere that it could reach the machine from. */
static bool begin_of(long dir, char buf[PRELOAD_PATH_MAX])
{
	char link[32], here[PRELOAD_PATH_MAX];
	long n;

	if (dir == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/self/fd/%ld", dir);
	n = preload_raw(SYS_readlink, (long)link, (long)here, sizeof(here) - 1, 0, 0, 0);
	if (n <= 0)
		return false;
	here[n] = '\0';
	strcpy(buf, without_root(here));
	return strcmp(buf, "/") == 0 || strncmp(buf, "/sys", 4) == 0 || strncmp(buf, "/dev", 4) == 0;
}

/* Adds a path's parts to what is in buf (at most PRELOAD_PATH_MAX); `..` takes one away. */
static bool add_parts(char *buf, const char *path)
{
	size_t at = strcmp(buf, "/") == 0 ? 0 : strlen(buf);

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (at && buf[--at] != '/')
				;
		} else if (n && !(n == 1 && path[0] == '.')) {
			if (at + n + 2 > PRELOAD_PATH_MAX)
				return false;
			buf[at++] = '/';
			memcpy(buf + at, path, n);
			at += n;
		}
		buf[at] = '\0';
		path += n + (path[n] == '/');
	}
	return true;
}

/*
 * The client's path from "/" on; NULL: it is not of the machine. Links are not followed: behind
 * one, `..` is what stands before it.
 */
static const char *whole(long dir, const char *path, char buf[PRELOAD_PATH_MAX])
{
	if (!preload_active() || !root_size || !path || !*path)
		return NULL;
	buf[0] = '\0';
	if (*path != '/' && !begin_of(dir, buf))
		return NULL;
	return add_parts(buf, path) && is_ours(buf) ? buf : NULL;
}

const char *preload_sysfs_path(long dir, const char *path, char buf[PRELOAD_PATH_MAX])
{
	char absolute[PRELOAD_PATH_MAX];

	if (!whole(dir, path, absolute) || strlen(absolute) + root_size >= PRELOAD_PATH_MAX)
		return path;
	/* Any call is answered only when the machine is there. */
	if (!ready)
		preload_ask1(EXEC_NR_FAIL_NTH, -1);
	ready = true;
	memcpy(buf, root, root_size);
	strcpy(buf + root_size, absolute);
	return buf;
}

/* --- writing --- */

static struct writer *writer_of(long fd)
{
	for (int i = 0; i < WRITERS_MAX; i++) {
		if (writers[i].fd == fd + 1)
			return &writers[i];
	}
	return NULL;
}

static bool writer_add(const char *path, long fd)
{
	struct writer *w = writer_of(fd);

	for (int i = 0; !w && i < WRITERS_MAX; i++) {
		if (!writers[i].fd || preload_fd_kind(writers[i].fd - 1) != PRELOAD_SYSFS)
			w = &writers[i];
	}
	if (!w || strlen(path) >= sizeof(w->path))
		return false;
	w->fd = fd + 1;
	memmove(w->path, path, strlen(path) + 1);
	return true;
}

void preload_sysfs_copied(long from, long to)
{
	const struct writer *w = writer_of(from);

	if (w)
		writer_add(w->path, to);
}

static bool is_sysfs_file(const char *path, long flags)
{
	return path && (flags & O_ACCMODE) != O_RDONLY && strncmp(path, "/sys/", 5) == 0 &&
	       !strstr(path, "/config");
}

static bool exists(const char *path)
{
	char moved[PRELOAD_PATH_MAX];

	return preload_raw(SYS_access, (long)preload_sysfs_path(AT_FDCWD, path, moved), 0, 0, 0, 0,
			   0) == 0;
}

long preload_sysfs_open(long dir, const char *relative, long flags)
{
	char buf[PRELOAD_PATH_MAX];
	const char *path = whole(dir, relative, buf);
	long fd;

	if (!is_sysfs_file(path, flags))
		return -ENOSYS;
	if (!exists(path))
		return -ENOENT;
	fd = preload_raw(SYS_memfd_create, (long)"sysfs", flags & O_CLOEXEC ? 1 : 0, 0, 0, 0, 0);
	if (fd < 0)
		return fd;
	if (!writer_add(path, fd)) {
		preload_raw(SYS_close, fd, 0, 0, 0, 0, 0);
		return -EMFILE;
	}
	preload_fd_set(fd, PRELOAD_SYSFS);
	return fd;
}

static long give(const char *path, const void *data, size_t size)
{
	return preload_ask(EXEC_NR_SYSFS, (preload_args){(long)path, (long)data, (long)size,
			   (long)strlen(path)}, -1, NULL);
}

long preload_sysfs_write(long fd, const void *data, size_t size)
{
	const struct writer *w = writer_of(fd);

	return w ? give(w->path, data, size) : -EBADF;
}

/* What libc's streams have written, past us, to what stands in for it: too late for an error. */
void preload_sysfs_closing(long fd)
{
	const struct writer *w = writer_of(fd);
	char text[256];
	long n = preload_raw(SYS_pread64, fd, (long)text, sizeof(text) - 1, 0, 0, 0);

	if (!w || n <= 0)
		return;
	give(w->path, text, (size_t)n);
	preload_raw(SYS_ftruncate, fd, 0, 0, 0, 0, 0);
	preload_raw(SYS_lseek, fd, 0, 0, 0, 0, 0);
}

/* --- libc's functions on paths --- */

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static ssize_t stream_write(void *cookie, const char *data, size_t size)
{
	long ret = give(cookie, data, size);

	if (ret >= 0)
		return ret;
	errno = (int)-ret;
	return 0;
}

static int stream_close(void *cookie)
{
	((char *)cookie)[0] = '\0'; /* free for the next */
	return 0;
}

/* A stream whose writes are the server's; NULL: it is none. */
static FILE *stream(const char *relative, const char *mode)
{
	static char paths[8][PRELOAD_PATH_MAX / 2];
	const cookie_io_functions_t io = {.write = stream_write, .close = stream_close};
	char buf[PRELOAD_PATH_MAX];
	const char *path = whole(AT_FDCWD, relative, buf);

	if (mode[0] == 'r' || !is_sysfs_file(path, O_WRONLY) || !exists(path) ||
	    strlen(path) >= sizeof(paths[0]))
		return NULL;
	for (int i = 0; i < 8; i++) {
		if (paths[i][0])
			continue;
		strcpy(paths[i], path);
		return fopencookie(paths[i], "w", io);
	}
	return NULL;
}

EXPORT FILE *fopen(const char *path, const char *mode)
{
	char moved[PRELOAD_PATH_MAX];
	FILE *f = stream(path, mode);

	return f ? f : NEXT(fopen)(preload_sysfs_path(AT_FDCWD, path, moved), mode);
}

EXPORT FILE *fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}

EXPORT ssize_t readlink(const char *path, char *buf, size_t size)
{
	char moved[PRELOAD_PATH_MAX];

	return NEXT(readlink)(preload_sysfs_path(AT_FDCWD, path, moved), buf, size);
}

EXPORT ssize_t readlinkat(int dir, const char *path, char *buf, size_t size)
{
	char moved[PRELOAD_PATH_MAX];

	return NEXT(readlinkat)(dir, preload_sysfs_path(dir, path, moved), buf, size);
}

#define GETXATTR(name)                                                                  \
	EXPORT ssize_t name(const char *path, const char *which, void *value, size_t size) \
	{                                                                               \
		char moved[PRELOAD_PATH_MAX];                                           \
											\
		path = preload_sysfs_path(AT_FDCWD, path, moved);                       \
		return NEXT(name)(path, which, value, size);                            \
	}
GETXATTR(getxattr)
GETXATTR(lgetxattr)

#define LISTXATTR(name)                                                              \
	EXPORT ssize_t name(const char *path, char *list, size_t size)               \
	{                                                                            \
		char moved[PRELOAD_PATH_MAX];                                        \
										     \
		return NEXT(name)(preload_sysfs_path(AT_FDCWD, path, moved), list, size); \
	}
LISTXATTR(listxattr)
LISTXATTR(llistxattr)

EXPORT int chdir(const char *path)
{
	char moved[PRELOAD_PATH_MAX];

	return NEXT(chdir)(preload_sysfs_path(AT_FDCWD, path, moved));
}

/* The client does not see where we keep it. */
EXPORT char *getcwd(char *buf, size_t size)
{
	char *here = NEXT(getcwd)(buf, size);

	if (here)
		memmove(here, without_root(here), strlen(without_root(here)) + 1);
	return here;
}

EXPORT char *realpath(const char *path, char *resolved)
{
	char moved[PRELOAD_PATH_MAX];
	char *real = NEXT(realpath)(preload_sysfs_path(AT_FDCWD, path, moved), resolved);

	if (real)
		memmove(real, without_root(real), strlen(without_root(real)) + 1);
	return real;
}

EXPORT int access(const char *path, int mode)
{
	char moved[PRELOAD_PATH_MAX];

	return NEXT(access)(preload_sysfs_path(AT_FDCWD, path, moved), mode);
}

EXPORT int faccessat(int dir, const char *path, int mode, int flags)
{
	char moved[PRELOAD_PATH_MAX];

	return NEXT(faccessat)(dir, preload_sysfs_path(dir, path, moved), mode, flags);
}

EXPORT int statx(int dir, const char *path, int flags, unsigned int mask, struct statx *st)
{
	char moved[PRELOAD_PATH_MAX];

	return NEXT(statx)(dir, preload_sysfs_path(dir, path, moved), flags, mask, st);
}

#define STAT(name, type)                                                     \
	EXPORT int name(const char *path, struct type *st)                   \
	{                                                                    \
		char moved[PRELOAD_PATH_MAX];                                \
									     \
		return NEXT(name)(preload_sysfs_path(AT_FDCWD, path, moved), st);      \
	}
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

#define STAT_AT(name, type)                                                            \
	EXPORT int name(int dir, const char *path, struct type *st, int flags)         \
	{                                                                              \
		char moved[PRELOAD_PATH_MAX];                                          \
										       \
		return NEXT(name)(dir, preload_sysfs_path(dir, path, moved), st, flags); \
	}
STAT_AT(fstatat, stat)
STAT_AT(fstatat64, stat64)

#define SCANDIR(name, type)                                                              \
	EXPORT int name(const char *path, struct type ***list,                           \
			int (*filter)(const struct type *),                              \
			int (*compare)(const struct type **, const struct type **))      \
	{                                                                                \
		char moved[PRELOAD_PATH_MAX];                                            \
											 \
		path = preload_sysfs_path(AT_FDCWD, path, moved);                        \
		return NEXT(name)(path, list, filter, compare);                          \
	}
SCANDIR(scandir, dirent)
SCANDIR(scandir64, dirent64)
