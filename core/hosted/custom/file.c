// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: system calls on open files, as Linux's wrappers around f_op make
 * them; the table of descriptors is the tree's own (fs/file.c).
 *
 * False: no fsnotify, no file locks, no security hooks, no readv; fstat()
 * knows mode, device and size.
 */
#include "core/hosted/custom/syscall.h"

#include <linux/compat.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <linux/syscalls.h>
#include <linux/uio.h>

#include <asm/ioctls.h>

#define SETFL_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)
#define RW_MAX (INT_MAX & PAGE_MASK)

long hosted_sys_close(const unsigned long *arg)
{
	return close_fd(arg[0]);
}

long hosted_sys_close_range(const unsigned long *arg)
{
#if HOSTED_HAS_CLOSE_RANGE
	return __close_range(arg[0], arg[1], arg[2]);
#else
	return sys_close_range(arg[0], arg[1], arg[2]);
#endif
}

/* --- reading and writing --- */

static ssize_t read_file(struct file *file, unsigned long buf, size_t size, loff_t *pos)
{
	const struct file_operations *op = file->f_op;
	struct kiocb iocb = {.ki_filp = file, .ki_flags = file->f_iocb_flags, .ki_pos = *pos};
	struct iov_iter to;
	ssize_t ret;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	size = min(size, (size_t)RW_MAX);
	if (op->read)
		return op->read(file, (char __user *)buf, size, pos);
	if (!op->read_iter)
		return -EINVAL;
	iov_iter_ubuf(&to, ITER_DEST, (void __user *)buf, size);
	ret = op->read_iter(&iocb, &to);
	*pos = iocb.ki_pos;
	return ret;
}

static ssize_t write_file(struct file *file, unsigned long buf, size_t size, loff_t *pos)
{
	const struct file_operations *op = file->f_op;
	struct kiocb iocb = {.ki_filp = file, .ki_flags = file->f_iocb_flags, .ki_pos = *pos};
	struct iov_iter from;
	ssize_t ret;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	size = min(size, (size_t)RW_MAX);
	if (op->write)
		return op->write(file, (const char __user *)buf, size, pos);
	if (!op->write_iter)
		return -EINVAL;
	iov_iter_ubuf(&from, ITER_SOURCE, (void __user *)buf, size);
	ret = op->write_iter(&iocb, &from);
	*pos = iocb.ki_pos;
	return ret;
}

typedef ssize_t (*rw_fn)(struct file *file, unsigned long buf, size_t size, loff_t *pos);

static long rw(const unsigned long *arg, rw_fn fn)
{
	struct fd f = fdget_pos(arg[0]);
	long ret;

	if (!fd_file(f))
		return -EBADF;
	ret = fn(fd_file(f), arg[1], arg[2], &fd_file(f)->f_pos);
	fdput_pos(f);
	return ret;
}

static long rw_at(const unsigned long *arg, rw_fn fn, fmode_t mode)
{
	struct fd f = fdget(arg[0]);
	loff_t pos = arg[3];
	long ret;

	if (!fd_file(f))
		return -EBADF;
	if (pos < 0)
		ret = -EINVAL;
	else if (!(fd_file(f)->f_mode & mode))
		ret = -ESPIPE;
	else
		ret = fn(fd_file(f), arg[1], arg[2], &pos);
	fdput(f);
	return ret;
}

long hosted_sys_read(const unsigned long *arg)
{
	return rw(arg, read_file);
}

long hosted_sys_write(const unsigned long *arg)
{
	return rw(arg, write_file);
}

long hosted_sys_pread(const unsigned long *arg)
{
	return rw_at(arg, read_file, FMODE_PREAD);
}

long hosted_sys_pwrite(const unsigned long *arg)
{
	return rw_at(arg, write_file, FMODE_PWRITE);
}

long hosted_sys_lseek(const unsigned long *arg)
{
	struct fd f = fdget_pos(arg[0]);
	long ret = -ESPIPE;

	if (!fd_file(f))
		return -EBADF;
	if (arg[2] > SEEK_MAX)
		ret = -EINVAL;
	else if (fd_file(f)->f_mode & FMODE_LSEEK && fd_file(f)->f_op->llseek)
		ret = fd_file(f)->f_op->llseek(fd_file(f), arg[1], arg[2]);
	fdput_pos(f);
	return ret;
}

