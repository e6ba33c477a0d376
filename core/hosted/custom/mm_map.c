// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: mmap(2) and its like. Mapping costs a VMA; frames come with use.
 * MAP_HUGETLB gives huge pages whether the machine has any or not.
 *
 * False: MAP_GROWSDOWN and MAP_LOCKED are taken for nothing, RLIMIT_AS is not
 * looked at, MADV_FREE leaves the pages, there are no transparent huge pages.
 */
#include "core/hosted/custom/mm.h"
#include "core/hosted/custom/syscall.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>

#define HUGE_2MB 21U

struct request {
	struct mm_struct *mm;
	unsigned long addr, size, prot, flags;
	struct file *file;  /* may be NULL */
	loff_t offset;
};

/* An end that wraps or lies outside is no range. */
static bool range_ok(unsigned long addr, unsigned long size)
{
	return size && addr + size > addr && addr + size <= TASK_END && !offset_in_page(addr);
}

static bool is_huge(const struct request *r)
{
	return r->file ? hosted_is_memfd(r->file) && hosted_memfd_order(r->file) :
			 r->flags & MAP_HUGETLB;
}

static long find_gap(struct mm_struct *mm, unsigned long size, unsigned long align)
{
	MA_STATE(mas, &mm->mm_mt, 0, 0);

	if (mas_empty_area_rev(&mas, MMAP_LOWEST, mm->mmap_base - 1, size + align - PAGE_SIZE))
		return -ENOMEM;
	return (mas.last + 1 - size) & ~(align - 1);
}

/* Where it goes; what is there under MAP_FIXED has gone. */
static long place(const struct request *r)
{
	unsigned long align = is_huge(r) ? HUGE_SIZE : PAGE_SIZE;
	unsigned long addr = r->addr & PAGE_MASK;
	bool fixed = r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
	bool taken;

	if (!fixed) {
		addr = ALIGN(addr, align);
		if (addr < MMAP_LOWEST || !range_ok(addr, r->size) ||
		    hosted_vma_next(r->mm, addr, addr + r->size))
			return find_gap(r->mm, r->size, align);
		return addr;
	}
	if (r->addr & (align - 1))
		return -EINVAL;
	if (!range_ok(r->addr, r->size))
		return -ENOMEM;
	taken = hosted_vma_next(r->mm, r->addr, r->addr + r->size);
	if (taken && r->flags & MAP_FIXED_NOREPLACE)
		return -EEXIST;
	return taken ? hosted_unmap(r->mm, r->addr, r->addr + r->size) ?: (long)r->addr :
		       (long)r->addr;
}

static long file_flags(const struct request *r, unsigned long *flags)
{
	bool shared = *flags & VM_MAYSHARE;

	if (!(r->file->f_mode & FMODE_READ))
		return -EACCES;
	if (shared && !(r->file->f_mode & FMODE_WRITE)) {
		if (r->prot & PROT_WRITE)
			return -EACCES;
		*flags &= ~(VM_MAYWRITE | VM_SHARED);
	}
	return r->file->f_op->mmap ? 0 : -ENODEV;
}

static int add_vma(const struct request *r, unsigned long addr, unsigned long flags)
{
	struct vm_area_struct *vma = kzalloc(sizeof(*vma), GFP_KERNEL);
	int ret = 0;

	if (!vma)
		return -ENOMEM;
	vma->vm_mm = r->mm;
	vma->vm_start = addr;
	vma->vm_end = addr + r->size;
	vma->vm_pgoff = r->file ? r->offset >> PAGE_SHIFT : addr >> PAGE_SHIFT;
	vm_flags_init(vma, flags | (is_huge(r) ? VM_HUGETLB : 0));
	INIT_LIST_HEAD(&vma->anon_vma_chain);
	if (r->file) {
		vma->vm_file = get_file(r->file);
		ret = r->file->f_op->mmap(r->file, vma);
	}
	if (ret) {
		fput(vma->vm_file);
		kfree(vma);
		return ret;
	}
	ret = hosted_vma_insert(vma);
	if (ret)
		hosted_vma_free(vma);
	return ret;
}

