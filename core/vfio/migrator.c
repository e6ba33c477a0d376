// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers that migrate have in common: the steps between states, and the file
 * that a device's state goes through. Its data: a header, then the state.
 *
 * A session's file is the migrator's and the user's. It is disabled when the session
 * ends, so that it touches nothing of the device that may be gone by then. Reading and
 * writing holds no lock over the user's memory, which may be a mapping of the device.
 */
#include "core/vfio/vfio_priv.h"

#include <fcntl.h>
#include <string.h>

#define MAGIC 0x676d6c69u
#define CHUNK 64u

struct header {
	u32 magic, size;
};

/* size: bytes that are there; sealed: no more will come. All but max and saving: lock. */
struct vfio_mig_file {
	struct kref kref;
	struct mutex lock;
	bool saving, disabled, sealed;
	bool precopy; /* the state is PRE_COPY or its P2P kind */
	u32 size, max, pos;
	u8 data[];
};

static void file_free(struct kref *kref)
{
	struct vfio_mig_file *f = container_of(kref, struct vfio_mig_file, kref);

	mutex_destroy(&f->lock);
	kfree(f);
}

/* --- the user's side --- */

/* At most a chunk; 0: nothing is left; -ENOMSG: nothing yet. */
static s64 take_chunk(struct vfio_mig_file *f, void *to, u64 count)
{
	s64 n;

	mutex_lock(&f->lock);
	n = (s64)min(count, (u64)min(CHUNK, f->size - f->pos));
	if (f->disabled)
		n = -ENODEV;
	else if (!n && count && !f->sealed)
		n = -ENOMSG;
	if (n > 0) {
		memcpy(to, f->data + f->pos, (size_t)n);
		f->pos += (u32)n;
	}
	mutex_unlock(&f->lock);
	return n;
}

static void untake(struct vfio_mig_file *f, u32 n)
{
	mutex_lock(&f->lock);
	f->pos -= n;
	mutex_unlock(&f->lock);
}

static s64 save_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct vfio_mig_file *f = file->private_data;
	u8 chunk[CHUNK];
	s64 n, done = 0;

	(void)pos;
	while (!done || (u64)done < count) {
		n = take_chunk(f, chunk, count - (u64)done);
		if (n <= 0)
			return done ? done : n;
		if (copy_to_user(vfio_ptr(buf + (u64)done), chunk, (size_t)n)) {
			untake(f, (u32)n);
			return done ? done : -EFAULT;
		}
		done += n;
	}
	return done;
}

static bool header_fits(const struct vfio_mig_file *f)
{
	struct header h;

	memcpy(&h, f->data, sizeof(h));
	return f->size < sizeof(h) ||
	       (h.magic == MAGIC && h.size == f->max - (u32)sizeof(h));
}

/* A header of something else is refused as soon as it is there, and so all that follows. */
static s64 put_chunk(struct vfio_mig_file *f, const void *from, u64 n)
{
	s64 ret = (s64)n;

	if (bug_on(BUG_VFIO_MIG_FPOS_RACE) && n > f->max - READ_ONCE(f->size))
		return -ENOMEM; /* and not looked at again */
	mutex_lock(&f->lock);
	if (f->disabled)
		ret = -ENODEV;
	else if (n > f->max - f->size && !bug_on(BUG_VFIO_MIG_FPOS_RACE))
		ret = -ENOMEM;
	if (ret > 0) {
		memcpy(f->data + f->size, from, n);
		f->size += (u32)n;
		if (!header_fits(f))
			ret = -EINVAL;
	}
	mutex_unlock(&f->lock);
	return ret;
}

static s64 resume_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct vfio_mig_file *f = file->private_data;
	u8 chunk[CHUNK];
	s64 ret, done = 0;

	(void)pos;
	while ((u64)done < count) {
		u64 n = min(count - (u64)done, (u64)CHUNK);

		if (copy_from_user(chunk, vfio_ptr(buf + (u64)done), n))
			return done ? done : -EFAULT;
		ret = put_chunk(f, chunk, n);
		if (ret < 0)
			return done ? done : ret;
		done += ret;
	}
	return done;
}

static long save_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct vfio_mig_file *f = file->private_data;
	struct vfio_precopy_info info;
	long ret = 0;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, vfio_ptr(arg), sizeof(info)))
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
	return copy_to_user(vfio_ptr(arg), &info, sizeof(info)) ? -EFAULT : 0;
}

static void file_release(struct file *file)
{
	struct vfio_mig_file *f = file->private_data;

	kref_put(&f->kref, file_free);
}

static const struct file_operations save_fops = {
	.name = "[vfio-migration]",
	.read = save_read,
	.ioctl = save_ioctl,
	.release = file_release,
	.mode = 0600,
};

static const struct file_operations resume_fops = {
	.name = "[vfio-migration]",
	.write = resume_write,
	.release = file_release,
	.mode = 0600,
};

/* --- sessions; m->lock held --- */

