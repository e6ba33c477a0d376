// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of a guest that hardware reads by physical addresses: their memory must be one
 * piece, and stays what it is while they live. It is pinned by an access of the context's
 * own, and its areas are locked: an unmap is refused instead of asking anybody to let go.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

#define IOMMU_HW_QUEUE_TYPE_DEFAULT 0u
/* custom: what an array of page pointers may need; Linux asks its allocator. */
#define PAGES_MAX (1ul << 21)

static unsigned long first_page(u64 iova)
{
	return iova & PAGE_MASK;
}

static unsigned long span(u64 iova, u64 length)
{
	return (iova % PAGE_SIZE + length + PAGE_SIZE - 1) & PAGE_MASK;
}

void iommufd_hw_queue_destroy(struct iommufd_object *obj)
{
	struct iommufd_hw_queue *queue = container_of(obj, struct iommufd_hw_queue, obj);

	if (queue->destroy)
		queue->destroy(queue);
	if (queue->access) {
		iommufd_access_unpin_pages(queue->access, first_page(queue->base_addr),
					   span(queue->base_addr, queue->length));
		iommufd_access_destroy(queue->access);
	}
	if (queue->viommu)
		refcount_dec(&queue->viommu->obj.users);
}

static bool contiguous(struct page *const *pages, unsigned long n)
{
	for (unsigned long i = 1; i < n; i++) {
		if (page_to_pfn(pages[i]) != page_to_pfn(pages[i - 1]) + 1)
			return false;
	}
	return true;
}

/* dup: -ERANGE: too long; -ENOENT: not all is mapped; -EFAULT: in several pieces. */
static int pin_memory(struct iommufd_access *access, const struct iommu_hw_queue_alloc *cmd)
{
	unsigned long iova = first_page(cmd->nesting_parent_iova), length;
	struct page **pages;
	int rc;

	length = span(cmd->nesting_parent_iova, cmd->length);
	if (length < cmd->length)
		return -ERANGE;
	if (length / PAGE_SIZE > PAGES_MAX)
		return -ENOMEM;
	pages = kvcalloc(length / PAGE_SIZE, sizeof(struct page *), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	rc = iommufd_access_pin_pages(access, iova, length, pages, 0);
	if (!rc && !contiguous(pages, length / PAGE_SIZE)) {
		iommufd_access_unpin_pages(access, iova, length);
		rc = -EFAULT;
	}
	kvfree(pages);
	return rc;
}

/* The queue's access, with its memory pinned. */
static int take_memory(struct iommufd_hw_queue *queue, struct iommufd_viommu *viommu,
		       const struct iommu_hw_queue_alloc *cmd)
{
	struct iommufd_access *access =
		iommufd_access_create_internal(viommu->ictx, viommu->hwpt->ioas);
	int rc;

	if (IS_ERR(access))
		return (int)PTR_ERR(access);
	rc = pin_memory(access, cmd);
	if (rc) {
		iommufd_access_destroy(access);
		return rc;
	}
	queue->access = access;
	queue->base_addr = cmd->nesting_parent_iova;
	queue->length = cmd->length;
	queue->viommu = viommu;
	refcount_inc(&viommu->obj.users);
	return 0;
}

static int build(struct iommufd_ucmd *ucmd, struct iommufd_viommu *viommu, size_t size)
{
	struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	struct iommufd_hw_queue *queue =
		(void *)_iommufd_object_alloc(ucmd->ictx, size, IOMMUFD_OBJ_HW_QUEUE);
	int rc;

	if (IS_ERR(queue))
		return (int)PTR_ERR(queue);
	rc = take_memory(queue, viommu, cmd);
	if (!rc)
		rc = viommu->ops->hw_queue_init(queue, cmd->index);
	if (!rc) {
		cmd->out_hw_queue_id = queue->obj.id;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (rc)
		iommufd_object_abort_and_destroy(ucmd->ictx, &queue->obj);
	else
		iommufd_object_finalize(ucmd->ictx, &queue->obj);
	return rc;
}

int iommufd_hw_queue_alloc(struct iommufd_ucmd *ucmd)
{
	const struct iommu_hw_queue_alloc *cmd = ucmd->cmd;
	struct iommufd_viommu *viommu;
	size_t size = 0;
	u64 last;
	int rc = -EOPNOTSUPP;

	if (cmd->flags || cmd->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!cmd->length)
		return -EINVAL;
	if (__builtin_add_overflow(cmd->nesting_parent_iova, cmd->length - 1, &last))
		return -EOVERFLOW;
	viommu = (void *)iommufd_get_object(ucmd->ictx, cmd->viommu_id, IOMMUFD_OBJ_VIOMMU);
	if (IS_ERR(viommu))
		return (int)PTR_ERR(viommu);
	if (viommu->ops->hw_queue_size)
		size = viommu->ops->hw_queue_size(viommu, cmd->type);
	if (size)
		rc = build(ucmd, viommu, size);
	iommufd_put_object(ucmd->ictx, &viommu->obj);
	return rc;
}
