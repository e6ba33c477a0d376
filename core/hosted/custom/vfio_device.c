// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: two VFIO drivers for platform devices. vfio-emulated has no IOMMU
 * behind it and pins what it touches (as mdev drivers do); vfio-test is a
 * device with DMA of its own, behind the machine's IOMMU.
 *
 * What a program may ask: read and write at an IOVA go to the memory behind it
 * (vfio_dma_rw); ioctl EMULATED_PIN and EMULATED_UNPIN take an IOVA, pin its
 * page and keep it until it is unpinned, unmapped or the device is closed. Registers
 * from EMULATED_REGS on are its state, which migrates (vfio_migrate.c).
 *
 * False: no regions, no interrupts.
 */
#include "core/hosted/custom/machine.h"
#include "core/hosted/custom/vfio_migrate.h"

#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#define PINS_MAX 16
#define EMULATED_PIN _IO(VFIO_TYPE, 240)
#define EMULATED_UNPIN _IO(VFIO_TYPE, 241)
#define EMULATED_PINNED _IO(VFIO_TYPE, 242)
#define EMULATED_REGS (1LL << 62)

struct test_device {
	struct vfio_device vdev;
	struct mutex lock;
	struct pin {
		enum { PIN_FREE, PIN_COMING, PIN_THERE } state;
		bool gone; /* unmapped while it was coming */
		u64 iova;
	} pin[PINS_MAX];
	struct hosted_migrator mig;
};

static struct test_device *test_device_of(struct vfio_device *vdev)
{
	return container_of(vdev, struct test_device, vdev);
}

struct hosted_migrator *hosted_migrator_of(struct vfio_device *vdev)
{
	return &test_device_of(vdev)->mig;
}

static int init_device(struct vfio_device *vdev)
{
	mutex_init(&test_device_of(vdev)->lock);
	return 0;
}

static int init_emulated(struct vfio_device *vdev)
{
	hosted_migrator_init(&test_device_of(vdev)->mig, vdev);
	return init_device(vdev);
}

static void release_device(struct vfio_device *vdev)
{
}

static int open_device(struct vfio_device *vdev)
{
	return 0;
}

/*
 * No lock is held over vfio_pin_pages() and vfio_unpin_pages(): type1 calls
 * dma_unmap() under a lock that it takes inside the one they take.
 */
static bool take_pin(struct test_device *t, u64 first, u64 last, u64 *iova)
{
	bool found = false;

	mutex_lock(&t->lock);
	for (int i = 0; i < PINS_MAX && !found; i++) {
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
	struct test_device *t = test_device_of(vdev);

	/* What is in flight ends before the memory behind it is given back. */
	hosted_migrator_close(&t->mig);
	drop_pins(t, 0, U64_MAX);
}

/* A pin that is coming is given up by who makes it; that may take a moment. */
static void dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct test_device *t = test_device_of(vdev);
	bool coming = false;

	drop_pins(t, iova, iova + length - 1);
	mutex_lock(&t->lock);
	for (int i = 0; i < PINS_MAX; i++) {
		struct pin *pin = &t->pin[i];

		if (pin->state != PIN_COMING || pin->iova < iova || pin->iova - iova >= length)
			continue;
		pin->gone = true;
		coming = true;
	}
	mutex_unlock(&t->lock);
	if (coming)
		msleep(MSEC_PER_SEC);
}

static ssize_t regs_rw(struct hosted_migrator *m, void *block, size_t n, u64 at, bool write)
{
	if (at >= HOSTED_MIG_REGS)
		return 0;
	n = min_t(size_t, n, HOSTED_MIG_REGS - at);
	mutex_lock(&m->regs_lock);
	if (write)
		memcpy(m->regs + at, block, n);
	else
		memcpy(block, m->regs + at, n);
	mutex_unlock(&m->regs_lock);
	return n;
}

static ssize_t dma_rw(struct test_device *t, void *block, size_t n, u64 iova, bool write)
{
	int ret;

	if (!hosted_migrator_runs(&t->mig))
		return -EBUSY;
	ret = vfio_dma_rw(&t->vdev, iova, block, n, write);
	if (!ret && write)
		hosted_migrator_mark(&t->mig, iova, n);
	return ret ? ret : n;
}

static ssize_t read_iova(struct vfio_device *vdev, char __user *buf, size_t n, loff_t *pos)
{
	struct test_device *t = test_device_of(vdev);
	char block[64];
	ssize_t ret;

	n = min(n, sizeof(block));
	ret = *pos < EMULATED_REGS ? dma_rw(t, block, n, *pos, false) :
				     regs_rw(&t->mig, block, n, *pos - EMULATED_REGS, false);
	if (ret <= 0)
		return ret;
	return copy_to_user(buf, block, ret) ? -EFAULT : ret;
}

