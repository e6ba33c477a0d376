// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domains: their allocation and end, and the choice and change of a group's
 * default domain.
 *
 * The default domain is what kernel drivers of the group's devices work in.
 * It is set up when the group is complete and may be replaced (sysfs) while
 * no driver is bound. Regions that firmware wants mapped 1:1 are mapped before
 * the first device is attached.
 */
#include "core/iommu/iommu_priv.h"

/* For drivers: what every domain starts with. */
void iommu_domain_init(struct iommu_domain *domain, unsigned type, const struct iommu_ops *owner,
		       const struct iommu_domain_ops *ops, u64 pgsize_bitmap)
{
	domain->type = type;
	domain->owner = owner;
	domain->ops = ops;
	domain->pgsize_bitmap = pgsize_bitmap;
	domain->geometry.aperture_end = ~0ULL;
	domain->id = (u32)atomic_fetch_add(1, &iommu_core()->domain_ids);
}

static void domain_set_type(struct iommu_domain *domain, unsigned type)
{
	WRITE_ONCE(domain->type, type);
	fact(DOMAIN_ALLOC, domain->id, type, 0);
}

static struct iommu_domain *no_domain(struct device *dev)
{
	(void)dev;
	return ERR_PTR(-ENODEV);
}

const struct iommu_ops iommu_no_ops = {.domain_alloc_paging = no_domain};

/*
 * dup: an unmanaged paging domain for dev's instance; ERR_PTR. custom: under
 * probe_lock, that the device keep its IOMMU meanwhile.
 */
struct iommu_domain *iommu_paging_domain_alloc(struct device *dev)
{
	struct iommu_core *core = iommu_core();
	struct iommu_domain *domain = ERR_PTR(-ENODEV);

	mutex_lock(&core->probe_lock);
	if (dev->iommu_group)
		domain = dev_iommu_ops(dev)->domain_alloc_paging(dev);
	mutex_unlock(&core->probe_lock);
	if (!IS_ERR(domain))
		domain_set_type(domain, IOMMU_DOMAIN_UNMANAGED);
	return domain;
}

/* As above, one that can track what is written; -EOPNOTSUPP: the driver has none. */
struct iommu_domain *iommu_tracking_domain_alloc(struct device *dev)
{
	struct iommu_core *core = iommu_core();
	struct iommu_domain *domain = ERR_PTR(-ENODEV);

	mutex_lock(&core->probe_lock);
	if (dev->iommu_group && !dev_iommu_ops(dev)->domain_alloc_user)
		domain = ERR_PTR(-EOPNOTSUPP);
	else if (dev->iommu_group)
		domain = dev_iommu_ops(dev)->domain_alloc_user(dev, IOMMU_ALLOC_DIRTY_TRACKING,
							       NULL, NULL);
	mutex_unlock(&core->probe_lock);
	if (!IS_ERR(domain))
		domain_set_type(domain, IOMMU_DOMAIN_UNMANAGED);
	return domain;
}

/* dup: static domains are left alone. */
void iommu_domain_free(struct iommu_domain *domain)
{
	if (!domain->ops->free)
		return;
	fact(DOMAIN_FREE, domain->id, READ_ONCE(domain->type));
	iommu_put_dma_cookie(domain);
	iommu_put_msi_cookie(domain);
	domain->ops->free(domain);
}

static struct device *first_dev(struct iommu_group *group)
{
	return list_first_entry(&group->devices, struct group_device, list)->dev;
}

/* A domain of exactly this type, or ERR_PTR. */
static struct iommu_domain *domain_alloc(struct device *dev, unsigned type)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	struct iommu_domain *domain = NULL;

	if (type == IOMMU_DOMAIN_IDENTITY && ops->identity_domain)
		domain = ops->identity_domain(dev);
	else if (type == IOMMU_DOMAIN_BLOCKED && ops->blocked_domain)
		domain = ops->blocked_domain(dev);
	else if (type & __IOMMU_DOMAIN_PAGING)
		domain = ops->domain_alloc_paging(dev);
	if (!domain)
		return ERR_PTR(-EOPNOTSUPP);
	if (!IS_ERR(domain) && type & __IOMMU_DOMAIN_PAGING)
		domain_set_type(domain, type);
	return domain;
}

