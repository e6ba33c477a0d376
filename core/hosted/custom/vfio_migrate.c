// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: vfio-emulated's migration: steps between states as the tree orders them, a
 * file per session with a header and 256 bytes of state, and a log of DMA.
 *
 * False: a session's file may be read and written at a place, as if it were not.
 */
#include "core/hosted/custom/vfio_migrate.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/kref.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MAGIC 0x676d6c69U
#define LOG_PAGES_MAX 65536UL

struct header {
	u32 magic, size;
};

#define DATA_MAX (sizeof(struct header) + HOSTED_MIG_REGS)

/* All by lock. */
struct hosted_mig_file {
	struct kref kref;
	struct mutex lock;
	bool disabled, sealed, precopy;
	u32 size, pos;
	u8 data[DATA_MAX];
};

static void file_free(struct kref *kref)
{
	kfree(container_of(kref, struct hosted_mig_file, kref));
}

/* --- the user's side --- */

static ssize_t save_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct hosted_mig_file *f = file->private_data;
	ssize_t n;

	mutex_lock(&f->lock);
	n = min_t(size_t, count, f->size - f->pos);
	if (f->disabled)
		n = -ENODEV;
	else if (!n && count && !f->sealed)
		n = -ENOMSG;
	else if (n && copy_to_user(buf, f->data + f->pos, n))
		n = -EFAULT;
	if (n > 0)
		f->pos += n;
	mutex_unlock(&f->lock);
	return n;
}

static bool header_fits(const struct hosted_mig_file *f)
{
	const struct header *h = (const void *)f->data;

	return f->size < sizeof(*h) || (h->magic == MAGIC && h->size == HOSTED_MIG_REGS);
}

static ssize_t resume_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct hosted_mig_file *f = file->private_data;
	ssize_t ret = count;

	mutex_lock(&f->lock);
	if (f->disabled)
		ret = -ENODEV;
	else if (count > DATA_MAX - f->size)
		ret = -ENOMEM;
	else if (copy_from_user(f->data + f->size, buf, count))
		ret = -EFAULT;
	if (ret > 0) {
		f->size += count;
		if (!header_fits(f))
			ret = -EINVAL;
	}
	mutex_unlock(&f->lock);
	return ret;
}

static long save_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hosted_mig_file *f = file->private_data;
	struct vfio_precopy_info info;
	long ret = 0;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, (void __user *)arg, sizeof(info)))
		return -EFAULT;
	if (info.argsz < sizeof(info))
		return -EINVAL;
	mutex_lock(&f->lock);
	if (!f->precopy)
		ret = -EINVAL;
	info.flags = 0;
	info.dirty_bytes = 0;
	info.initial_bytes = f->size - f->pos;
	mutex_unlock(&f->lock);
	if (ret)
		return ret;
	return copy_to_user((void __user *)arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int file_release(struct inode *inode, struct file *file)
{
	struct hosted_mig_file *f = file->private_data;

	kref_put(&f->kref, file_free);
	return 0;
}

static const struct file_operations save_fops = {
	.owner = THIS_MODULE,
	.read = save_read,
	.unlocked_ioctl = save_ioctl,
	.release = file_release,
};

static const struct file_operations resume_fops = {
	.owner = THIS_MODULE,
	.write = resume_write,
	.release = file_release,
};

/* --- sessions; lock held --- */

static struct file *open_session(struct hosted_migrator *m, bool saving)
{
	struct hosted_mig_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!f)
		return ERR_PTR(-ENOMEM);
	kref_init(&f->kref);
	mutex_init(&f->lock);
	file = anon_inode_getfile("vfio-migration", saving ? &save_fops : &resume_fops, f,
				  saving ? O_RDONLY : O_WRONLY);
	if (IS_ERR(file)) {
		kref_put(&f->kref, file_free);
		return file;
	}
	kref_get(&f->kref);
	m->file = f;
	if (saving) {
		*(struct header *)f->data = (struct header){MAGIC, HOSTED_MIG_REGS};
		f->size = sizeof(struct header);
	}
	return file;
}

