// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls on open files, as Linux's wrappers around f_op make them, and
 * open(2). There is no directory: a name is one of the kernel's or there is none.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/slab.h"

#include <asm/ioctls.h>
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define RW_MAX ((u64)INT_MAX & PAGE_MASK)
#define PATH_LEN_MAX 256
/* dup: all that Linux knows but O_CREAT, O_EXCL, O_NOCTTY and O_TRUNC; F_GETFL shows them. */
#define FLAGS_KEPT 037776003

int user_copy_in(void *to, u64 from, u64 n)
{
	return mm_access(current_mm(), to, from, n, false) ? -EFAULT : 0;
}

int user_copy_out(u64 to, const void *from, u64 n)
{
	return mm_access(current_mm(), (void *)(uintptr_t)from, to, n, true) ? -EFAULT : 0;
}

/* --- reading and writing --- */

static s64 read_file(struct file *file, u64 buf, u64 size, s64 *pos)
{
	if ((file->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	return file->op->read ? file->op->read(file, buf, min(size, RW_MAX), pos) : -EINVAL;
}

static s64 write_file(struct file *file, u64 buf, u64 size, s64 *pos)
{
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return file->op->write ? file->op->write(file, buf, min(size, RW_MAX), pos) : -EINVAL;
}

typedef s64 (*rw_fn)(struct file *file, u64 buf, u64 size, s64 *pos);

static long rw(const u64 *arg, rw_fn fn)
{
	struct file *file = fget((u32)arg[0]);
	s64 zero = 0;
	long ret;

	if (!file)
		return -EBADF;
	if (file->op->seekable)
		mutex_lock(&file->pos_lock);
	ret = fn(file, arg[1], arg[2], file->op->seekable ? &file->pos : &zero);
	if (file->op->seekable)
		mutex_unlock(&file->pos_lock);
	fput(file);
	return ret;
}

static long rw_at(const u64 *arg, rw_fn fn)
{
	struct file *file = fget((u32)arg[0]);
	s64 pos = (s64)arg[3];
	long ret;

	if (!file)
		return -EBADF;
	if (pos < 0)
		ret = -EINVAL;
	else if (!file->op->seekable)
		ret = -ESPIPE;
	else
		ret = fn(file, arg[1], arg[2], &pos);
	fput(file);
	return ret;
}

long user_sys_read(const u64 *arg)
{
	return rw(arg, read_file);
}

long user_sys_write(const u64 *arg)
{
	return rw(arg, write_file);
}

long user_sys_pread(const u64 *arg)
{
	return rw_at(arg, read_file);
}

long user_sys_pwrite(const u64 *arg)
{
	return rw_at(arg, write_file);
}

#define SEEK_MAX 4

long user_sys_lseek(const u64 *arg)
{
	struct file *file = fget((u32)arg[0]);
	long ret = -ESPIPE;

	if (!file)
		return -EBADF;
	if (arg[2] > SEEK_MAX)
		ret = -EINVAL;
	else if (file->op->llseek)
		ret = file->op->llseek(file, (s64)arg[1], (int)arg[2]);
	fput(file);
	return ret;
}

/* The words of x86-64's struct stat that anybody here has an answer for. */
long user_sys_fstat(const u64 *arg)
{
	struct {
		u64 dev, ino, nlink;
		u32 mode, uid, gid, pad;
		u64 rdev;
		s64 size, blksize;
		u64 rest[10];
	} st = {.nlink = 1, .blksize = PAGE_SIZE};
	struct file *file = fget((u32)arg[0]);

	static_assert(sizeof(st) == 144, "x86-64's");
	if (!file)
		return -EBADF;
	st.mode = file->op->mode;
	if (is_memfd(file))
		st.size = file->op->llseek(file, 0, 3 /* our own: the size */);
	fput(file);
	return user_copy_out(arg[1], &st, sizeof(st));
}

/* --- ioctl --- */

void fd_set_cloexec(u32 fd, bool on);

static long set_nonblock(struct file *file, u64 addr)
{
	int on;

	if (user_copy_in(&on, addr, sizeof(on)))
		return -EFAULT;
	file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~(u32)O_NONBLOCK;
	return 0;
}

static long ioctl_file(u32 fd, struct file *file, u32 cmd, u64 arg)
{
	if (cmd == FIOCLEX || cmd == FIONCLEX) {
		fd_set_cloexec(fd, cmd == FIOCLEX);
		return 0;
	}
	if (cmd == FIONBIO)
		return set_nonblock(file, arg);
	return file->op->ioctl ? file->op->ioctl(file, cmd, arg) : -ENOTTY;
}

long user_sys_ioctl(const u64 *arg)
{
	struct file *file = fget((u32)arg[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = ioctl_file((u32)arg[0], file, (u32)arg[1], arg[2]);
	fput(file);
	return ret;
}

/* --- open --- */

/* A number as the kernel prints it, below 2^31; false: it is none. */
static bool number_of(const char *text, unsigned long *n)
{
	*n = 0;
	if (!text[0] || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || *n > INT_MAX / 10)
			return false;
		*n = *n * 10 + (unsigned long)(*text - '0');
	}
	return true;
}

static bool names(const struct user_node *node, const char *path, unsigned long *n)
{
	size_t len = strlen(node->path);

	*n = 0;
	if (node->path[len - 1] != '#')
		return strcmp(node->path, path) == 0;
	return strncmp(node->path, path, len - 1) == 0 && number_of(path + len - 1, n);
}

static struct file *open_node(const char *path, u32 flags)
{
	const struct user_node *node = user_here()->nodes;
	struct file *file;
	unsigned long n;
	int ret;

	while (node->path && !names(node, path, &n))
		node++;
	if (!node->path)
		return ERR_PTR(-ENOENT);
	file = file_alloc(node->op, (void *)n, flags);
	if (IS_ERR(file))
		return file;
	ret = node->open(file);
	if (!ret)
		return file;
	file_discard(file);
	return ERR_PTR(ret);
}

/*
 * A string of the process; its length, -EFAULT or -ENAMETOOLONG. As Linux does, it is read a
 * word at a time, none of which lies in two pages.
 */
static long get_name(char *name, u64 addr)
{
	for (long i = 0, n; i < PATH_LEN_MAX; i += n) {
		u64 at = addr + (u64)i;
		const char *end;

		n = min((long)(ALIGN(at + 1, sizeof(u64)) - at), PATH_LEN_MAX - i);
		if (user_copy_in(name + i, at, (u64)n))
			return -EFAULT;
		end = memchr(name + i, 0, (size_t)n);
		if (end)
			return end - name;
	}
	return -ENAMETOOLONG;
}

static long open_file(u64 addr, u32 flags)
{
	char name[PATH_LEN_MAX];
	long ret = get_name(name, addr);
	struct file *file;
	int fd;

	if (ret < 0)
		return ret;
	if ((flags & O_ACCMODE) == O_ACCMODE || !ret)
		return ret ? -EINVAL : -ENOENT;
	fd = get_unused_fd_flags(flags);
	if (fd < 0)
		return fd;
	file = open_node(name, flags & FLAGS_KEPT);
	if (IS_ERR(file)) {
		put_unused_fd((u32)fd);
		return PTR_ERR(file);
	}
	fd_install((u32)fd, file);
	return fd;
}

long user_sys_open(const u64 *arg)
{
	return open_file(arg[0], (u32)arg[1]);
}

/* The directory is of no use: every name that is there is absolute. */
long user_sys_openat(const u64 *arg)
{
	return open_file(arg[1], (u32)arg[2]);
}