/* The words of x86-64's struct stat that anybody here has an answer for. */
long hosted_sys_fstat(const unsigned long *arg)
{
	struct { u64 dev, ino, nlink; u32 mode, uid, gid, pad; u64 rdev; s64 size, blksize;
		 u64 rest[10]; } st = {.nlink = 1, .blksize = PAGE_SIZE};
	struct fd f = fdget_raw(arg[0]);
	const struct inode *inode;

	BUILD_BUG_ON(sizeof(st) != 144);
	if (!fd_file(f))
		return -EBADF;
	inode = file_inode(fd_file(f));
	st.mode = inode->i_mode;
	st.rdev = new_encode_dev(inode->i_rdev);
	st.size = inode->i_size;
	fdput(f);
	return hosted_user_copy(&st, arg[1], sizeof(st), true) ? -EFAULT : 0;
}

/* --- ioctl and fcntl --- */

static long set_nonblock(struct file *file, unsigned long addr)
{
	int on;

	if (hosted_user_copy(&on, addr, sizeof(on), false))
		return -EFAULT;
	spin_lock(&file->f_lock);
	file->f_flags = on ? file->f_flags | O_NONBLOCK : file->f_flags & ~O_NONBLOCK;
	spin_unlock(&file->f_lock);
	return 0;
}

static long ioctl_file(unsigned int fd, struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct file_operations *op = file->f_op;

	if (cmd == FIOCLEX || cmd == FIONCLEX) {
		set_close_on_exec(fd, cmd == FIOCLEX);
		return 0;
	}
	if (cmd == FIONBIO)
		return set_nonblock(file, arg);
	return op->unlocked_ioctl ? op->unlocked_ioctl(file, cmd, arg) : -ENOTTY;
}

long hosted_sys_ioctl(const unsigned long *arg)
{
	struct fd f = fdget(arg[0]);
	long ret;

	if (!fd_file(f))
		return -EBADF;
	ret = ioctl_file(arg[0], fd_file(f), arg[1], arg[2]);
	fdput(f);
	return ret;
}

static long set_flags(struct file *file, unsigned int flags)
{
	spin_lock(&file->f_lock);
	file->f_flags = (flags & SETFL_FLAGS) | (file->f_flags & ~SETFL_FLAGS);
	file->f_iocb_flags = iocb_flags(file);
	spin_unlock(&file->f_lock);
	return 0;
}

static long fcntl_file(unsigned int fd, struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return f_dupfd(arg, file, cmd == F_DUPFD ? 0 : O_CLOEXEC);
	case F_GETFD:
		return get_close_on_exec(fd) ? FD_CLOEXEC : 0;
	case F_SETFD:
		set_close_on_exec(fd, arg & FD_CLOEXEC);
		return 0;
	case F_GETFL:
		return file->f_flags & ~O_CLOEXEC;
	case F_SETFL:
		return set_flags(file, arg);
	default:
		return -EINVAL;
	}
}

long hosted_sys_fcntl(const unsigned long *arg)
{
	struct fd f = fdget_raw(arg[0]);
	long ret;

	if (!fd_file(f))
		return -EBADF;
	ret = fcntl_file(arg[0], fd_file(f), arg[1], arg[2]);
	fdput(f);
	return ret;
}

/* --- descriptors --- */

long hosted_sys_dup(const unsigned long *arg)
{
	struct file *file = fget_raw(arg[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = f_dupfd(0, file, 0);
	fput(file);
	return ret;
}

static long dup_to(unsigned int from, unsigned int to, int flags)
{
	struct file *file = fget_raw(from);
	long ret;

	if (!file)
		return -EBADF;
	ret = from == to ? 0 : replace_fd(to, file, flags);
	fput(file);
	return ret < 0 ? ret : to;
}

long hosted_sys_dup2(const unsigned long *arg)
{
	return dup_to(arg[0], arg[1], 0);
}

long hosted_sys_dup3(const unsigned long *arg)
{
	if (arg[2] & ~O_CLOEXEC || (unsigned int)arg[0] == (unsigned int)arg[1])
		return -EINVAL;
	return dup_to(arg[0], arg[1], arg[2]);
}

long hosted_sys_eventfd(const unsigned long *arg)
{
	return sys_eventfd2(arg[0], 0);
}

long hosted_sys_eventfd2(const unsigned long *arg)
{
	return sys_eventfd2(arg[0], arg[1]);
}
