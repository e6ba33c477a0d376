// SPDX-License-Identifier: GPL-2.0-only
/*
 * stub: what the hosted files touch without our model having it: uevents,
 * CPU hotplug, random numbers, time of day.
 */
#include "core/hosted/runtime.h"

#include <linux/async.h>
#include <linux/backing-dev.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/irq_work.h>
#include <linux/kernel_stat.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/property.h>
#include <linux/timekeeping.h>
#include <linux/user_namespace.h>

bool initcall_debug;
struct kobject *kernel_kobj;
#ifdef IOMMULAB_X86
struct cpuinfo_x86 boot_cpu_data = {.x86_cache_alignment = 64, .x86_clflush_size = 64};
#else
struct cpuinfo_um boot_cpu_data = {.cache_alignment = 64};
#endif
struct cpumask __cpu_possible_mask = {{1}}, __cpu_online_mask = {{1}}, __cpu_present_mask = {{1}},
	       __cpu_enabled_mask = {{1}};
const unsigned long cpu_bit_bitmap[BITS_PER_LONG + 1][BITS_TO_LONGS(NR_CPUS)] = {[1] = {1}};

int kobject_uevent(struct kobject *k, enum kobject_action a)
{
	return 0;
}

int kobject_uevent_env(struct kobject *k, enum kobject_action a, char *env[])
{
	return 0;
}

int kobject_synth_uevent(struct kobject *k, const char *buf, size_t n)
{
	return 0;
}

int add_uevent_var(struct kobj_uevent_env *env, const char *fmt, ...)
{
	return 0;
}

/* Interrupts are dated by it. */
unsigned long long hosted_sched_clock(void) HOSTED_NAMED(sched_clock);

unsigned long long hosted_sched_clock(void)
{
	return hosted_floor->now_ns();
}

void get_random_bytes(void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((u8 *)buf)[i] = hosted_floor->random();
}

u8 get_random_u8(void)
{
	return hosted_floor->random();
}

u32 get_random_u32(void)
{
	return hosted_floor->random();
}

u32 __get_random_u32_below(u32 ceil)
{
	return hosted_floor->random() % ceil;
}

void mem_dump_obj(void *p)
{
}

int get_cmdline(struct task_struct *p, char *buf, int n)
{
	return 0;
}

bool irq_work_queue(struct irq_work *work)
{
	work->func(work);
	return true;
}

async_cookie_t async_schedule_node(async_func_t fn, void *data, int node)
{
	fn(data, 1);
	return 1;
}

bool async_schedule_dev_nocall(async_func_t fn, struct device *dev)
{
	return false;
}

void async_synchronize_full(void)
{
}

bool kthread_should_stop_or_park(void)
{
	return false;
}

int __cpuhp_setup_state(enum cpuhp_state state, const char *name, bool invoke,
			int (*up)(unsigned int cpu), int (*down)(unsigned int cpu), bool multi)
{
	return state == CPUHP_AP_ONLINE_DYN ? CPUHP_AP_ONLINE_DYN : 0;
}

void __cpuhp_remove_state(enum cpuhp_state state, bool invoke)
{
}

int __cpuhp_state_add_instance(enum cpuhp_state state, struct hlist_node *node, bool invoke)
{
	return 0;
}

int __cpuhp_state_remove_instance(enum cpuhp_state state, struct hlist_node *node, bool invoke)
{
	return 0;
}

/* Declared per CPU, and in a section that x86's headers leave to functions. */
struct kernel_stat hosted_kstat HOSTED_NAMED(kstat);
struct user_namespace init_user_ns;

/* --- time units --- */

unsigned long __msecs_to_jiffies(const unsigned int ms)
{
	return DIV_ROUND_UP((u64)ms * HZ, MSEC_PER_SEC);
}

unsigned long __usecs_to_jiffies(const unsigned int us)
{
	return DIV_ROUND_UP((u64)us * HZ, USEC_PER_SEC);
}

u64 nsecs_to_jiffies64(u64 ns)
{
	return ns / (NSEC_PER_SEC / HZ);
}

unsigned int hosted_jiffies_to_usecs(const unsigned long j) HOSTED_NAMED(jiffies_to_usecs);

unsigned int hosted_jiffies_to_usecs(const unsigned long j)
{
	return j * (USEC_PER_SEC / HZ);
}

/* --- what boot calls for show --- */

int oops_in_progress;
bool static_key_initialized = true;
struct backing_dev_info noop_backing_dev_info;

int bdi_init(struct backing_dev_info *bdi)
{
	return 0;
}

int __init firmware_init(void)
{
	return 0;
}

#ifdef CONFIG_LOCKDEP
void fs_reclaim_acquire(gfp_t gfp)
{
}

void fs_reclaim_release(gfp_t gfp)
{
}
#endif

int execute_with_initialized_rng(struct notifier_block *nb)
{
	return nb->notifier_call(nb, 0, NULL);
}

int bitmap_print_to_pagebuf(bool list, char *buf, const unsigned long *mask, int nbits)
{
	return 0;
}
