/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to core/iommufd: an IOVA space (struct io_pagetable) of areas, and the
 * pages behind them.
 *
 * Every area is a slice of one struct iopt_pages, a linear run of a process's
 * memory, of a memfd or of a dma-buf, which any number of areas in any number of spaces share.
 * A page is pinned once, however many areas, domains and accesses use it:
 * struct iopt_pages counts users per page. custom: Linux keeps frames in the
 * domains and reads them back; here the pages remember theirs.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "sim/kapi/interval_tree.h"
#include "sim/kapi/rwsem.h"
#include "sim/kapi/xarray.h"
#include "sim/user/user.h"

struct dma_buf;
struct iommufd_access;
struct iommufd_ctx;
struct iopt_dmabuf;

/* domains, next_domain_id, access_list: both rwsems for writing; the rest: iova_rwsem. */
struct io_pagetable {
	struct rw_semaphore domains_rwsem, iova_rwsem;
	struct interval_tree_root area_itree, allowed_itree, reserved_itree;
	struct xarray domains; /* dense: 0 .. next_domain_id - 1 */
	u32 next_domain_id;
	struct xarray access_list;
	unsigned long iova_alignment;
	bool disable_large_pages;
};

/*
 * pages is NULL while the area is built or torn down; it is in the tree meanwhile
 * and keeps its IOVAs. filled: pages->mutex.
 */
struct iopt_area {
	struct interval_tree_node node; /* IOVA */
	struct io_pagetable *iopt;
	struct iopt_pages *pages;
	unsigned long first_index, last_index; /* in pages */
	u32 page_offset;
	int iommu_prot;
	bool filled; /* its pages are in iopt's domains */
	bool prevent_access;
	u32 num_accesses;
	u32 num_locks; /* of num_accesses; what is locked is not unmapped */
};

struct iopt_allowed {
	struct interval_tree_node node;
};

struct iopt_reserved {
	struct interval_tree_node node;
	void *owner; /* a domain, a device; NULL: a test */
};

enum iopt_account_mode { IOPT_PAGES_ACCOUNT_NONE, IOPT_PAGES_ACCOUNT_USER, IOPT_PAGES_ACCOUNT_MM };

/* Pinned pages and how many use each. */
#define PIN_CHUNK 512UL
struct pin_chunk {
	u32 n_used;
	struct pin {
		struct page *page;
		u32 users;
	} pin[];
};

/* So many pages have their pins in themselves: see `few`. */
#define PIN_FEW 16UL

/* Pins, accounting, access_itree: mutex. */
struct iopt_pages {
	struct kref kref;
	struct mutex mutex;
	unsigned long npages, npinned, last_npinned;
	u64 uptr;             /* page aligned: address, or offset in file */
	struct mm_struct *source_mm;   /* its structure is kept, its contents may go */
	struct process *source_process;
	struct file *file;    /* a memfd, or NULL */
	struct iopt_dmabuf *dmabuf; /* or NULL: there is nothing to pin */
	bool writable, charged; /* charged: in the middle of a CHANGE_PROCESS */
	u8 account_mode;
	struct xarray pins;   /* by index / PIN_CHUNK: struct pin_chunk, while any is used */
	struct interval_tree_root access_itree; /* of iopt_pages_access, by index */
	struct pin_chunk few; /* last: of npages, if they are at most PIN_FEW */
};

/* A slice of pages that is to be an area; in a list for IOAS_COPY. */
struct iopt_pages_list {
	struct list_head next;
	struct iopt_pages *pages; /* referenced */
	struct iopt_area *area;
	unsigned long start_byte, length;
};

static inline struct iopt_area *to_area(struct interval_tree_node *n)
{
	return n ? container_of(n, struct iopt_area, node) : NULL;
}

static inline struct iopt_area *iopt_area_iter_first(struct io_pagetable *iopt,
						     unsigned long start, unsigned long last)
{
	return to_area(interval_tree_iter_first(&iopt->area_itree, start, last));
}

static inline struct iopt_area *iopt_area_iter_next(struct iopt_area *area, unsigned long start,
						    unsigned long last)
{
	return to_area(interval_tree_iter_next(&area->node, start, last));
}

#define for_each_area(area, iopt)                                                       \
	for (area = iopt_area_iter_first(iopt, 0, ~0UL); area;                              \
	     area = iopt_area_iter_next(area, 0, ~0UL))

