// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and the clock. Every failure comes back as text for one line of the
 * user's terminal; nothing here aborts but for exhausted memory.
 */
#include "sim/host/host.h"

#include "sim/base/assert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool fail(char *err, size_t size, const char *what)
{
	snprintf(err, size, "%s", what);
	return false;
}

static bool fail_errno(char *err, size_t size, const char *what)
{
	snprintf(err, size, "%s: %s", what, strerror(errno));
	return false;
}

/* Reads to the end of fd; more than max bytes are an error. */
static bool read_all(int fd, size_t max, char **data, size_t *size)
{
	size_t room = 65536, n = 0;
	char *buf = malloc(room + 1);

	sim_assert(buf);
	for (;;) {
		ssize_t got;

		if (n == room) {
			room *= 2;
			buf = realloc(buf, room + 1);
			sim_assert(buf);
		}
		got = read(fd, buf + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || n + (size_t)got > max) {
			n += got > 0 ? (size_t)got : 0;
			break;
		}
		n += (size_t)got;
	}
	buf[n] = '\0';
	*data = buf;
	*size = n;
	return n <= max;
}

bool host_file_read(const char *path, size_t max, char **data, size_t *size, char *err,
		    size_t err_size)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	bool fits;

	*data = NULL;
	*size = 0;
	if (fd < 0)
		return fail_errno(err, err_size, "cannot be read");
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (!is_stdin)
			close(fd);
		return fail(err, err_size, "is a directory, expected a file");
	}
	fits = read_all(fd, max, data, size);
	if (!is_stdin)
		close(fd);
	if (!fits) {
		free(*data);
		*data = NULL;
		snprintf(err, err_size, "is too big, expected at most %zu bytes", max);
	}
	return fits;
}

static bool write_fd(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

/* A file that did not exist before. */
static bool write_new(const char *path, const char *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool ok;

	if (fd < 0)
		return false;
	ok = write_fd(fd, data, size);
	return close(fd) == 0 && ok;
}

bool host_file_write(const char *path, const char *data, size_t size, char *err, size_t err_size)
{
	char temp[HOST_PATH_MAX];
	struct stat st;
	bool ok;

	if (strcmp(path, "-") == 0) {
		fflush(stdout);
		if (!write_fd(STDOUT_FILENO, data, size))
			return fail_errno(err, err_size, "cannot be written");
		return true;
	}
	/* A device or a pipe is written to, not replaced. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		ok = fd >= 0 && write_fd(fd, data, size);
		if (!ok)
			fail_errno(err, err_size, "cannot be written");
		if (fd >= 0)
			close(fd);
		return ok;
	}
	if ((size_t)snprintf(temp, sizeof(temp), "%s.%d.tmp", path, (int)getpid()) >= sizeof(temp))
		return fail(err, err_size, "cannot be written: the name is too long");
	unlink(temp);
	if (!write_new(temp, data, size) || rename(temp, path)) {
		fail_errno(err, err_size, "cannot be written");
		unlink(temp);
		return false;
	}
	return true;
}

bool host_file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

bool host_is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool host_cache_folder(const char *sub, char path[HOST_PATH_MAX])
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int n;

	if (cache && *cache)
		n = snprintf(path, HOST_PATH_MAX, "%s/iommulab/%s", cache, sub);
	else
		n = snprintf(path, HOST_PATH_MAX, "%s/.cache/iommulab/%s", home ? home : "", sub);
	if (n < 0 || n >= HOST_PATH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	return mkdir(path, 0700) == 0 || (errno == EEXIST && host_is_folder(path));
}

/* Removes a half-made directory of ours. */
static void remove_made(const char *dir, const struct host_file *file, u32 n)
{
	char path[HOST_PATH_MAX + 64];

	for (u32 i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, file[i].name);
		unlink(path);
	}
	rmdir(dir);
}

bool host_dir_make(const char *dir)
{
	return !mkdir(dir, 0777) || errno == EEXIST;
}

bool host_dir_publish(const char *dir, const char *stem, const struct host_file *file, u32 n,
		      char made[HOST_PATH_MAX])
{
	char temp[HOST_PATH_MAX], path[HOST_PATH_MAX + 64];
	bool ok = true;

	if (!host_dir_make(dir))
		return false;
	if ((size_t)snprintf(temp, sizeof(temp), "%s/.%s.%d.tmp", dir, stem, (int)getpid()) >=
	    sizeof(temp))
		return false;
	if (mkdir(temp, 0777)) {
		remove_made(temp, file, n);
		if (mkdir(temp, 0777))
			return false;
	}
	for (u32 i = 0; i < n && ok; i++) {
		snprintf(path, sizeof(path), "%s/%s", temp, file[i].name);
		ok = write_new(path, file[i].data, file[i].size);
	}
	for (u32 i = 1; ok && i < 100000; i++) {
		snprintf(made, HOST_PATH_MAX, "%s/%s-%03u", dir, stem, i);
		/* An empty directory would be replaced by rename(): the name is taken first. */
		if (access(made, F_OK) == 0)
			continue;
		if (rename(temp, made) == 0)
			return true;
		ok = errno == EEXIST || errno == ENOTEMPTY;
	}
	remove_made(temp, file, n);
	return false;
}

void host_dir_each(const char *dir, const char *suffix, void (*fn)(void *arg, const char *name),
		   void *arg)
{
	struct dirent **entry;
	int n = scandir(dir, &entry, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = entry[i]->d_name;
		size_t len = strlen(name), tail = strlen(suffix);

		if (len > tail && name[0] != '.' && strcmp(name + len - tail, suffix) == 0)
			fn(arg, name);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
}

const char *host_program_path(void)
{
	static char path[HOST_PATH_MAX];
	ssize_t n;

	if (path[0])
		return path;
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	return path;
}

u64 host_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

u64 host_cpu_us(int pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

bool host_is_terminal(FILE *f)
{
	return isatty(fileno(f)) == 1;
}

void host_exec(const char *program, char *const argv[])
{
	execvp(program, argv);
}

const char *host_env(const char *name)
{
	return getenv(name);
}