static long map(const struct request *r)
{
	unsigned long flags = hosted_vm_flags(r->prot) | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	bool shared = (r->flags & MAP_TYPE) != MAP_PRIVATE;
	long addr, ret = 0;

	if (shared)
		flags |= VM_MAYSHARE | VM_SHARED;
	if (r->file)
		ret = file_flags(r, &flags);
	if (ret)
		return ret;
	mmap_write_lock(r->mm);
	addr = place(r);
	if (addr >= 0)
		ret = add_vma(r, addr, flags);
	mmap_write_unlock(r->mm);
	return ret ? ret : addr;
}

static long populate(struct mm_struct *mm, unsigned long addr, unsigned long end, bool write)
{
	for (; addr < end; addr += PAGE_SIZE) {
		if (!hosted_user_page(mm, addr, write))
			return -ENOMEM;
	}
	return 0;
}

/* The file of a request: given, or made for shared memory without a name. */
static struct file *file_of(const struct request *r, unsigned int fd)
{
	bool huge = r->flags & MAP_HUGETLB;
	struct file *file;

	if (r->flags & MAP_ANONYMOUS) {
		if ((r->flags & MAP_TYPE) == MAP_PRIVATE)
			return NULL;
		return hosted_memfd("zero", r->size, huge ? HUGE_ORDER : 0);
	}
	file = fget(fd);
	if (!file)
		return ERR_PTR(-EBADF);
	if (huge && !(hosted_is_memfd(file) && hosted_memfd_order(file))) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file;
}

long hosted_sys_mmap(const unsigned long *arg)
{
	struct request r = {.mm = current->mm, .addr = arg[0], .prot = arg[2], .flags = arg[3],
			    .offset = arg[3] & MAP_ANONYMOUS ? 0 : arg[5]};
	unsigned long type = r.flags & MAP_TYPE, huge = r.flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
	long ret;

	if (!arg[1] || offset_in_page(arg[5]) ||
	    (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE))
		return -EINVAL;
	if (r.flags & MAP_HUGETLB && huge && huge != HUGE_2MB)
		return -EINVAL;
	r.size = ALIGN(arg[1], r.flags & MAP_HUGETLB ? HUGE_SIZE : PAGE_SIZE);
	if (r.size < arg[1] || r.size > TASK_END)
		return -ENOMEM;
	r.file = file_of(&r, arg[4]);
	if (IS_ERR(r.file))
		return PTR_ERR(r.file);
	if (r.file && is_huge(&r))
		r.size = ALIGN(r.size, HUGE_SIZE);
	ret = map(&r);
	if (r.file)
		fput(r.file);
	if (ret >= 0 && r.flags & MAP_POPULATE)
		populate(r.mm, ret, ret + r.size, r.prot & PROT_WRITE);
	return ret;
}

long hosted_sys_munmap(const unsigned long *arg)
{
	unsigned long size = PAGE_ALIGN(arg[1]);
	struct mm_struct *mm = current->mm;
	long ret;

	if (size < arg[1] || !range_ok(arg[0], size))
		return -EINVAL;
	mmap_write_lock(mm);
	ret = hosted_unmap(mm, arg[0], arg[0] + size);
	mmap_write_unlock(mm);
	return ret;
}

/* --- mprotect --- */

