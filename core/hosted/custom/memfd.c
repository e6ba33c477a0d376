// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: memfd_create(2) and what MAP_SHARED | MAP_ANONYMOUS maps: a file
 * whose pages lie in its mapping's xarray, shared by all who map it.
 *
 * False: no seals, no holes but at the end, no limit on huge pages; the pages
 * are on no LRU and never locked.
 */
#include "core/hosted/custom/mm.h"
#include "core/hosted/custom/syscall.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/xarray.h>

#define MEMFD_CLOEXEC 1U
#define MEMFD_ALLOW_SEALING 2U
#define MEMFD_HUGETLB 4U
#define MEMFD_NOEXEC_SEAL 8U
#define MEMFD_EXEC 16U
#define MEMFD_KNOWN 31U
#define HUGE_2MB (21U << 26)

extern struct vfsmount hosted_mount;

struct memfd {
	struct inode inode;
	unsigned int order;
};

static struct memfd *memfd_of(const struct file *file)
{
	return container_of(file_inode(file), struct memfd, inode);
}

unsigned int hosted_memfd_order(const struct file *file)
{
	return memfd_of(file)->order;
}

struct page *hosted_memfd_page(struct file *file, pgoff_t index)
{
	struct memfd *m = memfd_of(file);
	struct address_space *mapping = m->inode.i_mapping;
	pgoff_t mask = (1UL << m->order) - 1;
	struct page *page;

	if ((loff_t)index << PAGE_SHIFT >= i_size_read(&m->inode))
		return ERR_PTR(-EINVAL);
	page = xa_load(&mapping->i_pages, index >> m->order);
	if (page)
		return page + (index & mask);
	page = hosted_page_alloc_compound(m->order, HOSTED_ZERO);
	if (!page)
		return NULL;
	page_folio(page)->mapping = mapping;
	page_folio(page)->index = index & ~mask;
	if (xa_err(xa_store(&mapping->i_pages, index >> m->order, page, GFP_KERNEL))) {
		page_folio(page)->mapping = NULL;
		put_page(page);
		return NULL;
	}
	return page + (index & mask);
}

static void drop_pages(struct memfd *m, pgoff_t first)
{
	struct address_space *mapping = m->inode.i_mapping;
	struct page *page;
	unsigned long i;

	xa_for_each_start(&mapping->i_pages, i, page, DIV_ROUND_UP(first, 1UL << m->order)) {
		xa_erase(&mapping->i_pages, i);
		page_folio(page)->mapping = NULL;
		put_page(page);
	}
}

static int memfd_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (memfd_of(file)->order)
		vm_flags_set(vma, VM_HUGETLB | VM_DONTEXPAND);
	return 0;
}

static int memfd_release(struct inode *inode, struct file *file)
{
	struct memfd *m = memfd_of(file);

	drop_pages(m, 0);
	/* The last reference is the dentry's, which goes after this. */
	return 0;
}

/* Bytes copied, in either direction; stops at what is not there. */
static ssize_t copy(struct kiocb *iocb, struct iov_iter *i, bool to_user)
{
	ssize_t done = 0;

	while (iov_iter_count(i)) {
		size_t offset = offset_in_page(iocb->ki_pos);
		size_t n = min(iov_iter_count(i), PAGE_SIZE - offset), got;
		struct page *page = hosted_memfd_page(iocb->ki_filp, iocb->ki_pos >> PAGE_SHIFT);
		void *p;

		if (to_user && iocb->ki_pos >= i_size_read(file_inode(iocb->ki_filp)))
			return done;
		if (IS_ERR_OR_NULL(page))
			return done ?: page ? 0 : -ENOMEM;
		p = page_address(page) + offset;
		if (to_user)
			n = min_t(size_t, n, i_size_read(file_inode(iocb->ki_filp)) - iocb->ki_pos);
		got = to_user ? copy_to_iter(p, n, i) : copy_from_iter(p, n, i);
		iocb->ki_pos += got;
		done += got;
		if (got < n)
			return done ?: -EFAULT;
	}
	return done;
}

static ssize_t memfd_read(struct kiocb *iocb, struct iov_iter *to)
{
	return copy(iocb, to, true);
}

static ssize_t memfd_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t end = iocb->ki_pos + iov_iter_count(from);

	if (memfd_of(iocb->ki_filp)->order)
		return -EINVAL;
	if (end > i_size_read(inode))
		i_size_write(inode, end);
	return copy(iocb, from, false);
}

static loff_t memfd_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t size = i_size_read(file_inode(file));

	if (whence > SEEK_END)
		return -EINVAL;
	offset += whence == SEEK_END ? size : whence == SEEK_CUR ? file->f_pos : 0;
	if (offset < 0)
		return -EINVAL;
	file->f_pos = offset;
	return offset;
}

