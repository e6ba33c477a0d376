// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: vfio-test, a platform device with DMA, and vfio-emulated, a mediated one
 * that pins what it touches: the pair that hosted kernels have, too.
 *
 * What a program may ask the emulated one: read and write at an IOVA go to the memory
 * behind it; ioctl EMULATED_PIN and EMULATED_UNPIN take an IOVA, pin its page and keep
 * it until it is unpinned, unmapped or the device is closed. It migrates: what is read
 * and written from EMULATED_REGS on, 256 bytes, is its state; what it writes to memory
 * is logged. While it does not run it begins no DMA (-EBUSY).
 */
#include "core/vfio/vfio_priv.h"

#include <string.h>

#define PINS_MAX 16
#define RW_MAX 64
#define EMULATED_PIN 0x3bf0u
#define EMULATED_UNPIN 0x3bf1u
#define EMULATED_PINNED 0x3bf2u
#define EMULATED_REGS (1ULL << 62)
#define REGS 256u

enum pin_state { PIN_FREE, PIN_COMING, PIN_THERE };

struct test_device {
	struct vfio_device vdev;
	struct mutex lock;
	wait_queue_head_t wait;
	struct pin {
		enum pin_state state;
		bool gone; /* unmapped while it was coming */
		u64 iova;
	} pin[PINS_MAX];
	u8 regs[REGS];             /* lock */
	enum vfio_mig_level level; /* lock */
	struct vfio_migrator mig;
	struct vfio_dma_log log;
	struct page *page;         /* that is mapped; NULL: none yet */
};

static struct test_device *to_test(struct vfio_device *vdev)
{
	return container_of(vdev, struct test_device, vdev);
}

/* --- migration --- */

static int run(struct vfio_device *vdev, enum vfio_mig_level level)
{
	struct test_device *t = to_test(vdev);

	mutex_lock(&t->lock);
	t->level = level;
	mutex_unlock(&t->lock);
	return 0;
}

static int save(struct vfio_device *vdev, void *to, u32 size)
{
	struct test_device *t = to_test(vdev);

	mutex_lock(&t->lock);
	memcpy(to, t->regs, size);
	mutex_unlock(&t->lock);
	return 0;
}

static int load(struct vfio_device *vdev, const void *from, u32 size)
{
	struct test_device *t = to_test(vdev);

	mutex_lock(&t->lock);
	memcpy(t->regs, from, size);
	mutex_unlock(&t->lock);
	return 0;
}

static const struct vfio_migrator_ops migrator_ops = {run, save, load};

static struct file *set_state(struct vfio_device *vdev, u32 state)
{
	return vfio_migrator_set_state(&to_test(vdev)->mig, state);
}

static int get_state(struct vfio_device *vdev, u32 *state)
{
	*state = vfio_migrator_state(&to_test(vdev)->mig);
	return 0;
}

static int get_data_size(struct vfio_device *vdev, u64 *length)
{
	*length = vfio_migrator_data_size(&to_test(vdev)->mig);
	return 0;
}

static const struct vfio_migration_ops mig_ops = {set_state, get_state, get_data_size};

static int log_start(struct vfio_device *vdev, struct interval_tree_root *ranges, u32 n,
		     u64 *page_size)
{
	return vfio_dma_log_start(&to_test(vdev)->log, ranges, n, *page_size);
}

static int log_stop(struct vfio_device *vdev)
{
	vfio_dma_log_stop(&to_test(vdev)->log);
	return 0;
}

static int log_take(struct vfio_device *vdev, u64 iova, u64 length,
		    void (*mark)(void *arg, u64 iova, u64 length), void *arg)
{
	return vfio_dma_log_take(&to_test(vdev)->log, iova, length, mark, arg);
}

static const struct vfio_log_ops log_ops = {log_start, log_stop, log_take};

static void reset(struct test_device *t)
{
	vfio_migrator_reset(&t->mig);
	mutex_lock(&t->lock);
	memset(t->regs, 0, sizeof(t->regs));
	mutex_unlock(&t->lock);
}

static int init(struct vfio_device *vdev)
{
	struct test_device *t = to_test(vdev);

	mutex_init(&t->lock);
	init_waitqueue_head(&t->wait);
	t->level = VFIO_MIG_RUNNING;
	vfio_migrator_init(&t->mig, vdev, &migrator_ops, REGS);
	vfio_dma_log_init(&t->log);
	if (vdev->ops->emulated) {
		vdev->mig_ops = &mig_ops;
		vdev->log_ops = &log_ops;
		vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
					VFIO_MIGRATION_PRE_COPY;
	}
	return 0;
}

static void release(struct vfio_device *vdev)
{
	struct test_device *t = to_test(vdev);

	vfio_dma_log_destroy(&t->log);
	vfio_migrator_destroy(&t->mig);
	mutex_destroy(&t->lock);
}