static struct file *open_session(struct vfio_migrator *m, bool saving)
{
	u32 max = m->size + (u32)sizeof(struct header);
	struct vfio_mig_file *f = kzalloc(sizeof(*f) + max, GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!f)
		return ERR_PTR(-ENOMEM);
	kref_init(&f->kref);
	mutex_init(&f->lock);
	f->max = max;
	f->saving = saving;
	file = anon_inode_getfile(saving ? &save_fops : &resume_fops, f,
				  saving ? O_RDONLY : O_WRONLY);
	if (IS_ERR(file)) {
		kref_put(&f->kref, file_free);
		return file;
	}
	kref_get(&f->kref);
	m->file = f;
	if (saving) {
		memcpy(f->data, &(struct header){MAGIC, m->size}, sizeof(struct header));
		f->size = sizeof(struct header);
	}
	return file;
}

static void close_session(struct vfio_migrator *m)
{
	struct vfio_mig_file *f = m->file;

	if (!f)
		return;
	mutex_lock(&f->lock);
	f->disabled = true;
	f->precopy = false;
	mutex_unlock(&f->lock);
	m->file = NULL;
	kref_put(&f->kref, file_free);
}

/* The state follows what the session has given so far: the device stands still. */
static int save_rest(struct vfio_migrator *m)
{
	struct vfio_mig_file *f = m->file;
	int ret;

	mutex_lock(&f->lock);
	ret = m->ops->save(m->vdev, f->data + f->size, m->size);
	if (!ret) {
		f->size += m->size;
		f->sealed = true;
		f->precopy = false;
	}
	mutex_unlock(&f->lock);
	return ret;
}

static struct file *begin_stop_copy(struct vfio_migrator *m)
{
	struct file *file = NULL;
	int ret;

	if (!m->file) {
		file = open_session(m, true);
		if (IS_ERR(file))
			return file;
	}
	ret = save_rest(m);
	if (!ret)
		return file;
	if (file) {
		close_session(m);
		fput(file);
	}
	return ERR_PTR(ret);
}

static int load(struct vfio_migrator *m)
{
	struct vfio_mig_file *f = m->file;
	int ret = -EINVAL;

	mutex_lock(&f->lock);
	if (f->size == f->max && header_fits(f))
		ret = m->ops->load(m->vdev, f->data + sizeof(struct header), m->size);
	mutex_unlock(&f->lock);
	return ret;
}

static void set_precopy(struct vfio_migrator *m)
{
	mutex_lock(&m->file->lock);
	m->file->precopy = true;
	mutex_unlock(&m->file->lock);
}

static enum vfio_mig_level level_of(u32 state)
{
	if (state == VFIO_DEVICE_STATE_RUNNING || state == VFIO_DEVICE_STATE_PRE_COPY)
		return VFIO_MIG_RUNNING;
	if (state == VFIO_DEVICE_STATE_RUNNING_P2P || state == VFIO_DEVICE_STATE_PRE_COPY_P2P)
		return VFIO_MIG_QUIET;
	return VFIO_MIG_STILL;
}

static bool is_precopy(u32 state)
{
	return state == VFIO_DEVICE_STATE_PRE_COPY || state == VFIO_DEVICE_STATE_PRE_COPY_P2P;
}

/* One arc, as vfio_mig_get_next_state() gives it. */
static struct file *step(struct vfio_migrator *m, u32 next)
{
	enum vfio_mig_level was = level_of(m->state), level = level_of(next);
	struct file *file = NULL;
	int ret = 0;

	if (m->state == VFIO_DEVICE_STATE_RESUMING)
		ret = load(m);
	if (!ret && level != was)
		ret = m->ops->run(m->vdev, level);
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
	if (IS_ERR(file)) {
		m->ops->run(m->vdev, was);
		return file;
	}
	if (is_precopy(next))
		set_precopy(m);
	return file;
}

struct file *vfio_migrator_set_state(struct vfio_migrator *m, u32 state)
{
	struct file *file = NULL;
	u32 next;
	int ret;

	mutex_lock(&m->lock);
	while (m->state != state) {
		ret = vfio_mig_get_next_state(m->vdev, m->state, state, &next);
		file = ret ? ERR_PTR(ret) : step(m, next);
		if (IS_ERR(file))
			break;
		m->state = next;
	}
	mutex_unlock(&m->lock);
	return file;
}

u32 vfio_migrator_state(struct vfio_migrator *m)
{
	u32 state;

	mutex_lock(&m->lock);
	state = m->state;
	mutex_unlock(&m->lock);
	return state;
}

u64 vfio_migrator_data_size(const struct vfio_migrator *m)
{
	return sizeof(struct header) + m->size;
}

void vfio_migrator_reset(struct vfio_migrator *m)
{
	mutex_lock(&m->lock);
	close_session(m);
	m->ops->run(m->vdev, VFIO_MIG_RUNNING);
	m->state = VFIO_DEVICE_STATE_RUNNING;
	mutex_unlock(&m->lock);
}

void vfio_migrator_init(struct vfio_migrator *m, struct vfio_device *vdev,
			const struct vfio_migrator_ops *ops, u32 size)
{
	*m = (struct vfio_migrator){.vdev = vdev, .ops = ops, .size = size,
				    .state = VFIO_DEVICE_STATE_RUNNING};
	mutex_init(&m->lock);
}

void vfio_migrator_destroy(struct vfio_migrator *m)
{
	close_session(m);
	mutex_destroy(&m->lock);
}
