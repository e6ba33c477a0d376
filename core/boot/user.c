// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space's side: owners and the domains they attach, with the rules that
 * VFIO and iommufd keep for the core.
 *
 * A domain may be attached through a device only while that device (or its
 * group, through it) is claimed, a claim is given up only after the domain, and
 * a domain is freed only when nothing uses it. So an unmanaged domain that a
 * group is in is always one that some device's record holds. What would be a
 * kernel caller's bug is refused here, with an errno.
 *
 * Locks: user->lock -> slots_lock; user->lock -> the core's. map_lock -> the
 * driver's.
 */
#include "core/boot/boot_priv.h"

/* --- domains by name --- */

struct boot_slot *boot_slot_get(u64 index)
{
	struct boot_state *b = boot_state();
	struct boot_slot *s = NULL;

	if (index >= OP_DOMAINS_MAX)
		return NULL;
	mutex_lock(&b->slots_lock);
	if (b->slot[index].state == SLOT_LIVE) {
		s = &b->slot[index];
		s->users++;
	}
	mutex_unlock(&b->slots_lock);
	return s;
}

void boot_slot_put(struct boot_slot *s)
{
	struct boot_state *b = boot_state();

	mutex_lock(&b->slots_lock);
	s->users--;
	mutex_unlock(&b->slots_lock);
}

static void slot_set(struct boot_slot *s, enum slot_state state, struct iommu_domain *domain)
{
	struct boot_state *b = boot_state();

	mutex_lock(&b->slots_lock);
	s->state = state;
	s->domain = domain;
	if (state == SLOT_LIVE)
		b->live |= BIT(s - b->slot);
	else
		b->live &= ~BIT(s - b->slot);
	mutex_unlock(&b->slots_lock);
}

/* From state to BUSY, with nobody using it; -EBUSY, or err if it is in another. */
static int slot_take(u64 index, enum slot_state state, int err)
{
	struct boot_state *b = boot_state();
	struct boot_slot *s;
	int ret = 0;

	if (index >= OP_DOMAINS_MAX)
		return -EINVAL;
	s = &b->slot[index];
	mutex_lock(&b->slots_lock);
	if (s->state != state)
		ret = err;
	else if (s->users)
		ret = -EBUSY;
	else
		s->state = SLOT_BUSY;
	mutex_unlock(&b->slots_lock);
	return ret;
}

static long alloc_domain_op(const u64 *arg, struct iommu_domain *(*alloc)(struct device *dev))
{
	struct device *dev = boot_device_get(arg[1]);
	struct iommu_domain *domain;
	int ret;

	if (!dev)
		return -ENODEV;
	ret = slot_take(arg[0], SLOT_FREE, -EEXIST);
	if (!ret) {
		struct boot_slot *s = &boot_state()->slot[arg[0]];

		domain = alloc(dev);
		ret = PTR_ERR_OR_ZERO(domain);
		slot_set(s, ret ? SLOT_FREE : SLOT_LIVE, ret ? NULL : domain);
	}
	put_device(dev);
	return ret;
}

long boot_op_alloc_domain(const u64 *arg)
{
	return alloc_domain_op(arg, iommu_paging_domain_alloc);
}

long boot_op_alloc_domain_dirty(const u64 *arg)
{
	return alloc_domain_op(arg, iommu_tracking_domain_alloc);
}

long boot_op_free_domain(const u64 *arg)
{
	int ret = slot_take(arg[0], SLOT_LIVE, -ENOENT);

	if (!ret) {
		struct boot_slot *s = &boot_state()->slot[arg[0]];

		iommu_domain_free(s->domain);
		slot_set(s, SLOT_FREE, NULL);
	}
	return ret;
}

/* At shutdown: nobody uses them any more. */
void boot_slots_free(struct boot_state *b)
{
	for (; b->live; b->live &= b->live - 1) {
		struct boot_slot *s = &b->slot[bit_lowest(b->live)];

		iommu_domain_free(s->domain);
		s->state = SLOT_FREE;
	}
}

/* --- owners --- */

static struct boot_user *user_of(const struct device *dev)
{
	return &boot_state()->user[dev->index];
}

long boot_user_op(boot_user_op_fn *fn, const u64 *arg)
{
	struct device *dev = boot_device_get(arg[0]);
	struct boot_user *u;
	long ret;

	if (!dev)
		return -ENODEV;
	u = user_of(dev);
	mutex_lock(&u->lock);
	ret = fn(u, dev, arg);
	mutex_unlock(&u->lock);
	put_device(dev);
	return ret;
}

