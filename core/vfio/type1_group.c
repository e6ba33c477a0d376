// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of a container: the domains that serve them, and the ranges that all of them
 * leave to be mapped. A group joins a domain that is there if it may, else it brings
 * one, into which everything is mapped first.
 *
 * custom: no software MSI window, no test for drivers that cannot split large pages.
 */
#include "core/vfio/type1.h"

/* --- ranges --- */

void vfio_iovas_free(struct list_head *iovas)
{
	struct vfio_iova *iova, *next;

	list_for_each_entry_safe(iova, next, iovas, list) {
		list_del(&iova->list);
		kfree(iova);
	}
}

/* In front of `before`. */
static int insert_iova(struct list_head *before, u64 start, u64 end)
{
	struct vfio_iova *iova = kmalloc(sizeof(*iova), GFP_KERNEL);

	if (!iova)
		return -ENOMEM;
	iova->start = start;
	iova->end = end;
	list_add_tail(&iova->list, before);
	return 0;
}

static int copy_iovas(struct vfio_iommu *iommu, struct list_head *copy)
{
	struct vfio_iova *iova;

	list_for_each_entry(iova, &iommu->iovas, list) {
		int ret = insert_iova(copy, iova->start, iova->end);

		if (ret) {
			vfio_iovas_free(copy);
			return ret;
		}
	}
	return 0;
}

static void take_iovas(struct vfio_iommu *iommu, struct list_head *copy)
{
	vfio_iovas_free(&iommu->iovas);
	list_splice_tail_init(copy, &iommu->iovas);
}

static struct vfio_iova *first_iova(struct list_head *iovas)
{
	return list_first_entry(iovas, struct vfio_iova, list);
}

static struct vfio_iova *last_iova(struct list_head *iovas)
{
	return list_last_entry(iovas, struct vfio_iova, list);
}

/* Whether [start, end] would leave out something that is mapped. */
static bool aperture_conflicts(struct vfio_iommu *iommu, u64 start, u64 end)
{
	struct vfio_iova *first, *last;

	if (list_empty(&iommu->iovas))
		return false;
	first = first_iova(&iommu->iovas);
	last = last_iova(&iommu->iovas);
	if (start > last->end || end < first->start)
		return true;
	if (start > first->start && vfio_find_dma(iommu, first->start, start - 1))
		return true;
	return end < last->end && vfio_find_dma(iommu, end + 1, last->end);
}

static int cut_to_aperture(struct list_head *iovas, u64 start, u64 end)
{
	struct vfio_iova *iova, *next;

	if (list_empty(iovas))
		return insert_iova(iovas, start, end);
	list_for_each_entry_safe(iova, next, iovas, list) {
		if (iova->end < start || iova->start > end) {
			list_del(&iova->list);
			kfree(iova);
			continue;
		}
		iova->start = max(iova->start, start);
		iova->end = min(iova->end, end);
	}
	return 0;
}

static bool counts(const struct iommu_resv_region *resv)
{
	return resv->type != IOMMU_RESV_DIRECT_RELAXABLE;
}

static bool reserved_conflicts(struct vfio_iommu *iommu, struct list_head *regions)
{
	struct iommu_resv_region *resv;

	list_for_each_entry(resv, regions, list) {
		if (counts(resv) &&
		    vfio_find_dma(iommu, resv->start, resv->start + resv->length - 1))
			return true;
	}
	return false;
}

static int cut_out(struct vfio_iova *iova, u64 start, u64 end)
{
	int ret = 0;

	if (start > iova->end || end < iova->start)
		return 0;
	if (start > iova->start)
		ret = insert_iova(&iova->list, iova->start, start - 1);
	if (!ret && end < iova->end)
		ret = insert_iova(&iova->list, end + 1, iova->end);
	if (ret)
		return ret;
	list_del(&iova->list);
	kfree(iova);
	return 0;
}

