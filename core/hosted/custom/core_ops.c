// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: the operations of core/uapi/ops.def that are no system calls, on the
 * tree's own driver core and IOMMU core.
 *
 * Refused, since the tree takes them for bugs of its caller and warns, or leaves the order
 * to the group's owner (two tasks that detach or replace at once: who was last?): giving
 * back what the program does not have or has a domain on, freeing a domain that
 * is attached, what only drivers do while there is no IOMMU for them, unplugging
 * a device whose group the program claimed or has a domain on.
 * False: set_type has no sysfs to write to, shutdown_iommu no hardware; both
 * say EOPNOTSUPP. map with pa 0 maps fresh frames up to 4 MiB, beyond that some frames.
 */
#include "core/hosted/core_ops.h"
#include "core/hosted/custom/machine.h"

#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#define DOMAINS_MAX 32
#define SOME_FRAME 16
#define OWN_ORDER_MAX 10U /* 4 MiB */
#define RANGE_MAX (64UL << 20)

enum {
#define OP(name, ...) CORE_##name,
#define ARG(...)
#include "core/uapi/ops.def"
#undef OP
#undef ARG
	CORE_CODES,
};

/* Of drivers/base and drivers/iommu, which keep them to themselves. */
void driver_deferred_probe_trigger(void);
void device_driver_detach(struct device *dev);
int iommu_group_replace_domain(struct iommu_group *group, struct iommu_domain *domain);

static struct iommu_domain *domains[DOMAINS_MAX];
static unsigned int attached[DOMAINS_MAX]; /* how often the program has it attached */
static u64 claimed[HOSTED_DEVICES_MAX], group_claimed[HOSTED_DEVICES_MAX];
static unsigned int on_device[HOSTED_DEVICES_MAX], on_group[HOSTED_DEVICES_MAX]; /* slot + 1 */
static unsigned int busy[HOSTED_DEVICES_MAX]; /* operations that hold on to the device */
static bool leaving[HOSTED_DEVICES_MAX]; /* or arriving */
static bool changing[DOMAINS_MAX];
static bool moving[HOSTED_DEVICES_MAX]; /* an attach, detach or replace of its group is under way */
static bool used; /* by this program */
static bool plugged; /* IOMMUs, by it */
static DEFINE_MUTEX(plug_lock);
static DECLARE_RWSEM(give_back); /* held to attach; to write: an owner leaves */

static struct hosted_device *device_at(unsigned long i)
{
	return &hosted_machine.device[i];
}

static bool same_group(const struct device *a, const struct device *b)
{
	return a && b && a->iommu_group && a->iommu_group == b->iommu_group;
}

/* Whether the program holds anything of the device's group, or is about to. */
static bool in_use(unsigned long i)
{
	struct device *dev = device_at(i)->dev;

	for (unsigned int k = 0; k < hosted_machine.n_devices; k++) {
		if ((k == i || same_group(dev, device_at(k)->dev)) &&
		    (busy[k] || claimed[k] || group_claimed[k] || on_device[k] || on_group[k] ||
		     hosted_pasid_in_use(k)))
			return true;
	}
	return false;
}

/* --- IOMMUs and devices --- */

static long op_register_iommu(const unsigned long *arg)
{
	return hosted_iommu_register(&hosted_machine.iommu[arg[0]]);
}

static bool is_behind(unsigned long i, unsigned long iommu)
{
	return device_at(i)->d.iommu == iommu;
}

static long op_unregister_iommu(const unsigned long *arg)
{
	long ret;

	for (unsigned long i = 0; i < hosted_machine.n_devices; i++) {
		if (is_behind(i, arg[0]) && (leaving[i] || in_use(i)))
			return -EBUSY;
	}
	for (unsigned long i = 0; i < hosted_machine.n_devices; i++)
		leaving[i] |= is_behind(i, arg[0]);
	ret = hosted_iommu_unregister(&hosted_machine.iommu[arg[0]]);
	for (unsigned long i = 0; i < hosted_machine.n_devices; i++)
		leaving[i] &= !is_behind(i, arg[0]);
	return ret;
}

