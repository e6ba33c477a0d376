// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_TEST_CMD: what the kernel's own selftests and syzkaller drive.
 */
#include "core/iommufd/selftest.h"

#include "sim/kapi/bug.h"

void iommufd_init(struct iommu_core *core)
{
	struct iommufd_state *s = kzalloc(sizeof(*s), GFP_KERNEL | __GFP_NOFAIL);

	core->iommufd = s;
	mock_iommu_init(s);
}

void iommufd_fini(struct iommu_core *core)
{
	WARN_ON(!ida_is_empty(&core->iommufd->ids));
}

/* --- syzkaller's IOVAs --- */

unsigned long iommufd_test_conv_iova(struct io_pagetable *iopt, u64 syz)
{
	u32 nth = (u32)syz, offset = (u32)(syz >> 32);
	struct iopt_area *area;
	unsigned long iova = 0;

	down_read(&iopt->iova_rwsem);
	for_each_area(area, iopt) {
		if (nth--)
			continue;
		iova = iopt_area_iova(area) + offset;
		break;
	}
	up_read(&iopt->iova_rwsem);
	return iova;
}

void iommufd_test_syz_conv_iova_id(struct iommufd_ucmd *ucmd, u32 ioas_id, u64 *iova, u32 *flags)
{
	struct iommufd_ioas *ioas;

	if (!(*flags & MOCK_FLAGS_ACCESS_SYZ))
		return;
	*flags &= ~MOCK_FLAGS_ACCESS_SYZ;
	ioas = iommufd_get_ioas(ucmd->ictx, ioas_id);
	if (IS_ERR(ioas))
		return;
	*iova = iommufd_test_conv_iova(&ioas->iopt, *iova);
	iommufd_put_object(ucmd->ictx, &ioas->obj);
}

/* --- mock devices --- */

/* custom: also of PASIDs, which Linux leaves attached: its unbind warns. */
static void test_detach(struct selftest_obj *sobj)
{
	struct iommufd_group *igroup = sobj->idev->igroup;
	unsigned long pasid;

	down_write(&sobj->mdev->iopf_rwsem);
	iommufd_device_detach(sobj->idev, IOMMU_NO_PASID);
	for (pasid = 0; xa_find(&igroup->pasids, &pasid, ~0UL);)
		iommufd_device_detach(sobj->idev, (u32)pasid);
	up_write(&sobj->mdev->iopf_rwsem);
}

void iommufd_selftest_destroy(struct iommufd_object *obj)
{
	struct selftest_obj *sobj = container_of(obj, struct selftest_obj, obj);

	test_detach(sobj);
	iommufd_device_unbind(sobj->idev);
	mock_dev_destroy(sobj->mdev);
}

/* Bound and attached; told to user space. */
static int mock_attach(struct iommufd_ucmd *ucmd, struct selftest_obj *sobj)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 pt_id = cmd->id;
	int rc;

	sobj->idev = iommufd_device_bind(ucmd->ictx, &sobj->mdev->dev, true);
	if (IS_ERR(sobj->idev))
		return (int)PTR_ERR(sobj->idev);
	down_write(&sobj->mdev->iopf_rwsem);
	rc = iommufd_device_attach(sobj->idev, IOMMU_NO_PASID, &pt_id);
	up_write(&sobj->mdev->iopf_rwsem);
	if (rc)
		goto err_unbind;
	cmd->mock_domain.out_hwpt_id = pt_id;
	cmd->mock_domain.out_stdev_id = sobj->obj.id;
	cmd->mock_domain.out_idev_id = sobj->idev->obj.id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (!rc)
		return 0;
	test_detach(sobj);
err_unbind:
	iommufd_device_unbind(sobj->idev);
	return rc;
}

static int test_mock_domain(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	bool has_flags = cmd->op == IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS;
	struct selftest_obj *sobj =
		iommufd_object_alloc(ucmd->ictx, sobj, IOMMUFD_OBJ_SELFTEST);
	int rc;

	if (IS_ERR(sobj))
		return (int)PTR_ERR(sobj);
	sobj->mdev = mock_dev_create(has_flags ? cmd->mock_domain.dev_flags : 0);
	if (IS_ERR(sobj->mdev)) {
		rc = (int)PTR_ERR(sobj->mdev);
		goto err_abort;
	}
	rc = mock_attach(ucmd, sobj);
	if (!rc) {
		iommufd_object_finalize(ucmd->ictx, &sobj->obj);
		return 0;
	}
	mock_dev_destroy(sobj->mdev);
err_abort:
	iommufd_object_abort(ucmd->ictx, &sobj->obj);
	return rc;
}