/* dup: -EINVAL: nothing is left. */
static int exclude_reserved(struct list_head *iovas, struct list_head *regions)
{
	struct iommu_resv_region *resv;
	struct vfio_iova *iova, *next;

	list_for_each_entry(resv, regions, list) {
		if (!counts(resv))
			continue;
		list_for_each_entry_safe(iova, next, iovas, list) {
			int ret = cut_out(iova, resv->start, resv->start + resv->length - 1);

			if (ret)
				return ret;
		}
	}
	return list_empty(iovas) ? -EINVAL : 0;
}

/* --- groups --- */

static struct vfio_iommu_group *find_in(struct list_head *groups, const struct iommu_group *group)
{
	struct vfio_iommu_group *g;

	list_for_each_entry(g, groups, next) {
		if (g->iommu_group == group)
			return g;
	}
	return NULL;
}

struct vfio_iommu_group *vfio_find_iommu_group(struct vfio_iommu *iommu,
					       const struct iommu_group *group)
{
	struct vfio_domain *domain;

	list_for_each_entry(domain, &iommu->domains, next) {
		struct vfio_iommu_group *g = find_in(&domain->groups, group);

		if (g)
			return g;
	}
	return find_in(&iommu->emulated_groups, group);
}

static void update_pgsizes(struct vfio_iommu *iommu)
{
	struct vfio_domain *domain;

	iommu->pgsize_bitmap = ~0ULL;
	list_for_each_entry(domain, &iommu->domains, next)
		iommu->pgsize_bitmap &= domain->domain->pgsize_bitmap;
	/* Parts of a page are the domains' own business. */
	if (iommu->pgsize_bitmap & ~PAGE_MASK)
		iommu->pgsize_bitmap = (iommu->pgsize_bitmap & PAGE_MASK) | PAGE_SIZE;
}

static int take_first(struct device *dev, void *data)
{
	*(struct device **)data = get_device(dev);
	return 1;
}

/* custom: not under the group's lock, which is inside that of probing. */
static struct iommu_domain *alloc_for(struct iommu_group *group)
{
	struct iommu_domain *domain;
	struct device *dev = NULL;

	iommu_group_for_each_dev(group, &dev, take_first);
	if (!dev)
		return ERR_PTR(-ENODEV);
	domain = iommu_paging_domain_alloc(dev);
	put_device(dev);
	return domain;
}

static struct vfio_domain *new_domain(struct iommu_group *group)
{
	struct vfio_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);
	struct iommu_domain *found;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	found = alloc_for(group);
	if (IS_ERR(found)) {
		kfree(domain);
		return ERR_CAST(found);
	}
	INIT_LIST_HEAD(&domain->groups);
	domain->domain = found;
	return domain;
}

static void free_domain(struct vfio_domain *domain)
{
	iommu_domain_free(domain->domain);
	kfree(domain);
}

/* dup: the domain maps the doorbell of messages that are translated. */
static int prepare_messages(struct vfio_domain *domain, struct list_head *regions)
{
	struct iommu_resv_region *resv;

	list_for_each_entry(resv, regions, list) {
		if (resv->type == IOMMU_RESV_SW_MSI)
			return iommu_get_msi_cookie(domain->domain, resv->start);
	}
	return 0;
}

/* What may be mapped with the group as well, into copy. dup: -EINVAL: something is in the way. */
static int ranges_with(struct vfio_iommu *iommu, struct vfio_domain *domain,
		       struct iommu_group *group, struct list_head *copy)
{
	u64 start = domain->domain->geometry.aperture_start;
	u64 end = domain->domain->geometry.aperture_end;
	LIST_HEAD(regions);
	int ret;

	if (aperture_conflicts(iommu, start, end))
		return -EINVAL;
	ret = iommu_get_group_resv_regions(group, &regions);
	if (!ret && reserved_conflicts(iommu, &regions))
		ret = -EINVAL;
	if (!ret)
		ret = copy_iovas(iommu, copy);
	if (!ret)
		ret = cut_to_aperture(copy, start, end);
	if (!ret)
		ret = exclude_reserved(copy, &regions);
	if (!ret)
		ret = prepare_messages(domain, &regions);
	iommu_put_resv_regions(&regions);
	if (ret)
		vfio_iovas_free(copy);
	return ret;
}

