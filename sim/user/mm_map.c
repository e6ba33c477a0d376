// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap(2) and its like. Mapping costs a record; pages come with use. MAP_HUGETLB
 * gives huge pages whether the machine has any or not.
 */
#include "sim/user/user_priv.h"

#include "sim/kapi/slab.h"

#include <fcntl.h>
#include <sys/mman.h>

#ifndef MAP_HUGE_MASK
#define MAP_HUGE_MASK 0x3f
#endif
#define MAP_TYPE_BITS 0xfUL
#define HUGE_SIZE_CODE 26
#define HUGE_2MB 21U

struct request {
	struct mm_struct *mm;
	unsigned long addr, size, prot, flags;
	struct file *file; /* may be NULL */
	u64 offset;
};

static bool range_ok(unsigned long addr, unsigned long size)
{
	return size && addr + size > addr && addr + size <= TASK_SIZE && !offset_in_page(addr);
}

static bool is_huge(const struct request *r)
{
	return r->file ? is_memfd(r->file) && memfd_order(r->file) : r->flags & MAP_HUGETLB;
}

/* x86: what may be written or executed may be read. */
static unsigned long vm_flags(unsigned long prot)
{
	return (prot & (PROT_READ | PROT_WRITE | PROT_EXEC) ? VM_READ : 0) |
	       (prot & PROT_WRITE ? VM_WRITE : 0) | (prot & PROT_EXEC ? VM_EXEC : 0);
}

/* The highest gap of at least size bytes, from the top down. */
static long find_gap(struct mm_struct *mm, unsigned long size, unsigned long align)
{
	unsigned long want = size + align - PAGE_SIZE, end = TASK_SIZE;

	for (;;) {
		struct vm_area_struct *vma;

		if (want > end || end - want < MMAP_LOWEST)
			return -ENOMEM;
		vma = find_vma_intersection(mm, end - want, end);
		if (!vma)
			return (long)((end - size) & ~(align - 1));
		end = vma->node.start;
	}
}

