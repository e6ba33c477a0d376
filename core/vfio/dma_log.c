// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logging of a device's DMA: user space says which ranges, and takes the pages that
 * were written as bits. And a log of one range for drivers that have no better one.
 */
#include "core/vfio/vfio_priv.h"

#define RANGES_MAX (PAGE_SIZE / sizeof(struct vfio_device_feature_dma_logging_range))

/* Joins all from first on. */
static void join_all(struct interval_tree_root *ranges, struct interval_tree_node *first)
{
	struct interval_tree_node *next;
	unsigned long last = first->last;

	while ((next = interval_tree_iter_next(first, 0, ~0UL))) {
		last = next->last;
		interval_tree_remove(next, ranges);
	}
	interval_tree_remove(first, ranges);
	first->last = last;
	interval_tree_insert(first, ranges);
}

/* The range that is closest to its next. */
static struct interval_tree_node *closest(struct interval_tree_root *ranges)
{
	struct interval_tree_node *node = interval_tree_iter_first(ranges, 0, ~0UL), *next;
	struct interval_tree_node *best = NULL;
	unsigned long gap = ~0UL;

	for (; node && (next = interval_tree_iter_next(node, 0, ~0UL)); node = next) {
		if (next->start - node->last < gap) {
			gap = next->start - node->last;
			best = node;
		}
	}
	return best;
}

void vfio_combine_iova_ranges(struct interval_tree_root *ranges, u32 n, u32 want)
{
	struct interval_tree_node *node = interval_tree_iter_first(ranges, 0, ~0UL), *next;

	if (want == 1 && node) {
		join_all(ranges, node);
		return;
	}
	while (n-- > want && (node = closest(ranges))) {
		next = interval_tree_iter_next(node, 0, ~0UL);
		interval_tree_remove(next, ranges);
		interval_tree_remove(node, ranges);
		node->last = next->last;
		interval_tree_insert(node, ranges);
	}
}

/* --- features --- */

/* dup: a range of no bytes is not refused (6.12): it ends before it begins. */
static int read_range(struct interval_tree_node *node, struct interval_tree_root *ranges, u64 arg,
		      u64 page_size)
{
	struct vfio_device_feature_dma_logging_range range;
	u64 end;

	if (copy_from_user(&range, vfio_ptr(arg), sizeof(range)))
		return -EFAULT;
	if ((range.iova | range.length) & (page_size - 1))
		return -EINVAL;
	if (__builtin_add_overflow(range.iova, range.length, &end))
		return -EOVERFLOW;
	node->start = range.iova;
	node->last = end - 1;
	if (interval_tree_iter_first(ranges, node->start, node->last))
		return -EINVAL;
	interval_tree_insert(node, ranges);
	return 0;
}

static int start(struct vfio_device *vdev, struct vfio_device_feature_dma_logging_control *control,
		 struct interval_tree_node *nodes)
{
	struct interval_tree_root ranges = {.node = NULL};
	int ret;

	for (u32 i = 0; i < control->num_ranges; i++) {
		ret = read_range(&nodes[i], &ranges, control->ranges +
				 i * sizeof(struct vfio_device_feature_dma_logging_range),
				 control->page_size);
		if (ret)
			return ret;
	}
	return vdev->log_ops->start(vdev, &ranges, control->num_ranges, &control->page_size);
}

int vfio_feature_logging_start(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_feature_dma_logging_control control;
	struct interval_tree_node *nodes;
	int ret;

	if (!vdev->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(control));
	if (ret != 1)
		return ret;
	if (copy_from_user(&control, vfio_ptr(arg), sizeof(control)))
		return -EFAULT;
	if (!control.num_ranges)
		return -EINVAL;
	if (control.num_ranges > RANGES_MAX)
		return -E2BIG;
	nodes = kmalloc(control.num_ranges * sizeof(*nodes), GFP_KERNEL);
	if (!nodes)
		return -ENOMEM;
	ret = start(vdev, &control, nodes);
	if (!ret && copy_to_user(vfio_ptr(arg), &control, sizeof(control))) {
		vdev->log_ops->stop(vdev);
		ret = -EFAULT;
	}
	kfree(nodes);
	return ret;
}

int vfio_feature_logging_stop(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	int ret;

	(void)arg;
	if (!vdev->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);
	return ret == 1 ? vdev->log_ops->stop(vdev) : ret;
}

/* A user's bitmap: bit 0 is the page of iova. */
struct bitmap {
	u64 iova, data;
	u32 pgshift;
};

/* dup: what cannot be written is not told. */
static void set_bits(void *arg, u64 iova, u64 length)
{
	const struct bitmap *b = arg;
	u64 last = (iova + length - 1 - b->iova) >> b->pgshift;
	u64 bit = (iova - b->iova) >> b->pgshift;

	while (bit <= last) {
		u32 from = bit % 8, to = bit / 8 == last / 8 ? last % 8 : 7;
		void __user *at = vfio_ptr(b->data + bit / 8);
		u8 byte;

		if (copy_from_user(&byte, at, 1))
			return;
		byte |= (u8)(0xff << from & 0xff >> (7 - to));
		if (copy_to_user(at, &byte, 1))
			return;
		bit += to - from + 1;
	}
}