static long op_add(const unsigned long *arg)
{
	long ret = -EBUSY;

	mutex_lock(&plug_lock);
	if (!leaving[arg[0]] && !busy[arg[0]]) {
		leaving[arg[0]] = true;
		ret = hosted_device_add(device_at(arg[0]));
		leaving[arg[0]] = false;
	}
	mutex_unlock(&plug_lock);
	return ret;
}

static long op_remove(const unsigned long *arg)
{
	long ret = -EBUSY;

	mutex_lock(&plug_lock);
	if (!leaving[arg[0]] && !in_use(arg[0])) {
		leaving[arg[0]] = true;
		ret = hosted_device_remove(device_at(arg[0]));
		leaving[arg[0]] = false;
	}
	mutex_unlock(&plug_lock);
	return ret;
}

static long op_probe(const unsigned long *arg)
{
	return hosted_device_probe(device_at(arg[0]));
}

static long op_bind(const unsigned long *arg)
{
	struct hosted_device *hd = device_at(arg[0]);
	long ret;

	if (arg[1] >= hosted_machine.n_drivers)
		return -EINVAL;
	if (hd->dev->driver)
		return -EBUSY;
	ret = hosted_device_override(hd, hosted_machine.driver[arg[1]]);
	if (!ret)
		ret = device_attach(hd->dev);
	return ret == 1 ? 0 : ret ? ret : -ENODEV;
}

static long op_unbind(const unsigned long *arg)
{
	struct device *dev = device_at(arg[0])->dev;

	if (!dev->driver)
		return -ENODEV;
	device_driver_detach(dev);
	return 0;
}

static long op_deferred(const unsigned long *arg)
{
	driver_deferred_probe_trigger();
	return 0;
}

/* --- ownership --- */

static long op_claim(const unsigned long *arg)
{
	long ret = iommu_device_claim_dma_owner(device_at(arg[0])->dev, (void *)(arg[1] + 1));

	if (!ret)
		claimed[arg[0]]++;
	return ret;
}

/* An owner that leaves has detached its domains: the tree asks that of its callers. */
static bool attached_in_group(unsigned long i)
{
	struct device *dev = device_at(i)->dev;

	for (unsigned int k = 0; k < hosted_machine.n_devices; k++) {
		if ((k == i || same_group(dev, device_at(k)->dev)) && (on_device[k] || on_group[k]))
			return true;
	}
	return false;
}

static long op_release(const unsigned long *arg)
{
	long ret = -EINVAL;

	down_write(&give_back);
	if (claimed[arg[0]] && attached_in_group(arg[0])) {
		ret = -EBUSY;
	} else if (claimed[arg[0]]) {
		claimed[arg[0]]--;
		iommu_device_release_dma_owner(device_at(arg[0])->dev);
		ret = 0;
	}
	up_write(&give_back);
	return ret;
}

static long op_claim_group(const unsigned long *arg)
{
	struct iommu_group *group = iommu_group_get(device_at(arg[0])->dev);
	long ret;

	if (!group)
		return -ENODEV;
	ret = iommu_group_claim_dma_owner(group, (void *)(arg[1] + 1));
	if (!ret)
		group_claimed[arg[0]]++;
	iommu_group_put(group);
	return ret;
}

static long op_release_group(const unsigned long *arg)
{
	struct iommu_group *group = iommu_group_get(device_at(arg[0])->dev);
	long ret = -EINVAL;

	if (!group)
		return -ENODEV;
	down_write(&give_back);
	if (group_claimed[arg[0]] && attached_in_group(arg[0])) {
		ret = -EBUSY;
	} else if (group_claimed[arg[0]]) {
		group_claimed[arg[0]]--;
		iommu_group_release_dma_owner(group);
		ret = 0;
	}
	up_write(&give_back);
	iommu_group_put(group);
	return ret;
}

