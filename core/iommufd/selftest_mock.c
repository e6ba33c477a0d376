// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest's mock IOMMU: domains that are arrays of half pages and, for devices
 * with MOCK_FLAGS_DEVICE_HUGE_IOVA, of 512 of them, or (as 7.3) of any power of two;
 * nested domains that are an IOTLB of four words. It finds mapping and unmapping that
 * do not fit.
 */
#include "core/iommufd/selftest.h"

#include "sim/kapi/bug.h"

/* An entry: a number of half pages of physical memory, and these. */
#define ENT_EDGE BIT(63)  /* begins or ends what one call mapped */
#define ENT_DIRTY BIT(62)
#define ENT_PRESENT BIT(60)
#define ENT_LG2 48        /* half pages of the block that it is part of, as a power of 2: 8 bits */
#define ENT_FRAME (BIT(ENT_LG2) - 1)

#define CHUNK_N 64UL

struct chunk {
	u32 used;
	u64 ent[CHUNK_N];
};

struct mock_domain_table {
	struct iommu_domain domain;
	struct xarray chunks; /* by half page / CHUNK_N */
	bool tracks;
};

/* viommu: what it was made on, or NULL. */
struct mock_nested {
	struct iommu_domain domain;
	struct iommufd_viommu *viommu;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

static const struct iommu_domain_ops paging_ops, nested_ops, nested_ops_bare;
static const struct iommu_ops mock_ops;

static struct mock_domain_table *to_table(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain_table, domain);
}

struct mock_domain_table *mock_table_of(struct iommu_domain *domain)
{
	return domain->ops == &paging_ops ? to_table(domain) : NULL;
}

bool mock_table_tracks(const struct mock_domain_table *t)
{
	return t->tracks;
}

const u32 *mock_iotlb_of(const struct iommu_domain *domain)
{
	if (domain->ops != &nested_ops && domain->ops != &nested_ops_bare)
		return NULL;
	return container_of(domain, struct mock_nested, domain)->iotlb;
}

/* --- entries --- */

static u64 *entry(struct mock_domain_table *t, unsigned long index)
{
	struct chunk *chunk = xa_load(&t->chunks, index / CHUNK_N);

	return chunk && chunk->ent[index % CHUNK_N] ? &chunk->ent[index % CHUNK_N] : NULL;
}

static struct chunk *chunk_make(struct mock_domain_table *t, unsigned long index)
{
	struct chunk *chunk = xa_load(&t->chunks, index / CHUNK_N);

	if (chunk)
		return chunk;
	chunk = kzalloc(sizeof(*chunk), GFP_KERNEL);
	if (chunk && xa_err(xa_store(&t->chunks, index / CHUNK_N, chunk, GFP_KERNEL))) {
		kfree(chunk);
		return NULL;
	}
	return chunk;
}

/* Of entries that one call maps or unmaps, those of one chunk. */
struct run {
	u64 at, n;        /* of the call's entries */
	u32 slot;         /* of the first in its chunk */
	bool first, last; /* the call's first, its last is among them */
};

/* The run that begins `at` entries behind that of `index`; false: there are no more. */
static bool next_run(struct run *r, unsigned long index, u64 at, u64 n)
{
	u32 slot = (index + at) % CHUNK_N;
	u64 here = min(n - at, (u64)(CHUNK_N - slot));

	*r = (struct run){.at = at, .n = here, .slot = slot, .first = !at, .last = at + here == n};
	return at < n;
}

#define for_each_run(run, index, count) \
	for (u64 at_ = 0; next_run(&(run), index, at_, count); at_ += (run).n)

/* ent is the run's first; each other is of the frame behind. */
static int entries_set(struct mock_domain_table *t, unsigned long index, const struct run *r,
		       u64 ent)
{
	struct chunk *chunk = chunk_make(t, index + r->at);
	u64 *at;

	if (!chunk)
		return -ENOMEM;
	at = &chunk->ent[r->slot];
	for (u64 i = 0; i < r->n; i++) {
		WARN_ON(at[i]);
		at[i] = (ent + i) | (r->first && !i ? ENT_EDGE : 0) |
			(r->last && i == r->n - 1 ? ENT_EDGE : 0);
	}
	chunk->used += r->n;
	return 0;
}