/* dup: drivers without a blocking domain get an empty paging one. */
int __iommu_group_alloc_blocking_domain(struct iommu_group *group)
{
	struct iommu_domain *domain;

	if (group->blocking_domain)
		return 0;
	domain = domain_alloc(first_dev(group), IOMMU_DOMAIN_BLOCKED);
	if (IS_ERR(domain))
		domain = domain_alloc(first_dev(group), IOMMU_DOMAIN_UNMANAGED);
	if (IS_ERR(domain))
		return (int)PTR_ERR(domain);
	group->blocking_domain = domain;
	return 0;
}

/* Devices that firmware wants mapped 1:1 cannot be blocked. */
static bool can_be_blocked(struct iommu_group *group)
{
	struct group_device *gdev;

	for_each_group_device(group, gdev)
		if (gdev->dev->iommu->require_direct)
			return false;
	return true;
}

/*
 * The type the group's devices need: what is asked for, what their driver
 * insists on, DMA if one is untrusted. -EINVAL if these disagree. custom: DMA
 * instead of blocked if a device must stay mapped; Linux fails at its attach,
 * and warns.
 */
static int default_domain_type(struct iommu_group *group, unsigned target)
{
	unsigned type = target;
	struct group_device *gdev;

	for_each_group_device(group, gdev) {
		const struct iommu_ops *ops = dev_iommu_ops(gdev->dev);
		unsigned want = IOMMU_TYPE_AUTO;

		if (dev_fw(gdev->dev)->untrusted)
			want = IOMMU_DOMAIN_DMA;
		else if (ops->def_domain_type && target == IOMMU_TYPE_AUTO)
			want = (unsigned)ops->def_domain_type(gdev->dev);
		if (want == IOMMU_TYPE_AUTO)
			continue;
		if (type != IOMMU_TYPE_AUTO && type != want)
			return -EINVAL;
		type = want;
	}
	if (type == IOMMU_TYPE_AUTO ||
	    (type == IOMMU_DOMAIN_BLOCKED && !can_be_blocked(group)))
		type = IOMMU_DOMAIN_DMA;
	return (int)type;
}

/* A default domain with its cookie, if it is for the DMA API; ERR_PTR. */
struct iommu_domain *iommu_alloc_default_domain(struct device *dev, unsigned type)
{
	struct iommu_domain *dom = domain_alloc(dev, type);
	int ret;

	if (IS_ERR(dom) || !iommu_is_dma_domain(dom))
		return dom;
	ret = iommu_get_dma_cookie(dom);
	if (!ret)
		return dom;
	iommu_domain_free(dom);
	return ERR_PTR(ret);
}

static bool create_direct_mappings(struct iommu_group *group, struct iommu_domain *dom)
{
	struct group_device *gdev;
	bool ok = true;

	for_each_group_device(group, gdev)
		ok &= !iommu_create_device_direct_mappings(dom, gdev->dev);
	return ok;
}

static int switch_to_default(struct iommu_group *group, struct iommu_domain *dom,
			     struct iommu_domain *old, bool retry_direct)
{
	int ret;

	if (!group->domain)
		return __iommu_group_set_domain_internal(group, dom,
							 IOMMU_SET_DOMAIN_MUST_SUCCEED);
	ret = __iommu_group_set_domain(group, dom);
	if (ret || !retry_direct || create_direct_mappings(group, dom))
		return ret;
	if (old)
		__iommu_group_set_domain_nofail(group, old);
	return -ENOMEM;
}

/*
 * dup: gives the group a default domain of the type, in place of the one it
 * has. On failure the old one is in force again.
 */
int iommu_setup_default_domain(struct iommu_group *group, unsigned target)
{
	struct iommu_domain *old = group_default_domain(group), *dom;
	int type = default_domain_type(group, target), ret;
	bool direct;

	lockdep_assert_held(&group->mutex);
	if (type < 0)
		return type;
	dom = iommu_alloc_default_domain(first_dev(group), (unsigned)type);
	if (IS_ERR(dom))
		return (int)PTR_ERR(dom);
	if (dom == old)
		return 0;
	direct = create_direct_mappings(group, dom);
	/* Before the switch: __iommu_device_set_domain() compares with it. */
	smp_store_release(&group->default_domain, dom);
	ret = switch_to_default(group, dom, old, !direct);
	if (bug_on(BUG_CORE_SYSFS_TYPE_RESTORE)) {
		/* Falls through into the undo, also on success. */
	} else if (!ret) {
		if (old)
			iommu_domain_free(old);
		return 0;
	}
	if (old) {
		WRITE_ONCE(group->default_domain, old);
		iommu_domain_free(dom);
	}
	return ret;
}
