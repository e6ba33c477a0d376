// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo-odp: a device whose user's memory is mapped page by page when the device asks for
 * it, at its own addresses, and unmapped when the process loses it. Nothing is pinned.
 *
 * Who resolves a fault looks at a region's sequence number, gets the page, and maps it only
 * if the number is the same by then: what the process lost meanwhile has counted it up.
 *
 * What a program may ask: ODP_REG {address, length, 1: may be written}: a region's number;
 * ODP_UNREG, of a number; ODP_ACCESS {number, 1: write, offset}: the device reads a byte
 * there, faults and all; ODP_MAPPED, of a number: pages that are mapped.
 *
 * Locks: mmap_lock -> o->lock.
 */
#include "core/vdpa/vdpa_priv.h"

#include "core/drv/drv.h"
#include "sim/kapi/refcount.h"

#define ODP_REG 0x4f00u
#define ODP_UNREG 0x4f01u
#define ODP_ACCESS 0x4f02u
#define ODP_MAPPED 0x4f03u
#define REGIONS_MAX 16u
#define PAGES_MAX 1024u
#define RETRIES_MAX 64u

struct odp_region {
	u64 start, n; /* n: pages; 0: free */
	bool write;
	u64 seq;
	u64 mapped[PAGES_MAX / 64]; /* a bit per page */
};

/*
 * All but v and domain: lock. The notifier stays with the memory that it watches, longer
 * than the file: dead then. Two references: the file's and the memory's.
 */
struct odp {
	struct mm_notifier notifier;
	refcount_t refs;
	struct vdpa_device *v;
	struct iommu_domain *domain;
	struct mutex lock;
	struct mm_struct *mm; /* of who opened it */
	bool dead;
	struct odp_region region[REGIONS_MAX];
};

static void put(struct odp *o)
{
	if (!refcount_dec_and_test(&o->refs))
		return;
	mutex_destroy(&o->lock);
	kfree(o);
}

/* --- regions; lock held --- */

static bool is_mapped(const struct odp_region *r, u64 page)
{
	return r->mapped[page / 64] & BIT(page % 64);
}

static void unmap_pages(struct odp *o, struct odp_region *r, u64 first, u64 last)
{
	for (u64 i = first; i <= last; i++) {
		if (!is_mapped(r, i))
			continue;
		iommu_unmap(o->domain, r->start + i * PAGE_SIZE, PAGE_SIZE);
		r->mapped[i / 64] &= ~BIT(i % 64);
	}
}

/* Before the process loses [start, end). */
static void invalidate(struct mm_notifier *n, unsigned long start, unsigned long end)
{
	struct odp *o = container_of(n, struct odp, notifier);

	mutex_lock(&o->lock);
	for (u32 i = 0; i < REGIONS_MAX && !o->dead; i++) {
		struct odp_region *r = &o->region[i];
		u64 last = r->start + r->n * PAGE_SIZE - 1;

		if (!r->n || start > last || end <= r->start)
			continue;
		r->seq++;
		unmap_pages(o, r, (max((u64)start, r->start) - r->start) >> PAGE_SHIFT,
			    (min((u64)end - 1, last) - r->start) >> PAGE_SHIFT);
	}
	mutex_unlock(&o->lock);
}

static void notifier_free(struct mm_notifier *n)
{
	put(container_of(n, struct odp, notifier));
}

static struct odp_region *region_of(struct odp *o, u64 number)
{
	return number && number <= REGIONS_MAX && o->region[number - 1].n ?
		       &o->region[number - 1] : NULL;
}

static bool overlaps(const struct odp *o, u64 start, u64 last)
{
	for (u32 i = 0; i < REGIONS_MAX; i++) {
		const struct odp_region *r = &o->region[i];

		if (r->n && start < r->start + r->n * PAGE_SIZE && last >= r->start)
			return true;
	}
	return false;
}

/* --- calls --- */

/* -EINVAL: not whole pages, too many; -EEXIST: it meets another; -ENOSPC: no number left. */
static long reg(struct odp *o, u64 arg)
{
	u64 want[3];
	long number = -ENOSPC;

	if (copy_from_user(want, vdpa_ptr(arg), sizeof(want)))
		return -EFAULT;
	if ((want[0] | want[1]) & ~PAGE_MASK || !want[1] || want[1] > PAGES_MAX * PAGE_SIZE ||
	    want[2] > 1 || want[0] + want[1] <= want[0])
		return -EINVAL;
	mutex_lock(&o->lock);
	if (overlaps(o, want[0], want[0] + want[1] - 1))
		number = -EEXIST;
	for (u32 i = 0; i < REGIONS_MAX && number == -ENOSPC; i++) {
		if (o->region[i].n)
			continue;
		o->region[i] = (struct odp_region){.start = want[0], .n = want[1] >> PAGE_SHIFT,
						   .write = want[2]};
		number = i + 1;
	}
	mutex_unlock(&o->lock);
	return number;
}

static long unreg(struct odp *o, u64 number)
{
	struct odp_region *r;

	mutex_lock(&o->lock);
	r = region_of(o, number);
	if (r) {
		unmap_pages(o, r, 0, r->n - 1);
		r->n = 0;
	}
	mutex_unlock(&o->lock);
	return r ? 0 : -ENOENT;
}