/* A domain of the same kind may serve the group, too. The one it has is attached. */
static bool alike(const struct vfio_domain *a, const struct vfio_domain *b)
{
	if (bug_on(BUG_TYPE1_DOMAIN_REUSE_CROSS_DRIVER))
		return true;
	return a->domain->ops == b->domain->ops &&
	       a->enforce_cache_coherency == b->enforce_cache_coherency;
}

/*
 * 1: the group has moved to a domain that was there; 0: it is in its own; or -errno:
 * it is in none.
 */
static int share_domain(struct vfio_iommu *iommu, struct vfio_domain *domain,
			struct vfio_iommu_group *group)
{
	struct vfio_domain *d;
	int ret;

	list_for_each_entry(d, &iommu->domains, next) {
		if (!alike(d, domain))
			continue;
		iommu_detach_group(domain->domain, group->iommu_group);
		if (!iommu_attach_group(d->domain, group->iommu_group)) {
			list_add(&group->next, &d->groups);
			return 1;
		}
		ret = iommu_attach_group(domain->domain, group->iommu_group);
		if (ret)
			return ret;
	}
	return 0;
}

static int join(struct vfio_iommu *iommu, struct vfio_domain *domain,
		struct vfio_iommu_group *group)
{
	const struct iommu_domain_ops *ops = domain->domain->ops;
	int ret;

	if (ops->enforce_cache_coherency)
		domain->enforce_cache_coherency = ops->enforce_cache_coherency(domain->domain);
	ret = share_domain(iommu, domain, group);
	if (ret)
		return ret;
	ret = vfio_replay(iommu, domain);
	if (ret) {
		iommu_detach_group(domain->domain, group->iommu_group);
		return ret;
	}
	list_add(&group->next, &domain->groups);
	list_add(&domain->next, &iommu->domains);
	update_pgsizes(iommu);
	return 0;
}

static int attach_physical(struct vfio_iommu *iommu, struct vfio_iommu_group *group)
{
	struct vfio_domain *domain;
	LIST_HEAD(copy);
	int ret;

	domain = new_domain(group->iommu_group);
	if (IS_ERR(domain))
		return (int)PTR_ERR(domain);
	/* dup: no driver has nesting of this kind any more. */
	ret = iommu->nesting ? -EINVAL : iommu_attach_group(domain->domain, group->iommu_group);
	if (ret)
		goto err_free;
	ret = ranges_with(iommu, domain, group->iommu_group, &copy);
	if (ret) {
		iommu_detach_group(domain->domain, group->iommu_group);
		goto err_free;
	}
	ret = join(iommu, domain, group);
	if (ret < 0)
		goto err_iovas;
	if (ret)
		free_domain(domain);
	take_iovas(iommu, &copy);
	/* Until it pins it may write anywhere. */
	iommu->num_non_pinned_groups++;
	return 0;

err_iovas:
	vfio_iovas_free(&copy);
err_free:
	free_domain(domain);
	return ret;
}

static int attach_locked(struct vfio_iommu *iommu, struct iommu_group *iommu_group,
			 enum vfio_group_type type)
{
	struct vfio_iommu_group *group;
	int ret;

	/* It might have to pin what has no address now. */
	if (iommu->vaddr_invalid_count)
		return -EBUSY;
	if (vfio_find_iommu_group(iommu, iommu_group))
		return -EINVAL;
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return -ENOMEM;
	group->iommu_group = iommu_group;
	if (type == VFIO_EMULATED_IOMMU) {
		list_add(&group->next, &iommu->emulated_groups);
		group->pinned_page_dirty_scope = true;
		return 0;
	}
	ret = attach_physical(iommu, group);
	if (ret)
		kfree(group);
	return ret;
}

int vfio_type1_attach_group(struct vfio_iommu *iommu, struct iommu_group *group,
			    enum vfio_group_type type)
{
	int ret;

