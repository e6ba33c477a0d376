// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserved regions: what firmware and hardware want left alone.
 *
 * A driver lists a device's regions on a list that the caller owns. A group's
 * list is the union of its devices', sorted by start, then type, where regions
 * of one type that touch or overlap have become one. Regions of type DIRECT
 * must be mapped 1:1 in a default domain before its device is attached.
 */
#include "core/iommu/iommu_priv.h"

/* dup */
struct iommu_resv_region *iommu_alloc_resv_region(u64 start, u64 length,
						  enum iommu_resv_type type)
{
	struct iommu_resv_region *region = kzalloc(sizeof(*region), GFP_KERNEL);

	if (!region)
		return NULL;
	INIT_LIST_HEAD(&region->list);
	region->start = start;
	region->length = length;
	region->type = type;
	return region;
}

/* dup: the driver's regions for dev; the caller puts the list. */
void iommu_get_resv_regions(struct device *dev, struct list_head *list)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);

	if (ops->get_resv_regions)
		ops->get_resv_regions(dev, list);
}

void iommu_put_resv_regions(struct list_head *list)
{
	struct iommu_resv_region *region, *next;

	list_for_each_entry_safe(region, next, list, list)
		kfree(region);
	INIT_LIST_HEAD(list);
}

static u64 region_last(const struct iommu_resv_region *r)
{
	return r->start + (r->length - 1);
}

/* Whether b, which starts no earlier than a, overlaps or follows it at once. */
static bool touches(const struct iommu_resv_region *a, const struct iommu_resv_region *b)
{
	u64 last = region_last(a);

	return last == ~0ULL || b->start <= last + 1;
}

static bool sorts_before(const struct iommu_resv_region *a, const struct iommu_resv_region *b)
{
	return a->start < b->start || (a->start == b->start && a->type < b->type);
}

/* The nearest region before nr on the list that has its type, or NULL. */
static struct iommu_resv_region *same_type_before(struct iommu_resv_region *nr,
						  struct list_head *regions)
{
	struct iommu_resv_region *iter = nr;

	list_for_each_entry_continue_reverse(iter, regions, list)
		if (iter->type == nr->type)
			return iter;
	return NULL;
}

static void absorb(struct iommu_resv_region *into, struct iommu_resv_region *r)
{
	u64 last = max(region_last(into), region_last(r));

	into->length = last - into->start + 1;
	list_del(&r->list);
	if (!bug_on(BUG_CORE_RESV_MERGE_LEAK))
		kfree(r);
}

/* From `into` onwards, takes in each region of its type that it reaches. */
static void absorb_following(struct iommu_resv_region *into, struct list_head *regions)
{
	struct list_head *at = into->list.next;
	enum iommu_resv_type type = into->type;

	while (at != regions) {
		struct iommu_resv_region *iter = list_entry(at, struct iommu_resv_region, list);

		at = at->next;
		if (iter->type != type)
			continue;
		if (!touches(into, iter))
			return;
		if (bug_on(BUG_CORE_RESV_MERGE_UAF)) {
			absorb(into, iter);
			type = iter->type;
		} else {
			absorb(into, iter);
		}
	}
}

/* dup in effect; the algorithm is our own. -ENOMEM leaves the list as it was. */
int iommu_insert_resv_region(const struct iommu_resv_region *new, struct list_head *regions)
{
	struct iommu_resv_region *nr, *iter, *prev;

	nr = iommu_alloc_resv_region(new->start, new->length, new->type);
	if (!nr)
		return -ENOMEM;
	list_for_each_entry(iter, regions, list)
		if (sorts_before(nr, iter))
			break;
	list_add_tail(&nr->list, &iter->list);
	prev = same_type_before(nr, regions);
	absorb_following(prev && touches(prev, nr) ? prev : nr, regions);
	return 0;
}

static int insert_device_regions(struct device *dev, struct list_head *head)
{
	struct iommu_resv_region *region;
	LIST_HEAD(list);
	int ret = 0;

	iommu_get_resv_regions(dev, &list);
	list_for_each_entry(region, &list, list) {
		/* custom: firmware may say that nothing is reserved. */
		ret = region->length ? iommu_insert_resv_region(region, head) : 0;
		if (ret)
			break;
	}
	iommu_put_resv_regions(&list);
	return ret;
}

/* dup: the group's merged list; the caller puts it, also after an error. */
int iommu_get_group_resv_regions(struct iommu_group *group, struct list_head *head)
{
	struct group_device *gdev;
	int ret = 0;

	mutex_lock(&group->mutex);
	for_each_group_device(group, gdev) {
		ret = insert_device_regions(gdev->dev, head);
		if (ret)
			break;
	}
	mutex_unlock(&group->mutex);
	return ret;
}

#define DIRECT_PROT (IOMMU_READ | IOMMU_WRITE)
#define DIRECT_PAGES_MAX 1024u /* pages looked at one by one when regions overlap */

/* Page by page: what a sibling's overlapping region has mapped already is fine. */
static int map_missing_pages(struct iommu_domain *domain, u64 start, u64 end, u64 page)
{
	if ((end - start) / page > DIRECT_PAGES_MAX)
		return -EEXIST;
	for (u64 at = start; at != end; at += page) {
		u64 phys = iommu_iova_to_phys(domain, at);
		int ret = phys == at ? 0 : -EEXIST;

		if (!phys)
			ret = iommu_map(domain, at, at, page, DIRECT_PROT);
		if (ret)
			return ret;
	}
	return 0;
}

static int map_direct(struct iommu_domain *domain, const struct iommu_resv_region *region)
{
	u64 page = BIT_ULL(bit_lowest(domain->pgsize_bitmap));
	u64 start = ALIGN(region->start, page);
	u64 end = ALIGN(region->start + region->length, page);
	int ret;

	if (end <= start)
		return 0;
	ret = iommu_map(domain, start, start, end - start, DIRECT_PROT);
	return ret == -EEXIST ? map_missing_pages(domain, start, end, page) : ret;
}

/*
 * Whether firmware wants the device mapped 1:1 at all times. custom: asked
 * once, when it joins its group; Linux notes it whenever it maps the regions.
 */
bool iommu_needs_direct(struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(list);
	bool needs = false;

	iommu_get_resv_regions(dev, &list);
	list_for_each_entry(region, &list, list)
		needs |= region->type == IOMMU_RESV_DIRECT;
	iommu_put_resv_regions(&list);
	return needs;
}

/* dup: maps dev's direct regions 1:1 in a DMA domain. Nothing to do in others. */
int iommu_create_device_direct_mappings(struct iommu_domain *domain, struct device *dev)
{
	struct iommu_resv_region *region;
	LIST_HEAD(list);
	int ret = 0;

	if (!iommu_is_dma_domain(domain))
		return 0;
	iommu_get_resv_regions(dev, &list);
	list_for_each_entry(region, &list, list) {
		if (region->type > IOMMU_RESV_DIRECT_RELAXABLE)
			continue;
		ret = map_direct(domain, region);
		if (ret)
			break;
	}
	iommu_put_resv_regions(&list);
	return ret;
}