static int test_mock_domain_replace(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct selftest_obj *sobj =
		(void *)iommufd_get_object(ucmd->ictx, cmd->id, IOMMUFD_OBJ_SELFTEST);
	u32 pt_id = cmd->mock_domain_replace.pt_id;
	int rc;

	if (IS_ERR(sobj))
		return (int)PTR_ERR(sobj);
	down_write(&sobj->mdev->iopf_rwsem);
	rc = iommufd_device_replace(sobj->idev, IOMMU_NO_PASID, &pt_id);
	up_write(&sobj->mdev->iopf_rwsem);
	if (!rc) {
		cmd->mock_domain_replace.pt_id = pt_id;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	iommufd_put_object(ucmd->ictx, &sobj->obj);
	return rc;
}

static int test_trigger_iopf(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommu_fault_page_request prm = {
		.flags = IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE,
		.pasid = cmd->trigger_iopf.pasid,
		.grpid = cmd->trigger_iopf.grpid,
		.perm = cmd->trigger_iopf.perm,
		.addr = cmd->trigger_iopf.addr,
	};
	struct iommufd_device *idev = (void *)iommufd_get_object(
		ucmd->ictx, cmd->trigger_iopf.dev_id, IOMMUFD_OBJ_DEVICE);
	struct mock_dev *mdev;

	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	if (!idev->lone) {
		iommufd_put_object(ucmd->ictx, &idev->obj);
		return -EINVAL;
	}
	mdev = to_mock_dev(idev->dev);
	if (prm.pasid != IOMMU_NO_PASID)
		prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	down_read(&mdev->iopf_rwsem);
	iommu_report_device_fault(idev->dev, &prm);
	up_read(&mdev->iopf_rwsem);
	iommufd_put_object(ucmd->ictx, &idev->obj);
	return 0;
}

static int trigger_vevent(struct mock_dev *mdev)
{
	struct iommu_viommu_event_selftest event;
	int rc = -ENOENT;

	down_read(&mdev->viommu_rwsem);
	if (mdev->viommu && mdev->vdev_id) {
		event.virt_id = (u32)mdev->vdev_id;
		rc = iommufd_viommu_report_event(mdev->viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, &event,
						 sizeof(event));
	}
	up_read(&mdev->viommu_rwsem);
	return rc;
}

static int test_trigger_vevent(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_device *idev = (void *)iommufd_get_object(
		ucmd->ictx, cmd->trigger_vevent.dev_id, IOMMUFD_OBJ_DEVICE);
	int rc;

	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	rc = idev->lone ? trigger_vevent(to_mock_dev(idev->dev)) : -EINVAL;
	iommufd_put_object(ucmd->ictx, &idev->obj);
	return rc;
}

static int test_dev_check_cache(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_device *idev =
		(void *)iommufd_get_object(ucmd->ictx, cmd->id, IOMMUFD_OBJ_DEVICE);
	u32 i = cmd->check_dev_cache.id;
	int rc = -EINVAL;

	if (IS_ERR(idev))
		return (int)PTR_ERR(idev);
	if (idev->lone && i < MOCK_DEV_CACHE_NUM &&
	    READ_ONCE(to_mock_dev(idev->dev)->cache[i]) == cmd->check_dev_cache.cache)
		rc = 0;
	iommufd_put_object(ucmd->ictx, &idev->obj);
	return rc;
}

/* --- reserved ranges, checks --- */

static int test_add_reserved(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	unsigned long last, start = cmd->add_reserved.start;
	struct iommufd_ioas *ioas;
	int rc;

	if (!cmd->add_reserved.length)
		return -EINVAL;
	if (__builtin_add_overflow(start, cmd->add_reserved.length - 1, &last))
		return -EOVERFLOW;
	ioas = iommufd_get_ioas(ucmd->ictx, cmd->id);
	if (IS_ERR(ioas))
		return (int)PTR_ERR(ioas);
	down_write(&ioas->iopt.iova_rwsem);
	rc = iopt_reserve_iova(&ioas->iopt, start, last, NULL);
	up_write(&ioas->iopt.iova_rwsem);
	iommufd_put_object(ucmd->ictx, &ioas->obj);
	return rc;
}

struct page *iommufd_test_page(u64 addr)
{
	struct page *page;
	long got = pin_user_pages(current_mm(), addr, 1, 0, &page);

	return got == 1 ? page : ERR_PTR(got);
}

/* A mock paging table of the id, to be put with *hwpt; or ERR_PTR. */
static struct mock_domain_table *get_table(struct iommufd_ucmd *ucmd,
					   struct iommufd_hw_pagetable **hwpt)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct mock_domain_table *t;

	*hwpt = (void *)iommufd_get_object(ucmd->ictx, cmd->id, IOMMUFD_OBJ_HWPT_PAGING);
	if (IS_ERR(*hwpt))
		return ERR_CAST(*hwpt);
	t = mock_table_of((*hwpt)->domain);
	if (t)
		return t;
	iommufd_put_object(ucmd->ictx, &(*hwpt)->obj);
	return ERR_PTR(-EINVAL);
}

