// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: what the object offers: system calls as Linux's wrappers make them,
 * up to the way back to user mode, where delayed work of the task (the last
 * fput) is done.
 */
#include "core/hosted/runtime.h"

#include <linux/device.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/init_task.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/printk.h>
#include <linux/syscalls.h>
#include <generated/utsrelease.h>

extern initcall_entry_t hosted_initcalls_start[], hosted_initcalls_end[];

void hosted_hooks_boot(void);
void __init chrdev_init(void);
void __init radix_tree_init(void);
void __init maple_tree_init(void);
extern struct vfsmount hosted_mount;

enum system_states system_state;

static void boot(void)
{
	hosted_hooks_boot();
	hosted_task_boot();
	hosted_page_boot();
	hosted_mm_boot();
	hosted_slab_boot();
	hosted_workqueue_boot();
	hosted_vfs_boot();
	radix_tree_init();
	maple_tree_init();
	radix_tree_init();
	maple_tree_init();
	files_init();
	files_maxfiles_init();
	chrdev_init();
	driver_init();
	for (initcall_entry_t *call = hosted_initcalls_start; call < hosted_initcalls_end; call++) {
		initcall_t fn = initcall_from_entry(call);
		int ret;

		if (!fn)
			continue;
		ret = fn();
		if (ret && ret != -ENODEV)
			pr_err("initcall %ps returned %d\n", fn, ret);
	}
	system_state = SYSTEM_RUNNING;
	hosted_syscall_exit();
}

static long leave(long ret)
{
	hosted_syscall_exit();
	return ret;
}

static struct file *open_node(const char *path, int flags)
{
	dev_t devt = hosted_devnode(path);
	struct inode *inode = devt ? hosted_devnode_inode(devt) : NULL;
	struct file *file;
	int ret;

	if (!inode)
		return ERR_PTR(-ENOENT);
	file = alloc_file_pseudo(inode, &hosted_mount, "dev", flags, &def_chr_fops);
	if (IS_ERR(file))
		return file;
	ihold(inode);
	ret = file->f_op->open(inode, file);
	if (!ret)
		return file;
	file->f_mode &= ~FMODE_OPENED;
	path_put(&file->f_path);
	fput(file);
	return ERR_PTR(ret);
}

static long do_open(const char *path, int flags)
{
	int fd = get_unused_fd_flags(flags & O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = open_node(path, flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return leave(PTR_ERR(file));
	}
	fd_install(fd, file);
	return leave(fd);
}

static long do_close(int fd)
{
	return leave(close_fd(fd));
}

static long do_ioctl(int fd, unsigned int cmd, unsigned long arg)
{
	struct fd f = fdget(fd);
	long ret = -EBADF;

	if (fd_file(f)) {
		const struct file_operations *op = fd_file(f)->f_op;

		ret = op->unlocked_ioctl ? op->unlocked_ioctl(fd_file(f), cmd, arg) : -ENOTTY;
		if (ret == -ENOIOCTLCMD)
			ret = -ENOTTY;
		fdput(f);
	}
	return leave(ret);
}

static long do_read(int fd, unsigned long buf, unsigned long size)
{
	struct fd f = fdget_pos(fd);
	long ret = -EBADF;

	if (fd_file(f)) {
		const struct file_operations *op = fd_file(f)->f_op;

		ret = op->read ? op->read(fd_file(f), (char __user *)buf, size,
					  &fd_file(f)->f_pos) :
				 -EINVAL;
		fdput_pos(f);
	}
	return leave(ret);
}

static long do_write(int fd, unsigned long buf, unsigned long size)
{
	struct fd f = fdget_pos(fd);
	long ret = -EBADF;

	if (fd_file(f)) {
		const struct file_operations *op = fd_file(f)->f_op;

		ret = op->write ? op->write(fd_file(f), (const char __user *)buf, size,
					    &fd_file(f)->f_pos) :
				  -EINVAL;
		fdput_pos(f);
	}
	return leave(ret);
}

/* Never waits: the events that are there now. */
static long do_poll(int fd, unsigned int events)
{
	struct fd f = fdget(fd);
	long ret = -EBADF;

	if (fd_file(f)) {
		ret = vfs_poll(fd_file(f), NULL) & (events | EPOLLERR | EPOLLHUP);
		fdput(f);
	}
	return leave(ret);
}

static long do_dup(int fd)
{
	struct file *file = fget(fd);
	int copy;

	if (!file)
		return -EBADF;
	copy = get_unused_fd_flags(0);
	if (copy < 0)
		fput(file);
	else
		fd_install(copy, file);
	return leave(copy);
}

static unsigned long do_peek(void *buf, unsigned long addr, unsigned long size)
{
	return hosted_user_copy(buf, addr, size, false);
}

static unsigned long do_poke(unsigned long addr, const void *buf, unsigned long size)
{
	return hosted_user_copy((void *)buf, addr, size, true);
}

static void do_shutdown(void)
{
	for (unsigned int fd = 0; fd < files_fdtable(&init_files)->max_fds; fd++)
		close_fd(fd);
	hosted_syscall_exit();
}

__attribute__((visibility("default"), used)) const struct hosted_kernel hosted_kernel = {
	.abi = FLOOR_ABI,
	.size = sizeof(struct hosted_kernel),
	.version = UTS_RELEASE,
	.floor = &hosted_floor,
	.boot = boot,
	.open = do_open,
	.close = do_close,
	.ioctl = do_ioctl,
	.read = do_read,
	.write = do_write,
	.poll = do_poll,
	.dup = do_dup,
	.mmap = hosted_mmap,
	.munmap = hosted_munmap,
	.peek = do_peek,
	.poke = do_poke,
	.shutdown = do_shutdown,
};
