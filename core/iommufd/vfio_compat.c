// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container interface of VFIO on an IOAS: the context's vfio_ioas, which is
 * not referenced: it is cleared when that IOAS goes.
 */
#include "core/iommufd/iommufd_priv.h"

#define ENOIOCTLCMD 515

static struct iommufd_ioas *get_compat_ioas(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;

	xa_lock(&ictx->objects);
	ioas = ictx->vfio_ioas;
	if (!ioas || !iommufd_lock_obj(&ioas->obj))
		ioas = ERR_PTR(-ENODEV);
	xa_unlock(&ictx->objects);
	return ioas;
}

int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *id)
{
	struct iommufd_ioas *ioas = get_compat_ioas(ictx);

	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	*id = ioas->obj.id;
	iommufd_put_object(ictx, &ioas->obj);
	return 0;
}

int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	bool free;

	xa_lock(&ictx->objects);
	free = !ictx->vfio_ioas;
	if (free)
		WRITE_ONCE(ictx->no_iommu_mode, true);
	xa_unlock(&ictx->objects);
	return free ? 0 : -EINVAL;
}

int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_ioas_alloc(ictx), *there = NULL;
	bool taken = false;

	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	xa_lock(&ictx->objects);
	if (!ictx->no_iommu_mode) {
		there = ictx->vfio_ioas;
		if (there && !iommufd_lock_obj(&there->obj))
			there = NULL;
		if (!there)
			ictx->vfio_ioas = ioas;
		taken = !there;
	}
	xa_unlock(&ictx->objects);
	if (taken) {
		iommufd_object_finalize(ictx, &ioas->obj);
		return 0;
	}
	iommufd_object_abort_and_destroy(ictx, &ioas->obj);
	if (!there)
		return -EINVAL;
	iommufd_put_object(ictx, &there->obj);
	return 0;
}

static void set_compat_ioas(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas)
{
	xa_lock(&ictx->objects);
	ictx->vfio_ioas = ioas;
	xa_unlock(&ictx->objects);
}

int iommufd_vfio_ioas(struct iommufd_ucmd *ucmd)
{
	struct iommu_vfio_ioas *cmd = ucmd->cmd;
	struct iommufd_ctx *ictx = ucmd->ictx;
	struct iommufd_ioas *ioas;

	if (cmd->__reserved || cmd->op > IOMMU_VFIO_IOAS_CLEAR)
		return -EOPNOTSUPP;
	if (cmd->op == IOMMU_VFIO_IOAS_CLEAR) {
		set_compat_ioas(ictx, NULL);
		return 0;
	}
	ioas = cmd->op == IOMMU_VFIO_IOAS_GET ? get_compat_ioas(ictx)
					      : iommufd_get_ioas(ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	if (cmd->op == IOMMU_VFIO_IOAS_SET)
		set_compat_ioas(ictx, ioas);
	cmd->ioas_id = ioas->obj.id;
	iommufd_put_object(ictx, &ioas->obj);
	return cmd->op == IOMMU_VFIO_IOAS_GET ? iommufd_ucmd_respond(ucmd, sizeof(*cmd)) : 0;
}

static long vfio_map_dma(struct iommufd_ctx *ictx, u64 arg)
{
	const u32 known = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct vfio_iommu_type1_dma_map map;
	u32 flags = IOMMU_IOAS_MAP_FIXED_IOVA;
	struct iommufd_ioas *ioas;
	unsigned long iova;
	int rc;

	if (copy_from_user(&map, u64_to_user_ptr(arg), sizeof(map)))
		return -EFAULT;
	if (map.argsz < sizeof(map) || map.flags & ~known)
		return -EINVAL;
	flags |= map.flags & VFIO_DMA_MAP_FLAG_READ ? IOMMU_IOAS_MAP_READABLE : 0;
	flags |= map.flags & VFIO_DMA_MAP_FLAG_WRITE ? IOMMU_IOAS_MAP_WRITEABLE : 0;
	ioas = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	iova = map.iova;
	rc = iommufd_map(ictx, ioas,
			 &(struct iommufd_source){.start = map.vaddr, .length = map.size}, &iova,
			 flags);
	iommufd_put_object(ictx, &ioas->obj);
	return rc;
}

/* Version 1 may unmap what lies in the middle of a mapping: it is cut at both ends first. */
static int cut_both(struct io_pagetable *iopt, const struct vfio_iommu_type1_dma_unmap *unmap)
{
	unsigned long cut[] = {unmap->iova + unmap->size - 1, unmap->iova - 1};

	if (!READ_ONCE(iopt->disable_large_pages))
		return 0;
	return iopt_cut_iova(iopt, cut, unmap->iova ? 2 : 1);
}

static long unmap_dma(struct io_pagetable *iopt, struct vfio_iommu_type1_dma_unmap *unmap, u64 arg)
{
	unsigned long unmapped = 0;
	int rc;

	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->iova || unmap->size)
			return -EINVAL;
		rc = iopt_unmap_all(iopt, &unmapped);
	} else {
		rc = cut_both(iopt, unmap);
		if (rc)
			return rc;
		rc = iopt_unmap_iova(iopt, unmap->iova, unmap->size, &unmapped);
	}
	unmap->size = unmapped;
	return copy_to_user(u64_to_user_ptr(arg), unmap, sizeof(*unmap)) ? -EFAULT : rc;
}