/* --- pins; no lock is held over vfio_pin_pages() and its like --- */

static bool take_pin(struct test_device *t, u64 first, u64 last, u64 *iova)
{
	bool found = false;

	mutex_lock(&t->lock);
	for (u32 i = 0; i < PINS_MAX && !found; i++) {
		struct pin *pin = &t->pin[i];

		if (pin->state != PIN_THERE || pin->iova < first || pin->iova > last)
			continue;
		pin->state = PIN_FREE;
		*iova = pin->iova;
		found = true;
	}
	mutex_unlock(&t->lock);
	return found;
}

static void drop_pins(struct test_device *t, u64 first, u64 last)
{
	u64 iova;

	while (take_pin(t, first, last, &iova))
		vfio_unpin_pages(&t->vdev, iova, 1);
}

/* --- a page of the device's own, at this offset of its file --- */

#define PAGE_OFFSET_OF_FILE (1ULL << 41)

static bool page_fault(struct vm_area_struct *vma, unsigned long addr)
{
	const struct test_device *t = vma->vm_private_data;

	return !vmf_insert_pfn(vma, addr, page_to_pfn(t->page));
}

static const struct vm_operations_struct page_ops = {.fault = page_fault};

static int map_page(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct test_device *t = to_test(vdev);
	int ret = 0;

	if ((u64)vma->pgoff << PAGE_SHIFT != PAGE_OFFSET_OF_FILE || !(vma->flags & VM_SHARED) ||
	    vma->node.last - vma->node.start + 1 != PAGE_SIZE)
		return -EINVAL;
	mutex_lock(&t->lock);
	if (!t->page)
		t->page = alloc_pages(0, true);
	if (!t->page)
		ret = -ENOMEM;
	mutex_unlock(&t->lock);
	if (ret)
		return ret;
	vma->flags |= VM_PFNMAP | VM_DONTEXPAND;
	vma->vm_private_data = t;
	vma->vm_ops = &page_ops;
	return 0;
}

static void drop_page(struct test_device *t)
{
	if (!t->page)
		return;
	unmap_mapping_range(&t->vdev, 0, 0);
	put_page(t->page);
	t->page = NULL;
}

static void close_device(struct vfio_device *vdev)
{
	struct test_device *t = to_test(vdev);

	drop_page(t);
	drop_pins(t, 0, ~0ULL);
	vfio_dma_log_stop(&t->log);
	reset(t);
}

/* Pins of the range that are coming: they are told; whether there is any. */
static bool coming(struct test_device *t, u64 first, u64 last)
{
	bool any = false;

	mutex_lock(&t->lock);
	for (u32 i = 0; i < PINS_MAX; i++) {
		struct pin *pin = &t->pin[i];

		if (pin->state != PIN_COMING || pin->iova < first || pin->iova > last)
			continue;
		pin->gone = true;
		any = true;
	}
	mutex_unlock(&t->lock);
	return any;
}

/*
 * A pin that is coming is given up by who makes it. It may need a lock that the
 * caller of this has: no longer wait than that.
 */
static void dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct test_device *t = to_test(vdev);
	u64 last = iova + length - 1;

	drop_pins(t, iova, last);
	if (coming(t, iova, last))
		wait_event_timeout(t->wait, !coming(t, iova, last), HZ);
}

static struct pin *new_pin(struct test_device *t, u64 iova)
{
	struct pin *pin = NULL;

	mutex_lock(&t->lock);
	for (u32 i = 0; i < PINS_MAX && !pin; i++) {
		if (t->pin[i].state == PIN_FREE)
			pin = &t->pin[i];
	}
	if (pin)
		*pin = (struct pin){.state = PIN_COMING, .iova = iova};
	mutex_unlock(&t->lock);
	return pin;
}

static long pin_one(struct test_device *t, u64 iova)
{
	struct pin *pin = new_pin(t, iova);
	struct page *page;
	bool keep;
	long ret;

	if (!pin)
		return -ENOSPC;
	ret = vfio_pin_pages(&t->vdev, iova, 1, IOMMU_READ | IOMMU_WRITE, &page);
	mutex_lock(&t->lock);
	keep = ret == 1 && !pin->gone;
	pin->state = keep ? PIN_THERE : PIN_FREE;
	mutex_unlock(&t->lock);
	if (ret == 1 && !keep)
		vfio_unpin_pages(&t->vdev, iova, 1);
	wake_up_all(&t->wait);
	if (keep)
		return 0;
	return ret < 0 ? ret : -EAGAIN;
}

static long unpin_one(struct test_device *t, u64 iova)
{
	u64 found;

	if (!take_pin(t, iova, iova, &found))
		return -ENOENT;
	vfio_unpin_pages(&t->vdev, found, 1);
	return 0;
}