static void protect(struct vm_area_struct *vma, unsigned long flags)
{
	struct mm_struct *mm = vma->vm_mm;
	struct mmu_notifier_range range;
	unsigned long *pte, lost = 0;

	lost |= flags & (VM_READ | VM_WRITE) ? 0 : PTE_PRESENT;
	lost |= flags & VM_WRITE ? 0 : PTE_WRITE;
	mmu_notifier_range_init(&range, MMU_NOTIFY_PROTECTION_VMA, 0, mm, vma->vm_start,
				vma->vm_end);
	mmu_notifier_invalidate_range_start(&range);
	vm_flags_reset(vma, (vma->vm_flags & ~(VM_READ | VM_WRITE | VM_EXEC)) | flags);
	for (unsigned long at = vma->vm_start; (pte = hosted_pte_next(mm, &at, vma->vm_end));
	     at += PAGE_SIZE)
		hosted_pte_change(pte, lost, 0);
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, vma->vm_start, vma->vm_end);
	mmu_notifier_invalidate_range_end(&range);
}

/* Whether VMAs cover a range without a gap. */
static bool covered(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	for_each_hosted_vma(vma, mm, start, end) {
		if (vma->vm_start > start)
			return false;
		start = vma->vm_end;
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
	for_each_hosted_vma(vma, mm, start, end) {
		if (flags & ~(vma->vm_flags >> 4) & (VM_READ | VM_WRITE | VM_EXEC))
			return -EACCES;
	}
	ret = hosted_vma_cut(mm, start, end);
	if (ret)
		return ret;
	for_each_hosted_vma(vma, mm, start, end)
		protect(vma, flags);
	return 0;
}

long hosted_sys_mprotect(const unsigned long *arg)
{
	unsigned long size = PAGE_ALIGN(arg[1]);
	struct mm_struct *mm = current->mm;
	long ret;

	if (offset_in_page(arg[0]) || arg[2] & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EINVAL;
	if (!arg[1])
		return 0;
	if (size < arg[1] || !range_ok(arg[0], size))
		return -ENOMEM;
	mmap_write_lock(mm);
	ret = do_mprotect(mm, arg[0], arg[0] + size, hosted_vm_flags(arg[2]));
	mmap_write_unlock(mm);
	return ret;
}

/* --- madvise --- */

static long drop(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct mmu_notifier_range range;

	if (vma->vm_flags & VM_PFNMAP || (vma->vm_flags & VM_HUGETLB && (start | end) & ~HUGE_MASK))
		return -EINVAL;
	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, vma->vm_mm, start, end);
	mmu_notifier_invalidate_range_start(&range);
	hosted_zap_shared(vma->vm_mm, start, end);
	mmu_notifier_invalidate_range_end(&range);
	return 0;
}

static long advise(struct vm_area_struct *vma, unsigned long start, unsigned long end, int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
		return drop(vma, start, end);
	case MADV_DONTFORK:
		vm_flags_set(vma, VM_DONTCOPY);
		return 0;
	case MADV_DOFORK:
		vm_flags_clear(vma, VM_DONTCOPY);
		return 0;
	case MADV_WIPEONFORK:
		vm_flags_set(vma, VM_WIPEONFORK);
		return vma->vm_file ? -EINVAL : 0;
	case MADV_KEEPONFORK:
		vm_flags_clear(vma, VM_WIPEONFORK);
		return 0;
	default:
		return 0;
	}
}

static bool changes_flags(int advice)
{
	return advice == MADV_DONTFORK || advice == MADV_DOFORK || advice == MADV_WIPEONFORK ||
	       advice == MADV_KEEPONFORK;
}

static bool known(int advice)
{
	return advice == MADV_NORMAL || advice == MADV_RANDOM || advice == MADV_SEQUENTIAL ||
	       advice == MADV_WILLNEED || advice == MADV_DONTNEED || advice == MADV_FREE ||
	       advice == MADV_DONTDUMP || advice == MADV_DODUMP || changes_flags(advice);
}

