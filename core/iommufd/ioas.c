// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls on an IOAS, and options.
 */
#include "core/dmabuf/dma_buf.h"
#include "core/iommufd/iommufd_priv.h"

#include "sim/kapi/bug.h"

void iommufd_ioas_destroy(struct iommufd_object *obj)
{
	struct iommufd_ioas *ioas = container_of(obj, struct iommufd_ioas, obj);
	unsigned long unmapped;
	int rc = iopt_unmap_all(&ioas->iopt, &unmapped);

	WARN_ON(rc && rc != -ENOENT);
	iopt_destroy_table(&ioas->iopt);
	mutex_destroy(&ioas->mutex);
}

struct iommufd_ioas *iommufd_ioas_alloc(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_object_alloc(ictx, ioas, IOMMUFD_OBJ_IOAS);

	if (IS_ERR(ioas))
		return ioas;
	iopt_init_table(&ioas->iopt);
	INIT_LIST_HEAD(&ioas->hwpt_list);
	mutex_init(&ioas->mutex);
	return ioas;
}

int iommufd_ioas_alloc_ioctl(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_alloc *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->flags)
		return -EOPNOTSUPP;
	ioas = iommufd_ioas_alloc(ucmd->ictx);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	cmd->out_ioas_id = ioas->obj.id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc) {
		iommufd_object_abort_and_destroy(ucmd->ictx, &ioas->obj);
		return rc;
	}
	down_read(&ucmd->ictx->ioas_creation_lock);
	iommufd_object_finalize(ucmd->ictx, &ioas->obj);
	up_read(&ucmd->ictx->ioas_creation_lock);
	return 0;
}

/* --- ranges --- */

/* All holes are counted; those that fit are copied. */
static int copy_holes(struct io_pagetable *iopt, struct iommu_ioas_iova_ranges *cmd, u32 room)
{
	unsigned long start = 0, hole, last;

	cmd->num_iovas = 0;
	while (interval_tree_hole(&iopt->reserved_itree, start, ~0UL, &hole, &last)) {
		struct iommu_iova_range range = {hole, last};
		u64 to = cmd->allowed_iovas + cmd->num_iovas * sizeof(range);

		if (cmd->num_iovas < room &&
		    copy_to_user(u64_to_user_ptr(to), &range, sizeof(range)))
			return -EFAULT;
		cmd->num_iovas++;
		if (last == ~0UL)
			break;
		start = last + 1;
	}
	return 0;
}

int iommufd_ioas_iova_ranges(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_iova_ranges *cmd = ucmd->cmd;
	u32 room = cmd->num_iovas;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	down_read(&ioas->iopt.iova_rwsem);
	cmd->out_iova_alignment = ioas->iopt.iova_alignment;
	rc = copy_holes(&ioas->iopt, cmd, room);
	if (!rc)
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (!rc && cmd->num_iovas > room)
		rc = -EMSGSIZE;
	up_read(&ioas->iopt.iova_rwsem);
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}

static int load_allowed(struct interval_tree_root *tree, u64 from, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		struct iommu_iova_range range;
		struct iopt_allowed *allowed;

		if (copy_from_user(&range, u64_to_user_ptr(from + i * sizeof(range)),
				   sizeof(range)))
			return -EFAULT;
		if (range.start >= range.last ||
		    interval_tree_iter_first(tree, range.start, range.last))
			return -EINVAL;
		allowed = kzalloc(sizeof(*allowed), GFP_KERNEL_ACCOUNT);
		if (!allowed)
			return -ENOMEM;
		allowed->node.start = range.start;
		allowed->node.last = range.last;
		interval_tree_insert(&allowed->node, tree);
	}
	return 0;
}

int iommufd_ioas_allow_iovas(struct iommufd_ucmd *ucmd)
{
	const struct iommu_ioas_allow_iovas *cmd = ucmd->cmd;
	struct interval_tree_root allowed = {.node = NULL};
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	rc = load_allowed(&allowed, cmd->allowed_iovas, cmd->num_iovas);
	if (!rc)
		rc = iopt_set_allow_iova(&ioas->iopt, &allowed);
	iopt_free_allowed(&allowed); /* the new one or the old */
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}

/* --- mapping --- */