static long n_pinned(struct test_device *t)
{
	long n = 0;

	mutex_lock(&t->lock);
	for (u32 i = 0; i < PINS_MAX; i++)
		n += t->pin[i].state == PIN_THERE;
	mutex_unlock(&t->lock);
	return n;
}

/* --- calls --- */

/* At most a block, of which at least a byte is there; 0: none is. */
static u64 regs_rw(struct test_device *t, void *block, u64 n, u64 at, bool write)
{
	if (at >= REGS)
		return 0;
	n = min(n, REGS - at);
	mutex_lock(&t->lock);
	if (write)
		memcpy(t->regs + at, block, n);
	else
		memcpy(block, t->regs + at, n);
	mutex_unlock(&t->lock);
	return n;
}

/* DMA: n bytes, or -errno. */
static s64 dma_rw(struct test_device *t, void *block, u64 n, u64 iova, bool write)
{
	enum vfio_mig_level level;
	int ret;

	mutex_lock(&t->lock);
	level = t->level;
	mutex_unlock(&t->lock);
	if (level != VFIO_MIG_RUNNING)
		return -EBUSY;
	ret = vfio_dma_rw(&t->vdev, iova, block, n, write);
	if (!ret && write)
		vfio_dma_log_mark(&t->log, iova, n);
	return ret ? ret : (s64)n;
}

static s64 read_iova(struct vfio_device *vdev, u64 buf, u64 n, s64 *pos)
{
	struct test_device *t = to_test(vdev);
	char block[RW_MAX] = {0};
	u64 at = (u64)*pos;
	s64 ret;

	n = min(n, (u64)RW_MAX);
	ret = at < EMULATED_REGS ? dma_rw(t, block, n, at, false) :
				   (s64)regs_rw(t, block, n, at - EMULATED_REGS, false);
	if (ret <= 0)
		return ret;
	return copy_to_user(vfio_ptr(buf), block, (u64)ret) ? -EFAULT : ret;
}

static s64 write_iova(struct vfio_device *vdev, u64 buf, u64 n, s64 *pos)
{
	struct test_device *t = to_test(vdev);
	char block[RW_MAX];
	u64 at = (u64)*pos;

	n = min(n, (u64)RW_MAX);
	if (copy_from_user(block, vfio_ptr(buf), n))
		return -EFAULT;
	return at < EMULATED_REGS ? dma_rw(t, block, n, at, true) :
				    (s64)regs_rw(t, block, n, at - EMULATED_REGS, true);
}

static long get_info(u64 arg)
{
	size_t size = vfio_end_of(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, vfio_ptr(arg), size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PLATFORM;
	info.num_regions = info.num_irqs = 0;
	return copy_to_user(vfio_ptr(arg), &info, size) ? -EFAULT : 0;
}

static long test_ioctl(struct vfio_device *vdev, u32 cmd, u64 arg)
{
	struct test_device *t = to_test(vdev);

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(arg);
	case VFIO_DEVICE_RESET:
		reset(t);
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		/* dup: later kernels ask drivers by an operation that these do not have. */
		return iommu_since(SINCE_VFIO_REGION_INFO) ? -EINVAL : -ENOTTY;
	case EMULATED_PIN:
		return pin_one(t, arg & PAGE_MASK);
	case EMULATED_UNPIN:
		return unpin_one(t, arg & PAGE_MASK);
	case EMULATED_PINNED:
		return n_pinned(t);
	default:
		return -ENOTTY;
	}
}

static const struct vfio_device_ops emulated_ops = {
	.name = "vfio-emulated",
	.emulated = true,
	.init = init,
	.release = release,
	.close_device = close_device,
	.read = read_iova,
	.write = write_iova,
	.ioctl = test_ioctl,
	.mmap = map_page,
	.dma_unmap = dma_unmap,
};

static const struct vfio_device_ops physical_ops = {
	.name = "vfio-test",
	.init = init,
	.release = release,
	.ioctl = test_ioctl,
};

/* --- binding --- */

static int probe(struct device *dev, const struct vfio_device_ops *ops, enum vfio_group_type type)
{
	struct vfio_device *vdev = vfio_alloc_device(sizeof(struct test_device), dev, ops);
	int ret;

	if (IS_ERR(vdev))
		return (int)PTR_ERR(vdev);
	ret = vfio_register_dev(vdev, type);
	if (ret)
		vfio_put_device(vdev);
	else
		dev_set_drvdata(dev, vdev);
	return ret;
}

int vfio_emulated_probe(struct device *dev)
{
	return probe(dev, &emulated_ops, VFIO_EMULATED_IOMMU);
}

int vfio_test_probe(struct device *dev)
{
	return probe(dev, &physical_ops, VFIO_IOMMU);
}

void vfio_test_remove(struct device *dev)
{
	struct vfio_device *vdev = dev_get_drvdata(dev);

	vfio_unregister_dev(vdev);
	vfio_put_device(vdev);
}
