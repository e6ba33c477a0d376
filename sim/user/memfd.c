// SPDX-License-Identifier: GPL-2.0-only
/*
 * memfd_create(2) and what MAP_SHARED | MAP_ANONYMOUS maps: pages shared by all
 * who map the file. No seals, no holes but at the end.
 */
#include "sim/user/user_priv.h"

#include "sim/access/access.h"
#include "sim/kapi/slab.h"
#include "sim/kapi/xarray.h"

#include <fcntl.h>
#include <string.h>

#define MEMFD_CLOEXEC 1U
#define MEMFD_HUGETLB 4U
#define MEMFD_KNOWN 31U
#define HUGE_CODE_SHIFT 26
#define HUGE_2MB 21U

struct memfd {
	u64 size;
	u32 order;
	struct xarray pages; /* by index >> order: heads, a reference each */
};

static const struct file_operations memfd_ops;

bool is_memfd(const struct file *file)
{
	return file->op == &memfd_ops;
}

u32 memfd_order(const struct file *file)
{
	return ((struct memfd *)file->private_data)->order;
}

struct page *memfd_page(const struct file *file, unsigned long index)
{
	struct memfd *m = file->private_data;
	unsigned long mask = (1UL << m->order) - 1;
	struct page *page;

	if (index >= (m->size + PAGE_SIZE - 1) >> PAGE_SHIFT)
		return ERR_PTR(-EINVAL);
	page = xa_load(&m->pages, index >> m->order);
	if (page)
		return page + (index & mask);
	page = alloc_pages(m->order, true);
	if (!page)
		return NULL;
	page->memfd = m;
	if (xa_err(xa_store(&m->pages, index >> m->order, page, GFP_KERNEL))) {
		put_page(page);
		return NULL;
	}
	return page + (index & mask);
}

static void drop_pages(struct memfd *m, unsigned long first)
{
	unsigned long i;
	struct page *page;

	xa_for_each_start(&m->pages, i, page, (first + (1UL << m->order) - 1) >> m->order) {
		xa_erase(&m->pages, i);
		page->memfd = NULL;
		put_page(page);
	}
}

static int memfd_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (memfd_order(file))
		vma->flags |= VM_HUGETLB | VM_DONTEXPAND;
	return 0;
}

static void memfd_release(struct file *file)
{
	struct memfd *m = file->private_data;

	drop_pages(m, 0);
	xa_destroy(&m->pages);
	kfree(m);
}

/* Bytes copied; stops at what is not there. */
static s64 copy(struct file *file, u64 buf, u64 count, s64 *pos, bool to_user)
{
	const struct memfd *m = file->private_data;
	s64 done = 0;

	while (count) {
		u64 n = min(count, PAGE_SIZE - offset_in_page(*pos)), left;
		struct page *page = memfd_page(file, (u64)*pos >> PAGE_SHIFT);

		if (to_user && (u64)*pos >= m->size)
			return done;
		if (IS_ERR_OR_NULL(page))
			return done ? done : page ? 0 : -ENOMEM;
		if (to_user)
			n = min(n, m->size - (u64)*pos);
		left = mm_access(current_mm(), (char *)page_address(page) + offset_in_page(*pos),
				 buf, n, to_user);
		*pos += (s64)(n - left);
		done += (s64)(n - left);
		if (left)
			return done ? done : -EFAULT;
		buf += n;
		count -= n;
	}
	return done;
}

static s64 memfd_read(struct file *file, u64 buf, u64 count, s64 *pos)
{
	return copy(file, buf, count, pos, true);
}

static s64 memfd_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct memfd *m = file->private_data;
	u64 end = (u64)*pos + count;

	if (m->order)
		return -EINVAL;
	if (end > (u64)INT64_MAX)
		return -EFBIG;
	m->size = max(m->size, end);
	return copy(file, buf, count, pos, false);
}

/* Beyond whence as Linux knows it: 3 gives the size. */
static s64 memfd_llseek(struct file *file, s64 offset, int whence)
{
	const struct memfd *m = file->private_data;
	s64 from[] = {0, file->pos, (s64)m->size};

	if (whence == 3)
		return (s64)m->size;
	if (whence < 0 || whence > 2 || __builtin_add_overflow(offset, from[whence], &offset) ||
	    offset < 0)
		return -EINVAL;
	file->pos = offset;
	return offset;
}

