// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci: PCI functions for user space. Binding, opening, and who may.
 */
#include "core/vfio/pci.h"

#include <stdio.h>
#include <string.h>

#define BUSES_PER_ROOT 32u

/* --- names --- */

static u32 root_of(const struct machine *m, u32 bus)
{
	while (m->bus[bus].parent != MACHINE_NONE)
		bus = m->bus[bus].parent;
	return bus;
}

/* Each root bus is a host bridge of its own, 32 numbers apart. */
static u32 bus_number(const struct machine *m, const struct machine_device *d)
{
	u32 root = root_of(m, d->bus), n = 0;

	for (u32 i = 0; i < root; i++)
		n += m->bus[i].kind == MACHINE_BUS_PCI && m->bus[i].parent == MACHINE_NONE;
	n *= BUSES_PER_ROOT;
	return (n + (m->bus[d->bus].parent == MACHINE_NONE ? 0 : d->bdf >> 8)) & 0xff;
}

u32 vfio_pci_address(const struct device *dev)
{
	const struct machine_device *d = dev_fw(dev);

	return bus_number(iommu_core()->machine, d) << 8 | (d->bdf & 0xff);
}

void vfio_pci_name(const struct device *dev, char name[16])
{
	u32 at = vfio_pci_address(dev);

	snprintf(name, 16, "0000:%02x:%02x.%x", at >> 8 & 0xff, at >> 3 & 0x1f, at & 7);
}

static int pci_match(struct vfio_device *vdev, const char *text)
{
	u8 uuid[VFIO_UUID_LEN];
	bool token = false;
	char name[16];
	int ret;

	vfio_pci_name(vdev->dev, name);
	if (strncmp(text, name, strlen(name)) != 0)
		return 0;
	text += strlen(name);
	if (*text && *text != ' ')
		return 0;
	ret = vfio_pci_read_options(text, uuid, &token);
	if (!ret)
		ret = vfio_pci_match_token(to_pci(vdev), token ? uuid : NULL);
	return ret ? ret : 1;
}

static int pci_match_token(struct vfio_device *vdev, const u8 *uuid)
{
	return vfio_pci_match_token(to_pci(vdev), uuid);
}

/* --- open and close; dev_set->lock held --- */

/* Whether runtime PM has a say. Historic: as the parameter is now. */
static bool has_idle_d3(const struct vfio_pci *p)
{
	if (bug_on(BUG_VFIO_IDLE_D3_UNBALANCED))
		return !READ_ONCE(vfio_here()->disable_idle_d3);
	return !p->keeps_power;
}

/* Memory decoding on, bus mastering off, everything else as after a reset. */
static int pci_open(struct vfio_device *vdev)
{
	struct vfio_pci *p = to_pci(vdev);
	u32 command = pci_read(p, PCI_COMMAND, 2) & ~(u32)PCI_COMMAND_MASTER;
	int ret;

	pci_write(p, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY);
	ret = vfio_pci_try_reset(p);
	if (ret == -EAGAIN)
		return ret;
	p->reset_works = !ret;
	vfio_pci_save(p);
	pci_intx(p, true);
	ret = vfio_pci_config_init(p);
	if (ret)
		return ret;
	ret = vfio_pci_pm_open(p);
	if (ret) {
		vfio_pci_config_free(p);
		return ret;
	}
	if (has_idle_d3(p))
		p->pm_usage++;
	vfio_pci_vf_used(p, true);
	if (p->variant && p->variant->opened)
		p->variant->opened(p);
	return 0;
}

