// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters of modules, as files below /sys/module: a number each, read when a
 * container gets its driver, or a function is probed.
 */
#include "core/vfio/vfio_priv.h"

#define TEXT_MAX 10u

/* dup: a decimal number, with or without a newline; -EINVAL, -EFAULT. */
static s64 param_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	u32 *param = file->private_data, value = 0;
	u64 i;

	(void)pos;
	for (i = 0; i < count; i++) {
		u8 c;

		if (copy_from_user(&c, vfio_ptr(buf + i), 1))
			return -EFAULT;
		if (c == '\n' && i && i + 1 == count)
			break;
		if (c < '0' || c > '9' || i == TEXT_MAX - 1)
			return -EINVAL;
		value = value * 10 + (c - '0');
	}
	if (!count)
		return -EINVAL;
	WRITE_ONCE(*param, value);
	return (s64)count;
}

int vfio_param_open_entry_limit(struct file *file)
{
	file->private_data = &vfio_here()->dma_entry_limit;
	return 0;
}

int vfio_param_open_idle_d3(struct file *file)
{
	file->private_data = &vfio_here()->disable_idle_d3;
	return 0;
}

const struct file_operations vfio_param_fops = {
	.name = "vfio-parameter",
	.write = param_write,
	.mode = 0100644,
};