#define MAP_FLAGS (IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)

static int prot_of(u32 flags)
{
	return (flags & IOMMU_IOAS_MAP_WRITEABLE ? IOMMU_WRITE : 0) |
	       (flags & IOMMU_IOAS_MAP_READABLE ? IOMMU_READ : 0);
}

/* Without an end: addresses and lengths are below ULONG_MAX. */
static bool too_far(u64 a, u64 b)
{
	return a == ~0ULL || b == ~0ULL;
}

static struct iopt_pages *pages_of(const struct iommufd_source *from, bool writable)
{
	if (from->dmabuf)
		return iopt_alloc_dmabuf_pages(from->dmabuf, from->start, from->length, writable);
	return iopt_alloc_pages(from->file, from->start, from->length, writable);
}

int iommufd_map(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas,
		const struct iommufd_source *from, unsigned long *iova, u32 flags)
{
	struct iopt_pages *pages = pages_of(from, flags & IOMMU_IOAS_MAP_WRITEABLE);
	struct iopt_pages_list slice = {.pages = pages, .length = from->length};

	if (IS_ERR(pages))
		return (int)PTR_ERR(pages);
	if (ictx->account_mode == IOPT_PAGES_ACCOUNT_MM &&
	    pages->account_mode == IOPT_PAGES_ACCOUNT_USER)
		pages->account_mode = IOPT_PAGES_ACCOUNT_MM;
	slice.start_byte = from->start - pages->uptr;
	return iopt_map_slice(&ioas->iopt, &slice, iova, prot_of(flags),
			      !(flags & IOMMU_IOAS_MAP_FIXED_IOVA));
}

int iommufd_ioas_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;
	unsigned long iova = cmd->iova;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->flags & ~MAP_FLAGS || cmd->__reserved)
		return -EOPNOTSUPP;
	if (too_far(cmd->iova, cmd->length))
		return -EOVERFLOW;
	if (!prot_of(cmd->flags))
		return -EINVAL;
	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	rc = iommufd_map(ucmd->ictx, ioas,
			 &(struct iommufd_source){.start = cmd->user_va, .length = cmd->length},
			 &iova, cmd->flags);
	if (!rc) {
		cmd->iova = iova;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}

/* Of 7.3: before the file is looked at. */
static int check_file_range(const struct iommu_ioas_map_file *cmd)
{
	if (!iommu_since(SINCE_MAP_FILE_LENGTH))
		return 0;
	if (!cmd->length)
		return -EINVAL;
	return cmd->start + cmd->length - 1 < cmd->start ? -EOVERFLOW : 0;
}

/*
 * dup: a dma-buf, else a memfd. custom: others are -EINVAL at once; where nothing is
 * pinned any file would do, our own as well.
 */
static int map_file(struct iommufd_ucmd *ucmd, struct iommufd_ioas *ioas, unsigned long *iova)
{
	const struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct iommufd_source from = {.start = cmd->start, .length = cmd->length};
	struct file *file;
	int rc = check_file_range(cmd);

	if (rc)
		return rc;
	file = fget((u32)cmd->fd);
	if (!file)
		return -EBADF;
	if (dma_buf_known())
		from.dmabuf = dma_buf_of(file);
	if (is_memfd(file))
		from.file = file;
	rc = -EINVAL;
	if (from.dmabuf || from.file)
		rc = iommufd_map(ucmd->ictx, ioas, &from, iova, cmd->flags);
	fput(file);
	return rc;
}

int iommufd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	unsigned long iova = cmd->iova;
	struct iommufd_ioas *ioas;
	int rc;

	if (cmd->flags & ~MAP_FLAGS)
		return -EOPNOTSUPP;
	if (too_far(cmd->iova, cmd->length))
		return -EOVERFLOW;
	if (!prot_of(cmd->flags))
		return -EINVAL;
	ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	rc = map_file(ucmd, ioas, &iova);
	if (!rc) {
		cmd->iova = iova;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}