/* Its domain is attached no more. */
static void user_detached(struct boot_user *u)
{
	boot_slot_put(u->attached);
	u->attached = NULL;
}

static int user_release(struct boot_user *u)
{
	int ret = iommu_group_release_dma_owner(u->group);

	if (!--u->n_claims) {
		iommu_group_put(u->group);
		u->group = NULL;
	}
	return ret;
}

void boot_user_close_begin(struct device *dev)
{
	struct boot_user *u = user_of(dev);

	mutex_lock(&u->lock);
	boot_pasids_end(u, dev);
	if (u->attached) {
		iommu_detach_group(u->attached->domain, u->group);
		user_detached(u);
	}
	while (u->n_claims)
		user_release(u);
}

void boot_user_close_end(struct device *dev)
{
	mutex_unlock(&user_of(dev)->lock);
}

/* Once a device is going, its user has been sent away for good: -ENODEV. */

long boot_op_claim(struct boot_user *u, struct device *dev, const u64 *arg)
{
	void *owner = (void *)(uintptr_t)arg[1];
	int ret;

	if (dev->dead)
		return -ENODEV;
	if (u->n_claims && u->by_group)
		return -EPERM;
	ret = iommu_device_claim_dma_owner(dev, owner);
	if (ret)
		return ret;
	if (!u->n_claims++) {
		u->group = iommu_group_get(dev);
		u->by_group = false;
	}
	return 0;
}

long boot_op_claim_group(struct boot_user *u, struct device *dev, const u64 *arg)
{
	void *owner = (void *)(uintptr_t)arg[1];
	struct iommu_group *group = dev->dead ? NULL : iommu_group_get(dev);
	int ret;

	if (!group)
		return -ENODEV;
	ret = iommu_group_claim_dma_owner(group, owner);
	if (ret) {
		iommu_group_put(group);
		return ret;
	}
	u->group = group;
	u->n_claims = 1;
	u->by_group = true;
	return 0;
}

static long release_one(struct boot_user *u, const struct device *dev, bool by_group)
{
	if (dev->dead)
		return -ENODEV;
	if (!u->n_claims || u->by_group != by_group)
		return -EINVAL;
	if (u->attached && u->n_claims == 1)
		return -EBUSY;
	return user_release(u);
}

long boot_op_release(struct boot_user *u, struct device *dev, const u64 *arg)
{
	(void)arg;
	return release_one(u, dev, false);
}

long boot_op_release_group(struct boot_user *u, struct device *dev, const u64 *arg)
{
	(void)arg;
	return release_one(u, dev, true);
}

/* --- attaching --- */

typedef int (*attach_fn)(struct boot_user *u, struct device *dev, struct boot_slot *s);

/* The record holds the slot from before the domain is attached until after. */
static long attach_by(struct boot_user *u, struct device *dev, u64 domain, attach_fn fn)
{
	struct boot_slot *s = boot_slot_get(domain);
	int ret;

	if (!s)
		return -ENOENT;
	ret = u->n_claims ? fn(u, dev, s) : -EPERM;
	if (ret)
		boot_slot_put(s);
	else
		u->attached = s;
	return ret;
}

static int attach_device(struct boot_user *u, struct device *dev, struct boot_slot *s)
{
	return u->attached ? -EBUSY : iommu_attach_device(s->domain, dev);
}

static int attach_group(struct boot_user *u, struct device *dev, struct boot_slot *s)
{
	(void)dev;
	return u->attached ? -EBUSY : iommu_attach_group(s->domain, u->group);
}

static int replace_group(struct boot_user *u, struct device *dev, struct boot_slot *s)
{
	int ret = iommu_group_replace_domain(u->group, s->domain);

	(void)dev;
	if (!ret && u->attached)
		boot_slot_put(u->attached);
	return ret;
}

static bool is_attached(const struct boot_user *u, u64 domain)
{
	return u->attached && domain < OP_DOMAINS_MAX &&
	       u->attached == &boot_state()->slot[domain];
}

long boot_op_attach(struct boot_user *u, struct device *dev, const u64 *arg)
{
	return attach_by(u, dev, arg[1], attach_device);
}

long boot_op_attach_group(struct boot_user *u, struct device *dev, const u64 *arg)
{
	return attach_by(u, dev, arg[1], attach_group);
}

