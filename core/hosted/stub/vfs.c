// SPDX-License-Identifier: GPL-2.0-only
/*
 * stub: the part of the VFS above files: one mount, one super block, dentries
 * that only carry their inode, inodes that nobody but memfd.c frees.
 */
#include "core/hosted/runtime.h"

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

static struct super_block hosted_sb;
struct vfsmount hosted_mount = {.mnt_sb = &hosted_sb};
static struct inode hosted_anon_inode;

void hosted_vfs_boot(void)
{
	hosted_anon_inode.i_sb = &hosted_sb;
	hosted_anon_inode.i_mode = S_IRUSR | S_IWUSR;
	hosted_anon_inode.i_mapping = &hosted_anon_inode.i_data;
	atomic_set(&hosted_anon_inode.i_count, 1000);
}

struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name)
{
	struct dentry *d = kzalloc(sizeof(*d), GFP_KERNEL);

	return d;
}

void d_instantiate(struct dentry *d, struct inode *inode)
{
	d->d_inode = inode;
}

void dput(struct dentry *d)
{
	if (!d)
		return;
	iput(d->d_inode);
	kfree(d);
}

void ihold(struct inode *inode)
{
	atomic_inc(&inode->i_count);
}

void iput(struct inode *inode)
{
	if (inode && atomic_dec_and_test(&inode->i_count) && inode->i_sb && inode->i_sb->s_op &&
	    inode->i_sb->s_op->free_inode)
		inode->i_sb->s_op->free_inode(inode);
}

void path_get(const struct path *path)
{
}

void path_put(const struct path *path)
{
	dput(path->dentry);
}

struct vfsmount *mntget(struct vfsmount *m)
{
	return m;
}

void mntput(struct vfsmount *m)
{
}

void mnt_put_write_access(struct vfsmount *m)
{
}

void dissolve_on_fput(struct vfsmount *m)
{
}

struct vfsmount *kern_mount(struct file_system_type *type)
{
	return &hosted_mount;
}

void kern_unmount(struct vfsmount *m)
{
}

struct inode *alloc_anon_inode(struct super_block *sb)
{
	return &hosted_anon_inode;
}

struct pseudo_fs_context *init_pseudo(struct fs_context *fc, unsigned long magic)
{
	return NULL;
}

void kill_anon_super(struct super_block *sb)
{
}

int simple_pin_fs(struct file_system_type *type, struct vfsmount **mount, int *count)
{
	*mount = &hosted_mount;
	++*count;
	return 0;
}

void simple_release_fs(struct vfsmount **mount, int *count)
{
	--*count;
}

int filp_close(struct file *file, fl_owner_t id)
{
	int ret = file->f_op->flush ? file->f_op->flush(file, id) : 0;

	fput(file);
	return ret;
}

void file_f_owner_release(struct file *file)
{
}

void eventpoll_release_file(struct file *file)
{
}

int nonseekable_open(struct inode *inode, struct file *file)
{
	file->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	return 0;
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	return file->f_pos;
}

char *file_path(struct file *file, char *buf, int size)
{
	return "?";
}

char *dynamic_dname(char *buf, int size, const char *fmt, ...)
{
	return "?";
}

errseq_t errseq_sample(errseq_t *e)
{
	return 0;
}

/* One area of user memory, which is all that the syscall door makes. */
size_t _copy_to_iter(const void *p, size_t n, struct iov_iter *i)
{
	n = iter_is_ubuf(i) ? min(n, i->count) : 0;
	n -= copy_to_user(i->ubuf + i->iov_offset, p, n);
	i->iov_offset += n;
	i->count -= n;
	return n;
}

size_t _copy_from_iter(void *p, size_t n, struct iov_iter *i)
{
	n = iter_is_ubuf(i) ? min(n, i->count) : 0;
	n -= copy_from_user(p, i->ubuf + i->iov_offset, n);
	i->iov_offset += n;
	i->count -= n;
	return n;
}

void iov_iter_advance(struct iov_iter *i, size_t n)
{
}

ssize_t iov_iter_extract_pages(struct iov_iter *i, struct page ***pages, size_t max,
			       unsigned int max_pages, iov_iter_extraction_t flags, size_t *offset)
{
	return -EFAULT;
}

struct proc_dir_entry *proc_create_seq_private(const char *name, umode_t mode,
					       struct proc_dir_entry *parent,
					       const struct seq_operations *ops,
					       unsigned int size, void *data)
{
	return NULL;
}

void remove_proc_entry(const char *name, struct proc_dir_entry *parent)
{
}

struct mnt_idmap {
	int unused;
} nop_mnt_idmap;

void generic_fillattr(struct mnt_idmap *idmap, u32 mask, struct inode *inode, struct kstat *st)
{
}

struct list_head *seq_list_start(struct list_head *head, loff_t pos)
{
	return NULL;
}

struct list_head *seq_list_next(void *v, struct list_head *head, loff_t *pos)
{
	return NULL;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
}