static long count_mapped(struct odp *o, u64 number)
{
	struct odp_region *r;
	long n = -ENOENT;

	mutex_lock(&o->lock);
	r = region_of(o, number);
	if (r) {
		n = 0;
		for (u64 i = 0; i < r->n; i++)
			n += is_mapped(r, i);
	}
	mutex_unlock(&o->lock);
	return n;
}

struct odp_fault {
	u64 number, page; /* of the region, and in it */
	u64 seq;
	bool write;
	u64 addr;
};

/* 1: the page is mapped; 0: it has to be got; -errno. */
static int begin(struct odp *o, struct odp_fault *f)
{
	struct odp_region *r;
	int ret = -ENOENT;

	mutex_lock(&o->lock);
	r = region_of(o, f->number);
	if (r && f->page >= r->n) {
		ret = -EINVAL;
	} else if (r && f->write && !r->write) {
		ret = -EPERM;
	} else if (r) {
		f->seq = r->seq;
		f->write = r->write;
		f->addr = r->start + f->page * PAGE_SIZE;
		ret = is_mapped(r, f->page);
	}
	mutex_unlock(&o->lock);
	return ret;
}

/* -EAGAIN: the process has lost something meanwhile: the page may be another's by now. */
static int finish(struct odp *o, const struct odp_fault *f, struct page *page)
{
	const int prot = IOMMU_CACHE | IOMMU_READ | (f->write ? IOMMU_WRITE : 0);
	struct odp_region *r;
	int ret = -EAGAIN;

	mutex_lock(&o->lock);
	r = region_of(o, f->number);
	if (r && r->seq == f->seq && !is_mapped(r, f->page)) {
		ret = iommu_map(o->domain, f->addr, page_to_phys(page), PAGE_SIZE, prot);
		if (!ret)
			r->mapped[f->page / 64] |= BIT(f->page % 64);
	}
	mutex_unlock(&o->lock);
	return ret;
}

static int resolve(struct odp *o, struct odp_fault *f)
{
	struct page *page;
	int ret = -EAGAIN;

	for (u32 i = 0; i < RETRIES_MAX && ret == -EAGAIN; i++) {
		ret = begin(o, f);
		if (ret)
			return min(ret, 0);
		mmap_read_lock(o->mm);
		page = mm_fault(o->mm, f->addr, f->write ? FOLL_WRITE : 0);
		if (page)
			get_page(page);
		mmap_read_unlock(o->mm);
		if (!page)
			return -EFAULT;
		ret = finish(o, f, page);
		put_page(page);
	}
	return ret;
}

/*
 * The device's access. -EIO: it was blocked: the page went again before it came to it. Of
 * another process's memory: -EPERM.
 */
static long access(struct odp *o, u64 arg)
{
	struct odp_fault f;
	u64 want[3];
	int ret;

	if (copy_from_user(want, vdpa_ptr(arg), sizeof(want)))
		return -EFAULT;
	if (current_mm() != o->mm)
		return -EPERM;
	f = (struct odp_fault){.number = want[0], .write = want[1], .page = want[2] >> PAGE_SHIFT};
	ret = resolve(o, &f);
	if (ret)
		return ret;
	return drv_dma(o->v->dev, f.addr + (want[2] & ~PAGE_MASK)) ? 0 : -EIO;
}

static long odp_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct odp *o = file->private_data;

	switch (cmd) {
	case ODP_REG:
		return reg(o, arg);
	case ODP_UNREG:
		return unreg(o, arg);
	case ODP_ACCESS:
		return access(o, arg);
	case ODP_MAPPED:
		return count_mapped(o, arg);
	default:
		return -ENOTTY;
	}
}

static void odp_release(struct file *file)
{
	struct odp *o = file->private_data;

	for (u64 i = 1; i <= REGIONS_MAX; i++)
		unreg(o, i);
	mutex_lock(&o->lock);
	o->dead = true;
	mutex_unlock(&o->lock);
	vdpa_domain_free(o->v, o->domain);
	vdpa_device_put(o->v);
	mmdrop(o->mm);
	put(o);
}

int odp_open(struct file *file)
{
	struct vdpa_device *v = vdpa_device_get((unsigned long)file->private_data, true);
	struct odp *o;
	int ret = -ENOMEM;

	if (IS_ERR(v))
		return (int)PTR_ERR(v);
	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		goto err_put;
	o->v = v;
	o->domain = vdpa_domain_new(v);
	ret = (int)PTR_ERR_OR_ZERO(o->domain);
	if (ret)
		goto err_free;
	mutex_init(&o->lock);
	refcount_set(&o->refs, 2);
	o->mm = current_mm();
	mmgrab(o->mm);
	o->notifier.invalidate = invalidate;
	o->notifier.free = notifier_free;
	mm_notifier_register(o->mm, &o->notifier);
	file->private_data = o;
	return 0;

err_free:
	kfree(o);
err_put:
	vdpa_device_put(v);
	return ret;
}

const struct file_operations odp_fops = {
	.name = "[odp]",
	.ioctl = odp_ioctl,
	.release = odp_release,
	.mode = 0020600,
};
