// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power of a function: the states that its user asks for in configuration space, and low
 * power, which is runtime power management's: a function whose user permits it sleeps
 * whenever no call of the user's is on it. Any call wakes it up, and what comes from outside
 * (a power management event). A wake-up may end the permission, and is told by an eventfd.
 *
 * custom: it sleeps at once when the last call ends, Linux some time later. A function
 * without the capability keeps its power: low power only keeps its registers from being
 * faulted in, and is never ended by a wake-up.
 */
#include "core/vfio/pci.h"

#include "hw/function/function.h"

#include <string.h>

#define PMCSR(p) ((p)->pm_cap + 4u)
#define PM_STATE 3u
#define PM_PME_ENABLE 0x100u
#define PM_PME_STATUS 0x8000u

/* Of the registers that a function loses with its power. */
struct vfio_pci_state {
	u32 header[PCI_STD_HEADER_SIZEOF / 4];
	u16 devctl;
};

/* --- states; memory_lock held for writing --- */

static void keep_state(struct vfio_pci *p)
{
	u32 header[ARRAY_SIZE(p->saved)];
	u16 devctl = p->saved_devctl;

	memcpy(header, p->saved, sizeof(header));
	kfree(p->d3_state);
	p->d3_state = kmalloc(sizeof(*p->d3_state), GFP_KERNEL_ACCOUNT);
	if (!p->d3_state)
		return;
	vfio_pci_save(p);
	memcpy(p->d3_state->header, p->saved, sizeof(p->saved));
	p->d3_state->devctl = p->saved_devctl;
	memcpy(p->saved, header, sizeof(header));
	p->saved_devctl = devctl;
}

static void bring_back(struct vfio_pci *p)
{
	u32 header[ARRAY_SIZE(p->saved)];
	u16 devctl = p->saved_devctl;

	if (!p->d3_state)
		return;
	memcpy(header, p->saved, sizeof(header));
	memcpy(p->saved, p->d3_state->header, sizeof(p->saved));
	p->saved_devctl = p->d3_state->devctl;
	vfio_pci_restore(p);
	memcpy(p->saved, header, sizeof(header));
	p->saved_devctl = devctl;
	kfree(p->d3_state);
	p->d3_state = NULL;
}

/* There is no D1 and no D2: who asks for them stays where it is. */
static void set_power(struct vfio_pci *p, u32 state, u32 flags)
{
	u32 was = p->power;

	if (!p->pm_cap || state == was || (state != PCI_D0 && state != PCI_D3HOT))
		return;
	if (state == PCI_D3HOT)
		keep_state(p);
	pci_write(p, PMCSR(p), 2, state | flags);
	p->power = state;
	if (state == PCI_D0)
		bring_back(p);
}

/* The user's own wish, by its configuration space. */
void vfio_pci_set_power(struct vfio_pci *p, u32 state)
{
	if (state >= PCI_D3HOT)
		vfio_pci_zap_and_lock(p);
	else
		down_write(&p->memory_lock);
	if (state >= PCI_D3HOT)
		vfio_pci_dma_buf_revoke(p);
	set_power(p, state, 0);
	vfio_pci_dma_buf_permit(p);
	up_write(&p->memory_lock);
}

/* A reset does so by itself, and would lose what is to come back. */
void vfio_pci_power_up(struct vfio_pci *p)
{
	set_power(p, PCI_D0, 0);
}

/* --- runtime power management; pm_lock held --- */

/* Lets it sleep, if the user still permits it. */
static void suspend(struct vfio_pci *p)
{
	bool engaged;

	down_write(&p->memory_lock);
	engaged = p->pm_runtime_engaged;
	if (engaged)
		set_power(p, PCI_D0, 0);
	up_write(&p->memory_lock);
	if (!engaged)
		return;
	p->pm_intx_masked = vfio_pci_intx_sleep(p);
	down_write(&p->memory_lock);
	set_power(p, PCI_D3HOT, PM_PME_ENABLE);
	up_write(&p->memory_lock);
	p->pm_suspended = true;
}

static void end_permission(struct vfio_pci *p, struct eventfd **wake)
{
	p->pm_runtime_engaged = false;
	*wake = p->pm_wake;
	p->pm_wake = NULL;
	kfree(p->pm_save);
	p->pm_save = NULL;
}

/* dup: with an eventfd a wake-up is told, and the permission ends. */
static void resume(struct vfio_pci *p)
{
	struct eventfd *wake = NULL;

	down_write(&p->memory_lock);
	set_power(p, PCI_D0, PM_PME_STATUS);
	if (p->pm_wake) {
		eventfd_signal(p->pm_wake);
		end_permission(p, &wake);
	}
	up_write(&p->memory_lock);
	if (wake)
		eventfd_ctx_put(wake);
	if (p->pm_intx_masked)
		vfio_pci_intx_unmask(p);
	p->pm_suspended = false;
}