static const struct file_operations memfd_ops = {
	.name = "memfd",
	.read = memfd_read,
	.write = memfd_write,
	.llseek = memfd_llseek,
	.mmap = memfd_mmap,
	.release = memfd_release,
	.mode = 0100777, /* a regular file */
	.seekable = true,
};

struct file *memfd_file(u64 size, u32 order)
{
	struct memfd *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct file *file;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->size = size;
	m->order = order;
	xa_init(&m->pages);
	file = file_alloc(&memfd_ops, m, O_RDWR | 0100000 /* O_LARGEFILE */);
	if (IS_ERR(file))
		kfree(m);
	return file;
}

/* A hugetlbfs file's flags: MFD_HUGETLB and a size, which must be 2 MiB or none. */
long user_sys_memfd_create(const u64 *arg)
{
	u32 flags = (u32)arg[1];
	struct file *file;
	char first;
	int fd;

	if (flags & ~(MEMFD_KNOWN | (flags & MEMFD_HUGETLB ? 0x3fU << HUGE_CODE_SHIFT : 0)))
		return -EINVAL;
	if (flags >> HUGE_CODE_SHIFT && flags >> HUGE_CODE_SHIFT != HUGE_2MB)
		return -ENODEV;
	if (user_copy_in(&first, arg[0], 1))
		return -EFAULT;
	fd = get_unused_fd_flags(flags & MEMFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;
	file = memfd_file(0, flags & MEMFD_HUGETLB ? HPAGE_ORDER : 0);
	if (IS_ERR(file)) {
		put_unused_fd((u32)fd);
		return PTR_ERR(file);
	}
	fd_install((u32)fd, file);
	return fd;
}

/* Who has mapped pages beyond the new end loses them. */
static void unmap_beyond(const struct file *file, unsigned long first)
{
	for (u32 i = 0; i < PROCESSES_MAX; i++) {
		struct process *p = user_here()->process[i];
		struct vm_area_struct *vma;

		if (!p || !p->mm)
			continue;
		for_each_vma_range(vma, p->mm, 0, TASK_SIZE) {
			unsigned long n = (vma->node.last + 1 - vma->node.start) >> PAGE_SHIFT;
			unsigned long skip = first > vma->pgoff ? first - vma->pgoff : 0;

			if (vma->file && vma->file->private_data == file->private_data && skip < n)
				mm_zap(p->mm, vma->node.start + (skip << PAGE_SHIFT),
				       vma->node.last + 1);
		}
	}
}

static long truncate(struct file *file, u64 size)
{
	struct memfd *m = file->private_data;
	u64 old = m->size;

	if (m->order && size & ((PAGE_SIZE << m->order) - 1))
		return -EINVAL;
	m->size = size;
	if (size < old) {
		unmap_beyond(file, PAGE_ALIGN(size) >> PAGE_SHIFT);
		drop_pages(m, PAGE_ALIGN(size) >> PAGE_SHIFT);
	}
	return 0;
}

long user_sys_ftruncate(const u64 *arg)
{
	struct file *file = fget((u32)arg[0]);
	long ret = -EINVAL;

	if (!file)
		return -EBADF;
	if ((s64)arg[1] >= 0 && is_memfd(file) && (file->flags & O_ACCMODE) != O_RDONLY)
		ret = truncate(file, arg[1]);
	fput(file);
	return ret;
}

int memfd_pin_pages(struct file *file, u64 start, u64 end, struct page **pages)
{
	const struct memfd *m = file->private_data;
	u32 n = 0;

	if (!is_memfd(file) || start > end || end >= m->size)
		return -EINVAL;
	for (u64 i = start >> PAGE_SHIFT; i <= end >> PAGE_SHIFT; i++) {
		struct page *page = memfd_page(file, i);

		if (IS_ERR_OR_NULL(page)) {
			while (n--)
				unpin_user_page(pages[n]);
			return page ? (int)PTR_ERR(page) : -ENOMEM;
		}
		pin_page(page);
		pages[n++] = page;
	}
	access_range(pages, n * sizeof(*pages), OP_WRITE,
		     (u64)(uintptr_t)__builtin_return_address(0));
	return 0;
}