static long vfio_unmap_dma(struct iommufd_ctx *ictx, u64 arg)
{
	struct vfio_iommu_type1_dma_unmap unmap;
	struct iommufd_ioas *ioas;
	long rc;

	if (copy_from_user(&unmap, u64_to_user_ptr(arg), sizeof(unmap)))
		return -EFAULT;
	if (unmap.argsz < sizeof(unmap) || unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
		return -EINVAL;
	ioas = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	rc = unmap_dma(&ioas->iopt, &unmap, arg);
	iommufd_put_object(ictx, &ioas->obj);
	return rc;
}

/* Whether every page table of the IOAS enforces coherency. */
static long all_coherent(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = get_compat_ioas(ictx);
	struct iommufd_hwpt_paging *hwpt;
	long rc = 1;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ioas->mutex);
	list_for_each_entry(hwpt, &ioas->hwpt_list, hwpt_item) {
		if (!hwpt->enforce_cache_coherency)
			rc = 0;
	}
	mutex_unlock(&ioas->mutex);
	iommufd_put_object(ictx, &ioas->obj);
	return rc;
}

static long vfio_check_extension(struct iommufd_ctx *ictx, u64 type)
{
	switch (type) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !READ_ONCE(ictx->no_iommu_mode);
	case VFIO_NOIOMMU_IOMMU:
		return 1;
	case VFIO_DMA_CC_IOMMU:
		return all_coherent(ictx);
	default:
		return 0;
	}
}

static long vfio_set_iommu(struct iommufd_ctx *ictx, u64 type)
{
	bool no_iommu_mode = READ_ONCE(ictx->no_iommu_mode);
	struct iommufd_ioas *ioas;
	int rc = 0;

	if (type == VFIO_NOIOMMU_IOMMU && no_iommu_mode)
		return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
	if ((type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU) || no_iommu_mode)
		return -EINVAL;
	ioas = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (type == VFIO_TYPE1_IOMMU)
		rc = iopt_disable_large_pages(&ioas->iopt);
	iommufd_put_object(ictx, &ioas->obj);
	return rc;
}

/* --- GET_INFO --- */

/* Page sizes that all domains have; what is below a page counts as a page. */
static u64 page_sizes(struct io_pagetable *iopt)
{
	struct iommu_domain *domain;
	unsigned long index;
	u64 sizes = ~0ULL;

	down_read(&iopt->domains_rwsem);
	xa_for_each(&iopt->domains, index, domain)
		sizes &= domain->pgsize_bitmap;
	if (sizes & ~PAGE_MASK)
		sizes = (sizes & PAGE_MASK) | PAGE_SIZE;
	sizes = max(sizes, (u64)iopt->iova_alignment);
	up_read(&iopt->domains_rwsem);
	return sizes;
}

/* A capability at `at` if `room` bytes are enough for it; its size, or -EFAULT. */
static long cap_dma_avail(struct io_pagetable *iopt, u64 at, size_t room)
{
	struct vfio_iommu_type1_info_dma_avail cap = {
		.header = {VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, 1, 0}, .avail = ~0U};

	(void)iopt;
	if (room >= sizeof(cap) && copy_to_user(u64_to_user_ptr(at), &cap, sizeof(cap)))
		return -EFAULT;
	return (long)sizeof(cap);
}

