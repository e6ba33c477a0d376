// SPDX-License-Identifier: GPL-2.0-only
/*
 * stub: files around the hosted kernel that programs write to before they
 * inject faults. fail-nth is true: the server counts the thread's failure
 * points. The fault injection's files in debugfs take what is written and
 * change nothing: every point of the kernel may fail, as these programs ask.
 */
#include "tools/preload/preload_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUGFS "/sys/kernel/debug"

static const char *const folders[] = {"failslab", "fail_page_alloc", "fail_usercopy",
				      "fail_iommufd"};
static const char *const files[] = {
	"probability", "interval", "times", "space", "verbose", "task-filter",
	"ignore-gfp-wait", "cache-filter", "ignore-gfp-highmem", "min-order",
	"verbose_ratelimit_burst", "verbose_ratelimit_interval_ms",
};
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* "failslab/times", below the folder. */
static bool is_debug_file(const char *name)
{
	const char *slash = strchr(name, '/');
	bool folder = false;

	for (size_t i = 0; slash && i < N(folders); i++)
		folder |= strlen(folders[i]) == (size_t)(slash - name) &&
			  strncmp(folders[i], name, (size_t)(slash - name)) == 0;
	for (size_t i = 0; folder && i < N(files); i++) {
		if (strcmp(slash + 1, files[i]) == 0)
			return true;
	}
	return false;
}

/* /proc/self/fail-nth, /proc/thread-self/fail-nth, /proc/PID/task/TID/fail-nth of this thread. */
static bool is_fail_nth(const char *path)
{
	const char *last = strrchr(path, '/'), *task = strstr(path, "/task/");
	long tid = preload_raw(SYS_gettid, 0, 0, 0, 0, 0, 0);

	if (strncmp(path, "/proc/", 6) != 0 || !last || strcmp(last, "/fail-nth") != 0)
		return false;
	if (task)
		return strtol(task + 6, NULL, 10) == tid;
	return strncmp(path, "/proc/self/", 11) == 0 || strncmp(path, "/proc/thread-self/", 18) == 0 ||
	       strtol(path + 6, NULL, 10) == tid;
}

static long stand_in(enum preload_fd kind, long flags)
{
	long fd = preload_reserve(flags & O_CLOEXEC);

	if (fd >= 0)
		preload_fd_set(fd, kind);
	return fd;
}

long preload_special_open(long dir, const char *path, long flags)
{
	size_t n = strlen(DEBUGFS);

	if (is_fail_nth(path))
		return stand_in(PRELOAD_FAIL_NTH, flags);
	if (preload_fd_kind(dir) == PRELOAD_DEBUG_DIR && path[0] != '/')
		return is_debug_file(path) ? stand_in(PRELOAD_DEBUG_FILE, flags) : -ENOENT;
	if (strncmp(path, DEBUGFS, n) != 0 || (path[n] && path[n] != '/'))
		return -ENOSYS;
	path += n + (path[n] == '/');
	if (!*path)
		return stand_in(PRELOAD_DEBUG_DIR, flags);
	return is_debug_file(path) ? stand_in(PRELOAD_DEBUG_FILE, flags) : -ENOSYS;
}

/* --- what they read and take --- */

static long fail_nth_read(const preload_args a)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld\n", preload_ask1(EXEC_NR_FAIL_NTH, -1));

	n = n < a[2] ? n : (int)a[2];
	if (a[1] == 0)
		return -EFAULT;
	memcpy((void *)a[1], text, (size_t)n);
	return n;
}

static long fail_nth_write(const preload_args a)
{
	char text[24] = "", *end;
	long n;

	if (a[2] <= 0 || a[2] >= (long)sizeof(text))
		return -EINVAL;
	if (!preload_peek(text, (const void *)a[1], (size_t)a[2]))
		return -EFAULT;
	n = strtol(text, &end, 0);
	if (end == text || n < 0 || (*end && *end != '\n'))
		return -EINVAL;
	preload_ask1(EXEC_NR_FAIL_NTH, n);
	return a[2];
}

long preload_special_io(enum preload_fd kind, long nr, const preload_args a)
{
	bool reads = nr == SYS_read || nr == SYS_pread64, offset = nr == SYS_pread64 && a[3];
	bool writes = nr == SYS_write || nr == SYS_pwrite64;

	if (kind == PRELOAD_FAIL_NTH && reads)
		return offset ? 0 : fail_nth_read(a);
	if (kind == PRELOAD_FAIL_NTH && writes)
		return fail_nth_write(a);
	if (kind == PRELOAD_DEBUG_FILE && writes)
		return a[2];
	return kind == PRELOAD_DEBUG_FILE && reads ? 0 : -EINVAL;
}

/* --- the folder itself, for readdir() --- */

#define EXPORT __attribute__((visibility("default")))
struct dirent;
typedef struct __dirstream DIR;

/* One at a time: that is what such programs do. */
static struct {
	int fd;
	unsigned int next;
	union {
		char room[280];
		struct {
			unsigned long ino, off;
			unsigned short reclen;
			unsigned char type;
			char name[256];
		} entry;
	};
} folder = {.fd = -1};

#include <dlfcn.h>

EXPORT DIR *opendir(const char *name)
{
	DIR *(*next)(const char *) = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
	char moved[PRELOAD_PATH_MAX];
	size_t n = strlen(DEBUGFS);

	name = preload_sysfs_path(AT_FDCWD, name, moved);
	if (!preload_active() || folder.fd >= 0 || strncmp(name, DEBUGFS, n) != 0 ||
	    (name[n] && strcmp(name + n, "/") != 0))
		return next(name);
	folder.fd = (int)stand_in(PRELOAD_DEBUG_DIR, O_CLOEXEC);
	folder.next = 0;
	return folder.fd >= 0 ? (DIR *)&folder : next(name);
}

EXPORT struct dirent *readdir(DIR *d)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir");

	if (d != (DIR *)&folder)
		return next(d);
	if (folder.next >= N(folders))
		return NULL;
	folder.entry.ino = folder.next + 1;
	folder.entry.off = folder.next + 1;
	folder.entry.reclen = sizeof(folder.entry);
	folder.entry.type = 4; /* DT_DIR */
	strcpy(folder.entry.name, folders[folder.next++]);
	return (struct dirent *)&folder.entry;
}

EXPORT struct dirent *readdir64(DIR *d)
{
	return readdir(d);
}

EXPORT int dirfd(DIR *d)
{
	int (*next)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "dirfd");

	return d == (DIR *)&folder ? folder.fd : next(d);
}

EXPORT int closedir(DIR *d)
{
	int (*next)(DIR *) = (int (*)(DIR *))dlsym(RTLD_NEXT, "closedir");
	int fd = folder.fd;

	if (d != (DIR *)&folder)
		return next(d);
	folder.fd = -1;
	preload_close(SYS_close, (preload_args){fd});
	return 0;
}