static inline unsigned long iopt_area_iova(const struct iopt_area *area)
{
	return area->node.start;
}

static inline unsigned long iopt_area_last_iova(const struct iopt_area *area)
{
	return area->node.last;
}

static inline unsigned long iopt_area_length(const struct iopt_area *area)
{
	return area->node.last - area->node.start + 1;
}

/* Byte of the pages behind an IOVA of the area. */
static inline unsigned long iopt_area_start_byte(const struct iopt_area *area, unsigned long iova)
{
	return iova - area->node.start + area->page_offset + area->first_index * PAGE_SIZE;
}

static inline unsigned long iopt_area_iova_to_index(const struct iopt_area *area,
						    unsigned long iova)
{
	return iopt_area_start_byte(area, iova) / PAGE_SIZE;
}

/*
 * The areas of a range as long as they touch one another and are complete. With
 * iova_rwsem held.
 */
struct iopt_contig {
	struct io_pagetable *iopt;
	unsigned long cur_iova, last_iova;
	struct iopt_area *area;
};

struct iopt_area *iopt_contig_first(struct iopt_contig *c, struct io_pagetable *iopt,
				    unsigned long iova, unsigned long last_iova);
struct iopt_area *iopt_contig_next(struct iopt_contig *c);
/* At the end of the loop: whether all of the range was there; in it: whether this is the last. */
static inline bool iopt_contig_done(const struct iopt_contig *c)
{
	return c->area && c->last_iova <= iopt_area_last_iova(c->area);
}

#define iopt_for_each_contig_area(c, area, iopt, iova, last)                             \
	for (area = iopt_contig_first(c, iopt, iova, last); area; area = iopt_contig_next(c))

/* --- io_pagetable.c --- */
void iopt_init_table(struct io_pagetable *iopt);
void iopt_destroy_table(struct io_pagetable *iopt);
int iopt_map_pages(struct io_pagetable *iopt, struct list_head *pages_list, unsigned long length,
		   unsigned long *dst_iova, int iommu_prot, bool alloc_iova);
/* One slice; its pages' reference is the area's then, or has gone. */
int iopt_map_slice(struct io_pagetable *iopt, struct iopt_pages_list *slice,
		   unsigned long *dst_iova, int iommu_prot, bool alloc_iova);
/* own: the caller's, for the first slice (most copies are of one area); all zeroes before. */
int iopt_get_pages(struct io_pagetable *iopt, unsigned long iova, unsigned long length,
		   struct iopt_pages_list *own, struct list_head *pages_list);
void iopt_free_pages_list(struct list_head *pages_list, const struct iopt_pages_list *own);
int iopt_unmap_iova(struct io_pagetable *iopt, unsigned long iova, unsigned long length,
		    unsigned long *unmapped);
int iopt_unmap_all(struct io_pagetable *iopt, unsigned long *unmapped);
struct iopt_area *iopt_area_alloc(void);
int iopt_insert_area(struct io_pagetable *iopt, struct iopt_area *area,
		     const struct iopt_pages_list *slice, unsigned long iova, int iommu_prot);

/* --- iopt_ranges.c --- */
int iopt_alloc_iova(struct io_pagetable *iopt, unsigned long *iova, u64 uptr,
		    unsigned long length);
int iopt_check_iova(struct io_pagetable *iopt, unsigned long iova, unsigned long length);
int iopt_reserve_iova(struct io_pagetable *iopt, unsigned long start, unsigned long last,
		      void *owner);
void __iopt_remove_reserved_iova(struct io_pagetable *iopt, void *owner);
void iopt_remove_reserved_iova(struct io_pagetable *iopt, void *owner);
/* Swaps the trees: on success *allowed is the old one. */
int iopt_set_allow_iova(struct io_pagetable *iopt, struct interval_tree_root *allowed);
void iopt_free_allowed(struct interval_tree_root *allowed);
int iopt_table_enforce_dev_resv_regions(struct io_pagetable *iopt, struct device *dev);

