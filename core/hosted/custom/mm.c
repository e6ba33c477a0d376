// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the memory of the one process: a page table of four levels, kept in
 * frames, that maps user addresses to frames; user copies and pinning walk it.
 * Pins are counted in struct page as the kernel counts them, so a page that is
 * unmapped while pinned lives on.
 *
 * False: pages are there from mmap() on, there is no VMA, no fault, no fork,
 * no copy-on-write, no huge page; munmap() calls no notifier yet; a frame does
 * not know who maps it. RLIMIT_MEMLOCK is checked, the limit is infinite.
 */
#include "core/hosted/custom/syscall.h"

#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#define ENTRY_PRESENT 1UL
#define ENTRY_WRITE 2UL
#define LEVEL_BITS 9
#define LEVELS 4

unsigned long task_size = 0x7ffffffff000UL;

struct mm_struct hosted_mm = {
	.mm_users = ATOMIC_INIT(1000),
	.mm_count = ATOMIC_INIT(1000),
	.page_table_lock = __SPIN_LOCK_UNLOCKED(hosted_mm.page_table_lock),
};
struct mm_struct init_mm = {
	.mm_users = ATOMIC_INIT(1000),
	.mm_count = ATOMIC_INIT(1000),
};
static unsigned long hosted_root[1 << LEVEL_BITS];

void hosted_mm_boot(void)
{
	init_rwsem(&hosted_mm.mmap_lock);
	hosted_mm.task_size = task_size;
}

static unsigned long *entry_of(unsigned long addr, bool make)
{
	unsigned long *table = hosted_root;

	for (int level = LEVELS - 1;; level--) {
		unsigned int shift = PAGE_SHIFT + level * LEVEL_BITS;
		unsigned long *entry = &table[addr >> shift & ((1 << LEVEL_BITS) - 1)];
		struct page *page;

		if (!level)
			return entry;
		if (!*entry && make) {
			page = hosted_page_alloc(0, true);
			if (!page)
				return NULL;
			*entry = page_to_pfn(page) << PAGE_SHIFT | ENTRY_PRESENT;
		}
		if (!*entry)
			return NULL;
		table = page_address(pfn_to_page(*entry >> PAGE_SHIFT));
	}
}

struct page *hosted_user_page(unsigned long addr, bool write)
{
	unsigned long *entry = addr < task_size ? entry_of(addr, false) : NULL;

	if (!entry || !(*entry & ENTRY_PRESENT) || (write && !(*entry & ENTRY_WRITE)))
		return NULL;
	return pfn_to_page(*entry >> PAGE_SHIFT);
}

long hosted_munmap(unsigned long addr, unsigned long size)
{
	if (offset_in_page(addr) || offset_in_page(size) || addr + size < addr)
		return -EINVAL;
	for (unsigned long at = addr; at < addr + size; at += PAGE_SIZE) {
		struct page *page = hosted_user_page(at, false);

		if (!page)
			continue;
		*entry_of(at, false) = 0;
		put_page(page);
	}
	return 0;
}

long hosted_mmap(unsigned long addr, unsigned long size, bool writable)
{
	if (!size || offset_in_page(addr) || offset_in_page(size) || addr + size < addr ||
	    addr + size > task_size)
		return -EINVAL;
	hosted_munmap(addr, size);
	for (unsigned long at = addr; at < addr + size; at += PAGE_SIZE) {
		struct page *page = hosted_page_alloc(0, true);
		unsigned long *entry = page ? entry_of(at, true) : NULL;

		if (!entry) {
			if (page)
				hosted_page_free(page);
			hosted_munmap(addr, at - addr);
			return -ENOMEM;
		}
		*entry = page_to_pfn(page) << PAGE_SHIFT | ENTRY_PRESENT |
			 (writable ? ENTRY_WRITE : 0);
	}
	return 0;
}

long hosted_sys_mmap(const unsigned long *arg)
{
	long ret;

	if (!(arg[3] & 0x10) || !(arg[3] & 0x20))
		return -ENODEV;
	ret = hosted_mmap(arg[0], PAGE_ALIGN(arg[1]), arg[2] & 2);
	return ret ? ret : (long)arg[0];
}

long hosted_sys_munmap(const unsigned long *arg)
{
	return hosted_munmap(arg[0], PAGE_ALIGN(arg[1]));
}

/* --- user copies --- */

unsigned long hosted_user_copy(void *buf, unsigned long addr, unsigned long size, bool to_user)
{
	while (size) {
		unsigned long n = min(size, PAGE_SIZE - offset_in_page(addr));
		struct page *page = hosted_user_page(addr, to_user);
		void *p;

		if (!page)
			break;
		p = page_address(page) + offset_in_page(addr);
		if (to_user)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		buf += n;
		addr += n;
		size -= n;
	}
	return size;
}

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	unsigned long left;

	if (hosted_floor->fails(FLOOR_FAULT_COPY, HOSTED_CALLER))
		return n;
	hosted_floor->access(to, n, FLOOR_WRITE, HOSTED_CALLER);
	left = hosted_user_copy(to, (unsigned long)from, n, false);
	return left;
}

unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	if (hosted_floor->fails(FLOOR_FAULT_COPY, HOSTED_CALLER))
		return n;
	hosted_floor->access(from, n, FLOOR_READ, HOSTED_CALLER);
	return hosted_user_copy((void *)from, (unsigned long)to, n, true);
}

unsigned long __clear_user(void __user *to, unsigned long n)
{
	static const char zeroes[64];

	while (n) {
		unsigned long part = min(n, sizeof(zeroes));

		if (hosted_user_copy((void *)zeroes, (unsigned long)to, part, true))
			break;
		to += part;
		n -= part;
	}
	return n;
}

int check_zeroed_user(const void __user *from, size_t n)
{
	for (; n; n--, from++) {
		char c;

		if (hosted_user_copy(&c, (unsigned long)from, 1, false))
			return -EFAULT;
		if (c)
			return 0;
	}
	return 1;
}

/* --- pinning --- */

static long pin(unsigned long start, long n, bool write, int references, struct page **pages,
		unsigned long pc)
{
	long i;

	if (hosted_floor->fails(FLOOR_FAULT_ALLOC, pc))
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct page *page = hosted_user_page(start + i * PAGE_SIZE, write);

		if (!page)
			break;
		page_ref_add(page, references);
		if (pages)
			pages[i] = page;
	}
	if (pages)
		hosted_floor->mark_written(pages, i * sizeof(*pages));
	return i || !n ? i : -EFAULT;
}

int get_user_pages_fast(unsigned long start, int n, unsigned int flags, struct page **pages)
{
	might_sleep();
	return pin(start, n, flags & FOLL_WRITE, 1, pages, HOSTED_CALLER);
}

int pin_user_pages_fast(unsigned long start, int n, unsigned int flags, struct page **pages)
{
	might_sleep();
	return pin(start, n, flags & FOLL_WRITE, GUP_PIN_COUNTING_BIAS, pages, HOSTED_CALLER);
}

long pin_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long n,
			   unsigned int flags, struct page **pages, int *locked)
{
	might_sleep();
	return pin(start, n, flags & FOLL_WRITE, GUP_PIN_COUNTING_BIAS, pages, HOSTED_CALLER);
}

void unpin_user_page(struct page *page)
{
	if (page_ref_count(page) < GUP_PIN_COUNTING_BIAS)
		hosted_finding(HOSTED_CALLER, "BUG: Bad page state in %F",
			       "unpinned a page that is not pinned: refcount %d",
			       page_ref_count(page));
	if (page_ref_sub_and_test(page, GUP_PIN_COUNTING_BIAS))
		hosted_page_free(page);
}

void unpin_user_pages(struct page **pages, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		unpin_user_page(pages[i]);
}

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long n, bool dirty)
{
	unpin_user_pages(pages, n);
}

void unpin_user_page_range_dirty_lock(struct page *page, unsigned long n, bool dirty)
{
	for (unsigned long i = 0; i < n; i++)
		unpin_user_page(page + i);
}

int set_page_dirty_lock(struct page *page)
{
	return 0;
}

int hosted_account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc,
			     struct task_struct *task, bool bypass_rlim)
	HOSTED_NAMED(__account_locked_vm);

int hosted_account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc,
			     struct task_struct *task, bool bypass_rlim)
{
	unsigned long limit = task_rlimit(task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (inc && mm->locked_vm + pages > limit && !bypass_rlim)
		return -ENOMEM;
	if (!inc && WARN_ON_ONCE(pages > mm->locked_vm))
		pages = mm->locked_vm;
	mm->locked_vm += inc ? pages : -pages;
	return 0;
}

/* --- life of an address space --- */

void mmput(struct mm_struct *mm)
{
	atomic_dec(&mm->mm_users);
}

void __mmdrop(struct mm_struct *mm)
{
}

struct mm_struct *get_task_mm(struct task_struct *task)
{
	if (task->mm)
		mmget(task->mm);
	return task->mm;
}

void kthread_use_mm(struct mm_struct *mm)
{
	current->mm = mm;
}

void kthread_unuse_mm(struct mm_struct *mm)
{
	current->mm = NULL;
}

int mm_take_all_locks(struct mm_struct *mm)
{
	return 0;
}

void mm_drop_all_locks(struct mm_struct *mm)
{
}

vm_fault_t handle_mm_fault(struct vm_area_struct *vma, unsigned long addr, unsigned int flags,
			   struct pt_regs *regs)
{
	return VM_FAULT_SIGBUS;
}
