// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: what the object offers: boot and shutdown, the syscall door, the
 * processes' memory.
 */
#include "core/hosted/custom/machine.h"
#include "core/hosted/custom/mm.h"
#include "core/hosted/custom/syscall.h"

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/wait_bit.h>
#include <generated/utsrelease.h>

/* build/hosted.lds; empty but for the fuzz flavour. */
extern unsigned char __start___sancov_cntrs[], __stop___sancov_cntrs[];
extern const unsigned long __start___sancov_pcs[], __stop___sancov_pcs[];
extern initcall_entry_t hosted_initcalls_start[], hosted_initcalls_late[], hosted_initcalls_end[];

extern const struct hosted_absent hosted_absent_start[], hosted_absent_end[];

void hosted_hooks_boot(void);
void __init chrdev_init(void);
void __init radix_tree_init(void);
void __init maple_tree_init(void);

enum system_states system_state;

static void run_initcalls(initcall_entry_t *from, initcall_entry_t *to)
{
	for (initcall_entry_t *call = from; call < to; call++) {
		initcall_t fn = initcall_from_entry(call);
		int ret;

		if (!fn)
			continue;
		ret = fn();
		if (ret && ret != -ENODEV)
			pr_err("initcall %ps returned %d\n", fn, ret);
	}
}

static void boot(const struct floor_machine *m)
{
	hosted_hooks_boot();
	hosted_compare_boot();
	hosted_table_boot(m);
	hosted_task_boot();
	hosted_page_boot();
	hosted_slab_boot();
	hosted_workqueue_boot();
	hosted_vfs_boot();
	radix_tree_init();
	maple_tree_init();
	wait_bit_init();
	files_init();
	files_maxfiles_init();
	hosted_process_boot();
	chrdev_init();
	driver_init();
	if (hosted_irq_boot())
		pr_err("no interrupt controller\n");
	run_initcalls(hosted_initcalls_start, hosted_initcalls_late);
	hosted_machine_early(m);
	run_initcalls(hosted_initcalls_late, hosted_initcalls_end);
	hosted_machine_boot(m);
	system_state = SYSTEM_RUNNING;
	hosted_syscall_exit();
}

static unsigned long access(unsigned int process, void *buf, unsigned long addr,
			    unsigned long size, bool to_user)
{
	unsigned long left;

	if (!hosted_process_enter(process))
		return size;
	left = hosted_user_copy(buf, addr, size, to_user);
	hosted_process_leave(process);
	return left;
}

static unsigned long do_peek(unsigned int process, void *buf, unsigned long addr,
			     unsigned long size)
{
	return access(process, buf, addr, size, false);
}

static unsigned long do_poke(unsigned int process, unsigned long addr, const void *buf,
			     unsigned long size)
{
	return access(process, (void *)buf, addr, size, true);
}

static long do_frame(unsigned int process, unsigned long addr, bool write)
{
	struct page *page;
	long ret;

	if (!hosted_process_enter(process))
		return -ESRCH;
	page = hosted_user_page(current->mm, addr, write);
	ret = page ? (long)page_to_pfn(page) : -EFAULT;
	hosted_process_leave(process);
	return ret;
}

static void do_shutdown(void)
{
	hosted_process_shutdown();
	hosted_core_end();
	hosted_syscall_exit();
}

__attribute__((visibility("default"), used)) const struct hosted_kernel hosted_kernel = {
	.abi = FLOOR_ABI,
	.size = sizeof(struct hosted_kernel),
	.version = UTS_RELEASE,
	.floor = &hosted_floor,
	.counters = __start___sancov_cntrs,
	.counters_end = __stop___sancov_cntrs,
	.pcs = __start___sancov_pcs,
	.pcs_end = __stop___sancov_pcs,
	.absent = hosted_absent_start,
	.absent_end = hosted_absent_end,
	.boot = boot,
	.syscall = hosted_syscall,
	.peek = do_peek,
	.poke = do_poke,
	.fork = hosted_fork,
	.exit = hosted_exit,
	.frame = do_frame,
	.interrupt = hosted_interrupt,
	.core_op = hosted_core_op,
	.frame_used = hosted_frame_used,
	.message = hosted_irq_sent,
	.wire = hosted_irq_wired,
	.shutdown = do_shutdown,
};