void vfio_pci_pm_get(struct vfio_pci *p)
{
	if (!p->pm_cap)
		return;
	mutex_lock(&p->pm_lock);
	if (!p->pm_users++ && p->pm_suspended)
		resume(p);
	mutex_unlock(&p->pm_lock);
}

void vfio_pci_pm_put(struct vfio_pci *p)
{
	if (!p->pm_cap)
		return;
	mutex_lock(&p->pm_lock);
	if (!--p->pm_users && !p->pm_suspended)
		suspend(p);
	mutex_unlock(&p->pm_lock);
}

/* --- events --- */

static void woken(struct work_struct *work)
{
	struct vfio_pci *p = container_of(work, struct vfio_pci, pm_work);

	vfio_pci_pm_get(p);
	vfio_pci_pm_put(p);
}

static irqreturn_t pme_handler(int irq, void *arg)
{
	struct vfio_pci *p = arg;

	(void)irq;
	schedule_work(&p->pm_work);
	return IRQ_HANDLED;
}

/* -ENOSPC: the world has no line left for its events. */
int vfio_pci_pm_open(struct vfio_pci *p)
{
	int line, ret;

	if (!p->pm_cap)
		return 0;
	line = vfio_pci_line_get();
	if (line < 0)
		return line;
	INIT_WORK(&p->pm_work, woken);
	ret = request_irq((u32)line, pme_handler, 0, "pme", p);
	if (ret) {
		vfio_pci_line_put((u32)line);
		return ret;
	}
	p->pme_line = (u32)line;
	function_wire_pme(this_world(), p->vdev.dev->index, p->pme_line);
	return 0;
}

/* The user goes: it has power, whoever took it away. */
void vfio_pci_pm_close(struct vfio_pci *p)
{
	vfio_pci_pm_exit(p);
	if (!p->pm_cap)
		return;
	function_wire_pme(this_world(), p->vdev.dev->index, IO_NONE);
	free_irq(p->pme_line, p);
	vfio_pci_line_put(p->pme_line);
	cancel_work_sync(&p->pm_work);
	vfio_pci_pm_get(p);
	vfio_pci_set_power(p, PCI_D0);
	vfio_pci_pm_put(p);
}

/* --- the features --- */

/* wake's reference moves, if all goes well. dup: -EINVAL: it is allowed already. */
static int pm_entry(struct vfio_pci *p, struct eventfd *wake)
{
	u32 *save = kmalloc(sizeof(p->saved), GFP_KERNEL_ACCOUNT);
	int ret = -EINVAL;

	if (!save)
		return -ENOMEM;
	vfio_pci_zap_and_lock(p);
	vfio_pci_dma_buf_revoke(p);
	if (!p->pm_runtime_engaged) {
		p->pm_runtime_engaged = true;
		p->pm_wake = wake;
		for (u32 i = 0; i < ARRAY_SIZE(p->saved); i++)
			save[i] = pci_read(p, 4 * i, 4);
		p->pm_save = save;
		save = NULL;
		ret = 0;
	}
	up_write(&p->memory_lock);
	kfree(save);
	return ret;
}

void vfio_pci_pm_exit(struct vfio_pci *p)
{
	struct eventfd *wake;

	down_write(&p->memory_lock);
	end_permission(p, &wake);
	vfio_pci_dma_buf_permit(p);
	up_write(&p->memory_lock);
	if (wake)
		eventfd_ctx_put(wake);
}

int vfio_pci_low_power_entry(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	(void)arg;
	return ret == 1 ? pm_entry(p, NULL) : ret;
}

int vfio_pci_low_power_entry_with_wakeup(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(entry));
	struct eventfd *wake;

	if (ret != 1)
		return ret;
	if (copy_from_user(&entry, vfio_ptr(arg), sizeof(entry)))
		return -EFAULT;
	if (entry.wakeup_eventfd < 0)
		return -EINVAL;
	wake = eventfd_ctx_fdget(entry.wakeup_eventfd);
	if (IS_ERR(wake))
		return (int)PTR_ERR(wake);
	ret = pm_entry(p, wake);
	if (ret)
		eventfd_ctx_put(wake);
	return ret;
}

int vfio_pci_low_power_exit(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	(void)arg;
	if (ret != 1)
		return ret;
	vfio_pci_pm_exit(p);
	return 0;
}