	mutex_lock(&iommu->lock);
	ret = attach_locked(iommu, group, type);
	mutex_unlock(&iommu->lock);
	return ret;
}

/* --- leaving --- */

/* The aperture that is left is the same or larger. */
static void expand_aperture(struct vfio_iommu *iommu, struct list_head *copy)
{
	struct vfio_domain *domain;
	u64 start = 0, end = ~0ULL;

	if (list_empty(copy))
		return;
	list_for_each_entry(domain, &iommu->domains, next) {
		start = max(start, domain->domain->geometry.aperture_start);
		end = min(end, domain->domain->geometry.aperture_end);
	}
	first_iova(copy)->start = start;
	last_iova(copy)->end = end;
}

static int reserved_of_all(struct vfio_iommu *iommu, struct list_head *regions)
{
	struct vfio_iommu_group *group;
	struct vfio_domain *domain;

	list_for_each_entry(domain, &iommu->domains, next) {
		list_for_each_entry(group, &domain->groups, next) {
			int ret = iommu_get_group_resv_regions(group->iommu_group, regions);

			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Ranges anew, from what the groups that are left reserve. */
static void refresh_iovas(struct vfio_iommu *iommu, struct list_head *copy)
{
	LIST_HEAD(regions);
	u64 start, end;
	int ret;

	if (list_empty(copy))
		return;
	ret = reserved_of_all(iommu, &regions);
	start = first_iova(copy)->start;
	end = last_iova(copy)->end;
	vfio_iovas_free(copy);
	if (!ret)
		ret = insert_iova(copy, start, end);
	if (!ret)
		ret = exclude_reserved(copy, &regions);
	iommu_put_resv_regions(&regions);
	if (ret)
		vfio_iovas_free(copy);
	else
		take_iovas(iommu, copy);
}

static void forget(struct vfio_iommu *iommu, struct vfio_iommu_group *group)
{
	bool all_dirty = !group->pinned_page_dirty_scope;

	list_del(&group->next);
	kfree(group);
	if (!all_dirty)
		return;
	/* What it has written nobody knows. */
	iommu->num_non_pinned_groups--;
	if (iommu->dirty_page_tracking && !bug_on(BUG_VFIO_DIRTY_ON_DETACH))
		vfio_bitmap_fill_all(iommu);
}

/* The domain has no groups any more. */
static void drop_domain(struct vfio_iommu *iommu, struct vfio_domain *domain,
			struct list_head *copy)
{
	bool last = list_is_singular(&iommu->domains);

	if (last && list_empty(&iommu->emulated_groups))
		vfio_remove_all(iommu);
	else if (last)
		vfio_unmap_and_reaccount(iommu);
	list_del(&domain->next);
	free_domain(domain);
	expand_aperture(iommu, copy);
	update_pgsizes(iommu);
}

static void detach_physical(struct vfio_iommu *iommu, struct iommu_group *iommu_group)
{
	struct vfio_domain *domain;
	LIST_HEAD(copy);

	copy_iovas(iommu, &copy);
	list_for_each_entry(domain, &iommu->domains, next) {
		struct vfio_iommu_group *group = find_in(&domain->groups, iommu_group);

		if (!group)
			continue;
		iommu_detach_group(domain->domain, iommu_group);
		forget(iommu, group);
		if (list_empty(&domain->groups))
			drop_domain(iommu, domain, &copy);
		break;
	}
	refresh_iovas(iommu, &copy);
}

void vfio_type1_detach_group(struct vfio_iommu *iommu, struct iommu_group *iommu_group)
{
	struct vfio_iommu_group *group;

	mutex_lock(&iommu->lock);
	group = find_in(&iommu->emulated_groups, iommu_group);
	if (!group) {
		detach_physical(iommu, iommu_group);
	} else {
		forget(iommu, group);
		if (list_empty(&iommu->emulated_groups) && list_empty(&iommu->domains))
			vfio_remove_all(iommu);
	}
	mutex_unlock(&iommu->lock);
}