/* --- domains --- */

static long op_alloc_domain(const unsigned long *arg)
{
	struct device *dev = device_at(arg[1])->dev;
	struct iommu_domain *domain;

	if (domains[arg[0]])
		return -EEXIST;
	if (!dev->iommu_group)
		return -ENODEV;
	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	hosted_floor->release(&domains[arg[0]]);
	WRITE_ONCE(domains[arg[0]], domain);
	return 0;
}

static long op_free_domain(const unsigned long *arg)
{
	struct iommu_domain *domain = domains[arg[0]];

	if (!domain)
		return -ENOENT;
	if (attached[arg[0]] || hosted_pasid_has_domain(arg[0]))
		return -EBUSY;
	domains[arg[0]] = NULL;
	iommu_domain_free(domain);
	return 0;
}

static long not_on(const unsigned long *arg, unsigned int *on, long ret)
{
	*on = 0;
	attached[arg[1]]--;
	return ret;
}

/* Another task may have come first while this one waited for the owner to leave. */
static long take(const unsigned long *arg, unsigned int *on)
{
	if (*on) {
		attached[arg[1]]--;
		return -EBUSY;
	}
	*on = arg[1] + 1;
	return 0;
}

static long op_attach(const unsigned long *arg)
{
	long ret;

	if (!domains[arg[1]])
		return -ENOENT;
	if (on_device[arg[0]])
		return -EBUSY;
	attached[arg[1]]++;
	down_read(&give_back);
	ret = take(arg, &on_device[arg[0]]);
	if (!ret) {
		ret = iommu_attach_device(domains[arg[1]], device_at(arg[0])->dev);
		if (ret)
			not_on(arg, &on_device[arg[0]], ret);
	}
	up_read(&give_back);
	return ret;
}

/* A device that has joined the group since makes it a matter of the group. */
static long op_detach(const unsigned long *arg)
{
	struct device *dev = device_at(arg[0])->dev;
	bool shared = false;

	if (!domains[arg[1]] || on_device[arg[0]] != arg[1] + 1)
		return -EINVAL;
	for (unsigned int i = 0; i < hosted_machine.n_devices; i++)
		shared |= i != arg[0] && same_group(dev, device_at(i)->dev);
	if (shared)
		iommu_detach_group(domains[arg[1]], dev->iommu_group);
	else
		iommu_detach_device(domains[arg[1]], dev);
	return not_on(arg, &on_device[arg[0]], 0);
}

static long with_group(const unsigned long *arg,
		       long (*fn)(struct iommu_group *group, const unsigned long *arg))
{
	struct iommu_group *group = iommu_group_get(device_at(arg[0])->dev);
	long ret;

	if (!group)
		return -ENODEV;
	ret = domains[arg[1]] ? fn(group, arg) : -ENOENT;
	iommu_group_put(group);
	return ret;
}

static long attach_group(struct iommu_group *group, const unsigned long *arg)
{
	long ret;

	if (on_group[arg[0]])
		return -EBUSY;
	attached[arg[1]]++;
	down_read(&give_back);
	ret = take(arg, &on_group[arg[0]]);
	if (!ret) {
		moving[arg[0]] = true;
		ret = iommu_attach_group(domains[arg[1]], group);
		moving[arg[0]] = false;
		if (ret)
			not_on(arg, &on_group[arg[0]], ret);
	}
	up_read(&give_back);
	return ret;
}

static long detach_group(struct iommu_group *group, const unsigned long *arg)
{
	if (on_group[arg[0]] != arg[1] + 1)
		return -EINVAL;
	if (moving[arg[0]])
		return -EBUSY;
	moving[arg[0]] = true;
	iommu_detach_group(domains[arg[1]], group);
	moving[arg[0]] = false;
	return not_on(arg, &on_group[arg[0]], 0);
}

