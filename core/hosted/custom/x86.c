// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: what x86's headers, SMP and the tree's lockdep lean on beyond
 * ARCH=um's: bases of memory that are numbers in the kernel, one CPU's masks,
 * counters without their per-CPU part, reports without stacks.
 *
 * False: one CPU; nobody spins for a mutex; no tracepoints; symbols in the
 * tree's own reports are numbers.
 */
#include "core/hosted/runtime.h"

#ifdef IOMMULAB_X86
#include <asm/processor.h>
#include <generated/utsrelease.h>
#include <linux/bottom_half.h>
#include <linux/context_tracking_state.h>
#include <linux/cpu.h>
#include <linux/irq.h>
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/osq_lock.h>
#include <linux/percpu_counter.h>
#include <linux/srcu.h>
#include <linux/stacktrace.h>
#include <linux/swiotlb.h>
#include <linux/tracepoint-defs.h>
#include <linux/utsname.h>

unsigned long phys_base, vmalloc_base, vmemmap_base;

/* --- one CPU --- */

atomic_t __num_online_cpus = ATOMIC_INIT(1);
unsigned int nr_cpu_ids = 1;
unsigned long __per_cpu_offset[NR_CPUS];
bool early_boot_irqs_disabled;
int rcu_scheduler_active = 2; /* running */
struct task_struct init_task;
struct uts_namespace init_uts_ns = {.name = {.sysname = "Linux", .release = UTS_RELEASE}};
/* The headers declare it in the section of x86/force.h's functions. */
struct context_tracking hosted_context_tracking HOSTED_NAMED(context_tracking);

bool rcu_is_watching(void)
{
	return true;
}

bool rcu_lockdep_current_cpu_online(void)
{
	return true;
}

void srcu_check_nmi_safety(struct srcu_struct *ssp, bool nmi_safe)
{
}

void preempt_schedule_notrace(void)
{
}

void __local_bh_disable_ip(unsigned long ip, unsigned int n)
{
	preempt_count_add(n);
}

void __local_bh_enable_ip(unsigned long ip, unsigned int n)
{
	preempt_count_sub(n);
	hosted_preempt_check();
}

int set_cpus_allowed_ptr(struct task_struct *p, const struct cpumask *mask)
{
	return 0;
}

void cpu_hotplug_disable(void)
{
}

void cpu_hotplug_enable(void)
{
}

/* Nobody spins for a mutex: who wants one sleeps. */
bool osq_lock(struct optimistic_spin_queue *lock)
{
	return false;
}

bool __is_kernel_percpu_address(unsigned long addr, unsigned long *can)
{
	return false;
}

bool is_kernel_percpu_address(unsigned long addr)
{
	return false;
}

/* --- counters --- */

int percpu_counter_batch = 32;

int __percpu_counter_init_many(struct percpu_counter *c, s64 amount, gfp_t gfp, u32 n,
			       struct lock_class_key *key)
{
	for (u32 i = 0; i < n; i++)
		c[i].count = amount;
	return 0;
}

void percpu_counter_add_batch(struct percpu_counter *c, s64 amount, s32 batch)
{
	c->count += amount;
}

s64 __percpu_counter_sum(struct percpu_counter *c)
{
	return c->count;
}

void mod_node_page_state(struct pglist_data *node, enum node_stat_item item, long delta)
{
	atomic_long_add(delta, &vm_node_stat[item]);
}

/* --- what a report asks for --- */

unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skip)
{
	return 0;
}

void stack_trace_print(const unsigned long *entries, unsigned int n, int spaces)
{
}

const char *print_tainted(void)
{
	return "Not tainted";
}

void nbcon_cpu_emergency_enter(void)
{
}

void nbcon_cpu_emergency_exit(void)
{
}

const char *kallsyms_lookup(unsigned long addr, unsigned long *size, unsigned long *offset,
			    char **module, char *name)
{
	return NULL;
}

static int address(char *buf, unsigned long addr)
{
	return snprintf(buf, KSYM_SYMBOL_LEN, "0x%lx", addr);
}

int sprint_symbol(char *buf, unsigned long addr)
{
	return address(buf, addr);
}

int sprint_symbol_build_id(char *buf, unsigned long addr)
{
	return address(buf, addr);
}

int sprint_symbol_no_offset(char *buf, unsigned long addr)
{
	return address(buf, addr);
}

int sprint_backtrace(char *buf, unsigned long addr)
{
	return address(buf, addr);
}

int sprint_backtrace_build_id(char *buf, unsigned long addr)
{
	return address(buf, addr);
}

/* --- tracepoints: off --- */

#define OFF(name) struct tracepoint __tracepoint_##name
OFF(add_device_to_group);
OFF(attach_device_to_domain);
OFF(devres_log);
OFF(io_page_fault);
OFF(irq_handler_entry);
OFF(irq_handler_exit);
OFF(map);
OFF(mmap_lock_acquire_returned);
OFF(mmap_lock_released);
OFF(mmap_lock_start_locking);
OFF(remove_device_from_group);
OFF(swiotlb_bounced);
OFF(unmap);
#undef OFF

/* --- devices --- */

unsigned long pci_mem_start;

unsigned int pcibios_assign_all_busses(void)
{
	return 0;
}

void ack_bad_irq(unsigned int irq)
{
}

void swiotlb_dev_init(struct device *dev)
{
}

bool is_swiotlb_active(struct device *dev)
{
	return false;
}
#endif
