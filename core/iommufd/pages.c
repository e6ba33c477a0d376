// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages behind areas: pinning, the accounting of it, and filling domains.
 *
 * A page is pinned while it has users: areas that are in domains, accesses.
 * What is pinned is accounted at the end of each change, as a difference: to
 * nobody (CAP_IPC_LOCK when the pages were made), to the user, or to the process,
 * as VFIO does. custom: unlike Linux the order in which failed steps are undone
 * is the same everywhere: unmap, unpin, account.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

/* dup: the byte behind the last must be there, too; of a file only until 7.3. */
static int check_range(const struct file *file, u64 start, unsigned long length)
{
	bool late = iommu_since(SINCE_MAP_OVERFLOW);
	bool odd = !length || length > ~0UL - PAGE_SIZE;
	u64 end;

	if (__builtin_add_overflow(start, length, &end) && !(file && late) && (late || !odd))
		return -EOVERFLOW;
	return odd ? -EINVAL : 0;
}

struct iopt_pages *iopt_alloc_pages(struct file *file, u64 uptr, unsigned long length,
				    bool writable)
{
	u64 start = ALIGN_DOWN(uptr, PAGE_SIZE);
	int rc = check_range(file, uptr, length);
	struct iopt_pages *pages;
	unsigned long n;

	if (rc)
		return ERR_PTR(rc);
	n = (length + (uptr - start) + PAGE_SIZE - 1) / PAGE_SIZE;
	pages = kzalloc(sizeof(*pages) + (n <= PIN_FEW ? n * sizeof(struct pin) : 0),
			GFP_KERNEL_ACCOUNT);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	kref_init(&pages->kref);
	xa_init(&pages->pins);
	mutex_init(&pages->mutex);
	pages->source_mm = current_mm();
	mmgrab(pages->source_mm);
	pages->source_process = current_process();
	process_get(pages->source_process);
	if (file)
		get_file(file);
	pages->file = file;
	pages->uptr = start;
	pages->npages = n;
	pages->writable = writable;
	pages->account_mode = capable(CAP_IPC_LOCK) ? IOPT_PAGES_ACCOUNT_NONE
						     : IOPT_PAGES_ACCOUNT_USER;
	return pages;
}

static void release_pages(struct kref *kref)
{
	struct iopt_pages *pages = container_of(kref, struct iopt_pages, kref);

	WARN_ON(!interval_tree_empty(&pages->access_itree));
	WARN_ON(pages->npinned || pages->few.n_used);
	WARN_ON(!xa_empty(&pages->pins));
	xa_destroy(&pages->pins);
	mmdrop(pages->source_mm);
	process_put(pages->source_process);
	if (bug_on(BUG_IOMMUFD_DMABUF_DESTROY_ORDER))
		mutex_destroy(&pages->mutex);
	if (pages->dmabuf)
		iopt_dmabuf_release(pages);
	if (pages->file)
		fput(pages->file);
	if (!bug_on(BUG_IOMMUFD_DMABUF_DESTROY_ORDER))
		mutex_destroy(&pages->mutex);
	kfree(pages);
}

void iopt_put_pages(struct iopt_pages *pages)
{
	kref_put(&pages->kref, release_pages);
}

/* --- accounting --- */

