// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access without DMA: a driver pins pages of an IOAS, or reads and writes them.
 *
 * ioas is what new pins go by, ioas_unpin what old ones are given back to; they
 * differ while a change is under way, which another one is refused (-EBUSY). The
 * driver's unmap op is called with no lock of ours.
 */
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

static int change_ioas(struct iommufd_access *access, struct iommufd_ioas *new)
{
	struct iommufd_ioas *old = access->ioas;
	u32 id = access->iopt_access_list_id;
	int rc;

	lockdep_assert_held(&access->ioas_lock);
	if (old != access->ioas_unpin)
		return -EBUSY;
	if (old == new)
		return 0;
	access->ioas = NULL;
	if (new) {
		rc = iopt_add_access(&new->iopt, access);
		if (rc) {
			access->ioas = old;
			return rc;
		}
		refcount_inc(&new->obj.users);
	}
	if (old) {
		mutex_unlock(&access->ioas_lock);
		access->ops->unmap(access->data, 0, ~0UL);
		mutex_lock(&access->ioas_lock);
		iopt_remove_access(&old->iopt, access, id);
		refcount_dec(&old->obj.users);
	}
	access->ioas = access->ioas_unpin = new;
	return 0;
}

static int change_ioas_id(struct iommufd_access *access, u32 id)
{
	struct iommufd_ioas *ioas = iommufd_get_ioas(access->ictx, id);
	int rc;

	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	rc = change_ioas(access, ioas);
	iommufd_put_object(access->ictx, &ioas->obj);
	return rc;
}

void iommufd_access_destroy_object(struct iommufd_object *obj)
{
	struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);

	mutex_lock(&access->ioas_lock);
	if (access->ioas)
		WARN_ON(change_ioas(access, NULL));
	mutex_unlock(&access->ioas_lock);
	mutex_destroy(&access->ioas_lock);
	if (!access->internal)
		iommufd_ctx_put(access->ictx);
}

/* Not yet in the table. */
static struct iommufd_access *create(struct iommufd_ctx *ictx,
				     const struct iommufd_access_ops *ops, void *data)
{
	struct iommufd_access *access = iommufd_object_alloc(ictx, access, IOMMUFD_OBJ_ACCESS);

	if (IS_ERR(access))
		return access;
	mutex_init(&access->ioas_lock);
	access->data = data;
	access->ops = ops;
	access->iova_alignment = ops->needs_pin_pages ? PAGE_SIZE : 1;
	/* The driver's, until it destroys it. */
	refcount_inc(&access->obj.users);
	access->ictx = ictx;
	return access;
}

struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops, void *data)
{
	struct iommufd_access *access = create(ictx, ops, data);

	if (IS_ERR(access))
		return access;
	iommufd_ctx_get(ictx);
	iommufd_object_finalize(ictx, &access->obj);
	return access;
}

void iommufd_access_destroy(struct iommufd_access *access)
{
	iommufd_object_destroy_user(access->ictx, &access->obj);
}

int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	int rc = -EINVAL;

	mutex_lock(&access->ioas_lock);
	if (!WARN_ON(access->ioas))
		rc = change_ioas_id(access, ioas_id);
	mutex_unlock(&access->ioas_lock);
	return rc;
}

void iommufd_access_detach(struct iommufd_access *access)
{
	mutex_lock(&access->ioas_lock);
	if (!WARN_ON(!access->ioas))
		WARN_ON(change_ioas(access, NULL));
	mutex_unlock(&access->ioas_lock);
}

static void let_go(void *data, unsigned long iova, unsigned long length)
{
	/* Areas that it pins are not unmapped. */
	(void)data;
	(void)iova;
	(void)length;
}

struct iommufd_access *iommufd_access_create_internal(struct iommufd_ctx *ictx,
						      struct iommufd_ioas *ioas)
{
	static const struct iommufd_access_ops ops = {.needs_pin_pages = true, .unmap = let_go};
	struct iommufd_access *access = create(ictx, &ops, NULL);
	int rc;

	if (IS_ERR(access))
		return access;
	access->internal = true;
	iommufd_object_finalize(ictx, &access->obj);
	mutex_lock(&access->ioas_lock);
	rc = change_ioas(access, ioas);
	mutex_unlock(&access->ioas_lock);
	if (!rc)
		return access;
	iommufd_access_destroy(access);
	return ERR_PTR(rc);
}

u32 iommufd_access_id(const struct iommufd_access *access)
{
	return access->obj.id;
}

int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	int rc = -ENOENT;

	mutex_lock(&access->ioas_lock);
	if (access->ioas)
		rc = change_ioas_id(access, ioas_id);
	mutex_unlock(&access->ioas_lock);
	return rc;
}

/*
 * custom: under the table's lock, as every lookup. Linux has the list's lock only:
 * who destroys the access then may meet a users count that is about to be given
 * back, and takes it for a leak (WARN in iommufd_object_destroy_user()).
 */
static bool lock_access(struct iommufd_access *access)
{
	bool locked;

	xa_lock(&access->ictx->objects);
	locked = iommufd_lock_obj(&access->obj);
	xa_unlock(&access->ictx->objects);
	return locked;
}

/* Everyone who may have pinned something in the range is asked to unpin it. */
void iommufd_access_notify_unmap(struct io_pagetable *iopt, unsigned long iova,
				 unsigned long length)
{
	struct iommufd_access *access;
	unsigned long index;

	xa_lock(&iopt->access_list);
	xa_for_each(&iopt->access_list, index, access) {
		if (!lock_access(access))
			continue;
		xa_unlock(&iopt->access_list);
		access->ops->unmap(access->data, iova, length);
		iommufd_put_object(access->ictx, &access->obj);
		xa_lock(&iopt->access_list);
	}
	xa_unlock(&iopt->access_list);
}

