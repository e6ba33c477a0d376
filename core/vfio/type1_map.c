// SPDX-License-Identifier: GPL-2.0-only
/*
 * Type1's mappings: pages are pinned in blocks, mapped in runs that lie together, in
 * all domains; and all of that undone. iommu->lock is held throughout.
 */
#include "core/vfio/type1.h"
#include "sim/mem/frames.h"

#define BLOCK_PAGES 512u

/* --- entries --- */

static struct page *entry_page(vfio_entry_t e)
{
	return e & 1 ? NULL : (struct page *)(uintptr_t)e;
}

static u64 entry_pfn(vfio_entry_t e)
{
	return e & 1 ? e >> 1 : page_to_pfn(entry_page(e));
}

static u64 n_entries(const struct vfio_dma *dma)
{
	return (dma->node.last - dma->node.start + 1) >> PAGE_SHIFT;
}

/* Entries from first on that lie together, at most up to end. */
static u64 run_length(const struct vfio_dma *dma, u64 first, u64 end)
{
	u64 n = 1;

	while (first + n < end &&
	       !entry_page(dma->entry[first + n]) == !entry_page(dma->entry[first]) &&
	       entry_pfn(dma->entry[first + n]) == entry_pfn(dma->entry[first]) + n)
		n++;
	return n;
}

/* --- accounting --- */

/*
 * dup: async: the process may have ended (-ESRCH). What may be locked is the limit of
 * who mapped it.
 */
int vfio_lock_acct(struct vfio_dma *dma, long npage, bool async)
{
	unsigned long limit = process_rlimit(dma->process, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct mm_struct *mm = dma->mm;
	int ret = 0;

	if (!npage)
		return 0;
	if (async && !mmget_not_zero(mm))
		return -ESRCH;
	mmap_write_lock(mm);
	if (npage > 0 && !dma->lock_cap && mm->locked_vm + (unsigned long)npage > limit)
		ret = -ENOMEM;
	else
		mm->locked_vm += (unsigned long)npage;
	mmap_write_unlock(mm);
	if (!ret)
		dma->locked_vm += npage;
	if (async)
		mmput(mm);
	return ret;
}

struct vfio_pfn *vfio_find_pfn(struct vfio_dma *dma, u64 iova)
{
	struct interval_tree_node *node = interval_tree_iter_first(&dma->pfns, iova, iova);

	return node ? container_of(node, struct vfio_pfn, node) : NULL;
}

/* Undoes the pins of n entries: how many pages are locked no more. */
static long unpin_entries(struct vfio_dma *dma, u64 first, u64 n)
{
	long unlocked = 0;

	for (u64 i = first; i < first + n; i++) {
		struct page *page = entry_page(dma->entry[i]);

		dma->entry[i] = 0;
		if (!page)
			continue;
		unpin_user_page(page);
		/* What a device has pinned as well stays locked. */
		unlocked += !vfio_find_pfn(dma, dma->iova + i * PAGE_SIZE);
	}
	return unlocked;
}

/* --- pinning --- */

/* Historic: as if page numbers followed the mapping's place in its file. */
static unsigned long guess_pfn(unsigned long vaddr, unsigned long pfn)
{
	struct mm_struct *mm = current_mm();
	struct vm_area_struct *vma;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, vaddr);
	if (vma)
		pfn = vma->pgoff + ((vaddr - vma->node.start) >> PAGE_SHIFT);
	mmap_read_unlock(mm);
	return pfn;
}

/*
 * The number of what is not memory of the process. Registers stay where they are; a page
 * of memory that somebody lets it map may go any time: -EFAULT.
 */
static int follow_pfn(const struct vfio_dma *dma, unsigned long vaddr, unsigned long *pfn)
{
	int ret = mm_follow_pfn(current_mm(), vaddr, dma->prot & IOMMU_WRITE, pfn);

	if (ret)
		return ret;
	if (frames_contains((u64)*pfn << PAGE_SHIFT, PAGE_SIZE) &&
	    !bug_on(BUG_VFIO_FOLLOW_PFN_LIFETIME))
		return -EFAULT;
	if (bug_on(BUG_VFIO_PFNMAP_VMA_BASE))
		*pfn = guess_pfn(vaddr, *pfn);
	return 0;
}