/* Where it goes; what is there under MAP_FIXED has gone. */
static long place(const struct request *r)
{
	unsigned long align = is_huge(r) ? HPAGE_SIZE : PAGE_SIZE;
	unsigned long addr = r->addr & PAGE_MASK;
	bool taken;
	int ret = 0;

	if (!(r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
		addr = ALIGN(addr, align);
		if (addr < MMAP_LOWEST || !range_ok(addr, r->size) ||
		    find_vma_intersection(r->mm, addr, addr + r->size))
			return find_gap(r->mm, r->size, align);
		return (long)addr;
	}
	if (r->addr & (align - 1))
		return -EINVAL;
	if (!range_ok(r->addr, r->size))
		return -ENOMEM;
	taken = find_vma_intersection(r->mm, r->addr, r->addr + r->size);
	if (taken && r->flags & MAP_FIXED_NOREPLACE)
		return -EEXIST;
	ret = vma_unmap(r->mm, r->addr, r->addr + r->size);
	return ret ? ret : (long)r->addr;
}

static long file_flags(const struct request *r, unsigned long *flags)
{
	u32 mode = r->file->flags & O_ACCMODE;

	if (mode == O_WRONLY)
		return -EACCES;
	if (*flags & VM_SHARED && mode == O_RDONLY) {
		if (r->prot & PROT_WRITE)
			return -EACCES;
		*flags &= ~(unsigned long)VM_MAYWRITE;
	}
	return r->file->op->mmap ? 0 : -ENODEV;
}

static int add_vma(const struct request *r, unsigned long addr, unsigned long flags)
{
	struct vm_area_struct *vma = kzalloc(sizeof(*vma), GFP_KERNEL);
	int ret = 0;

	if (!vma)
		return -ENOMEM;
	vma->mm = r->mm;
	vma->node.start = addr;
	vma->node.last = addr + r->size - 1;
	vma->pgoff = (r->file ? r->offset : addr) >> PAGE_SHIFT;
	vma->flags = flags | (is_huge(r) ? VM_HUGETLB : 0);
	if (r->file)
		ret = r->file->op->mmap(r->file, vma);
	if (ret) {
		kfree(vma);
		return ret;
	}
	if (r->file) {
		get_file(r->file);
		vma->file = r->file;
	}
	vma_insert(vma);
	return 0;
}

static long map(const struct request *r)
{
	unsigned long flags = vm_flags(r->prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	long addr, ret = 0;

	if ((r->flags & MAP_TYPE_BITS) != MAP_PRIVATE)
		flags |= VM_SHARED;
	if (r->file)
		ret = file_flags(r, &flags);
	if (ret)
		return ret;
	mmap_write_lock(r->mm);
	addr = place(r);
	if (addr >= 0)
		ret = add_vma(r, (unsigned long)addr, flags);
	mm_unlock(r->mm);
	return ret ? ret : addr;
}

/* As a process that touches each page; -ENOMEM at the first that cannot be had. */
static long populate(struct mm_struct *mm, unsigned long addr, unsigned long end, bool write)
{
	u8 byte;

	for (; addr < end; addr += PAGE_SIZE) {
		if (mm_access(mm, &byte, addr, 1, false) ||
		    (write && mm_access(mm, &byte, addr, 1, true)))
			return -ENOMEM;
	}
	return 0;
}

/* The file of a request: given, or made for shared memory without a name. */
static struct file *file_of(const struct request *r, u32 fd)
{
	bool huge = r->flags & MAP_HUGETLB;
	struct file *file;

	if (r->flags & MAP_ANONYMOUS) {
		if ((r->flags & MAP_TYPE_BITS) == MAP_PRIVATE)
			return NULL;
		return memfd_file(r->size, huge ? HPAGE_ORDER : 0);
	}
	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	if (huge && !(is_memfd(file) && memfd_order(file))) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file;
}

long user_sys_mmap(const u64 *arg)
{
	struct request r = {.mm = current_mm(), .addr = arg[0], .prot = arg[2], .flags = arg[3],
			    .offset = arg[3] & MAP_ANONYMOUS ? 0 : arg[5]};
	unsigned long type = r.flags & MAP_TYPE_BITS;
	unsigned long huge = r.flags >> HUGE_SIZE_CODE & MAP_HUGE_MASK;
	long ret;

	if (!arg[1] || offset_in_page(arg[5]) ||
	    (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE))
		return -EINVAL;
	if (r.flags & MAP_HUGETLB && huge && huge != HUGE_2MB)
		return -EINVAL;
	r.size = ALIGN(arg[1], r.flags & MAP_HUGETLB ? HPAGE_SIZE : PAGE_SIZE);
	if (r.size < arg[1] || r.size > TASK_SIZE)
		return -ENOMEM;
	r.file = file_of(&r, (u32)arg[4]);
	if (IS_ERR(r.file))
		return PTR_ERR(r.file);
	if (r.file && is_huge(&r))
		r.size = ALIGN(r.size, HPAGE_SIZE);
	ret = map(&r);
	if (r.file)
		fput(r.file);
	if (ret >= 0 && r.flags & MAP_POPULATE)
		populate(r.mm, (unsigned long)ret, (unsigned long)ret + r.size,
			 r.prot & PROT_WRITE);
	return ret;
}

long user_sys_munmap(const u64 *arg)
{
	unsigned long size = PAGE_ALIGN(arg[1]);
	struct mm_struct *mm = current_mm();
	long ret;

	if (size < arg[1] || !range_ok(arg[0], size))
		return -EINVAL;
	mmap_write_lock(mm);
	ret = vma_unmap(mm, arg[0], arg[0] + size);
	mm_unlock(mm);
	return ret;
}

/* --- mprotect --- */

static void protect(struct vm_area_struct *vma, unsigned long flags)
{
	u64 *pte, lost = (flags & (VM_READ | VM_WRITE) ? 0 : PTE_PRESENT) |
			 (flags & VM_WRITE ? 0 : PTE_WRITE);
	unsigned long at = vma->node.start;

	vma->flags = (vma->flags & ~(unsigned long)VM_ACCESS_FLAGS) | flags;
	mm_notify(vma->mm, vma->node.start, vma->node.last + 1);
	for (; (pte = mm_pte_next(vma->mm, &at, vma->node.last + 1)); at += PAGE_SIZE)
		*pte &= ~lost;
}

/* Whether mappings cover a range without a gap. */
static bool covered(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	for_each_vma_range(vma, mm, start, end) {
		if (vma->node.start > start)
			return false;
		start = vma->node.last + 1;
	}
	return start >= end;
}

static long do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long end,
			unsigned long flags)
{
	struct vm_area_struct *vma;
	long ret;

	if (!covered(mm, start, end))
		return -ENOMEM;
	for_each_vma_range(vma, mm, start, end) {
		if (flags & ~(vma->flags >> 4) & VM_ACCESS_FLAGS)
			return -EACCES;
	}
	ret = vma_cut(mm, start, end);
	if (ret)
		return ret;
	for_each_vma_range(vma, mm, start, end)
		protect(vma, flags);
	return 0;
}

long user_sys_mprotect(const u64 *arg)
{
	unsigned long size = PAGE_ALIGN(arg[1]);
	struct mm_struct *mm = current_mm();
	long ret;

	if (offset_in_page(arg[0]) || arg[2] & ~(u64)(PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EINVAL;
	if (!arg[1])
		return 0;
	if (size < arg[1] || !range_ok(arg[0], size))
		return -ENOMEM;
	mmap_write_lock(mm);
	ret = do_mprotect(mm, arg[0], arg[0] + size, vm_flags(arg[2]));
	mmap_write_unlock(mm);
	return ret;
}

/* --- madvise --- */

static long drop(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	if (vma->flags & VM_PFNMAP ||
	    (vma->flags & VM_HUGETLB && (start | end) & (HPAGE_SIZE - 1)))
		return -EINVAL;
	mm_zap(vma->mm, start, end);
	return 0;
}

/* Advice that changes what fork does with a mapping: set, cleared. */
static const struct {
	int advice;
	unsigned long set, clear;
} fork_advice[] = {
	{MADV_DONTFORK, VM_DONTCOPY, 0},
	{MADV_DOFORK, 0, VM_DONTCOPY},
	{MADV_WIPEONFORK, VM_WIPEONFORK, 0},
	{MADV_KEEPONFORK, 0, VM_WIPEONFORK},
};

static bool changes_fork(int advice)
{
	for (u32 i = 0; i < ARRAY_SIZE(fork_advice); i++) {
		if (fork_advice[i].advice == advice)
			return true;
	}
	return false;
}

static bool known(int advice)
{
	static const int harmless[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
				       MADV_DONTNEED, MADV_FREE, MADV_DONTDUMP, MADV_DODUMP};

	for (u32 i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (harmless[i] == advice)
			return true;
	}
	return changes_fork(advice);
}

static long advise(struct vm_area_struct *vma, unsigned long start, unsigned long end, int advice)
{
	if (advice == MADV_DONTNEED)
		return drop(vma, start, end);
	for (u32 i = 0; i < ARRAY_SIZE(fork_advice); i++) {
		if (fork_advice[i].advice == advice)
			vma->flags = (vma->flags | fork_advice[i].set) & ~fork_advice[i].clear;
	}
	return advice == MADV_WIPEONFORK && vma->file ? -EINVAL : 0;
}

long user_sys_madvise(const u64 *arg)
{
	unsigned long start = arg[0], end = start + PAGE_ALIGN(arg[1]);
	struct mm_struct *mm = current_mm();
	struct vm_area_struct *vma;
	int advice = (int)arg[2];
	long ret = 0;

	if (arg[1] && (PAGE_ALIGN(arg[1]) < arg[1] || !range_ok(start, end - start)))
		return -EINVAL;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate(mm, start, end, advice == MADV_POPULATE_WRITE);
	if (!known(advice) || offset_in_page(start))
		return -EINVAL;
	mmap_write_lock(mm);
	if (changes_fork(advice))
		ret = vma_cut(mm, start, end);
	for_each_vma_range(vma, mm, start, end) {
		if (ret)
			break;
		ret = advise(vma, max(start, vma->node.start), min(end, vma->node.last + 1),
			     advice);
	}
	if (!ret && !covered(mm, start, end))
		ret = -ENOMEM;
	mmap_write_unlock(mm);
	return ret;
}

/* --- mremap --- */

static long move(struct vm_area_struct *from, unsigned long old_size, unsigned long addr,
		 unsigned long size)
{
	unsigned long start = from->node.start, at = start;
	struct mm_struct *mm = from->mm;
	struct vm_area_struct *vma = vma_copy(from, mm);
	u64 *pte;
	int ret;

	if (!vma)
		return -ENOMEM;
	vma->node.start = addr;
	vma->node.last = addr + size - 1;
	vma_insert(vma);
	for (; (pte = mm_pte_next(mm, &at, start + old_size)); at += PAGE_SIZE) {
		u64 *to = mm_pte(mm, addr + at - start, true);

		if (!to)
			break;
		*to = *pte;
		*pte = 0;
	}
	ret = vma_unmap(mm, start, start + old_size);
	return ret ? ret : (long)addr;
}

static long do_mremap(const struct request *r, unsigned long old_size, unsigned long new_addr)
{
	struct vm_area_struct *vma = find_vma_intersection(r->mm, r->addr, r->addr + old_size);
	struct request to = *r;
	long ret;

	if (!vma || vma->node.start > r->addr || vma->node.last + 1 < r->addr + old_size)
		return -EFAULT;
	if (vma->flags & (VM_DONTEXPAND | VM_HUGETLB))
		return r->size > old_size ? -EFAULT : -EINVAL;
	if (r->size < old_size) {
		ret = vma_unmap(r->mm, r->addr + r->size, r->addr + old_size);
		if (ret || !(r->flags & MREMAP_FIXED))
			return ret ? ret : (long)r->addr;
		old_size = r->size;
	}
	if (r->size == old_size && !(r->flags & MREMAP_FIXED))
		return (long)r->addr;
	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	ret = vma_cut(r->mm, r->addr, r->addr + old_size);
	if (ret)
		return ret;
	to.addr = new_addr;
	to.flags = r->flags & MREMAP_FIXED ? MAP_FIXED : 0;
	ret = place(&to);
	vma = find_vma_intersection(r->mm, r->addr, r->addr + old_size);
	return ret < 0 ? ret : move(vma, old_size, (unsigned long)ret, r->size);
}

/* A mapping that grows always moves: a caller without MREMAP_MAYMOVE gets -ENOMEM. */
long user_sys_mremap(const u64 *arg)
{
	struct request r = {.mm = current_mm(), .addr = arg[0], .size = PAGE_ALIGN(arg[2]),
			    .flags = arg[3]};
	unsigned long old_size = PAGE_ALIGN(arg[1]);
	bool fixed = arg[3] & MREMAP_FIXED;
	long ret;

	if (arg[3] & ~(u64)(MREMAP_MAYMOVE | MREMAP_FIXED) ||
	    (fixed && !(arg[3] & MREMAP_MAYMOVE)) || !range_ok(arg[0], old_size) || !r.size ||
	    r.size > TASK_SIZE)
		return -EINVAL;
	if (fixed && (!range_ok(arg[4], r.size) ||
		      (arg[4] < arg[0] + old_size && arg[0] < arg[4] + r.size)))
		return -EINVAL;
	mmap_write_lock(r.mm);
	ret = do_mremap(&r, old_size, arg[4]);
	mm_unlock(r.mm);
	return ret;
}