/* --- pins --- */

/* With iova_rwsem: the range must be areas that touch, which *c then tells. */
static void unpin_areas(struct io_pagetable *iopt, struct iopt_contig *c, unsigned long iova,
			unsigned long last, bool locked)
{
	struct iopt_area *area;

	iopt_for_each_contig_area(c, area, iopt, iova, last) {
		unsigned long end = min(last, iopt_area_last_iova(area));

		iopt_area_remove_access(area, iopt_area_iova_to_index(area, c->cur_iova),
					iopt_area_iova_to_index(area, end), locked);
	}
}

static void unpin_range(struct io_pagetable *iopt, unsigned long iova, unsigned long last,
			bool locked)
{
	struct iopt_contig c;

	unpin_areas(iopt, &c, iova, last, locked);
	WARN_ON(!iopt_contig_done(&c));
}

void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length)
{
	struct io_pagetable *iopt;
	struct iopt_contig c;
	unsigned long last;

	if (WARN_ON(!length) || WARN_ON(__builtin_add_overflow(iova, length - 1, &last)))
		return;
	mutex_lock(&access->ioas_lock);
	if (!WARN_ON(!access->ioas_unpin)) {
		iopt = &access->ioas_unpin->iopt;
		down_read(&iopt->iova_rwsem);
		unpin_areas(iopt, &c, iova, last, access->internal);
		if (bug_on(BUG_IOMMUFD_AREA_AFTER_UNLOCK)) {
			/* An unmap that has waited for this frees the areas. */
			up_read(&iopt->iova_rwsem);
			WARN_ON(!iopt_contig_done(&c));
		} else {
			WARN_ON(!iopt_contig_done(&c));
			up_read(&iopt->iova_rwsem);
		}
	}
	mutex_unlock(&access->ioas_lock);
}

/* Areas meet at page boundaries of what they map, and the range begins at one. */
static bool contig_is_aligned(const struct iopt_contig *c)
{
	unsigned long end = iopt_area_start_byte(c->area, iopt_area_last_iova(c->area));

	if (iopt_area_start_byte(c->area, c->cur_iova) % PAGE_SIZE)
		return false;
	return iopt_contig_done(c) || end % PAGE_SIZE == PAGE_SIZE - 1;
}

static bool prot_allows(const struct iopt_area *area, u32 flags)
{
	return area->iommu_prot & (flags & IOMMUFD_ACCESS_RW_WRITE ? IOMMU_WRITE : IOMMU_READ);
}

static int pin_range(struct io_pagetable *iopt, unsigned long iova, unsigned long last,
		     struct page **out_pages, u32 flags)
{
	struct iopt_area *area;
	struct iopt_contig c;
	int rc = 0;

	iopt_for_each_contig_area(&c, area, iopt, iova, last) {
		unsigned long end = min(last, iopt_area_last_iova(area));
		unsigned long first_index = iopt_area_iova_to_index(area, c.cur_iova);
		unsigned long last_index = iopt_area_iova_to_index(area, end);

		if (area->prevent_access || !contig_is_aligned(&c))
			rc = -EINVAL;
		else if (!prot_allows(area, flags))
			rc = -EPERM;
		else
			rc = iopt_area_add_access(area, first_index, last_index, out_pages, flags);
		if (rc)
			break;
		out_pages += last_index - first_index + 1;
	}
	if (!rc && !iopt_contig_done(&c))
		rc = -ENOENT;
	if (rc && c.cur_iova > iova)
		unpin_range(iopt, iova, c.cur_iova - 1, flags & IOPT_ACCESS_LOCK);
	return rc;
}

/* dup: -ENOENT: not all is mapped, or there is no IOAS; -EPERM; -EINVAL: being unmapped. */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages, u32 flags)
{
	struct io_pagetable *iopt;
	unsigned long last;
	int rc = -ENOENT;

	if (WARN_ON(access->iova_alignment != PAGE_SIZE) || !length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	mutex_lock(&access->ioas_lock);
	if (access->ioas) {
		iopt = &access->ioas->iopt;
		down_read(&iopt->iova_rwsem);
		rc = pin_range(iopt, iova, last, out_pages,
			       flags | (access->internal ? IOPT_ACCESS_LOCK : 0));
		up_read(&iopt->iova_rwsem);
	}
	mutex_unlock(&access->ioas_lock);
	return rc;
}

/* --- reading and writing --- */

static int rw_range(struct io_pagetable *iopt, unsigned long iova, unsigned long last, void *data,
		    u32 flags)
{
	struct iopt_area *area;
	struct iopt_contig c;

	iopt_for_each_contig_area(&c, area, iopt, iova, last) {
		unsigned long bytes = min(last, iopt_area_last_iova(area)) - c.cur_iova + 1;
		int rc;

		if (area->prevent_access)
			return -EINVAL;
		if (!prot_allows(area, flags))
			return -EPERM;
		rc = iopt_pages_rw_access(area->pages, iopt_area_start_byte(area, c.cur_iova), data,
					  bytes, flags);
		if (rc)
			return rc;
		data = (char *)data + bytes;
	}
	return iopt_contig_done(&c) ? 0 : -ENOENT;
}

int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t length, u32 flags)
{
	struct io_pagetable *iopt;
	unsigned long last;
	int rc = -ENOENT;

	if (!length)
		return -EINVAL;
	if (__builtin_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	mutex_lock(&access->ioas_lock);
	if (access->ioas) {
		iopt = &access->ioas->iopt;
		down_read(&iopt->iova_rwsem);
		rc = rw_range(iopt, iova, last, data, flags);
		up_read(&iopt->iova_rwsem);
	}
	mutex_unlock(&access->ioas_lock);
	return rc;
}
