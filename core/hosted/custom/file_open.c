// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: open(2): of the names below /dev that the driver core has given, and of
 * parameters of modules. False: there is no other file, and no directory.
 */
#include "core/hosted/custom/syscall.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/slab.h>

#define NAME_MAX_HERE 256
#define FLAGS_KEPT (VALID_OPEN_FLAGS & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC))

extern struct vfsmount hosted_mount;

static struct file *open_node(const char *path, int flags)
{
	dev_t devt = hosted_devnode(path);
	struct inode *inode = devt ? hosted_devnode_inode(devt) : NULL;
	struct file *file;
	int ret;

	if (!inode)
		return hosted_param_open(path, flags);
	file = alloc_file_pseudo(inode, &hosted_mount, "dev", flags, &def_chr_fops);
	if (IS_ERR(file))
		return file;
	ihold(inode);
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	ret = file->f_op->open(inode, file);
	if (!file->f_op->llseek)
		file->f_mode &= ~FMODE_LSEEK;
	if (!ret)
		return file;
	file->f_mode &= ~FMODE_OPENED;
	path_put(&file->f_path);
	fput(file);
	return ERR_PTR(ret);
}

/* A string of the process; its length, -EFAULT or -ENAMETOOLONG. */
static long get_name(char *name, unsigned long addr)
{
	for (long i = 0; i < NAME_MAX_HERE; i++) {
		if (hosted_user_copy(name + i, addr + i, 1, false))
			return -EFAULT;
		if (!name[i])
			return i;
	}
	return -ENAMETOOLONG;
}

static long open_file(unsigned long addr, int flags)
{
	char name[NAME_MAX_HERE];
	long ret = get_name(name, addr);
	struct file *file;
	int fd;

	if (ret < 0)
		return ret;
	if ((flags & O_ACCMODE) == O_ACCMODE || !ret)
		return ret ? -EINVAL : -ENOENT;
	fd = get_unused_fd_flags(flags & O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = open_node(name, flags & FLAGS_KEPT);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

long hosted_sys_open(const unsigned long *arg)
{
	return open_file(arg[0], arg[1]);
}

/* The directory is of no use: every name that is there is absolute. */
long hosted_sys_openat(const unsigned long *arg)
{
	return open_file(arg[1], arg[2]);
}