/* What is empty then has gone. `edges`: what the call covers was mapped by whole calls. */
static void entries_take(struct mock_domain_table *t, unsigned long index, const struct run *r,
			 bool edges)
{
	struct chunk *chunk = xa_load(&t->chunks, (index + r->at) / CHUNK_N);
	u64 taken = 0;

	for (u64 i = 0; chunk && i < r->n; i++) {
		u64 ent = chunk->ent[r->slot + i];
		bool edge = (r->first && !i) || (r->last && i == r->n - 1);

		if (!ent)
			continue;
		WARN_ON(edges && edge && !(ent & ENT_EDGE));
		chunk->ent[r->slot + i] = 0;
		taken++;
	}
	if (!taken)
		return;
	chunk->used -= taken;
	if (!chunk->used) {
		xa_erase(&t->chunks, (index + r->at) / CHUNK_N);
		kfree(chunk);
	}
}

bool mock_table_lookup(struct mock_domain_table *t, unsigned long iova, u64 *phys)
{
	const u64 *ent = entry(t, iova / MOCK_IO_PAGE_SIZE);

	if (ent)
		*phys = (*ent & ENT_FRAME) * MOCK_IO_PAGE_SIZE;
	return ent;
}

bool mock_table_set_dirty(struct mock_domain_table *t, unsigned long index)
{
	u64 *ent = entry(t, index);

	if (ent)
		*ent |= ENT_DIRTY;
	return ent;
}

/* --- paging domains --- */

/* signature given */
static int mock_map_pages(struct iommu_domain *domain, u64 iova, u64 paddr, size_t pgsize,
			  size_t pgcount, int prot, size_t *mapped)
{
	struct mock_domain_table *t = to_table(domain);
	unsigned long index = iova / MOCK_IO_PAGE_SIZE;
	u64 n = pgsize * pgcount / MOCK_IO_PAGE_SIZE;
	u64 ent = (paddr / MOCK_IO_PAGE_SIZE) | ENT_PRESENT |
		  (u64)bit_lowest(pgsize / MOCK_IO_PAGE_SIZE) << ENT_LG2;
	struct run r, undo;

	(void)prot;
	if (iommufd_should_fail())
		return -ENOENT;
	WARN_ON((iova | pgsize) % MOCK_IO_PAGE_SIZE);
	for_each_run(r, index, n) {
		int rc = entries_set(t, index, &r, ent + r.at);

		if (rc) {
			for_each_run(undo, index, r.at)
				entries_take(t, index, &undo, false);
			*mapped = 0;
			return rc;
		}
	}
	*mapped += n * MOCK_IO_PAGE_SIZE;
	fact(PTE_MAP, domain->id, iova, paddr, n * MOCK_IO_PAGE_SIZE);
	return 0;
}

/*
 * What is unmapped covers what single calls have mapped; with huge pages the core
 * cuts its calls elsewhere.
 */
static size_t mock_unmap_pages(struct iommu_domain *domain, u64 iova, size_t pgsize,
			       size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct mock_domain_table *t = to_table(domain);
	bool edges = domain->pgsize_bitmap == MOCK_IO_PAGE_SIZE;
	unsigned long index = iova / MOCK_IO_PAGE_SIZE;
	u64 n = pgsize * pgcount / MOCK_IO_PAGE_SIZE;
	struct run r;

	(void)gather;
	WARN_ON((iova | pgsize) % MOCK_IO_PAGE_SIZE);
	for_each_run(r, index, n)
		entries_take(t, index, &r, edges);
	fact(PTE_UNMAP, domain->id, iova, n * MOCK_IO_PAGE_SIZE);
	return n * MOCK_IO_PAGE_SIZE;
}

static u64 mock_iova_to_phys(struct iommu_domain *domain, u64 iova)
{
	u64 phys = 0;

	WARN_ON(iova % MOCK_IO_PAGE_SIZE || !mock_table_lookup(to_table(domain), iova, &phys));
	return phys;
}

static void mock_free(struct iommu_domain *domain)
{
	struct mock_domain_table *t = to_table(domain);

	WARN_ON(!xa_empty(&t->chunks));
	xa_destroy(&t->chunks);
	kfree(t);
}

/* A nested domain of a vIOMMU takes devices that have a number there. */
static int mock_attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_dev *mdev = to_mock_dev(dev);
	struct iommufd_viommu *viommu = NULL;
	unsigned long id = 0;
	int rc = 0;

	if (domain->dirty_ops && mdev->flags & MOCK_FLAGS_DEVICE_NO_DIRTY)
		return -EINVAL;
	if (domain->type == IOMMU_DOMAIN_NESTED)
		viommu = container_of(domain, struct mock_nested, domain)->viommu;
	if (viommu)
		rc = iommufd_viommu_get_vdev_id(viommu, dev, &id);
	if (rc)
		return rc;
	down_write(&mdev->viommu_rwsem);
	mdev->viommu = viommu;
	mdev->vdev_id = id;
	up_write(&mdev->viommu_rwsem);
	return 0;
}