static int copy_to_ioas(struct iommufd_ucmd *ucmd, struct list_head *pages_list)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct iommufd_ioas *dst = iommufd_get_ioas(ucmd->ictx, cmd->dst_ioas_id);
	unsigned long iova = cmd->dst_iova;
	int rc;

	if (IS_ERR(dst))
		return (int)PTR_ERR(dst);
	rc = iopt_map_pages(&dst->iopt, pages_list, cmd->length, &iova, prot_of(cmd->flags),
			    !(cmd->flags & IOMMU_IOAS_MAP_FIXED_IOVA));
	if (!rc) {
		cmd->dst_iova = iova;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	iommufd_put_object(ucmd->ictx, &dst->obj);
	return rc;
}

int iommufd_ioas_copy(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_copy *cmd = ucmd->cmd;
	struct iopt_pages_list own = {.pages = NULL};
	struct iommufd_ioas *src;
	LIST_HEAD(pages_list);
	int rc;

	iommufd_test_syz_conv_iova_id(ucmd, cmd->src_ioas_id, &cmd->src_iova, &cmd->flags);
	if (cmd->flags & ~MAP_FLAGS)
		return -EOPNOTSUPP;
	if (too_far(cmd->length, cmd->src_iova) || cmd->dst_iova == ~0ULL)
		return -EOVERFLOW;
	if (!prot_of(cmd->flags))
		return -EINVAL;
	src = iommufd_get_ioas(ucmd->ictx, cmd->src_ioas_id);
	if (IS_ERR(src))
		return (int)PTR_ERR(src);
	rc = iopt_get_pages(&src->iopt, cmd->src_iova, cmd->length, &own, &pages_list);
	iommufd_put_object(ucmd->ictx, &src->obj);
	if (!rc)
		rc = copy_to_ioas(ucmd, &pages_list);
	iopt_free_pages_list(&pages_list, &own);
	return rc;
}

static int unmap(struct io_pagetable *iopt, const struct iommu_ioas_unmap *cmd,
		 unsigned long *unmapped)
{
	int rc;

	if (!cmd->iova && cmd->length == ~0ULL)
		return iopt_unmap_all(iopt, unmapped);
	if (too_far(cmd->iova, cmd->length))
		return -EOVERFLOW;
	rc = iopt_unmap_iova(iopt, cmd->iova, cmd->length, unmapped);
	return rc ? rc : *unmapped ? 0 : -ENOENT;
}