static int charge_user(const struct process *process, unsigned long n)
{
	unsigned long limit = process_rlimit(process, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	atomic64_t *locked = &current_user()->locked_vm;
	s64 now = atomic64_read(locked);

	do {
		if ((unsigned long)now + n > limit)
			return -ENOMEM;
	} while (!atomic64_try_cmpxchg(locked, &now, now + (s64)n));
	return 0;
}

/* custom: a process that has ended has no locked memory to correct. */
static int charge_mm(struct mm_struct *mm, const struct process *process, long n)
{
	unsigned long limit = process_rlimit(process, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	int rc = 0;

	if (!mmget_not_zero(mm))
		return -EINVAL;
	mmap_write_lock(mm);
	if (n > 0 && mm->locked_vm + (unsigned long)n > limit)
		rc = -ENOMEM;
	else
		mm->locked_vm += (unsigned long)n;
	mmap_write_unlock(mm);
	mmput(mm);
	return rc;
}

/* n more pages, or fewer, of a process. */
static int charge(const struct iopt_pages *pages, struct mm_struct *mm,
		  const struct process *process, long n)
{
	int rc = 0;

	if (pages->account_mode == IOPT_PAGES_ACCOUNT_MM)
		rc = charge_mm(mm, process, n);
	else if (pages->account_mode == IOPT_PAGES_ACCOUNT_USER && n > 0)
		rc = charge_user(process, (unsigned long)n);
	else if (pages->account_mode == IOPT_PAGES_ACCOUNT_USER)
		atomic64_add(n, &current_user()->locked_vm);
	if (!rc)
		atomic64_add(n, &mm->pinned_vm);
	return rc;
}

/* What has changed since the last time. */
static int update_pinned(struct iopt_pages *pages)
{
	long n = (long)(pages->npinned - pages->last_npinned);
	int rc;

	if (!n)
		return 0;
	if (n > 0 && iommufd_should_fail())
		return -ENOMEM;
	rc = charge(pages, pages->source_mm, pages->source_process, n);
	if (!rc || n < 0)
		pages->last_npinned = pages->npinned;
	return rc;
}

int iopt_pages_charge_current(struct iopt_pages *pages)
{
	int rc = 0;

	mutex_lock(&pages->mutex);
	if (!pages->charged && pages->source_process != current_process()) {
		rc = charge(pages, current_mm(), current_process(), (long)pages->npinned);
		pages->charged = !rc;
	}
	mutex_unlock(&pages->mutex);
	return rc;
}

void iopt_pages_change_process(struct iopt_pages *pages, bool commit)
{
	long n;

	mutex_lock(&pages->mutex);
	n = -(long)pages->npinned;
	if (pages->charged && !commit) {
		charge(pages, current_mm(), current_process(), n);
	} else if (pages->charged) {
		charge(pages, pages->source_mm, pages->source_process, n);
		mmdrop(pages->source_mm);
		process_put(pages->source_process);
		pages->source_mm = current_mm();
		mmgrab(pages->source_mm);
		pages->source_process = current_process();
		process_get(pages->source_process);
	}
	pages->charged = false;
	mutex_unlock(&pages->mutex);
}

/* --- pinning --- */

static struct pin_chunk *chunk_of(struct iopt_pages *pages, unsigned long index, bool make)
{
	unsigned long n = min(PIN_CHUNK, pages->npages - ALIGN_DOWN(index, PIN_CHUNK));
	struct pin_chunk *chunk;

	if (pages->npages <= PIN_FEW)
		return &pages->few;
	chunk = xa_load(&pages->pins, index / PIN_CHUNK);
	if (chunk || !make)
		return chunk;
	chunk = kzalloc(struct_size(chunk, pin, n), GFP_KERNEL_ACCOUNT);
	if (chunk && xa_err(xa_store(&pages->pins, index / PIN_CHUNK, chunk, GFP_KERNEL))) {
		kfree(chunk);
		return NULL;
	}
	return chunk;
}

static void chunk_put(struct iopt_pages *pages, unsigned long index, struct pin_chunk *chunk)
{
	if (chunk->n_used || chunk == &pages->few)
		return;
	xa_erase(&pages->pins, index / PIN_CHUNK);
	kfree(chunk);
}

struct page *iopt_pages_page(struct iopt_pages *pages, unsigned long index)
{
	struct pin_chunk *chunk = chunk_of(pages, index, false);

	return chunk ? chunk->pin[index % PIN_CHUNK].page : NULL;
}

/* One page after the other: *chunk is that of the last, NULL at first. */
static struct page *next_page(struct iopt_pages *pages, unsigned long index,
			      struct pin_chunk **chunk)
{
	if (!*chunk || index % PIN_CHUNK == 0)
		*chunk = chunk_of(pages, index, false);
	return *chunk ? (*chunk)->pin[index % PIN_CHUNK].page : NULL;
}

void iopt_pages_list(struct iopt_pages *pages, unsigned long first, unsigned long last,
		     struct page **out)
{
	struct pin_chunk *chunk = NULL;

	for (unsigned long i = first; i <= last; i++)
		*out++ = next_page(pages, i, &chunk);
}

long iopt_pages_pin_raw(struct iopt_pages *pages, unsigned long index, unsigned long n,
			struct page **out)
{
	u64 at = pages->uptr + index * PAGE_SIZE;
	bool remote = pages->source_mm != current_mm();
	long got;

	if (iommufd_should_fail())
		return -EFAULT;
	if (pages->file) {
		got = memfd_pin_pages(pages->file, at, at + n * PAGE_SIZE - 1, out);
		return got ? got : (long)n;
	}
	if (remote && !mmget_not_zero(pages->source_mm))
		return -EFAULT;
	got = pin_user_pages(pages->source_mm, at, n,
			     FOLL_PIN | (pages->writable ? FOLL_WRITE : 0), out);
	if (remote)
		mmput(pages->source_mm);
	return got;
}

#define PIN_BATCH 64UL

/* Users of the pages from index on: 1 more each, of as many as are alike. Their number. */
static long pin_some(struct iopt_pages *pages, struct pin_chunk *chunk, unsigned long index,
		     unsigned long last)
{
	unsigned long at = index % PIN_CHUNK, n = 0, max_n = min(last - index + 1, PIN_CHUNK - at);
	struct page *batch[PIN_BATCH];
	long got;

	while (n < max_n && chunk->pin[at + n].users) {
		chunk->pin[at + n].users++;
		n++;
	}
	if (n)
		return (long)n;
	while (n < min(max_n, PIN_BATCH) && !chunk->pin[at + n].users)
		n++;
	got = iopt_pages_pin_raw(pages, index, n, batch);
	for (long i = 0; i < got; i++)
		chunk->pin[at + (unsigned long)i] = (struct pin){batch[i], 1};
	if (got > 0) {
		chunk->n_used += (u32)got;
		pages->npinned += (unsigned long)got;
	}
	return got;
}

static void drop_users(struct iopt_pages *pages, unsigned long first, unsigned long end)
{
	while (end > first) {
		unsigned long from = max(first, ALIGN_DOWN(end - 1, PIN_CHUNK));
		struct pin_chunk *chunk = chunk_of(pages, from, false);

		for (unsigned long i = from; i < end; i++) {
			struct pin *pin = &chunk->pin[i % PIN_CHUNK];

			if (--pin->users)
				continue;
			unpin_user_page(pin->page);
			pin->page = NULL;
			chunk->n_used--;
			pages->npinned--;
		}
		chunk_put(pages, from, chunk);
		end = from;
		if (bug_on(BUG_IOMMUFD_BATCH_CARRY_END) && end > first &&
		    !interval_tree_empty(&pages->access_itree))
			end--; /* what was carried over is not of the next batch */
	}
}

int iopt_pages_pin(struct iopt_pages *pages, unsigned long first, unsigned long last)
{
	unsigned long index = first;
	long got = 0;

	lockdep_assert_held(&pages->mutex);
	if (pages->dmabuf)
		return 0;
	while (index <= last) {
		struct pin_chunk *chunk = chunk_of(pages, index, true);

		got = chunk ? pin_some(pages, chunk, index, last) : -ENOMEM;
		if (got < 0) {
			if (chunk)
				chunk_put(pages, index, chunk);
			break;
		}
		index += (unsigned long)got;
	}
	if (got >= 0)
		got = update_pinned(pages);
	if (got < 0)
		drop_users(pages, first, index);
	return (int)min(got, 0L);
}

void iopt_pages_unpin(struct iopt_pages *pages, unsigned long first, unsigned long last)
{
	lockdep_assert_held(&pages->mutex);
	if (pages->dmabuf)
		return;
	drop_users(pages, first, last + 1);
	update_pinned(pages);
}

/* --- domains --- */

void iopt_area_unmap_part(struct iopt_area *area, struct iommu_domain *domain,
			  unsigned long length)
{
	if (length)
		WARN_ON(iommu_unmap(domain, iopt_area_iova(area), length) != length);
}

static void unmap_area(struct iopt_area *area, struct iopt_pages *pages,
		       struct iommu_domain *domain)
{
	if (pages->dmabuf)
		iopt_dmabuf_unmap_area(area, pages, domain);
	else
		iopt_area_unmap_part(area, domain, iopt_area_length(area));
}

/* The area's pages into one domain: runs of neighbouring frames, or page by page. */
static int map_area(struct iopt_area *area, struct iopt_pages *pages, struct iommu_domain *domain)
{
	unsigned long index = area->first_index, offset = area->page_offset, done = 0;
	unsigned long length = iopt_area_length(area);
	bool small = READ_ONCE(area->iopt->disable_large_pages);
	struct pin_chunk *chunk = NULL;

	if (pages->dmabuf)
		return iopt_dmabuf_map_area(area, pages, domain);
	while (done < length) {
		u64 phys = page_to_phys(next_page(pages, index++, &chunk)) + offset;
		unsigned long size = PAGE_SIZE - offset;
		int rc;

		while (!small && done + size < length &&
		       page_to_phys(next_page(pages, index, &chunk)) == phys + size) {
			size += PAGE_SIZE;
			index++;
		}
		size = min(size, length - done);
		rc = iommu_map(domain, iopt_area_iova(area) + done, phys, size,
			       area->iommu_prot | IOMMU_CACHE);
		if (rc) {
			iopt_area_unmap_part(area, domain, done);
			return rc;
		}
		done += size;
		offset = 0;
	}
	return 0;
}

static int map_into_all(struct iopt_area *area, struct iopt_pages *pages)
{
	struct iommu_domain *domain, *undo;
	unsigned long index, at;
	int rc;

	xa_for_each(&area->iopt->domains, index, domain) {
		rc = map_area(area, pages, domain);
		if (!rc)
			continue;
		xa_for_each(&area->iopt->domains, at, undo) {
			if (at == index)
				break;
			unmap_area(area, pages, undo);
		}
		return rc;
	}
	return 0;
}

int iopt_area_fill_domains(struct iopt_area *area, struct iopt_pages *pages)
{
	int rc;

	if (xa_empty(&area->iopt->domains))
		return 0;
	mutex_lock(&pages->mutex);
	rc = iopt_pages_pin(pages, area->first_index, area->last_index);
	if (!rc) {
		rc = map_into_all(area, pages);
		if (rc)
			iopt_pages_unpin(pages, area->first_index, area->last_index);
	}
	area->filled = !rc;
	mutex_unlock(&pages->mutex);
	return rc;
}

void iopt_area_unfill_domains(struct iopt_area *area, struct iopt_pages *pages)
{
	struct iommu_domain *domain;
	unsigned long index;

	mutex_lock(&pages->mutex);
	if (area->filled) {
		xa_for_each(&area->iopt->domains, index, domain)
			unmap_area(area, pages, domain);
		iopt_pages_unpin(pages, area->first_index, area->last_index);
		area->filled = false;
	}
	mutex_unlock(&pages->mutex);
}

/*
 * The area's own users. Historic: where accesses have pages of it as well, those are
 * unpinned as if nobody had.
 */
static void unpin_area(struct iopt_area *area, struct iopt_pages *pages)
{
	iopt_pages_unpin(pages, area->first_index, area->last_index);
	if (!bug_on(BUG_IOMMUFD_UNPIN_WITH_ACCESS))
		return;
	for (unsigned long i = area->first_index; i <= area->last_index; i++) {
		struct page *page = iopt_pages_page(pages, i);

		if (page)
			unpin_user_page(page);
	}
}

int iopt_area_fill_domain(struct iopt_area *area, struct iommu_domain *domain)
{
	struct iopt_pages *pages = area->pages;
	bool first;
	int rc = 0;

	mutex_lock(&pages->mutex);
	first = !area->filled;
	if (first)
		rc = iopt_pages_pin(pages, area->first_index, area->last_index);
	if (!rc) {
		rc = map_area(area, pages, domain);
		if (rc && first)
			iopt_pages_unpin(pages, area->first_index, area->last_index);
		else if (!rc)
			area->filled = true;
	}
	mutex_unlock(&pages->mutex);
	return rc;
}

void iopt_area_unfill_domain(struct iopt_area *area, struct iommu_domain *domain, bool last)
{
	struct iopt_pages *pages = area->pages;

	mutex_lock(&pages->mutex);
	WARN_ON(!area->filled);
	unmap_area(area, pages, domain);
	if (last) {
		unpin_area(area, pages);
		area->filled = false;
	}
	mutex_unlock(&pages->mutex);
}