/* dup: every second attachment of the reserved PASID fails. */
static int mock_set_dev_pasid(struct iommu_domain *domain, struct device *dev, u32 pasid,
			      struct iommu_domain *old)
{
	struct mock_dev *mdev = to_mock_dev(dev);
	bool fails = mdev->fail_pasid && domain->type != IOMMU_DOMAIN_BLOCKED;

	(void)old;
	if (pasid != IOMMU_TEST_PASID_RESERVED)
		return 0;
	mdev->fail_pasid = !mdev->fail_pasid && domain->type != IOMMU_DOMAIN_BLOCKED;
	return fails ? -ENOMEM : 0;
}

/* --- dirty bits --- */

static int mock_set_dirty_tracking(struct iommu_domain *domain, bool enable)
{
	to_table(domain)->tracks = enable;
	return 0;
}

static bool test_and_clear(struct mock_domain_table *t, unsigned long iova, u64 size, u32 flags)
{
	bool dirty = false;

	for (u64 at = 0; at < size; at += MOCK_IO_PAGE_SIZE) {
		u64 *ent = entry(t, (iova + at) / MOCK_IO_PAGE_SIZE);

		if (!ent || !(*ent & ENT_DIRTY))
			continue;
		dirty = true;
		if (!(flags & IOMMU_DIRTY_NO_CLEAR))
			*ent &= ~ENT_DIRTY;
	}
	return dirty;
}

static int mock_read_and_clear_dirty(struct iommu_domain *domain, u64 iova, u64 size, u32 flags,
				     struct iommu_dirty_bitmap *dirty)
{
	struct mock_domain_table *t = to_table(domain);
	u64 end = iova + size;

	if (!t->tracks && dirty->record)
		return -EINVAL;
	do {
		const u64 *ent = entry(t, iova / MOCK_IO_PAGE_SIZE);
		u64 size_here = MOCK_IO_PAGE_SIZE << (ent ? *ent >> ENT_LG2 & 0xff : 0);
		u64 block = iova & ~(size_here - 1);

		/* dup: as many bytes from iova on, until 7.3. */
		if (iommu_since(SINCE_MOCK_PAGETABLE_TYPE))
			size_here -= iova - block;
		if (ent && test_and_clear(t, block, MOCK_IO_PAGE_SIZE << (*ent >> ENT_LG2 & 0xff),
					  flags) &&
		    dirty->record)
			dirty->record(dirty, iova, size_here);
		iova += size_here;
	} while (iova < end);
	return 0;
}

static const struct iommu_dirty_ops dirty_ops = {
	.set_dirty_tracking = mock_set_dirty_tracking,
	.read_and_clear_dirty = mock_read_and_clear_dirty,
};

static const struct iommu_domain_ops paging_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.map_pages = mock_map_pages,
	.unmap_pages = mock_unmap_pages,
	.iova_to_phys = mock_iova_to_phys,
	.free = mock_free,
};

/* --- nested domains --- */

static int invalidate_one(struct mock_nested *nested, const struct iommu_user_data_array *array,
			  u32 i)
{
	u64 at = array->uptr + (u64)i * array->entry_len;
	struct iommu_hwpt_invalidate_selftest inv;
	int rc;

	if (array->entry_len != sizeof(inv))
		return -EINVAL;
	rc = copy_struct_from_user(&inv, sizeof(inv), u64_to_user_ptr(at), array->entry_len);
	if (rc)
		return rc;
	if (inv.flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (inv.iotlb_id >= MOCK_NESTED_DOMAIN_IOTLB_NUM)
		return -EINVAL;
	for (u32 k = 0; k < MOCK_NESTED_DOMAIN_IOTLB_NUM; k++) {
		if (k == inv.iotlb_id || inv.flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)
			nested->iotlb[k] = 0;
	}
	return 0;
}

static int mock_cache_invalidate(struct iommu_domain *domain, struct iommu_user_data_array *array)
{
	struct mock_nested *nested = container_of(domain, struct mock_nested, domain);
	u32 n = array->entry_num, done = 0;
	int rc = array->type == IOMMU_HWPT_INVALIDATE_DATA_SELFTEST ? 0 : -EINVAL;

	while (!rc && done < n) {
		rc = invalidate_one(nested, array, done);
		done += !rc;
	}
	array->entry_num = done;
	return rc;
}

static void mock_free_nested(struct iommu_domain *domain)
{
	kfree(container_of(domain, struct mock_nested, domain));
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.cache_invalidate_user = mock_cache_invalidate,
	.free = mock_free_nested,
};

/* Historic: a driver without the op, which nobody asked for when the table was made. */
static const struct iommu_domain_ops nested_ops_bare = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
	.free = mock_free_nested,
};