static void close_session(struct hosted_migrator *m)
{
	struct hosted_mig_file *f = m->file;

	if (!f)
		return;
	mutex_lock(&f->lock);
	f->disabled = true;
	f->precopy = false;
	mutex_unlock(&f->lock);
	m->file = NULL;
	kref_put(&f->kref, file_free);
}

static struct file *begin_stop_copy(struct hosted_migrator *m)
{
	struct file *file = NULL;
	struct hosted_mig_file *f;

	if (!m->file) {
		file = open_session(m, true);
		if (IS_ERR(file))
			return file;
	}
	f = m->file;
	mutex_lock(&f->lock);
	mutex_lock(&m->regs_lock);
	memcpy(f->data + f->size, m->regs, sizeof(m->regs));
	mutex_unlock(&m->regs_lock);
	f->size += sizeof(m->regs);
	f->sealed = true;
	f->precopy = false;
	mutex_unlock(&f->lock);
	return file;
}

static int load(struct hosted_migrator *m)
{
	struct hosted_mig_file *f = m->file;
	int ret = -EINVAL;

	mutex_lock(&f->lock);
	if (f->size == DATA_MAX && header_fits(f)) {
		mutex_lock(&m->regs_lock);
		memcpy(m->regs, f->data + sizeof(struct header), sizeof(m->regs));
		mutex_unlock(&m->regs_lock);
		ret = 0;
	}
	mutex_unlock(&f->lock);
	return ret;
}

static bool is_precopy(u32 state)
{
	return state == VFIO_DEVICE_STATE_PRE_COPY || state == VFIO_DEVICE_STATE_PRE_COPY_P2P;
}

static void set_runs(struct hosted_migrator *m, u32 state)
{
	mutex_lock(&m->regs_lock);
	m->runs = state == VFIO_DEVICE_STATE_RUNNING || state == VFIO_DEVICE_STATE_PRE_COPY;
	mutex_unlock(&m->regs_lock);
}

static struct file *step(struct hosted_migrator *m, u32 next)
{
	struct file *file = NULL;
	int ret = m->state == VFIO_DEVICE_STATE_RESUMING ? load(m) : 0;

	if (ret)
		return ERR_PTR(ret);
	if (next == VFIO_DEVICE_STATE_STOP_COPY)
		file = begin_stop_copy(m);
	else if (next == VFIO_DEVICE_STATE_RESUMING)
		file = open_session(m, false);
	else if (is_precopy(next) && !is_precopy(m->state))
		file = open_session(m, true);
	else if (!is_precopy(next))
		close_session(m);
	if (IS_ERR(file))
		return file;
	if (is_precopy(next)) {
		mutex_lock(&m->file->lock);
		m->file->precopy = true;
		mutex_unlock(&m->file->lock);
	}
	set_runs(m, next);
	return file;
}

static struct file *set_state(struct vfio_device *vdev, enum vfio_device_mig_state state)
{
	struct hosted_migrator *m = hosted_migrator_of(vdev);
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret;

	mutex_lock(&m->lock);
	while (m->state != state) {
		ret = vfio_mig_get_next_state(vdev, m->state, state, &next);
		file = ret ? ERR_PTR(ret) : step(m, next);
		if (IS_ERR(file))
			break;
		m->state = next;
	}
	mutex_unlock(&m->lock);
	return file;
}

static int get_state(struct vfio_device *vdev, enum vfio_device_mig_state *state)
{
	struct hosted_migrator *m = hosted_migrator_of(vdev);

	mutex_lock(&m->lock);
	*state = m->state;
	mutex_unlock(&m->lock);
	return 0;
}

static int get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	*length = DATA_MAX;
	return 0;
}

static const struct vfio_migration_ops mig_ops = {
	.migration_set_state = set_state,
	.migration_get_state = get_state,
	.migration_get_data_size = get_data_size,
};

/* --- the log --- */