int vfio_feature_logging_report(struct vfio_device *vdev, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_feature_dma_logging_report report;
	struct bitmap bitmap;
	u64 end;
	int ret;

	if (!vdev->log_ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET, sizeof(report));
	if (ret != 1)
		return ret;
	if (copy_from_user(&report, vfio_ptr(arg), sizeof(report)))
		return -EFAULT;
	if (report.page_size < 4096 || report.page_size & (report.page_size - 1))
		return -EINVAL;
	if (__builtin_add_overflow(report.iova, report.length, &end))
		return -EOVERFLOW;
	bitmap = (struct bitmap){report.iova, report.bitmap, bit_lowest(report.page_size)};
	return vdev->log_ops->read_and_clear(vdev, report.iova, report.length, set_bits, &bitmap);
}

/* --- a log --- */

void vfio_dma_log_init(struct vfio_dma_log *log)
{
	mutex_init(&log->lock);
	log->bits = NULL;
}

void vfio_dma_log_destroy(struct vfio_dma_log *log)
{
	mutex_destroy(&log->lock);
}

int vfio_dma_log_start(struct vfio_dma_log *log, struct interval_tree_root *ranges, u32 n,
		       u64 page_size)
{
	const struct interval_tree_node *all;
	u64 pages;
	int ret = -EINVAL;

	if (page_size < PAGE_SIZE || page_size & (page_size - 1))
		return ret;
	vfio_combine_iova_ranges(ranges, n, 1);
	all = interval_tree_iter_first(ranges, 0, ~0UL);
	if (!all || all->last < all->start)
		return ret;
	pages = ((all->last - all->start) >> bit_lowest(page_size)) + 1;
	if (pages > VFIO_DMA_LOG_PAGES_MAX)
		return -ENOMEM;
	mutex_lock(&log->lock);
	if (log->bits)
		goto out;
	log->bits = kzalloc((pages + 63) / 64 * sizeof(u64), GFP_KERNEL);
	log->start = all->start;
	log->last = all->last;
	log->pgshift = bit_lowest(page_size);
	ret = log->bits ? 0 : -ENOMEM;
out:
	mutex_unlock(&log->lock);
	return ret;
}

void vfio_dma_log_stop(struct vfio_dma_log *log)
{
	mutex_lock(&log->lock);
	kfree(log->bits);
	log->bits = NULL;
	mutex_unlock(&log->lock);
}

/* *first, *last: bits of pages of the log that the range meets; false: none. */
static bool pages_of(const struct vfio_dma_log *log, u64 iova, u64 length, u64 *first, u64 *last)
{
	u64 end = iova + length - 1;

	if (!log->bits || !length || iova > log->last || end < log->start)
		return false;
	*first = (max(iova, log->start) - log->start) >> log->pgshift;
	*last = (min(end, log->last) - log->start) >> log->pgshift;
	return true;
}

void vfio_dma_log_mark(struct vfio_dma_log *log, u64 iova, u64 length)
{
	u64 bit, last;

	mutex_lock(&log->lock);
	if (pages_of(log, iova, length, &bit, &last)) {
		for (; bit <= last; bit++)
			log->bits[bit / 64] |= BIT(bit % 64);
	}
	mutex_unlock(&log->lock);
}

/* The first page of bits [*bit, last], which is no longer marked; false: none. */
static bool take_one(struct vfio_dma_log *log, u64 *bit, u64 last, u64 *iova)
{
	for (; *bit <= last; ++*bit) {
		if (!(log->bits[*bit / 64] & BIT(*bit % 64)))
			continue;
		log->bits[*bit / 64] &= ~BIT(*bit % 64);
		*iova = log->start + (*bit << log->pgshift);
		return true;
	}
	return false;
}

/* mark() is called without the lock: it writes to user space. */
int vfio_dma_log_take(struct vfio_dma_log *log, u64 iova, u64 length,
		      void (*mark)(void *arg, u64 iova, u64 length), void *arg)
{
	u64 bit = 0, from, first, last, page, size;
	bool found = true;

	while (found) {
		mutex_lock(&log->lock);
		if (!log->bits) {
			mutex_unlock(&log->lock);
			return -EINVAL;
		}
		found = pages_of(log, iova, length, &first, &last);
		bit = max(bit, first);
		size = BIT(log->pgshift);
		found = found && take_one(log, &bit, last, &page);
		mutex_unlock(&log->lock);
		if (!found)
			break;
		from = max(page, iova);
		mark(arg, from, min(page + size - 1, iova + length - 1) - from + 1);
	}
	return 0;
}
