/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/vfio: type1, the driver behind containers. Mappings of process
 * memory, pinned and in all domains of the container; what emulated devices pin
 * beside that; dirty bits.
 *
 * custom: a mapping keeps its pages in an array. Linux reads them back from a domain.
 */
#pragma once

#include "core/vfio/vfio_priv.h"

/* All by lock, but devices: device_list_lock. */
struct vfio_iommu {
	struct mutex lock, device_list_lock;
	struct list_head domains;
	struct list_head iovas;            /* of vfio_iova, sorted: what may be mapped */
	struct interval_tree_root dmas;
	struct list_head devices;          /* that pin: vfio_device.iommu_entry */
	struct list_head emulated_groups;
	u32 dma_avail, vaddr_invalid_count;
	u64 pgsize_bitmap, num_non_pinned_groups;
	bool v2, nesting, dirty_page_tracking;
	wait_queue_head_t vaddr_wait;      /* historic: who waits for an address */
};

struct vfio_domain {
	struct iommu_domain *domain;
	struct list_head next, groups;
	bool enforce_cache_coherency;
};

struct vfio_iommu_group {
	struct iommu_group *iommu_group;
	struct list_head next;
	bool pinned_page_dirty_scope; /* what it dirties is pinned first */
};

struct vfio_iova {
	struct list_head list;
	u64 start, end; /* inclusive */
};

/*
 * A page of a mapping: a struct page that is pinned, or, with the lowest bit, the
 * number of one that has no record (a device's); 0: none.
 */
typedef u64 vfio_entry_t;

/* node: [iova, iova + size of the whole). size: what is mapped of it, bytes. */
struct vfio_dma {
	struct interval_tree_node node;
	u64 iova, vaddr, size;
	int prot;
	bool iommu_mapped, lock_cap, vaddr_invalid;
	struct process *process; /* referenced; of its limits */
	struct mm_struct *mm;    /* grabbed */
	struct interval_tree_root pfns; /* of vfio_pfn */
	u64 *bitmap;             /* a bit per smallest page, and a word more; NULL: no tracking */
	vfio_entry_t *entry;     /* per page; NULL: never mapped */
	long locked_vm;
};

/* A page that devices have pinned. */
struct vfio_pfn {
	struct interval_tree_node node; /* its IOVA */
	struct page *page;
	u32 ref_count;
};

static inline u64 vfio_pgsize(const struct vfio_iommu *iommu)
{
	return BIT(bit_lowest(iommu->pgsize_bitmap));
}

#define for_each_dma(dma, iommu)                                                        \
	for ((dma) = vfio_dma_from(interval_tree_iter_first(&(iommu)->dmas, 0, ~0UL)); (dma); \
	     (dma) = vfio_dma_from(interval_tree_iter_next(&(dma)->node, 0, ~0UL)))

static inline struct vfio_dma *vfio_dma_from(struct interval_tree_node *node)
{
	return node ? container_of(node, struct vfio_dma, node) : NULL;
}

/* The first mapping that meets the range. */
static inline struct vfio_dma *vfio_find_dma(struct vfio_iommu *iommu, u64 start, u64 last)
{
	return vfio_dma_from(interval_tree_iter_first(&iommu->dmas, start, last));
}

/* --- type1_group.c --- */
int vfio_type1_attach_group(struct vfio_iommu *iommu, struct iommu_group *group,
			    enum vfio_group_type type);
void vfio_type1_detach_group(struct vfio_iommu *iommu, struct iommu_group *group);
struct vfio_iommu_group *vfio_find_iommu_group(struct vfio_iommu *iommu,
					       const struct iommu_group *group);
void vfio_iovas_free(struct list_head *iovas);

/* --- type1_map.c: pages and mappings; lock held --- */
int vfio_dma_map(struct vfio_iommu *iommu, const struct vfio_iommu_type1_dma_map *map);
void vfio_remove_dma(struct vfio_iommu *iommu, struct vfio_dma *dma);
void vfio_remove_all(struct vfio_iommu *iommu);
/* All mappings into a new domain, pinned if they were not; or nothing has changed. */
int vfio_replay(struct vfio_iommu *iommu, struct vfio_domain *domain);
/* The last domain goes, emulated devices stay: only what they have pinned counts. */
void vfio_unmap_and_reaccount(struct vfio_iommu *iommu);
int vfio_lock_acct(struct vfio_dma *dma, long npage, bool async);
struct vfio_pfn *vfio_find_pfn(struct vfio_dma *dma, u64 iova);

/* --- type1_unmap.c --- */
int vfio_dma_unmap(struct vfio_iommu *iommu, struct vfio_iommu_type1_dma_unmap *unmap,
		   const struct vfio_bitmap *bitmap);

/* --- type1_pin.c --- */
int vfio_type1_pin_pages(struct vfio_iommu *iommu, struct iommu_group *group, u64 iova, int npage,
			 int prot, struct page **pages);
void vfio_type1_unpin_pages(struct vfio_iommu *iommu, u64 iova, int npage);
int vfio_type1_dma_rw(struct vfio_iommu *iommu, u64 iova, void *data, size_t count, bool write);

/* --- type1_dirty.c --- */
int vfio_bitmap_alloc(struct vfio_dma *dma, u64 pgsize);
void vfio_bitmap_set(struct vfio_dma *dma, u64 first, u64 n);
void vfio_bitmap_fill_all(struct vfio_iommu *iommu);
int vfio_bitmap_to_user(const struct vfio_bitmap *to, struct vfio_iommu *iommu,
			struct vfio_dma *dma, u64 base);
int vfio_bitmap_verify(u64 npages, u64 bytes);
long vfio_type1_dirty_pages(struct vfio_iommu *iommu, u64 arg);

/* --- info.c: capability chains --- */
struct vfio_info_cap {
	void *buf;
	u64 size;
};
/* Room for a capability of size bytes, zeroed but for its header; NULL: no memory. */
void *vfio_info_cap_add(struct vfio_info_cap *caps, u64 size, u16 id, u16 version);
/* Offsets count from the struct that is in front, offset bytes long. */
void vfio_info_cap_shift(struct vfio_info_cap *caps, u32 offset);