static long cap_iova_range(struct io_pagetable *iopt, u64 at, size_t room)
{
	struct vfio_iommu_type1_info_cap_iova_range cap = {
		.header = {VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1, 0}};
	unsigned long start = 0, hole, last = 0;
	size_t size = sizeof(cap);

	while (last != ~0UL &&
	       interval_tree_hole(&iopt->reserved_itree, start, ~0UL, &hole, &last)) {
		struct iommu_iova_range range = {hole, last};

		if (room >= size + sizeof(range) &&
		    copy_to_user(u64_to_user_ptr(at + size), &range, sizeof(range)))
			return -EFAULT;
		size += sizeof(range);
		cap.nr_iovas++;
		start = last + 1;
	}
	if (room >= size && copy_to_user(u64_to_user_ptr(at), &cap, sizeof(cap)))
		return -EFAULT;
	return (long)size;
}

static long fill_caps(struct io_pagetable *iopt, struct vfio_iommu_type1_info *info, u64 arg)
{
	static long (*const caps[])(struct io_pagetable *iopt, u64 at, size_t room) = {
		cap_dma_avail, cap_iova_range};
	u32 total = sizeof(*info), before = 0;

	for (u32 i = 0; i < ARRAY_SIZE(caps); i++) {
		size_t room = info->argsz > total ? info->argsz - total : 0;
		long size = caps[i](iopt, arg + total, room);
		u64 link = arg + before + offsetof(struct vfio_info_cap_header, next);

		if (size < 0)
			return size;
		if (before && info->argsz >= total &&
		    copy_to_user(u64_to_user_ptr(link), &total, sizeof(total)))
			return -EFAULT;
		before = total;
		total += (u32)ALIGN((u64)size, 8);
	}
	if (info->argsz >= total)
		info->cap_offset = sizeof(*info);
	info->argsz = total;
	info->flags |= VFIO_IOMMU_INFO_CAPS;
	return 0;
}

/* Historic: what is copied out is as the allocator left it, but for the fields that are set. */
static int copy_unset(const struct vfio_iommu_type1_info *info, u64 arg, size_t size)
{
	struct vfio_iommu_type1_info *raw = kmalloc(sizeof(*raw), GFP_KERNEL);
	int rc;

	if (!raw)
		return -ENOMEM;
	raw->argsz = info->argsz;
	raw->flags = info->flags;
	raw->iova_pgsizes = info->iova_pgsizes;
	raw->cap_offset = info->cap_offset;
	rc = copy_to_user(u64_to_user_ptr(arg), raw, size) ? -EFAULT : 0;
	kfree(raw);
	return rc;
}

static long vfio_get_info(struct iommufd_ctx *ictx, u64 arg)
{
	struct vfio_iommu_type1_info info = {.argsz = 0};
	size_t size = offsetof(struct vfio_iommu_type1_info, cap_offset);
	struct iommufd_ioas *ioas;
	long rc;

	if (copy_from_user(&info, u64_to_user_ptr(arg), size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	size = min((size_t)info.argsz, sizeof(info));
	ioas = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	info.flags = VFIO_IOMMU_INFO_PGSIZES;
	info.iova_pgsizes = page_sizes(&ioas->iopt);
	down_read(&ioas->iopt.iova_rwsem);
	rc = fill_caps(&ioas->iopt, &info, arg);
	if (!rc && bug_on(BUG_IOMMUFD_COMPAT_INFO_LEAK))
		rc = copy_unset(&info, arg, size);
	else if (!rc && copy_to_user(u64_to_user_ptr(arg), &info, size))
		rc = -EFAULT;
	up_read(&ioas->iopt.iova_rwsem);
	iommufd_put_object(ictx, &ioas->obj);
	return rc;
}

long iommufd_vfio_ioctl(struct iommufd_ctx *ictx, u32 cmd, u64 arg)
{
	switch (cmd) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_SET_IOMMU:
		return vfio_set_iommu(ictx, arg);
	case VFIO_CHECK_EXTENSION:
		return vfio_check_extension(ictx, arg);
	case VFIO_IOMMU_GET_INFO:
		return vfio_get_info(ictx, arg);
	case VFIO_IOMMU_MAP_DMA:
		return vfio_map_dma(ictx, arg);
	case VFIO_IOMMU_UNMAP_DMA:
		return vfio_unmap_dma(ictx, arg);
	default:
		return -ENOIOCTLCMD;
	}
}