int iommufd_ioas_unmap(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_unmap *cmd = ucmd->cmd;
	struct iommufd_ioas *ioas = iommufd_get_ioas(ucmd->ictx, cmd->ioas_id);
	unsigned long unmapped = 0;
	int rc;

	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	rc = unmap(&ioas->iopt, cmd, &unmapped);
	if (!rc) {
		cmd->length = unmapped;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}

/* --- changing the process --- */

static void unlock_all(struct iommufd_ctx *ictx, struct xarray *list)
{
	struct iommufd_ioas *ioas;
	unsigned long index;

	xa_for_each(list, index, ioas) {
		up_write(&ioas->iopt.iova_rwsem);
		refcount_dec(&ioas->obj.users);
	}
	up_write(&ictx->ioas_creation_lock);
	xa_destroy(list);
}

/*
 * The next IOAS with an id of *index or above, used once more; NULL: none. One that is
 * being destroyed is passed over.
 */
static struct iommufd_ioas *next_ioas(struct iommufd_ctx *ictx, unsigned long *index)
{
	struct iommufd_ioas *found = NULL;
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	xa_for_each_start(&ictx->objects, *index, obj, *index) {
		if (obj->type != IOMMUFD_OBJ_IOAS || !refcount_inc_not_zero(&obj->users))
			continue;
		found = container_of(obj, struct iommufd_ioas, obj);
		break;
	}
	xa_unlock(&ictx->objects);
	return found;
}

/*
 * dup: of a copied mapping nobody knows which IOAS reads its pages, so all are locked, in
 * the order of their ids; only here is more than one. They are in list, by id.
 */
static int lock_all(struct iommufd_ctx *ictx, struct xarray *list)
{
	struct iommufd_ioas *ioas;
	unsigned long index = 0;
	int rc;

	xa_init(list);
	down_write(&ictx->ioas_creation_lock);
	for (ioas = next_ioas(ictx, &index); ioas; ioas = next_ioas(ictx, &index)) {
		down_write_nest_lock(&ioas->iopt.iova_rwsem, &ictx->ioas_creation_lock);
		rc = xa_err(xa_store(list, index, ioas, GFP_KERNEL));
		if (rc) {
			up_write(&ioas->iopt.iova_rwsem);
			refcount_dec(&ioas->obj.users);
			unlock_all(ictx, list);
			return rc;
		}
		index++;
	}
	return 0;
}

/* Calls fn for every area of the list's, until it fails. */
static int each_area(struct xarray *list, int (*fn)(struct iopt_area *area))
{
	struct iommufd_ioas *ioas;
	struct iopt_area *area;
	unsigned long index;
	int rc;

	xa_for_each(list, index, ioas) {
		for_each_area(area, &ioas->iopt) {
			rc = fn(area);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* dup: -EBUSY: it is being mapped or unmapped; -EINVAL: of memory that is no file's. */
static int check_area(struct iopt_area *area)
{
	return !area->pages ? -EBUSY : area->pages->file ? 0 : -EINVAL;
}

static int charge_area(struct iopt_area *area)
{
	return iopt_pages_charge_current(area->pages);
}

static int commit_area(struct iopt_area *area)
{
	iopt_pages_change_process(area->pages, true);
	return 0;
}

static int undo_area(struct iopt_area *area)
{
	iopt_pages_change_process(area->pages, false);
	return 0;
}

int iommufd_ioas_change_process(struct iommufd_ucmd *ucmd)
{
	const struct iommu_ioas_change_process *cmd = ucmd->cmd;
	struct xarray list;
	int rc;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	rc = lock_all(ucmd->ictx, &list);
	if (rc)
		return rc;
	rc = each_area(&list, check_area);
	if (!rc) {
		rc = each_area(&list, charge_area);
		each_area(&list, rc ? undo_area : commit_area);
	}
	unlock_all(ucmd->ictx, &list);
	return rc;
}

/* --- options --- */

static int option_rlimit_mode(struct iommu_option *cmd, struct iommufd_ctx *ictx)
{
	int rc = 0;

	if (cmd->object_id)
		return -EOPNOTSUPP;
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = ictx->account_mode == IOPT_PAGES_ACCOUNT_MM;
		return 0;
	}
	if (cmd->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	xa_lock(&ictx->objects);
	if (!xa_empty(&ictx->objects))
		rc = -EBUSY;
	else if (cmd->val64 > 1)
		rc = -EINVAL;
	else
		ictx->account_mode = cmd->val64 ? IOPT_PAGES_ACCOUNT_MM : IOPT_PAGES_ACCOUNT_USER;
	xa_unlock(&ictx->objects);
	return rc;
}

static int huge_pages(struct iommu_option *cmd, struct io_pagetable *iopt)
{
	if (cmd->op == IOMMU_OPTION_OP_GET) {
		cmd->val64 = !READ_ONCE(iopt->disable_large_pages);
		return 0;
	}
	if (cmd->op != IOMMU_OPTION_OP_SET)
		return -EOPNOTSUPP;
	if (cmd->val64 == 0)
		return iopt_disable_large_pages(iopt);
	if (cmd->val64 != 1)
		return -EINVAL;
	iopt_enable_large_pages(iopt);
	return 0;
}

static int option_huge_pages(struct iommu_option *cmd, struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_get_ioas(ictx, cmd->object_id);
	int rc;

	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	rc = huge_pages(cmd, &ioas->iopt);
	iommufd_put_object(ictx, &ioas->obj);
	return rc;
}

int iommufd_option(struct iommufd_ucmd *ucmd)
{
	struct iommu_option *cmd = ucmd->cmd;
	u64 to = ucmd->ubuffer + offsetof(struct iommu_option, val64);
	int rc = -EOPNOTSUPP;

	if (cmd->__reserved)
		return -EOPNOTSUPP;
	if (cmd->option_id == IOMMU_OPTION_RLIMIT_MODE)
		rc = option_rlimit_mode(cmd, ucmd->ictx);
	else if (cmd->option_id == IOMMU_OPTION_HUGE_PAGES)
		rc = option_huge_pages(cmd, ucmd->ictx);
	if (rc)
		return rc;
	return copy_to_user(u64_to_user_ptr(to), &cmd->val64, sizeof(cmd->val64)) ? -EFAULT : 0;
}