long hosted_sys_madvise(const unsigned long *arg)
{
	unsigned long start = arg[0], end = start + PAGE_ALIGN(arg[1]);
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int advice = arg[2];
	long ret = 0;

	if (arg[1] && (PAGE_ALIGN(arg[1]) < arg[1] || !range_ok(start, end - start)))
		return -EINVAL;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate(mm, start, end, advice == MADV_POPULATE_WRITE);
	if (!known(advice) || offset_in_page(start))
		return -EINVAL;
	mmap_write_lock(mm);
	if (changes_flags(advice))
		ret = hosted_vma_cut(mm, start, end);
	for_each_hosted_vma(vma, mm, start, end) {
		if (ret)
			break;
		ret = advise(vma, max(start, vma->vm_start), min(end, vma->vm_end), advice);
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
	struct mm_struct *mm = from->vm_mm;
	struct vm_area_struct *vma = hosted_vma_copy(from, mm);
	unsigned long start = from->vm_start, *pte;
	struct mmu_notifier_range range;

	if (!vma)
		return -ENOMEM;
	vma->vm_start = addr;
	vma->vm_end = addr + size;
	if (hosted_vma_insert(vma)) {
		hosted_vma_free(vma);
		return -ENOMEM;
	}
	if (vma->vm_ops && vma->vm_ops->open)
		vma->vm_ops->open(vma);
	mmu_notifier_range_init(&range, MMU_NOTIFY_UNMAP, 0, mm, start, start + old_size);
	mmu_notifier_invalidate_range_start(&range);
	for (unsigned long at = start; (pte = hosted_pte_next(mm, &at, start + old_size));
	     at += PAGE_SIZE) {
		unsigned long *to = hosted_pte(mm, addr + at - start, true);

		if (!to)
			break;
		*to = *pte;
		*pte = 0;
	}
	mmu_notifier_arch_invalidate_secondary_tlbs(mm, start, start + old_size);
	mmu_notifier_invalidate_range_end(&range);
	return hosted_unmap(mm, start, start + old_size) ?: (long)addr;
}

static long do_mremap(const struct request *r, unsigned long old_size, unsigned long new_addr)
{
	struct vm_area_struct *vma = hosted_vma_next(r->mm, r->addr, r->addr + old_size);
	struct request to = *r;
	long ret;

	if (!vma || vma->vm_start > r->addr || vma->vm_end < r->addr + old_size)
		return -EFAULT;
	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP | VM_HUGETLB))
		return r->size > old_size ? -EFAULT : -EINVAL;
	if (r->size < old_size) {
		ret = hosted_unmap(r->mm, r->addr + r->size, r->addr + old_size);
		if (ret || !(r->flags & MREMAP_FIXED))
			return ret ?: (long)r->addr;
		old_size = r->size;
	}
	if (r->size == old_size && !(r->flags & MREMAP_FIXED))
		return r->addr;
	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	ret = hosted_vma_cut(r->mm, r->addr, r->addr + old_size);
	if (ret)
		return ret;
	to.addr = new_addr;
	to.flags = r->flags & MREMAP_FIXED ? MAP_FIXED : 0;
	ret = place(&to);
	vma = hosted_vma_next(r->mm, r->addr, r->addr + old_size);
	return ret < 0 ? ret : move(vma, old_size, ret, r->size);
}

/* A mapping that grows always moves: a caller without MREMAP_MAYMOVE gets -ENOMEM. */
long hosted_sys_mremap(const unsigned long *arg)
{
	struct request r = {.mm = current->mm, .addr = arg[0], .size = PAGE_ALIGN(arg[2]),
			    .flags = arg[3]};
	unsigned long old_size = PAGE_ALIGN(arg[1]);
	bool fixed = arg[3] & MREMAP_FIXED;
	long ret;

	if (arg[3] & ~(MREMAP_MAYMOVE | MREMAP_FIXED) || (fixed && !(arg[3] & MREMAP_MAYMOVE)) ||
	    !range_ok(arg[0], old_size) || !r.size || r.size > TASK_END)
		return -EINVAL;
	if (fixed && (!range_ok(arg[4], r.size) ||
		      (arg[4] < arg[0] + old_size && arg[0] < arg[4] + r.size)))
		return -EINVAL;
	mmap_write_lock(r.mm);
	ret = do_mremap(&r, old_size, arg[4]);
	mmap_write_unlock(r.mm);
	return ret;
}
