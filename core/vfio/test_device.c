// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: vfio-test, a platform device with DMA, and vfio-emulated, a mediated one
 * that pins what it touches: the pair that hosted kernels have, too.
 *
 * What a program may ask the emulated one: read and write at an IOVA go to the memory
 * behind it; ioctl EMULATED_PIN and EMULATED_UNPIN take an IOVA, pin its page and keep
 * it until it is unpinned, unmapped or the device is closed.
 */
#include "core/vfio/vfio_priv.h"

#define PINS_MAX 16
#define RW_MAX 64
#define EMULATED_PIN 0x3bf0u
#define EMULATED_UNPIN 0x3bf1u
#define EMULATED_PINNED 0x3bf2u
#define UNPIN_PATIENCE (100 * HZ)

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
};

static struct test_device *to_test(struct vfio_device *vdev)
{
	return container_of(vdev, struct test_device, vdev);
}

static int init(struct vfio_device *vdev)
{
	mutex_init(&to_test(vdev)->lock);
	init_waitqueue_head(&to_test(vdev)->wait);
	return 0;
}

static void release(struct vfio_device *vdev)
{
	mutex_destroy(&to_test(vdev)->lock);
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

static void close_device(struct vfio_device *vdev)
{
	drop_pins(to_test(vdev), 0, ~0ULL);
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

static s64 read_iova(struct vfio_device *vdev, u64 buf, u64 n, s64 *pos)
{
	char block[RW_MAX] = {0};
	int ret;

	n = min(n, (u64)RW_MAX);
	ret = vfio_dma_rw(vdev, (u64)*pos, block, n, false);
	if (ret)
		return ret;
	return copy_to_user(vfio_ptr(buf), block, n) ? -EFAULT : (s64)n;
}

static s64 write_iova(struct vfio_device *vdev, u64 buf, u64 n, s64 *pos)
{
	char block[RW_MAX];
	int ret;

	n = min(n, (u64)RW_MAX);
	if (copy_from_user(block, vfio_ptr(buf), n))
		return -EFAULT;
	ret = vfio_dma_rw(vdev, (u64)*pos, block, n, true);
	return ret ? ret : (s64)n;
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
		return 0;
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