static long replace_group(struct iommu_group *group, const unsigned long *arg)
{
	unsigned int old = on_group[arg[0]];
	long ret;

	if (!old)
		return -EINVAL;
	if (moving[arg[0]])
		return -EBUSY;
	moving[arg[0]] = true;
	attached[arg[1]]++;
	ret = iommu_group_replace_domain(group, domains[arg[1]]);
	moving[arg[0]] = false;
	if (!ret)
		on_group[arg[0]] = arg[1] + 1;
	attached[ret ? arg[1] : old - 1]--;
	return ret;
}

static long op_attach_group(const unsigned long *arg)
{
	return with_group(arg, attach_group);
}

static long op_detach_group(const unsigned long *arg)
{
	return with_group(arg, detach_group);
}

static long op_replace(const unsigned long *arg)
{
	return with_group(arg, replace_group);
}

/* What page tables ask of their callers: all of it free, or all of it mapped. */
static long check_range(struct iommu_domain *domain, u64 iova, u64 size, bool map)
{
	if (!size || size > RANGE_MAX || iova + size < iova || !IS_ALIGNED(iova | size, PAGE_SIZE))
		return -EINVAL;
	if (iova + size - 1 > domain->geometry.aperture_end)
		return -ERANGE;
	for (u64 at = iova; at < iova + size; at += PAGE_SIZE) {
		if (!iommu_iova_to_phys(domain, at) != map)
			return map ? -EEXIST : -ENOENT;
	}
	return 0;
}

/* --- frames of the program's own, which are free again when they are unmapped --- */

#define OWN 0x6f776e65UL /* page->private */

static phys_addr_t fresh_frames(u64 size)
{
	unsigned int order = get_order(size);
	struct page *page;

	if (order > OWN_ORDER_MAX)
		return SOME_FRAME * PAGE_SIZE;
	page = alloc_pages(GFP_KERNEL, order);
	if (!page)
		return 0;
	split_page(page, order);
	for (unsigned long i = 0; i < 1UL << order; i++) {
		page[i].private = OWN;
		if (i >= size >> PAGE_SHIFT)
			__free_page(page + i);
	}
	return page_to_phys(page);
}

static void free_frames(phys_addr_t pa, u64 size)
{
	struct page *page = pfn_to_page(PHYS_PFN(pa));

	for (u64 i = 0; i < size >> PAGE_SHIFT; i++) {
		if (page_count(page + i) == 1 && page[i].private == OWN)
			__free_page(page + i);
	}
}