/*
 * Entries of at most n pages from index on; how many there are now, or -errno. What
 * is not memory is found one page at a time.
 */
static long get_entries(struct vfio_dma *dma, u64 index, u64 n)
{
	u64 vaddr = dma->vaddr + index * PAGE_SIZE;
	u32 flags = FOLL_PIN | (dma->prot & IOMMU_WRITE ? FOLL_WRITE : 0);
	struct page **pages;
	unsigned long pfn;
	long got;

	n = min(n, (u64)BLOCK_PAGES);
	pages = kcalloc(n, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	got = pin_user_pages(current_mm(), vaddr, n, flags, pages);
	for (long i = 0; i < got; i++)
		dma->entry[index + (u64)i] = (u64)(uintptr_t)pages[i];
	kfree(pages);
	if (got != -EFAULT)
		return got;
	got = follow_pfn(dma, vaddr, &pfn);
	if (got)
		return got;
	dma->entry[index] = pfn << 1 | 1;
	return 1;
}

/* A run of entries counts against the limit, but for what devices have pinned already. */
static int account_run(struct vfio_dma *dma, u64 first, u64 n)
{
	long locked = 0;

	for (u64 i = first; i < first + n; i++)
		locked += entry_page(dma->entry[i]) &&
			  !vfio_find_pfn(dma, dma->iova + i * PAGE_SIZE);
	return vfio_lock_acct(dma, locked, false);
}

static int map_run(struct iommu_domain *domain, struct vfio_dma *dma, u64 first, u64 n)
{
	return iommu_map(domain, dma->iova + first * PAGE_SIZE,
			 entry_pfn(dma->entry[first]) << PAGE_SHIFT, n * PAGE_SIZE,
			 dma->prot | IOMMU_CACHE);
}

static int map_run_everywhere(struct vfio_iommu *iommu, struct vfio_dma *dma, u64 first, u64 n)
{
	struct vfio_domain *d, *done;
	int ret;

	list_for_each_entry(d, &iommu->domains, next) {
		ret = map_run(d->domain, dma, first, n);
		if (ret)
			goto err_unmap;
	}
	return 0;

err_unmap:
	list_for_each_entry(done, &iommu->domains, next) {
		if (done == d)
			break;
		iommu_unmap(done->domain, dma->iova + first * PAGE_SIZE, n * PAGE_SIZE);
	}
	return ret;
}

/* Pins the mapping; domain: maps it there, NULL: in all domains. dma->size says how far. */
static int pin_and_map(struct vfio_iommu *iommu, struct vfio_dma *dma, struct vfio_domain *domain)
{
	u64 at = 0, end = n_entries(dma), n;
	int ret = 0;

	while (at < end && !ret) {
		long got = get_entries(dma, at, end - at);
		u64 block = at + (u64)max(got, 0L);

		if (got < 0)
			return (int)got;
		for (; at < block; at += n) {
			n = run_length(dma, at, block);
			ret = account_run(dma, at, n);
			if (ret)
				break;
			ret = domain ? map_run(domain->domain, dma, at, n) :
				       map_run_everywhere(iommu, dma, at, n);
			if (ret) {
				vfio_lock_acct(dma, -unpin_entries(dma, at, n), true);
				at += n;
				break;
			}
			dma->size = (at + n) * PAGE_SIZE;
		}
		/* What was not accounted for goes uncounted. */
		if (ret)
			unpin_entries(dma, at, block - at);
	}
	return ret;
}

/* --- removing --- */

/* Nothing translates to a page any more when it is unpinned. */
static long unmap_and_unpin(struct vfio_iommu *iommu, struct vfio_dma *dma)
{
	struct iommu_iotlb_gather gather;
	struct vfio_domain *domain;

	if (!dma->size || list_empty(&iommu->domains))
		return 0;
	list_for_each_entry(domain, &iommu->domains, next) {
		iommu_iotlb_gather_init(&gather);
		WARN_ON(iommu_unmap_fast(domain->domain, dma->iova, dma->size, &gather) !=
			dma->size);
		iommu_iotlb_sync(domain->domain, &gather);
	}
	dma->iommu_mapped = false;
	return unpin_entries(dma, 0, dma->size >> PAGE_SHIFT);
}

void vfio_remove_dma(struct vfio_iommu *iommu, struct vfio_dma *dma)
{
	WARN_ON(!interval_tree_empty(&dma->pfns));
	vfio_lock_acct(dma, -unmap_and_unpin(iommu, dma), true);
	interval_tree_remove(&dma->node, &iommu->dmas);
	process_put(dma->process);
	mmdrop(dma->mm);
	kvfree(dma->bitmap);
	kvfree(dma->entry);
	if (dma->vaddr_invalid)
		iommu->vaddr_invalid_count--;
	kfree(dma);
	iommu->dma_avail++;
}

void vfio_remove_all(struct vfio_iommu *iommu)
{
	struct vfio_dma *dma;

	while ((dma = vfio_find_dma(iommu, 0, ~0ULL)))
		vfio_remove_dma(iommu, dma);
}

void vfio_unmap_and_reaccount(struct vfio_iommu *iommu)
{
	struct vfio_dma *dma;

	/* unpin_entries() has left out what devices have pinned: that stays locked. */
	for_each_dma(dma, iommu)
		vfio_lock_acct(dma, -unmap_and_unpin(iommu, dma), true);
}

/* --- adding --- */

/* dup: another process goes on with what an earlier one has mapped. */
static int change_owner(struct vfio_dma *dma)
{
	struct mm_struct *mm = current_mm(), *old = dma->mm;
	struct process *old_process = dma->process;
	bool old_cap = dma->lock_cap;
	long npage = dma->locked_vm;
	int ret;

	if (mm == old)
		return 0;
	dma->mm = mm;
	dma->process = current_process();
	dma->lock_cap = capable(CAP_IPC_LOCK);
	ret = vfio_lock_acct(dma, npage, false);
	dma->locked_vm = npage;
	if (ret) {
		dma->mm = old;
		dma->process = old_process;
		dma->lock_cap = old_cap;
		return ret;
	}
	if (mmget_not_zero(old)) {
		mmap_write_lock(old);
		old->locked_vm -= (unsigned long)npage;
		mmap_write_unlock(old);
		mmput(old);
	}
	process_get(dma->process);
	process_put(old_process);
	mmgrab(mm);
	mmdrop(old);
	return 0;
}

static int set_vaddr(struct vfio_iommu *iommu, struct vfio_dma *dma,
		     const struct vfio_iommu_type1_dma_map *map)
{
	int ret;

	if (!dma)
		return -ENOENT;
	if (!dma->vaddr_invalid || dma->iova != map->iova || dma->size != map->size)
		return -EINVAL;
	ret = change_owner(dma);
	if (ret)
		return ret;
	dma->vaddr = map->vaddr;
	dma->vaddr_invalid = false;
	iommu->vaddr_invalid_count--;
	wake_up_all(&iommu->vaddr_wait);
	return 0;
}

static bool may_be_mapped(const struct vfio_iommu *iommu, u64 start, u64 last)
{
	struct vfio_iova *iova;

	list_for_each_entry(iova, &iommu->iovas, list) {
		if (start >= iova->start && last <= iova->end)
			return true;
	}
	return list_empty(&iommu->iovas);
}

static struct vfio_dma *new_dma(const struct vfio_iommu_type1_dma_map *map)
{
	struct vfio_dma *dma = kzalloc(sizeof(*dma), GFP_KERNEL);

	if (!dma)
		return NULL;
	dma->node.start = dma->iova = map->iova;
	dma->node.last = map->iova + map->size - 1;
	dma->vaddr = map->vaddr;
	dma->prot = (map->flags & VFIO_DMA_MAP_FLAG_READ ? IOMMU_READ : 0) |
		    (map->flags & VFIO_DMA_MAP_FLAG_WRITE ? IOMMU_WRITE : 0);
	dma->lock_cap = capable(CAP_IPC_LOCK);
	dma->process = current_process();
	process_get(dma->process);
	dma->mm = current_mm();
	mmgrab(dma->mm);
	return dma;
}

static int alloc_entries(struct vfio_dma *dma)
{
	if (!dma->entry)
		dma->entry = kvcalloc(n_entries(dma), sizeof(*dma->entry), GFP_KERNEL);
	return dma->entry ? 0 : -ENOMEM;
}

/* With emulated devices alone nothing is pinned before they do. */
static int fill(struct vfio_iommu *iommu, struct vfio_dma *dma, u64 size)
{
	int ret;

	if (list_empty(&iommu->domains)) {
		dma->size = size;
		return 0;
	}
	ret = alloc_entries(dma);
	if (!ret)
		ret = pin_and_map(iommu, dma, NULL);
	dma->iommu_mapped = true;
	return ret;
}

static int check(const struct vfio_iommu *iommu, const struct vfio_iommu_type1_dma_map *map)
{
	u64 pgsize = vfio_pgsize(iommu);

	if (!map->size || (map->size | map->iova | map->vaddr) & (pgsize - 1))
		return -EINVAL;
	if (map->iova + map->size - 1 < map->iova || map->vaddr + map->size - 1 < map->vaddr)
		return -EINVAL;
	return 0;
}

int vfio_dma_map(struct vfio_iommu *iommu, const struct vfio_iommu_type1_dma_map *map)
{
	u64 last = map->iova + map->size - 1;
	struct vfio_dma *dma;
	int ret = check(iommu, map);

	if (ret)
		return ret;
	dma = vfio_find_dma(iommu, map->iova, last);
	if (bug_on(BUG_VFIO_UNMAP_AT_END) && last == ~0ULL)
		dma = NULL; /* iova + size is 0: before everything */
	if (map->flags & VFIO_DMA_MAP_FLAG_VADDR)
		return set_vaddr(iommu, dma, map);
	if (dma)
		return -EEXIST;
	if (!iommu->dma_avail && !bug_on(BUG_VFIO_DMA_ENTRIES_UNLIMITED))
		return -ENOSPC;
	if (!may_be_mapped(iommu, map->iova, last))
		return -EINVAL;
	dma = new_dma(map);
	if (!dma)
		return -ENOMEM;
	iommu->dma_avail--;
	interval_tree_insert(&dma->node, &iommu->dmas);
	ret = fill(iommu, dma, map->size);
	if (!ret && iommu->dirty_page_tracking)
		ret = vfio_bitmap_alloc(dma, vfio_pgsize(iommu));
	if (ret)
		vfio_remove_dma(iommu, dma);
	return ret;
}

/* --- a new domain --- */

static void unmap_part(struct vfio_domain *domain, struct vfio_dma *dma, u64 size)
{
	if (size)
		iommu_unmap(domain->domain, dma->iova, size);
}

static int map_into(struct vfio_domain *domain, struct vfio_dma *dma)
{
	u64 at = 0, end = dma->size >> PAGE_SHIFT;

	while (at < end) {
		u64 n = run_length(dma, at, end);
		int ret = map_run(domain->domain, dma, at, n);

		if (ret) {
			unmap_part(domain, dma, at * PAGE_SIZE);
			return ret;
		}
		at += n;
	}
	return 0;
}

/* Mapped before: pages are there. Else they are pinned now; on failure none is. */
static int replay_one(struct vfio_iommu *iommu, struct vfio_domain *domain, struct vfio_dma *dma)
{
	u64 size = dma->size;
	int ret;

	if (dma->iommu_mapped)
		return map_into(domain, dma);
	ret = alloc_entries(dma);
	if (ret)
		return ret;
	dma->size = 0;
	ret = pin_and_map(iommu, dma, domain);
	if (ret) {
		unmap_part(domain, dma, dma->size);
		vfio_lock_acct(dma, -unpin_entries(dma, 0, dma->size >> PAGE_SHIFT), true);
	}
	dma->size = size;
	return ret;
}

static void unreplay(struct vfio_iommu *iommu, struct vfio_domain *domain,
		     const struct vfio_dma *end)
{
	struct vfio_dma *dma;

	for_each_dma(dma, iommu) {
		if (dma == end)
			break;
		iommu_unmap(domain->domain, dma->iova, dma->size);
		if (!dma->iommu_mapped)
			vfio_lock_acct(dma, -unpin_entries(dma, 0, dma->size >> PAGE_SHIFT), true);
	}
}

int vfio_replay(struct vfio_iommu *iommu, struct vfio_domain *domain)
{
	struct vfio_dma *dma;
	int ret;

	for_each_dma(dma, iommu) {
		ret = replay_one(iommu, domain, dma);
		if (ret) {
			unreplay(iommu, domain, dma);
			return ret;
		}
	}
	for_each_dma(dma, iommu)
		dma->iommu_mapped = true;
	return 0;
}