long boot_op_replace(struct boot_user *u, struct device *dev, const u64 *arg)
{
	return attach_by(u, dev, arg[1], replace_group);
}

long boot_op_detach(struct boot_user *u, struct device *dev, const u64 *arg)
{
	int ret = -EINVAL;

	if (is_attached(u, arg[1]))
		ret = iommu_detach_device(u->attached->domain, dev);
	if (!ret)
		user_detached(u);
	return ret;
}

long boot_op_detach_group(struct boot_user *u, struct device *dev, const u64 *arg)
{
	(void)dev;
	if (!is_attached(u, arg[1]))
		return -EINVAL;
	iommu_detach_group(u->attached->domain, u->group);
	user_detached(u);
	return 0;
}

/* --- mapping --- */

#define FRESH_ALIGN (2ULL << 20)
#define FRESH_MAX (1ULL << 40)

/* New physical memory that lies in large pages as the iova does. */
static u64 fresh_frames(u64 iova, u64 size)
{
	u64 offset = iova & (FRESH_ALIGN - 1), base;

	if (size > FRESH_MAX)
		return iova;
	base = (u64)atomic64_fetch_add((s64)ALIGN(size + offset, FRESH_ALIGN),
				       &iommu_core()->next_frame);
	return base + offset;
}

long boot_op_map(const u64 *arg)
{
	u64 iova = arg[1], size = arg[2], pa = arg[3];
	struct boot_slot *s;
	int ret;

	if (!size)
		return -EINVAL;
	s = boot_slot_get(arg[0]);
	if (!s)
		return -ENOENT;
	if (!pa)
		pa = fresh_frames(iova, size);
	mutex_lock(&s->map_lock);
	ret = iommu_map(s->domain, iova, pa, size, IOMMU_READ | IOMMU_WRITE);
	mutex_unlock(&s->map_lock);
	boot_slot_put(s);
	return ret;
}

long boot_op_unmap(const u64 *arg)
{
	struct boot_slot *s;
	size_t size;

	if (!arg[2])
		return -EINVAL;
	s = boot_slot_get(arg[0]);
	if (!s)
		return -ENOENT;
	mutex_lock(&s->map_lock);
	size = iommu_unmap(s->domain, arg[1], arg[2]);
	mutex_unlock(&s->map_lock);
	boot_slot_put(s);
	return (long)(size & ~BIT(63));
}

/* --- dirty tracking --- */

struct counter {
	struct iommu_dirty_bitmap dirty; /* first */
	u64 bytes;
};

static void count_dirty(struct iommu_dirty_bitmap *dirty, u64 iova, u64 length)
{
	(void)iova;
	container_of(dirty, struct counter, dirty)->bytes += length;
}

/* All of the domain is made clean first, as iommufd does it. */
static int track(struct iommu_domain *domain, bool on)
{
	struct iommu_dirty_bitmap nobody = {.record = NULL};
	int ret = 0;

	if (on)
		ret = domain->dirty_ops->read_and_clear_dirty(
			domain, 0, domain->geometry.aperture_end + 1, 0, &nobody);
	return ret ? ret : domain->dirty_ops->set_dirty_tracking(domain, on);
}

long boot_op_dirty_track(const u64 *arg)
{
	struct boot_slot *s = boot_slot_get(arg[0]);
	int ret = -EOPNOTSUPP;

	if (!s)
		return -ENOENT;
	mutex_lock(&s->map_lock);
	if (s->domain->dirty_ops)
		ret = track(s->domain, arg[1]);
	mutex_unlock(&s->map_lock);
	boot_slot_put(s);
	return ret;
}

long boot_op_dirty_read(const u64 *arg)
{
	struct counter c = {.dirty = {.record = count_dirty}};
	u32 flags = arg[3] && arg[3] != OP_NONE ? IOMMU_DIRTY_NO_CLEAR : 0;
	struct boot_slot *s = boot_slot_get(arg[0]);
	int ret = -EOPNOTSUPP;

	if (!s)
		return -ENOENT;
	mutex_lock(&s->map_lock);
	if (s->domain->dirty_ops)
		ret = s->domain->dirty_ops->read_and_clear_dirty(s->domain, arg[1], arg[2], flags,
								 &c.dirty);
	mutex_unlock(&s->map_lock);
	boot_slot_put(s);
	return ret ? ret : (long)(c.bytes & ~BIT_ULL(63));
}
