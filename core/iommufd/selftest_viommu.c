// SPDX-License-Identifier: GPL-2.0-only
/*
 * vIOMMUs of the selftest driver: caches to invalidate, two queues, of which the second
 * depends on the first, and, if it is made with data, two pages that user space maps.
 */
#include "core/iommufd/iommufd_priv.h"
#include "core/iommufd/selftest.h"

#include "sim/user/mm.h"

#include <string.h>

#define MOCK_QUEUES 2u
#define PAGES_ORDER 1u

/* queue: lock. page: NULL: made without data. */
struct mock_viommu {
	struct iommufd_viommu core;
	struct mutex lock;
	struct mock_queue *queue[MOCK_QUEUES];
	struct page *page;
	u64 offset; /* of mmap */
};

struct mock_queue {
	struct iommufd_hw_queue core;
	struct mock_queue *before; /* used */
	u32 index;
};

static struct mock_viommu *to_mock_viommu(struct iommufd_viommu *viommu)
{
	return container_of(viommu, struct mock_viommu, core);
}

static struct iommu_domain *alloc_nested(struct iommufd_viommu *viommu, u32 flags,
					 const struct iommu_user_data *data)
{
	return mock_alloc_nested(flags, viommu->hwpt->common.domain, viommu, data);
}

static int invalidate_cache(struct iommufd_viommu *viommu,
			    const struct iommu_viommu_invalidate_selftest *inv)
{
	struct device *dev;

	if (inv->flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (inv->cache_id >= MOCK_DEV_CACHE_NUM)
		return -EINVAL;
	xa_lock(&viommu->vdevs);
	dev = iommufd_viommu_find_dev(viommu, inv->vdev_id);
	for (u32 i = 0; dev && i < MOCK_DEV_CACHE_NUM; i++) {
		if (i == inv->cache_id || inv->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)
			WRITE_ONCE(to_mock_dev(dev)->cache[i], 0);
	}
	xa_unlock(&viommu->vdevs);
	return dev ? 0 : -EINVAL;
}

/* dup: all entries are copied before the first is done. */
static int invalidate(struct iommufd_viommu *viommu, struct iommu_user_data_array *array)
{
	u32 n = array->entry_num, done = 0;
	struct iommu_viommu_invalidate_selftest *inv;
	int rc = 0;

	array->entry_num = 0;
	if (array->type != IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST)
		return -EINVAL;
	if (!n)
		return 0;
	if (array->entry_len != sizeof(*inv))
		return -EINVAL;
	inv = kvcalloc(n, sizeof(*inv), GFP_KERNEL);
	if (!inv)
		return -ENOMEM;
	if (copy_from_user(inv, u64_to_user_ptr(array->uptr), n * sizeof(*inv)))
		rc = -EFAULT;
	while (!rc && done < n) {
		rc = invalidate_cache(viommu, &inv[done]);
		done += !rc;
	}
	kvfree(inv);
	array->entry_num = done;
	return rc;
}

/* --- queues --- */

static size_t queue_size(struct iommufd_viommu *viommu, u32 type)
{
	(void)viommu;
	return type == IOMMU_HW_QUEUE_TYPE_SELFTEST ? sizeof(struct mock_queue) : 0;
}

static void queue_destroy(struct iommufd_hw_queue *core)
{
	struct mock_queue *queue = container_of(core, struct mock_queue, core);
	struct mock_viommu *mock = to_mock_viommu(core->viommu);

	mutex_lock(&mock->lock);
	mock->queue[queue->index] = NULL;
	if (queue->before)
		refcount_dec(&queue->before->core.obj.users);
	mutex_unlock(&mock->lock);
}

/* dup: -EEXIST: the index is taken; -EIO: the one before it is not there. */
static int queue_init(struct iommufd_hw_queue *core, u32 index)
{
	struct mock_queue *queue = container_of(core, struct mock_queue, core);
	struct mock_viommu *mock = to_mock_viommu(core->viommu);
	int rc = 0;

	if (index >= MOCK_QUEUES)
		return -EINVAL;
	mutex_lock(&mock->lock);
	if (mock->queue[index])
		rc = -EEXIST;
	else if (index && !mock->queue[index - 1])
		rc = -EIO;
	if (!rc) {
		queue->index = index;
		queue->before = index ? mock->queue[index - 1] : NULL;
		if (queue->before)
			refcount_inc(&queue->before->core.obj.users);
		mock->queue[index] = queue;
		core->destroy = queue_destroy;
	}
	mutex_unlock(&mock->lock);
	return rc;
}

/* --- the vIOMMU --- */

static void destroy(struct iommufd_viommu *viommu)
{
	struct mock_viommu *mock = to_mock_viommu(viommu);

	if (mock->page) {
		iommufd_mmap_remove(viommu->ictx, mock->offset);
		put_page(mock->page);
	}
	mutex_destroy(&mock->lock);
}

static const struct iommufd_viommu_ops ops = {
	.destroy = destroy,
	.alloc_domain_nested = alloc_nested,
	.cache_invalidate = invalidate,
	.hw_queue_size = queue_size,
	.hw_queue_init = queue_init,
};

size_t mock_viommu_size(struct device *dev, u32 type)
{
	(void)dev;
	return type == IOMMU_VIOMMU_TYPE_SELFTEST ? sizeof(struct mock_viommu) : 0;
}

/* What was said comes back in the struct and in the first page. */
static int answer(struct mock_viommu *mock, const struct iommu_user_data *from,
		  struct iommu_viommu_selftest *data)
{
	memcpy(page_address(mock->page), &data->in_data, sizeof(data->in_data));
	data->out_data = data->in_data;
	data->out_mmap_offset = mock->offset;
	data->out_mmap_length = PAGE_SIZE << PAGES_ORDER;
	if (copy_to_user(u64_to_user_ptr(from->uptr), data,
			 min((size_t)from->len, sizeof(*data))))
		return -EFAULT;
	return 0;
}

static int init_with(struct mock_viommu *mock, const struct iommu_user_data *from)
{
	struct iommu_viommu_selftest data;
	int rc;

	/* dup: longer than what is known is refused before it is read. */
	if (from->len < offsetof(struct iommu_viommu_selftest, out_mmap_offset) ||
	    from->len > sizeof(data))
		return -EINVAL;
	rc = copy_struct_from_user(&data, sizeof(data), u64_to_user_ptr(from->uptr), from->len);
	if (rc)
		return rc;
	mock->page = alloc_pages(PAGES_ORDER, true);
	if (!mock->page)
		return -ENOMEM;
	rc = iommufd_mmap_add(mock->core.ictx, &mock->core.obj, mock->page,
			      PAGE_SIZE << PAGES_ORDER, &mock->offset);
	if (rc)
		goto err_page;
	rc = answer(mock, from, &data);
	if (!rc)
		return 0;
	iommufd_mmap_remove(mock->core.ictx, mock->offset);
err_page:
	put_page(mock->page);
	mock->page = NULL;
	return rc;
}

int mock_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent,
		     const struct iommu_user_data *data)
{
	struct mock_viommu *mock = to_mock_viommu(viommu);
	int rc = data ? init_with(mock, data) : 0;

	(void)parent;
	if (rc)
		return rc;
	mutex_init(&mock->lock);
	viommu->ops = &ops;
	return 0;
}