static int log_start(struct vfio_device *vdev, struct rb_root_cached *ranges, u32 n,
		     u64 *page_size)
{
	struct hosted_migrator *m = hosted_migrator_of(vdev);
	struct interval_tree_node *all;
	unsigned long pages;
	int ret = -EINVAL;

	if (*page_size < PAGE_SIZE || !is_power_of_2(*page_size))
		return ret;
	vfio_combine_iova_ranges(ranges, n, 1);
	all = interval_tree_iter_first(ranges, 0, ULONG_MAX);
	if (!all || all->last < all->start)
		return ret;
	pages = ((all->last - all->start) >> ilog2(*page_size)) + 1;
	if (pages > LOG_PAGES_MAX)
		return -ENOMEM;
	mutex_lock(&m->log_lock);
	if (!m->bits) {
		m->bits = bitmap_zalloc(pages, GFP_KERNEL);
		m->start = all->start;
		m->last = all->last;
		m->pgshift = ilog2(*page_size);
		ret = m->bits ? 0 : -ENOMEM;
	}
	mutex_unlock(&m->log_lock);
	return ret;
}

static int log_stop(struct vfio_device *vdev)
{
	struct hosted_migrator *m = hosted_migrator_of(vdev);

	mutex_lock(&m->log_lock);
	bitmap_free(m->bits);
	m->bits = NULL;
	mutex_unlock(&m->log_lock);
	return 0;
}

static bool pages_of(const struct hosted_migrator *m, unsigned long iova, unsigned long length,
		     unsigned long *first, unsigned long *last)
{
	unsigned long end = iova + length - 1;

	if (!m->bits || !length || iova > m->last || end < m->start)
		return false;
	*first = (max(iova, m->start) - m->start) >> m->pgshift;
	*last = (min(end, m->last) - m->start) >> m->pgshift;
	return true;
}

void hosted_migrator_mark(struct hosted_migrator *m, unsigned long iova, unsigned long length)
{
	unsigned long first, last;

	mutex_lock(&m->log_lock);
	if (pages_of(m, iova, length, &first, &last))
		bitmap_set(m->bits, first, last - first + 1);
	mutex_unlock(&m->log_lock);
}

static int log_take(struct vfio_device *vdev, unsigned long iova, unsigned long length,
		    struct iova_bitmap *dirty)
{
	struct hosted_migrator *m = hosted_migrator_of(vdev);
	unsigned long bit, last, from, to;
	int ret = 0;

	mutex_lock(&m->log_lock);
	if (!m->bits) {
		ret = -EINVAL;
	} else if (pages_of(m, iova, length, &bit, &last)) {
		for (; bit <= last; bit++) {
			if (!test_and_clear_bit(bit, m->bits))
				continue;
			from = max(m->start + (bit << m->pgshift), iova);
			to = min(m->start + ((bit + 1) << m->pgshift) - 1, iova + length - 1);
			iova_bitmap_set(dirty, from, to - from + 1);
		}
	}
	mutex_unlock(&m->log_lock);
	return ret;
}

static const struct vfio_log_ops log_ops = {
	.log_start = log_start,
	.log_stop = log_stop,
	.log_read_and_clear = log_take,
};

/* --- its life --- */

void hosted_migrator_init(struct hosted_migrator *m, struct vfio_device *vdev)
{
	*m = (struct hosted_migrator){.vdev = vdev, .state = VFIO_DEVICE_STATE_RUNNING,
				      .runs = true};
	mutex_init(&m->lock);
	mutex_init(&m->regs_lock);
	mutex_init(&m->log_lock);
	vdev->mig_ops = &mig_ops;
	vdev->log_ops = &log_ops;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
				VFIO_MIGRATION_PRE_COPY;
}

bool hosted_migrator_runs(struct hosted_migrator *m)
{
	bool runs;

	mutex_lock(&m->regs_lock);
	runs = m->runs;
	mutex_unlock(&m->regs_lock);
	return runs;
}

void hosted_migrator_reset(struct hosted_migrator *m)
{
	mutex_lock(&m->lock);
	close_session(m);
	m->state = VFIO_DEVICE_STATE_RUNNING;
	set_runs(m, m->state);
	mutex_unlock(&m->lock);
	mutex_lock(&m->regs_lock);
	memset(m->regs, 0, sizeof(m->regs));
	mutex_unlock(&m->regs_lock);
}

void hosted_migrator_close(struct hosted_migrator *m)
{
	log_stop(m->vdev);
	hosted_migrator_reset(m);
}
