// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: parameters of modules: the tree's own table of them, as files below
 * /sys/module, which a run reads and writes as sysfs lets its user do.
 *
 * False: no command line; only parameters that may be written (mode 0644) have
 * a file; strings keep their defaults.
 */
#include "core/hosted/custom/syscall.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define FOLDER "/sys/module/"
#define BETWEEN "/parameters/"
#define TEXT_MAX 64

extern const struct kernel_param __start___param[], __stop___param[];
extern struct vfsmount hosted_mount;

int param_set_bool(const char *val, const struct kernel_param *kp)
{
	return kstrtobool(val ? val : "1", kp->arg);
}

int param_get_bool(char *buf, const struct kernel_param *kp)
{
	return scnprintf(buf, TEXT_MAX, "%c\n", *(bool *)kp->arg ? 'Y' : 'N');
}

int param_set_uint(const char *val, const struct kernel_param *kp)
{
	return val ? kstrtouint(val, 0, kp->arg) : -EINVAL;
}

int param_get_uint(char *buf, const struct kernel_param *kp)
{
	return scnprintf(buf, TEXT_MAX, "%u\n", *(unsigned int *)kp->arg);
}

static int set_int(const char *val, const struct kernel_param *kp)
{
	return val ? kstrtoint(val, 0, kp->arg) : -EINVAL;
}

static int get_int(char *buf, const struct kernel_param *kp)
{
	return scnprintf(buf, TEXT_MAX, "%d\n", *(int *)kp->arg);
}

static int set_nothing(const char *val, const struct kernel_param *kp)
{
	return -EINVAL;
}

static int get_nothing(char *buf, const struct kernel_param *kp)
{
	return 0;
}

const struct kernel_param_ops param_ops_bool = {.set = param_set_bool, .get = param_get_bool};
const struct kernel_param_ops param_ops_int = {.set = set_int, .get = get_int};
const struct kernel_param_ops param_ops_uint = {.set = param_set_uint, .get = param_get_uint};
const struct kernel_param_ops param_ops_string = {.set = set_nothing, .get = get_nothing};

/* --- files --- */

static ssize_t read_param(struct file *file, char __user *buf, size_t n, loff_t *pos)
{
	const struct kernel_param *kp = file->private_data;
	char text[TEXT_MAX];
	int len = kp->ops->get(text, kp);

	if (len < 0 || *pos >= len)
		return min(len, 0);
	n = min_t(size_t, n, len - *pos);
	if (copy_to_user(buf, text + *pos, n))
		return -EFAULT;
	*pos += n;
	return n;
}

static ssize_t write_param(struct file *file, const char __user *buf, size_t n, loff_t *pos)
{
	const struct kernel_param *kp = file->private_data;
	char *text;
	int ret;

	n = min_t(size_t, n, PAGE_SIZE);
	text = kzalloc(n + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	ret = copy_from_user(text, buf, n) ? -EFAULT : 0;
	if (!ret && n)
		ret = kp->ops->set(text, kp);
	kfree(text);
	if (ret)
		return ret;
	*pos += n;
	return n;
}

static const struct file_operations param_fops = {.read = read_param, .write = write_param};
static struct inode hosted_param_inode;

static struct inode *param_inode(void)
{
	struct inode *inode = &hosted_param_inode;

	if (!atomic_read(&inode->i_count)) {
		inode->i_mode = S_IFREG | 0644;
		inode->i_mapping = &inode->i_data;
		atomic_set(&inode->i_count, 1000);
	}
	ihold(inode);
	return inode;
}

/* "module.name" of /sys/module/MODULE/parameters/NAME. */
static bool names(const struct kernel_param *kp, const char *path)
{
	const char *dot = strchr(kp->name, '.');
	size_t n = dot ? dot - kp->name : 0;

	return dot && kp->perm == 0644 && !strncmp(path, kp->name, n) &&
	       !strncmp(path + n, BETWEEN, strlen(BETWEEN)) &&
	       !strcmp(path + n + strlen(BETWEEN), dot + 1);
}

struct file *hosted_param_open(const char *path, int flags)
{
	const struct kernel_param *kp = __start___param;
	struct file *file;

	if (strncmp(path, FOLDER, strlen(FOLDER)))
		return ERR_PTR(-ENOENT);
	while (kp < __stop___param && !names(kp, path + strlen(FOLDER)))
		kp++;
	if (kp >= __stop___param)
		return ERR_PTR(-ENOENT);
	file = alloc_file_pseudo(param_inode(), &hosted_mount, "param", flags, &param_fops);
	if (IS_ERR(file)) {
		iput(&hosted_param_inode);
		return file;
	}
	file->f_mode |= FMODE_PREAD | FMODE_PWRITE;
	file->private_data = (void *)kp;
	return file;
}