/* dup: kernels that have vIOMMUs know a longer struct. */
static int copy_cfg(struct iommu_hwpt_selftest *cfg, const struct iommu_user_data *data,
		    bool longer)
{
	const u32 least = offsetof(struct iommu_hwpt_selftest, pagetable_type);

	if (data->type != IOMMU_HWPT_DATA_SELFTEST || data->len < least ||
	    data->len > (longer ? sizeof(*cfg) : least))
		return -EINVAL;
	*cfg = (struct iommu_hwpt_selftest){0};
	return copy_struct_from_user(cfg, sizeof(*cfg), u64_to_user_ptr(data->uptr), data->len);
}

struct iommu_domain *mock_alloc_nested(u32 flags, const struct iommu_domain *parent,
				       struct iommufd_viommu *viommu,
				       const struct iommu_user_data *data)
{
	const u32 known = iommu_since(SINCE_HWPT_PASID) ? IOMMU_HWPT_ALLOC_PASID : 0;
	struct iommu_hwpt_selftest cfg;
	struct mock_nested *nested;
	int rc;

	if (data->type != IOMMU_HWPT_DATA_SELFTEST || flags & ~known)
		return ERR_PTR(-EOPNOTSUPP);
	if (parent->ops != &paging_ops)
		return ERR_PTR(-EINVAL);
	rc = copy_cfg(&cfg, data, viommu || iommu_since(SINCE_MOCK_PAGETABLE_TYPE));
	if (rc)
		return ERR_PTR(rc);
	nested = kzalloc(sizeof(*nested), GFP_KERNEL);
	if (!nested)
		return ERR_PTR(-ENOMEM);
	iommu_domain_init(&nested->domain, IOMMU_DOMAIN_NESTED, &mock_ops,
			  bug_on(BUG_IOMMUFD_INVALIDATE_NULL_OP) ? &nested_ops_bare : &nested_ops,
			  0);
	nested->viommu = viommu;
	for (u32 i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		nested->iotlb[i] = cfg.iotlb;
	return &nested->domain;
}

/* --- the driver --- */

static struct iommu_domain *alloc_table(u64 pgsizes, bool mock_aperture)
{
	struct mock_domain_table *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return ERR_PTR(-ENOMEM);
	iommu_domain_init(&t->domain, IOMMU_DOMAIN_UNMANAGED, &mock_ops, &paging_ops, pgsizes);
	if (mock_aperture) {
		t->domain.geometry.aperture_start = MOCK_APERTURE_START;
		t->domain.geometry.aperture_end = MOCK_APERTURE_LAST;
	} else {
		t->domain.geometry.aperture_end = BIT(38) - 1;
	}
	xa_init(&t->chunks);
	return &t->domain;
}

static struct iommu_domain *mock_alloc_paging(struct device *dev)
{
	bool huge = to_mock_dev(dev)->flags & MOCK_FLAGS_DEVICE_HUGE_IOVA;

	return alloc_table(MOCK_IO_PAGE_SIZE | (huge ? MOCK_HUGE_PAGE_SIZE : 0), true);
}

/* dup: of a type that data tells. */
static struct iommu_domain *alloc_typed(const struct iommu_user_data *data)
{
	struct iommu_hwpt_selftest cfg = {0};
	int rc = 0;

	if (data && data->type != IOMMU_HWPT_DATA_SELFTEST && data->type != IOMMU_HWPT_DATA_NONE)
		return ERR_PTR(-EOPNOTSUPP);
	if (data)
		rc = copy_cfg(&cfg, data, true);
	if (rc)
		return ERR_PTR(rc);
	if (cfg.pagetable_type == MOCK_IOMMUPT_DEFAULT)
		return alloc_table(BIT(37) - MOCK_IO_PAGE_SIZE, true);
	if (cfg.pagetable_type != MOCK_IOMMUPT_HUGE)
		return ERR_PTR(-EOPNOTSUPP);
	return alloc_table(MOCK_HUGE_PAGE_SIZE | PAGE_SIZE, false);
}

static struct iommu_domain *mock_alloc_user(struct device *dev, u32 flags,
					    struct iommu_domain *parent,
					    const struct iommu_user_data *data)
{
	const u32 known = IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
			  IOMMU_HWPT_ALLOC_PASID;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	bool typed = iommu_since(SINCE_MOCK_PAGETABLE_TYPE);
	struct iommu_domain *domain;

	if (parent)
		return mock_alloc_nested(flags, parent, NULL, data);
	if (flags & ~known || (data && !typed) ||
	    (dirty && to_mock_dev(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY))
		return ERR_PTR(-EOPNOTSUPP);
	domain = typed ? alloc_typed(data) : mock_alloc_paging(dev);
	if (!IS_ERR(domain) && dirty)
		domain->dirty_ops = &dirty_ops;
	return domain;
}

static bool mock_capable(struct device *dev, enum iommu_cap cap)
{
	if (cap == IOMMU_CAP_DIRTY_TRACKING)
		return !(to_mock_dev(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

static void *mock_hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct iommu_test_hw_info *info;

	(void)dev;
	if (*type != IOMMU_HW_INFO_TYPE_DEFAULT && *type != IOMMU_HW_INFO_TYPE_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return ERR_PTR(-ENOMEM);
	info->test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL;
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	return info;
}

static void mock_page_response(struct device *dev, const struct iopf_group *group, u32 code)
{
	(void)dev;
	(void)group;
	(void)code;
}

static struct iommu_domain *mock_blocked(struct device *dev)
{
	(void)dev;
	return &iommufd_state()->blocking;
}

static const struct iommu_ops mock_ops = {
	.domain_alloc_paging = mock_alloc_paging,
	.domain_alloc_user = mock_alloc_user,
	.blocked_domain = mock_blocked,
	.capable = mock_capable,
	.hw_info = mock_hw_info,
	.page_response = mock_page_response,
	.user_pasid_table = true,
	.get_viommu_size = mock_viommu_size,
	.viommu_init = mock_viommu_init,
};

static const struct iommu_domain_ops blocking_ops = {
	.attach_dev = mock_attach_dev,
	.set_dev_pasid = mock_set_dev_pasid,
};

void mock_iommu_init(struct iommufd_state *s)
{
	s->iommu.ops = &mock_ops;
	s->iommu.max_pasids = 1u << MOCK_PASID_WIDTH;
	iopf_queue_init(&s->iommu.iopf);
	iommu_domain_init(&s->blocking, IOMMU_DOMAIN_BLOCKED, &mock_ops, &blocking_ops, 0);
	ida_init(&s->ids);
}

/* --- devices --- */

static void mock_dev_release(struct device *dev)
{
	struct mock_dev *mdev = to_mock_dev(dev);

	ida_free(&iommufd_state()->ids, mdev->id);
	mutex_destroy(&dev->mutex);
	kfree(mdev);
}

struct mock_dev *mock_dev_create(u32 flags)
{
	const u32 known = MOCK_FLAGS_DEVICE_NO_DIRTY |
			  (iommu_since(SINCE_MOCK_PAGETABLE_TYPE) ? 0 :
			   MOCK_FLAGS_DEVICE_HUGE_IOVA) |
			  (iommu_since(SINCE_MOCK_PASID) ? MOCK_FLAGS_DEVICE_PASID : 0);
	struct mock_dev *mdev;
	int id, rc;

	if (flags & ~known)
		return ERR_PTR(-EINVAL);
	mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);
	if (!mdev)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&iommufd_state()->ids, GFP_KERNEL);
	if (id < 0) {
		kfree(mdev);
		return ERR_PTR(id);
	}
	init_rwsem(&mdev->iopf_rwsem);
	init_rwsem(&mdev->viommu_rwsem);
	for (u32 i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		mdev->cache[i] = IOMMU_TEST_DEV_CACHE_DEFAULT;
	mdev->flags = flags;
	mdev->id = (u32)id;
	mdev->dev.index = MACHINE_DEVICES_MAX + (u32)id;
	mdev->dev.init_name = "iommufd_mock";
	mdev->dev.release = mock_dev_release;
	device_initialize(&mdev->dev);
	rc = iommu_add_lone_device(&mdev->dev, &iommufd_state()->iommu,
				   &iommufd_state()->blocking);
	if (!rc) {
		/* dup: without PASIDs it has 0 bits of them, so one, that of no PASID. */
		mdev->dev.iommu->max_pasids = flags & MOCK_FLAGS_DEVICE_PASID ?
						      iommufd_state()->iommu.max_pasids : 1;
		return mdev;
	}
	put_device(&mdev->dev);
	return ERR_PTR(rc);
}

void mock_dev_destroy(struct mock_dev *mdev)
{
	iommu_remove_lone_device(&mdev->dev);
	put_device(&mdev->dev);
}