/* Whether a half page maps what the caller has at an address. */
static int check_half(struct mock_domain_table *t, unsigned long iova, u64 uptr)
{
	struct page *page = iommufd_test_page(uptr & PAGE_MASK);
	u64 want, phys;

	if (IS_ERR(page))
		return (int)PTR_ERR(page);
	want = page_to_phys(page) + offset_in_page(uptr);
	put_page(page);
	return mock_table_lookup(t, iova, &phys) && phys == want ? 0 : -EINVAL;
}

static int test_md_check_map(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 iova = cmd->check_map.iova, length = cmd->check_map.length;
	u64 uptr = cmd->check_map.uptr, end;
	struct iommufd_hw_pagetable *hwpt;
	struct mock_domain_table *t;
	bool odd = (iova | length | uptr) % MOCK_IO_PAGE_SIZE ||
		   __builtin_add_overflow(uptr, length, &end);
	int rc = odd ? -EINVAL : 0;

	if (odd && !iommu_since(SINCE_MOCK_CHECK_MAP))
		return -EINVAL;
	t = get_table(ucmd, &hwpt);
	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	for (u64 at = 0; at < length && !rc; at += MOCK_IO_PAGE_SIZE)
		rc = check_half(t, iova + at, uptr + at);
	iommufd_put_object(ucmd->ictx, &hwpt->obj);
	return rc;
}

static int test_md_check_refs(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 length = cmd->check_refs.length, uptr = cmd->check_refs.uptr, end;

	if ((length | uptr) % PAGE_SIZE || __builtin_add_overflow(uptr, length, &end))
		return -EINVAL;
	for (u64 at = uptr; at < end; at += PAGE_SIZE) {
		struct page *page = iommufd_test_page(at);
		bool wrong;

		if (IS_ERR(page))
			return (int)PTR_ERR(page);
		wrong = !page->head->order &&
			(u32)page->refs / GUP_PIN_COUNTING_BIAS != cmd->check_refs.refs;
		put_page(page);
		if (wrong)
			return -EIO;
	}
	return 0;
}

static int test_md_check_iotlb(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct iommufd_hw_pagetable *hwpt =
		(void *)iommufd_get_object(ucmd->ictx, cmd->id, IOMMUFD_OBJ_HWPT_NESTED);
	const u32 *iotlb;
	int rc = 0;

	if (IS_ERR(hwpt))
		return (int)PTR_ERR(hwpt);
	iotlb = mock_iotlb_of(hwpt->domain);
	if (!iotlb || cmd->check_iotlb.id >= MOCK_NESTED_DOMAIN_IOTLB_NUM ||
	    iotlb[cmd->check_iotlb.id] != cmd->check_iotlb.iotlb)
		rc = -EINVAL;
	iommufd_put_object(ucmd->ictx, &hwpt->obj);
	return rc;
}

static int test_memory_limit(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;

	/* custom: there are no batches whose size it would limit. */
	return cmd->memory_limit.limit < sizeof(unsigned long) + sizeof(u32) ? -EINVAL : 0;
}

/* --- dirty bits --- */

/*
 * dup: until 7.3 an entry is found by its number of page_size pages, whatever the table's
 * pages are.
 */
static u32 mark_one(struct mock_domain_table *t, const struct iommu_test_cmd *cmd, unsigned long i)
{
	u64 page_size = cmd->dirty.page_size, iova = cmd->dirty.iova;

	if (!iommu_since(SINCE_MOCK_DIRTY_IOVA))
		return mock_table_set_dirty(t, iova / page_size + i);
	mock_table_set_dirty(t, (iova + i * page_size) / MOCK_IO_PAGE_SIZE);
	return 1;
}