static const struct file_operations memfd_ops = {
	.read_iter = memfd_read,
	.write_iter = memfd_write,
	.llseek = memfd_llseek,
	.mmap = memfd_mmap,
	.release = memfd_release,
};

bool hosted_is_memfd(const struct file *file)
{
	return file->f_op == &memfd_ops;
}

/* stub/vfs.c has no inode cache: whoever drops the last reference calls this. */
static void free_inode(struct inode *inode)
{
	xa_destroy(&inode->i_data.i_pages);
	kfree(container_of(inode, struct memfd, inode));
}

static const struct super_operations memfd_super_ops = {.free_inode = free_inode};
static struct super_block memfd_super = {.s_op = &memfd_super_ops};

struct file *hosted_memfd(const char *name, loff_t size, unsigned int order)
{
	struct memfd *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct file *file;

	if (!m)
		return ERR_PTR(-ENOMEM);
	m->order = order;
	m->inode.i_sb = &memfd_super;
	m->inode.i_mode = S_IFREG | 0777;
	m->inode.i_size = size;
	m->inode.i_mapping = &m->inode.i_data;
	m->inode.i_data.host = &m->inode;
	xa_init_flags(&m->inode.i_data.i_pages, XA_FLAGS_ACCOUNT);
	spin_lock_init(&m->inode.i_lock);
	init_rwsem(&m->inode.i_rwsem);
	atomic_set(&m->inode.i_count, 1);
	file = alloc_file_pseudo(&m->inode, &hosted_mount, name, O_RDWR | O_LARGEFILE, &memfd_ops);
	if (IS_ERR(file))
		free_inode(&m->inode);
	else
		file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

/* A hugetlbfs file's flags: MFD_HUGETLB and a size, which must be 2 MiB or none. */
long hosted_sys_memfd_create(const unsigned long *arg)
{
	unsigned int flags = arg[1];
	struct file *file;
	char first;
	int fd;

	if (flags & ~(MEMFD_KNOWN | (flags & MEMFD_HUGETLB ? 0x3fU << 26 : 0)))
		return -EINVAL;
	if (flags >> 26 && flags >> 26 != HUGE_2MB >> 26)
		return -ENODEV;
	if (hosted_user_copy(&first, arg[0], 1, false))
		return -EFAULT;
	fd = get_unused_fd_flags(flags & MEMFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;
	file = hosted_memfd("memfd", 0, flags & MEMFD_HUGETLB ? HUGE_ORDER : 0);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

long hosted_sys_ftruncate(const unsigned long *arg)
{
	struct fd f = fdget(arg[0]);
	loff_t size = arg[1];
	long ret = -EINVAL;

	if (!fd_file(f))
		return -EBADF;
	if (size >= 0 && hosted_is_memfd(fd_file(f)) && fd_file(f)->f_mode & FMODE_WRITE) {
		struct memfd *m = memfd_of(fd_file(f));
		loff_t old = i_size_read(&m->inode);

		ret = size & ((PAGE_SIZE << m->order) - 1) && m->order ? -EINVAL : 0;
		if (!ret)
			i_size_write(&m->inode, size);
		if (!ret && size < old) {
			unmap_mapping_range(m->inode.i_mapping, PAGE_ALIGN(size), 0, 1);
			drop_pages(m, PAGE_ALIGN(size) >> PAGE_SHIFT);
		}
	}
	fdput(f);
	return ret;
}

/* Pins the file's folios from start to end, both inclusive; their number. */
long memfd_pin_folios(struct file *file, loff_t start, loff_t end, struct folio **folios,
		      unsigned int max, pgoff_t *offset)
{
	long n = 0;

	if (start < 0 || start > end || !max)
		return -EINVAL;
	if (!file || !hosted_is_memfd(file) || end >= i_size_read(file_inode(file)))
		return -EINVAL;
	*offset = start & ((PAGE_SIZE << hosted_memfd_order(file)) - 1);
	for (pgoff_t i = start >> PAGE_SHIFT; i <= end >> PAGE_SHIFT && n < max; i++) {
		struct page *page = hosted_memfd_page(file, i);
		struct folio *folio;

		if (IS_ERR_OR_NULL(page)) {
			unpin_folios(folios, n);
			return page ? PTR_ERR(page) : -ENOMEM;
		}
		folio = page_folio(page);
		if (n && folios[n - 1] == folio)
			continue;
		if (folio_test_large(folio)) {
			folio_ref_inc(folio);
			atomic_inc(&folio->_pincount);
		} else {
			folio_ref_add(folio, GUP_PIN_COUNTING_BIAS);
		}
		folios[n++] = folio;
	}
	hosted_written(folios, n * sizeof(*folios));
	return n;
}