/* --- iopt_domain.c --- */
int iopt_table_add_domain(struct io_pagetable *iopt, struct iommu_domain *domain);
void iopt_table_remove_domain(struct io_pagetable *iopt, struct iommu_domain *domain);
int iopt_add_access(struct io_pagetable *iopt, struct iommufd_access *access);
void iopt_remove_access(struct io_pagetable *iopt, struct iommufd_access *access, u32 id);
void iopt_enable_large_pages(struct io_pagetable *iopt);
int iopt_disable_large_pages(struct io_pagetable *iopt);
/* VFIO type1 v1: areas end at each of the IOVAs. */
int iopt_cut_iova(struct io_pagetable *iopt, const unsigned long *iovas, u32 n);
struct iommu_hwpt_get_dirty_bitmap;
int iopt_read_and_clear_dirty_data(struct io_pagetable *iopt, struct iommu_domain *domain,
				   const struct iommu_hwpt_get_dirty_bitmap *bitmap);
int iopt_set_dirty_tracking(struct io_pagetable *iopt, struct iommu_domain *domain, bool enable);

/* --- pages.c --- */
/* Of the current process's memory, or of a memfd (file): uptr is then an offset. */
struct iopt_pages *iopt_alloc_pages(struct file *file, u64 uptr, unsigned long length,
				    bool writable);
void iopt_put_pages(struct iopt_pages *pages);
/* Into all domains of the area's space, or out of them. */
int iopt_area_fill_domains(struct iopt_area *area, struct iopt_pages *pages);
void iopt_area_unfill_domains(struct iopt_area *area, struct iopt_pages *pages);
/* One domain more; first: the space has no other. */
int iopt_area_fill_domain(struct iopt_area *area, struct iommu_domain *domain);
void iopt_area_unfill_domain(struct iopt_area *area, struct iommu_domain *domain, bool last);
/* A flag beside IOMMUFD_ACCESS_RW_*: the area is locked as well. */
#define IOPT_ACCESS_LOCK 0x80000000u
int iopt_area_add_access(struct iopt_area *area, unsigned long first, unsigned long last,
			 struct page **out_pages, u32 flags);
void iopt_area_remove_access(struct iopt_area *area, unsigned long first, unsigned long last,
			     bool locked);
int iopt_pages_rw_access(struct iopt_pages *pages, unsigned long start_byte, void *data,
			 unsigned long length, u32 flags);
/* With pages->mutex. An area goes out of a domain, or a part of it. */
void iopt_area_unmap_part(struct iopt_area *area, struct iommu_domain *domain,
			  unsigned long length);

/*
 * --- dmabuf.c: pages that lie where a dma-buf's exporter says, until it takes them back.
 * The functions on areas: with pages->mutex. ---
 */
/* Its uptr is the offset in dmabuf. */
struct iopt_pages *iopt_alloc_dmabuf_pages(struct dma_buf *dmabuf, u64 start, unsigned long length,
					   bool writable);
/* Its exporter has taken them back; pages->mutex held. */
bool iopt_dmabuf_revoked(const struct iopt_pages *pages);
void iopt_dmabuf_release(struct iopt_pages *pages);
/* What was taken back maps nothing, and is 0. */
int iopt_dmabuf_map_area(struct iopt_area *area, struct iopt_pages *pages,
			 struct iommu_domain *domain);
void iopt_dmabuf_unmap_area(struct iopt_area *area, struct iopt_pages *pages,
			    struct iommu_domain *domain);

/*
 * CHANGE_PROCESS, for each pages: charges the current process; then takes the
 * charge from where it was, or back.
 */
int iopt_pages_charge_current(struct iopt_pages *pages);
void iopt_pages_change_process(struct iopt_pages *pages, bool commit);

/* pages.c, for pages_access.c: with pages->mutex */
int iopt_pages_pin(struct iopt_pages *pages, unsigned long first, unsigned long last);
void iopt_pages_unpin(struct iopt_pages *pages, unsigned long first, unsigned long last);
/* NULL: nobody uses it, so it is not pinned. */
struct page *iopt_pages_page(struct iopt_pages *pages, unsigned long index);
/* Those of [first, last], which are pinned. */
void iopt_pages_list(struct iopt_pages *pages, unsigned long first, unsigned long last,
		     struct page **out);
/* Pins n pages that nobody uses, without counting them: their number, or -errno. */
long iopt_pages_pin_raw(struct iopt_pages *pages, unsigned long index, unsigned long n,
			struct page **out);