static long map_frames(struct iommu_domain *domain, const unsigned long *arg)
{
	phys_addr_t pa = arg[3] ? arg[3] : fresh_frames(arg[2]);
	long ret;

	if (!pa)
		return -ENOMEM;
	ret = iommu_map(domain, arg[1], pa, arg[2], IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
	if (ret && !arg[3] && get_order(arg[2]) <= OWN_ORDER_MAX)
		free_frames(pa, arg[2]);
	return ret;
}

/* What was mapped is free when no device can reach it: what still does is found. */
static long unmap_frames(struct iommu_domain *domain, const unsigned long *arg)
{
	unsigned long n = min(arg[2] >> PAGE_SHIFT, 1UL << OWN_ORDER_MAX);
	phys_addr_t *pa = kmalloc_array(n, sizeof(*pa), GFP_KERNEL | __GFP_NOFAIL);
	long ret;

	for (unsigned long i = 0; i < n; i++)
		pa[i] = iommu_iova_to_phys(domain, arg[1] + i * PAGE_SIZE);
	ret = iommu_unmap(domain, arg[1], arg[2]);
	for (unsigned long i = 0; i < n && i < ret >> PAGE_SHIFT; i++) {
		if (pa[i] && PHYS_PFN(pa[i]) < max_mapnr)
			free_frames(pa[i], PAGE_SIZE);
	}
	kfree(pa);
	return ret;
}

/* A domain is changed by one task at a time: the tree asks that of its callers. */
static long change(const unsigned long *arg, bool map)
{
	struct iommu_domain *domain = domains[arg[0]];
	long ret;

	if (!domain)
		return -ENOENT;
	if (changing[arg[0]])
		return -EBUSY;
	changing[arg[0]] = true;
	attached[arg[0]]++;
	ret = check_range(domain, arg[1], arg[2], map);
	if (!ret)
		ret = map ? map_frames(domain, arg) : unmap_frames(domain, arg);
	attached[arg[0]]--;
	changing[arg[0]] = false;
	return ret;
}

static long op_map(const unsigned long *arg)
{
	return change(arg, true);
}

static long op_unmap(const unsigned long *arg)
{
	return change(arg, false);
}

static long op_resv(const unsigned long *arg)
{
	struct iommu_group *group = iommu_group_get(device_at(arg[0])->dev);
	struct iommu_resv_region *region, *next;
	LIST_HEAD(list);
	long n = 0;
	int ret;

	if (!group)
		return -ENODEV;
	ret = iommu_get_group_resv_regions(group, &list);
	list_for_each_entry_safe(region, next, &list, list) {
		n++;
		kfree(region);
	}
	iommu_group_put(group);
	return ret ? ret : n;
}

static long op_dma(const unsigned long *arg)
{
	u8 byte;

	return hosted_dma(device_at(arg[0]), &(struct hosted_access){
		.iova = arg[1], .pasid = FLOOR_NONE, .buf = &byte, .size = 1});
}

/* Left out, it is all ones. */
static long access_word(const unsigned long *arg, unsigned long pasid, u32 *word, bool write)
{
	return hosted_dma(device_at(arg[0]), &(struct hosted_access){
		.iova = arg[1], .pasid = pasid && pasid < 1 << 20 ? pasid : FLOOR_NONE,
		.buf = word, .size = sizeof(*word), .write = write});
}

static long op_dma_read(const unsigned long *arg)
{
	u32 word = 0;
	long ret = access_word(arg, arg[2], &word, false);

	return ret ? ret : word;
}

static long op_dma_write(const unsigned long *arg)
{
	u32 word = arg[2];

	return access_word(arg, arg[3], &word, true);
}

static long op_page_request(const unsigned long *arg)
{
	unsigned long pasid = arg[2], pages = arg[3];

	return hosted_dma(device_at(arg[0]), &(struct hosted_access){
		.iova = arg[1], .pasid = pasid && pasid < 1 << 20 ? pasid : FLOOR_NONE,
		.write = true, .pages = pages && pages < 1 << 10 ? pages : 1});
}

/* --- PASIDs --- */

static long op_attach_pasid(const unsigned long *arg)
{
	if (!domains[arg[1]])
		return -ENOENT;
	return hosted_pasid_attach(domains[arg[1]], arg);
}

static long op_detach_pasid(const unsigned long *arg)
{
	return hosted_pasid_detach(arg);
}

static long op_sva_bind(const unsigned long *arg)
{
	return hosted_op_sva_bind(arg);
}

static long op_sva_unbind(const unsigned long *arg)
{
	return hosted_op_sva_unbind(arg);
}

/* ON_PLUG: a device that need not be there. */
enum on {
	ON_NOTHING,
	ON_IOMMU,
	ON_DEVICE,
	ON_DEVICE_DOMAIN,
	ON_DOMAIN_DEVICE,
	ON_DOMAIN,
	ON_PLUG,
};

static const struct {
	long (*fn)(const unsigned long *arg);
	enum on on;
	bool after_iommu; /* for drivers, which wait for the IOMMU */
} core_ops[CORE_CODES] = {
#define X(name, on, after_iommu) [CORE_##name] = {op_##name, on, after_iommu},
	HOSTED_CORE_OPS(X)
#undef X
};

static bool indices_fit(enum on on, const unsigned long *arg)
{
	bool domain_first = on == ON_DOMAIN || on == ON_DOMAIN_DEVICE;
	unsigned long domain = domain_first ? arg[0] : on == ON_DEVICE_DOMAIN ? arg[1] : 0;
	unsigned long device = on == ON_DOMAIN_DEVICE ? arg[1] : arg[0];

	if (on == ON_IOMMU)
		return arg[0] < hosted_machine.n_iommus;
	if (domain >= DOMAINS_MAX)
		return false;
	return on == ON_NOTHING || on == ON_DOMAIN || device < hosted_machine.n_devices;
}

/* The device is kept while an operation has it; one that is not there gives ENODEV. */
static long on_a_device(unsigned int code, const unsigned long *arg, unsigned long i)
{
	struct device *dev = device_at(i)->dev;
	long ret;

	if (!dev || leaving[i])
		return -ENODEV;
	get_device(dev);
	busy[i]++;
	ret = -ENODEV;
	if (!core_ops[code].after_iommu || hosted_iommu_is_there(device_at(i)))
		ret = core_ops[code].fn(arg);
	busy[i]--;
	put_device(dev);
	return ret;
}

long hosted_core_op(unsigned int code, const unsigned long arg[4])
{
	enum on on;
	long ret;

	if (code >= CORE_CODES || !core_ops[code].fn)
		return -EOPNOTSUPP;
	hosted_task_come();
	used = true;
	plugged |= core_ops[code].on == ON_IOMMU;
	on = core_ops[code].on;
	if (!indices_fit(on, arg))
		return -EINVAL;
	if (on == ON_DEVICE_DOMAIN || on == ON_DOMAIN)
		hosted_floor->acquire(&domains[arg[on == ON_DEVICE_DOMAIN]]);
	if (on == ON_DEVICE || on == ON_DEVICE_DOMAIN)
		ret = on_a_device(code, arg, arg[0]);
	else if (on == ON_DOMAIN_DEVICE)
		ret = on_a_device(code, arg, arg[1]);
	else
		ret = core_ops[code].fn(arg);
	hosted_syscall_exit();
	return ret;
}

/* Real drivers: what they do on their way out takes longer than most programs. */
static bool has_models(void)
{
	for (unsigned int i = 0; i < hosted_machine.n_iommus; i++) {
		if (hosted_machine.iommu[i].d.model != FLOOR_MODEL_MOCK)
			return true;
	}
	return false;
}

/*
 * What the tree keeps for a function's messages goes with its driver. Without this a
 * client that turned them on, and off again, would seem to have left memory behind.
 */
static void forget_messages(void)
{
	for (unsigned long i = 0; i < hosted_machine.n_devices; i++) {
		struct device *dev = device_at(i)->dev;

		if (dev && dev->driver && dev->msi.data)
			device_driver_detach(dev);
	}
}

/* The program has ended: what it holds is given back. */
void hosted_core_end(void)
{
	hosted_pasid_end();
	for (unsigned long i = 0; i < hosted_machine.n_devices; i++) {
		unsigned long on = on_device[i] - 1, group = on_group[i] - 1;

		if (on_device[i])
			op_detach((unsigned long[2]){i, on});
		if (on_group[i])
			op_detach_group((unsigned long[2]){i, group});
		while (claimed[i])
			op_release(&i);
		while (group_claimed[i])
			op_release_group(&i);
	}
	for (unsigned long i = 0; i < DOMAINS_MAX; i++)
		op_free_domain(&i);
	if (!used && !has_models()) {
		forget_messages();
		return;
	}
	/* What is left then was lost: devices and IOMMUs have other lives than at boot. */
	for (unsigned long i = 0; i < hosted_machine.n_devices; i++)
		hosted_device_remove(device_at(i));
	if (has_models() && !plugged)
		return;
	for (unsigned int i = 0; i < hosted_machine.n_iommus; i++)
		hosted_iommu_unregister(&hosted_machine.iommu[i]);
}