static ssize_t write_iova(struct vfio_device *vdev, const char __user *buf, size_t n, loff_t *pos)
{
	struct test_device *t = test_device_of(vdev);
	char block[64];

	n = min(n, sizeof(block));
	if (copy_from_user(block, buf, n))
		return -EFAULT;
	return *pos < EMULATED_REGS ? dma_rw(t, block, n, *pos, true) :
				      regs_rw(&t->mig, block, n, *pos - EMULATED_REGS, true);
}

static struct pin *new_pin(struct test_device *t, u64 iova)
{
	struct pin *pin = t->pin;

	mutex_lock(&t->lock);
	while (pin < t->pin + PINS_MAX && pin->state != PIN_FREE)
		pin++;
	if (pin == t->pin + PINS_MAX)
		pin = NULL;
	else
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
	return keep ? 0 : ret < 0 ? ret : -EAGAIN;
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
	for (int i = 0; i < PINS_MAX; i++)
		n += t->pin[i].state == PIN_THERE;
	mutex_unlock(&t->lock);
	return n;
}

static long get_info(unsigned long arg)
{
	struct vfio_device_info info;
	size_t size = offsetofend(struct vfio_device_info, num_irqs);

	if (copy_from_user(&info, (void __user *)arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PLATFORM;
	info.num_regions = 0;
	info.num_irqs = 0;
	return copy_to_user((void __user *)arg, &info, size) ? -EFAULT : 0;
}

static long ioctl_device(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct test_device *t = test_device_of(vdev);

	if (cmd == VFIO_DEVICE_GET_INFO)
		return get_info(arg);
	if (cmd == VFIO_DEVICE_RESET) {
		if (vdev->mig_ops)
			hosted_migrator_reset(&t->mig);
		return 0;
	}
	if (cmd == EMULATED_PIN)
		return pin_one(t, arg & PAGE_MASK);
	if (cmd == EMULATED_UNPIN)
		return unpin_one(t, arg & PAGE_MASK);
	if (cmd == EMULATED_PINNED)
		return n_pinned(t);
	return -ENOTTY;
}

static const struct vfio_device_ops emulated_ops = {
	.name = "vfio-emulated",
	.init = init_emulated,
	.release = release_device,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
	.open_device = open_device,
	.close_device = close_device,
	.read = read_iova,
	.write = write_iova,
	.ioctl = ioctl_device,
	.dma_unmap = dma_unmap,
};

static void close_nothing(struct vfio_device *vdev)
{
}

static const struct vfio_device_ops physical_ops = {
	.name = "vfio-test",
	.init = init_device,
	.release = release_device,
	.bind_iommufd = vfio_iommufd_physical_bind,
	.unbind_iommufd = vfio_iommufd_physical_unbind,
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#ifdef VFIO_DEVICE_ATTACH_PASID
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#endif
	.open_device = open_device,
	.close_device = close_nothing,
	.ioctl = ioctl_device,
};

static int probe(struct platform_device *pdev, const struct vfio_device_ops *ops,
		 int (*add)(struct vfio_device *vdev))
{
	struct test_device *t = vfio_alloc_device(test_device, vdev, &pdev->dev, ops);
	int ret;

	if (IS_ERR(t))
		return PTR_ERR(t);
	ret = add(&t->vdev);
	if (ret) {
		vfio_put_device(&t->vdev);
		return ret;
	}
	platform_set_drvdata(pdev, t);
	return 0;
}

static int probe_emulated(struct platform_device *pdev)
{
	return probe(pdev, &emulated_ops, vfio_register_emulated_iommu_dev);
}

static int probe_physical(struct platform_device *pdev)
{
	return probe(pdev, &physical_ops, vfio_register_group_dev);
}

static void remove(struct platform_device *pdev)
{
	struct test_device *t = platform_get_drvdata(pdev);

	vfio_unregister_group_dev(&t->vdev);
	vfio_put_device(&t->vdev);
}

static struct platform_driver emulated_driver = {
	.probe = probe_emulated,
	.remove = remove,
	.driver = {.name = "vfio-emulated"},
	.driver_managed_dma = true,
};

static struct platform_driver physical_driver = {
	.probe = probe_physical,
	.remove = remove,
	.driver = {.name = "vfio-test"},
	.driver_managed_dma = true,
};

int hosted_vfio_boot(void)
{
	int ret = platform_driver_register(&emulated_driver);

	return ret ? ret : platform_driver_register(&physical_driver);
}