static int mark_dirty(struct iommufd_ucmd *ucmd, struct mock_domain_table *t, unsigned long n)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u8 *bits = kvzalloc(n / 8 + 1, GFP_KERNEL_ACCOUNT);
	u32 count = 0;
	int rc;

	if (!bits)
		return -ENOMEM;
	rc = copy_from_user(bits, u64_to_user_ptr(cmd->dirty.uptr), (n + 7) / 8) ? -EFAULT : 0;
	for (unsigned long i = 0; i < n && !rc; i++) {
		if (bits[i / 8] >> i % 8 & 1)
			count += mark_one(t, cmd, i);
	}
	kvfree(bits);
	if (rc)
		return rc;
	cmd->dirty.out_nr_dirty = count;
	return iommufd_ucmd_respond(ucmd, sizeof(*cmd));
}

static int test_dirty(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 length = cmd->dirty.length, page_size = cmd->dirty.page_size;
	struct iommufd_hw_pagetable *hwpt;
	struct mock_domain_table *t;
	int rc = -EINVAL;

	if (!page_size || !length || cmd->dirty.iova % page_size || length % page_size ||
	    !cmd->dirty.uptr)
		return -EINVAL;
	if (length / page_size > IOMMUFD_TEST_LENGTH_MAX * 8)
		return -EOVERFLOW;
	t = get_table(ucmd, &hwpt);
	if (IS_ERR(t))
		return (int)PTR_ERR(t);
	if (mock_table_tracks(t))
		rc = mark_dirty(ucmd, t, length / page_size);
	iommufd_put_object(ucmd->ictx, &hwpt->obj);
	return rc;
}

/* --- the table --- */

static int (*const tests[IOMMU_TEST_OPS])(struct iommufd_ucmd *ucmd) = {
	[IOMMU_TEST_OP_ADD_RESERVED] = test_add_reserved,
	[IOMMU_TEST_OP_MOCK_DOMAIN] = test_mock_domain,
	[IOMMU_TEST_OP_MD_CHECK_MAP] = test_md_check_map,
	[IOMMU_TEST_OP_MD_CHECK_REFS] = test_md_check_refs,
	[IOMMU_TEST_OP_CREATE_ACCESS] = iommufd_test_create_access,
	[IOMMU_TEST_OP_DESTROY_ACCESS_PAGES] = iommufd_test_destroy_access_pages,
	[IOMMU_TEST_OP_ACCESS_PAGES] = iommufd_test_access_pages,
	[IOMMU_TEST_OP_ACCESS_RW] = iommufd_test_access_rw,
	[IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT] = test_memory_limit,
	[IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE] = test_mock_domain_replace,
	[IOMMU_TEST_OP_ACCESS_REPLACE_IOAS] = iommufd_test_access_replace_ioas,
	[IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS] = test_mock_domain,
	[IOMMU_TEST_OP_DIRTY] = test_dirty,
	[IOMMU_TEST_OP_MD_CHECK_IOTLB] = test_md_check_iotlb,
	[IOMMU_TEST_OP_TRIGGER_IOPF] = test_trigger_iopf,
	[IOMMU_TEST_OP_DEV_CHECK_CACHE] = test_dev_check_cache,
	[IOMMU_TEST_OP_TRIGGER_VEVENT] = test_trigger_vevent,
	[IOMMU_TEST_OP_PASID_ATTACH] = iommufd_test_pasid_attach,
	[IOMMU_TEST_OP_PASID_REPLACE] = iommufd_test_pasid_replace,
	[IOMMU_TEST_OP_PASID_DETACH] = iommufd_test_pasid_detach,
	[IOMMU_TEST_OP_PASID_CHECK_HWPT] = iommufd_test_pasid_check_hwpt,
	[IOMMU_TEST_OP_DMABUF_GET] = iommufd_test_dmabuf_get,
	[IOMMU_TEST_OP_DMABUF_REVOKE] = iommufd_test_dmabuf_revoke,
};

int iommufd_test(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;

	if (cmd->op >= IOMMU_TEST_OPS || !tests[cmd->op])
		return -EOPNOTSUPP;
	return tests[cmd->op](ucmd);
}