static void pci_close(struct vfio_device *vdev)
{
	struct vfio_pci *p = to_pci(vdev);

	if (p->variant && p->variant->closed)
		p->variant->closed(p);
	vfio_pci_vf_used(p, false);
	if (!bug_on(BUG_VFIO_DMABUF_CLOSE_WINDOW))
		vfio_pci_dma_buf_cleanup(p);
	vfio_pci_dma_buf_off(p);
	vfio_pci_ioeventfds_off(p);
	vfio_pci_pm_close(p);
	if (has_idle_d3(p) && !WARN_ON(!p->pm_usage))
		p->pm_usage--;
	pci_write(p, PCI_COMMAND, 2, pci_read(p, PCI_COMMAND, 2) & ~(u32)PCI_COMMAND_MASTER);
	vfio_pci_irqs_off(p);
	p->virq_disabled = false;
	vfio_pci_config_free(p);
	/* What the device was doing ends; what it was set to goes. */
	pci_write(p, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	if (p->reset_works && device_trylock(vdev->dev)) {
		u32 command = p->saved[PCI_COMMAND / 4] & 0xffff;

		vfio_pci_reset_locked(p);
		pci_write(p, PCI_COMMAND, 2, command & ~(u32)PCI_COMMAND_MASTER);
		device_unlock(vdev->dev);
	}
	if (bug_on(BUG_VFIO_DMABUF_CLOSE_WINDOW))
		vfio_pci_dma_buf_cleanup(p);
}

/* The driver goes: the user is asked, if it has said how. */
static void pci_request(struct vfio_device *vdev, u32 count)
{
	struct vfio_pci *p = to_pci(vdev);

	(void)count;
	mutex_lock(&p->igate);
	if (p->req_trigger)
		eventfd_signal(p->req_trigger);
	mutex_unlock(&p->igate);
}

static s64 pci_rw(struct vfio_device *vdev, u64 buf, u64 count, s64 *pos, bool write)
{
	struct vfio_pci *p = to_pci(vdev);
	u64 index = (u64)*pos >> VFIO_PCI_OFFSET_SHIFT;

	if (index == VFIO_PCI_ROM_REGION_INDEX)
		return write ? -EINVAL : vfio_pci_rom_read(p, buf, count, pos);
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return vfio_pci_config_rw(p, buf, count, pos, write);
	if (index == VFIO_PCI_NUM_REGIONS && p->variant && p->variant->rw)
		return p->variant->rw(p, buf, count, pos, write);
	return index < PCI_BARS ? vfio_pci_bar_rw(p, buf, count, pos, write) : -EINVAL;
}

static s64 pci_rw_awake(struct vfio_device *vdev, u64 buf, u64 count, s64 *pos, bool write)
{
	s64 ret;

	if (!count)
		return 0;
	vfio_pci_pm_get(to_pci(vdev));
	ret = pci_rw(vdev, buf, count, pos, write);
	vfio_pci_pm_put(to_pci(vdev));
	return ret;
}

static s64 pci_file_read(struct vfio_device *vdev, u64 buf, u64 count, s64 *pos)
{
	return pci_rw_awake(vdev, buf, count, pos, false);
}

static s64 pci_file_write(struct vfio_device *vdev, u64 buf, u64 count, s64 *pos)
{
	return pci_rw_awake(vdev, buf, count, pos, true);
}

static int pci_init(struct vfio_device *vdev)
{
	struct vfio_pci *p = to_pci(vdev);
	const struct machine *m = iommu_core()->machine;
	const struct machine_bus *bus = &m->bus[dev_fw(vdev->dev)->bus];

	p->rid = dev_fw(vdev->dev)->bdf;
	p->irq_type = VFIO_PCI_NUM_IRQS;
	p->keeps_power = READ_ONCE(vfio_here()->disable_idle_d3);
	mutex_init(&p->igate);
	spin_lock_init(&p->irqlock);
	init_rwsem(&p->memory_lock);
	mutex_init(&p->pm_lock);
	mutex_init(&p->vpd_lock);
	xa_init(&p->ctx);
	mutex_init(&p->ioeventfds_lock);
	INIT_LIST_HEAD(&p->ioeventfds);
	INIT_LIST_HEAD(&p->dmabufs);
	vfio_pci_find(p);
	/* Functions that only their bus can reset go together. */
	if (bus->parent == MACHINE_NONE || dev_fw(vdev->dev)->physfn != MACHINE_NONE)
		return 0;
	return vfio_assign_device_set(vdev, bus);
}

static void pci_release(struct vfio_device *vdev)
{
	struct vfio_pci *p = to_pci(vdev);

	WARN_ON(p->pm_usage);
	xa_destroy(&p->ctx);
	mutex_destroy(&p->ioeventfds_lock);
	mutex_destroy(&p->igate);
	mutex_destroy(&p->pm_lock);
	mutex_destroy(&p->vpd_lock);
	kfree(p->d3_state);
}

static const struct vfio_device_ops pci_ops = {
	.name = "vfio-pci",
	.init = pci_init,
	.release = pci_release,
	.open_device = pci_open,
	.close_device = pci_close,
	.read = pci_file_read,
	.write = pci_file_write,
	.ioctl = vfio_pci_ioctl,
	.mmap = vfio_pci_mmap,
	.request = pci_request,
	.match = pci_match,
	.match_token = pci_match_token,
	.device_feature = vfio_pci_feature,
};

/* --- binding --- */

static void unmake(struct vfio_pci *p)
{
	if (p->variant && p->variant->fini)
		p->variant->fini(p);
	vfio_pci_sriov_fini(p);
}

static int make(struct vfio_pci *p, const struct vfio_pci_variant *variant)
{
	int ret = vfio_pci_sriov_init(p);

	if (ret)
		return ret;
	if (variant && variant->init)
		ret = variant->init(p);
	p->variant = ret ? NULL : variant;
	if (!ret)
		ret = vfio_register_dev(&p->vdev, VFIO_IOMMU);
	if (ret) {
		vfio_pci_sriov_disable(p);
		unmake(p);
	}
	return ret;
}

int vfio_pci_probe_variant(struct device *dev, const struct vfio_pci_variant *variant)
{
	struct vfio_device *vdev;
	int ret;

	/* dup: bridges have another header. */
	if (dev_fw(dev)->bridge || !dev_is_pci(dev))
		return -EINVAL;
	vdev = vfio_alloc_device(sizeof(struct vfio_pci), dev, &pci_ops);
	if (IS_ERR(vdev))
		return (int)PTR_ERR(vdev);
	ret = make(to_pci(vdev), variant);
	if (ret)
		vfio_put_device(vdev);
	else
		dev_set_drvdata(dev, vdev);
	return ret;
}

int vfio_pci_probe(struct device *dev)
{
	return vfio_pci_probe_variant(dev, NULL);
}

void vfio_pci_remove(struct device *dev)
{
	struct vfio_device *vdev = dev_get_drvdata(dev);

	vfio_pci_sriov_disable(to_pci(vdev));
	vfio_unregister_dev(vdev);
	unmake(to_pci(vdev));
	vfio_put_device(vdev);
}
