// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters of modules, as files below /sys/module: a number or a flag each, read when a
 * container gets its driver, or a function is probed.
 */
#include "core/vfio/vfio_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* dup: decimal, octal after 0, hexadecimal after 0x; a newline may follow. */
static int parse_number(const char *text, u32 *value)
{
	char *end;
	u64 sum;

	text += *text == '+';
	if (!isdigit(*text))
		return -EINVAL;
	errno = 0;
	sum = strtoull(text, &end, 0);
	if (errno || sum > ~0U)
		return -ERANGE;
	end += *end == '\n';
	if (*end)
		return -EINVAL;
	*value = (u32)sum;
	return 0;
}

/* dup: the beginning decides: yes, true, on; of later versions "enable", too; and their opposites. */
static int parse_flag(const char *text, u32 *value)
{
	bool more = iommu_since(SINCE_BOOL_ENABLE);
	const char *yes = more ? "yt1e" : "yt1", *no = more ? "nf0d" : "nf0";
	char c = (char)tolower(text[0]);

	if (c == 'o')
		c = (char)tolower(text[1]) == 'n' ? '1' : (char)tolower(text[1]) == 'f' ? '0' : 0;
	if (!c || (!strchr(yes, c) && !strchr(no, c)))
		return -EINVAL;
	*value = strchr(yes, c) != NULL;
	return 0;
}

/* dup: at most a page, and wherever the file is: the value is replaced. */
static s64 param_write(struct file *file, u64 buf, u64 count,
		       int (*parse)(const char *text, u32 *value))
{
	u32 value = 0;
	char *text;
	int ret;

	count = min(count, (u64)PAGE_SIZE);
	text = kzalloc(count + 1, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	ret = copy_from_user(text, vfio_ptr(buf), count) ? -EFAULT : 0;
	if (!ret && count)
		ret = parse(text, &value);
	kfree(text);
	if (ret || !count)
		return ret;
	WRITE_ONCE(*(u32 *)file->private_data, value);
	return (s64)count;
}

static s64 number_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	s64 ret = param_write(file, buf, count, parse_number);

	*pos += ret > 0 ? ret : 0;
	return ret;
}

static s64 flag_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	s64 ret = param_write(file, buf, count, parse_flag);

	*pos += ret > 0 ? ret : 0;
	return ret;
}

static s64 read_text(const char *text, u64 buf, u64 count, s64 *pos)
{
	u64 length = strlen(text), at = (u64)*pos;

	if (at >= length)
		return 0;
	count = min(count, length - at);
	if (copy_to_user(vfio_ptr(buf), text + at, count))
		return -EFAULT;
	*pos += (s64)count;
	return (s64)count;
}

static s64 number_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	char text[16];

	snprintf(text, sizeof(text), "%u\n", READ_ONCE(*(u32 *)file->private_data));
	return read_text(text, buf, count, pos);
}

static s64 flag_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	return read_text(READ_ONCE(*(u32 *)file->private_data) ? "Y\n" : "N\n", buf, count, pos);
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

int vfio_param_open_noiommu(struct file *file)
{
	file->private_data = &vfio_here()->noiommu;
	return 0;
}

const struct file_operations vfio_param_fops = {
	.name = "vfio-parameter",
	.read = number_read,
	.write = number_write,
	.mode = 0100644,
	.seekable = true,
};

const struct file_operations vfio_flag_fops = {
	.name = "vfio-flag",
	.read = flag_read,
	.write = flag_write,
	.mode = 0100644,
	.seekable = true,
};
