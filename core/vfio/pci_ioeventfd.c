// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to a register that an eventfd causes. Where memory_lock is free the signaller
 * writes, else a worker does.
 */
#include "core/vfio/pci.h"

#define IOEVENTFDS_MAX 1000u

struct vfio_pci_ioeventfd {
	struct list_head next; /* p->ioeventfds */
	struct vfio_pci *p;
	struct vfio_virqfd *virqfd;
	u64 off, data;
	u32 bar, size;
};

/* memory_lock held. Decoding is off: the write is lost. */
static void do_write(const struct vfio_pci_ioeventfd *e)
{
	if (vfio_pci_memory_enabled(e->p))
		vfio_pci_user_write(e->p, e->p->bar_pa[e->bar] + e->off, e->size, e->data);
}

/* In the signaller, interrupts off: true: a worker has to. */
static bool signalled(void *arg)
{
	struct vfio_pci_ioeventfd *e = arg;

	if (!down_read_trylock(&e->p->memory_lock))
		return true;
	do_write(e);
	up_read(&e->p->memory_lock);
	return false;
}

static void later(void *arg)
{
	struct vfio_pci_ioeventfd *e = arg;

	down_read(&e->p->memory_lock);
	do_write(e);
	up_read(&e->p->memory_lock);
}

static struct vfio_pci_ioeventfd *find(struct vfio_pci *p, const struct vfio_pci_ioeventfd *like)
{
	struct vfio_pci_ioeventfd *e;

	list_for_each_entry(e, &p->ioeventfds, next) {
		if (e->off == like->off && e->bar == like->bar && e->data == like->data &&
		    e->size == like->size)
			return e;
	}
	return NULL;
}

static void drop(struct vfio_pci *p, struct vfio_pci_ioeventfd *e)
{
	vfio_virqfd_disable(&e->virqfd);
	list_del(&e->next);
	p->n_ioeventfds--;
	kfree(e);
}

static int add(struct vfio_pci *p, const struct vfio_pci_ioeventfd *like, int fd)
{
	struct vfio_pci_ioeventfd *e;
	int ret;

	if (p->n_ioeventfds >= IOEVENTFDS_MAX)
		return -ENOSPC;
	e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	*e = *like;
	ret = vfio_virqfd_enable(&e->virqfd, fd, signalled, later, e);
	if (ret) {
		kfree(e);
		return ret;
	}
	list_add(&e->next, &p->ioeventfds);
	p->n_ioeventfds++;
	return 0;
}

/* dup: -EEXIST: the same one is there; -ENODEV: none to take away. */
static int change(struct vfio_pci *p, const struct vfio_pci_ioeventfd *like, int fd)
{
	struct vfio_pci_ioeventfd *e;
	int ret;

	mutex_lock(&p->ioeventfds_lock);
	e = find(p, like);
	if (e && fd == -1) {
		drop(p, e);
		ret = 0;
	} else if (e) {
		ret = -EEXIST;
	} else {
		ret = fd < 0 ? -ENODEV : add(p, like, fd);
	}
	mutex_unlock(&p->ioeventfds_lock);
	return ret;
}

/*
 * dup: -EINVAL: not one size, no register, or one of the vectors' table; 64 bits are
 * refused here as where iowrite64() is not.
 */
long vfio_pci_ioctl_ioeventfd(struct vfio_pci *p, u64 arg)
{
	size_t size = vfio_end_of(struct vfio_device_ioeventfd, fd);
	struct vfio_device_ioeventfd io = {.argsz = 0};
	struct vfio_pci_ioeventfd like;
	u64 end;

	if (copy_from_user(&io, vfio_ptr(arg), size))
		return -EFAULT;
	if (io.argsz < size || io.flags & ~15u || !io.flags || io.flags & (io.flags - 1) ||
	    io.fd < -1)
		return -EINVAL;
	like = (struct vfio_pci_ioeventfd){.p = p, .data = io.data, .size = io.flags,
					   .off = io.offset & VFIO_PCI_OFFSET_MASK,
					   .bar = (u32)(io.offset >> VFIO_PCI_OFFSET_SHIFT)};
	end = like.off + like.size;
	if (like.bar >= PCI_BARS || end > p->region_size[like.bar])
		return -EINVAL;
	if (like.bar == p->msix_bar && end > p->msix_offset &&
	    like.off < p->msix_offset + p->msix_size)
		return -EINVAL;
	return change(p, &like, io.fd);
}

/* The device is being closed. */
void vfio_pci_ioeventfds_off(struct vfio_pci *p)
{
	struct vfio_pci_ioeventfd *e, *next;

	mutex_lock(&p->ioeventfds_lock);
	list_for_each_entry_safe(e, next, &p->ioeventfds, next)
		drop(p, e);
	mutex_unlock(&p->ioeventfds_lock);
}
