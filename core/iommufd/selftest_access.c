// SPDX-License-Identifier: GPL-2.0-only
/*
 * The selftest's accesses: files, each with one struct iommufd_access and the
 * ranges that it has pinned. Pinning holds the file's lock, which its unmap op
 * takes, so that no unmap comes between a pin and its record.
 */
#include "core/iommufd/selftest.h"

#include "sim/kapi/bug.h"

#include <fcntl.h>

struct test_access {
	struct iommufd_access *access; /* NULL: its making failed */
	struct mutex lock;
	struct list_head items;
	u32 next_id;
};

/* A pinned range. */
struct item {
	struct list_head node;
	unsigned long iova, length;
	u32 id;
};

static const struct file_operations access_fops;

/* The file of a descriptor, referenced; -EBADFD: it is none of ours. */
static struct file *access_file(u32 fd)
{
	struct file *file = fget(fd);

	if (file && file->op != &access_fops) {
		fput(file);
		file = NULL;
	}
	return file ? file : ERR_PTR(-EBADFD);
}

static void drop_item(struct test_access *ta, struct item *item)
{
	list_del(&item->node);
	iommufd_access_unpin_pages(ta->access, item->iova, item->length);
	kfree(item);
}

static void test_unmap(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last = iova + length - 1;
	struct test_access *ta = data;
	struct item *item, *next;

	mutex_lock(&ta->lock);
	list_for_each_entry_safe(item, next, &ta->items, node) {
		if (iova <= item->iova + item->length - 1 && last >= item->iova)
			drop_item(ta, item);
	}
	mutex_unlock(&ta->lock);
}

static void test_release(struct file *file)
{
	struct test_access *ta = file->private_data;

	if (ta->access) {
		test_unmap(ta, 0, ~0UL);
		iommufd_access_destroy(ta->access);
	}
	mutex_destroy(&ta->lock);
	kfree(ta);
}

static const struct iommufd_access_ops ops_pin = {.needs_pin_pages = true, .unmap = test_unmap};
static const struct iommufd_access_ops ops_rw = {.unmap = test_unmap};

static const struct file_operations access_fops = {
	.name = "[iommufd_test_staccess]",
	.release = test_release,
	.mode = 0600,
};

static struct file *alloc_access(void)
{
	struct test_access *ta = kzalloc(sizeof(*ta), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!ta)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&ta->items);
	mutex_init(&ta->lock);
	file = anon_inode_getfile(&access_fops, ta, O_RDWR);
	if (IS_ERR(file)) {
		mutex_destroy(&ta->lock);
		kfree(ta);
	}
	return file;
}

/* The access is in the IOAS, the answer with user space; else nothing is left but the file. */
static int make_access(struct iommufd_ucmd *ucmd, struct test_access *ta, int fd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	bool pins = cmd->create_access.flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	struct iommufd_access *access =
		iommufd_access_create(ucmd->ictx, pins ? &ops_pin : &ops_rw, ta);
	int rc;

	if (IS_ERR(access))
		return (int)PTR_ERR(access);
	rc = iommufd_access_attach(access, cmd->id);
	if (!rc) {
		cmd->create_access.out_access_fd = (u32)fd;
		rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (rc)
		iommufd_access_destroy(access);
	else
		ta->access = access;
	return rc;
}

int iommufd_test_create_access(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct file *file;
	int fd, rc;

	if (cmd->create_access.flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;
	file = alloc_access();
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(file);
		return -ENOMEM;
	}
	rc = make_access(ucmd, file->private_data, fd);
	if (!rc) {
		fd_install((u32)fd, file);
		return 0;
	}
	put_unused_fd((u32)fd);
	fput(file);
	return rc;
}

int iommufd_test_access_replace_ioas(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct file *file = access_file(cmd->id);
	struct test_access *ta;
	int rc;

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	ta = file->private_data;
	rc = iommufd_access_replace(ta->access, cmd->access_replace_ioas.ioas_id);
	fput(file);
	return rc;
}

int iommufd_test_destroy_access_pages(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct file *file = access_file(cmd->id);
	struct item *item, *next;
	struct test_access *ta;
	int rc = -ENOENT;

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	ta = file->private_data;
	mutex_lock(&ta->lock);
	list_for_each_entry_safe(item, next, &ta->items, node) {
		if (item->id != cmd->destroy_access_pages.access_pages_id)
			continue;
		drop_item(ta, item);
		rc = 0;
		break;
	}
	mutex_unlock(&ta->lock);
	fput(file);
	return rc;
}

/* --- pins --- */

/* Whether the caller has the same pages at an address. */
static int check_pages(u64 uptr, struct page **pages, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++, uptr += PAGE_SIZE) {
		struct page *page = iommufd_test_page(uptr);

		if (IS_ERR(page))
			return (int)PTR_ERR(page);
		put_page(page);
		if (page != pages[i])
			return -EBADE;
	}
	return 0;
}

/* What is pinned is recorded and told; else -errno. */
static int record(struct iommufd_ucmd *ucmd, struct test_access *ta, unsigned long iova)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct item *item = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	int rc;

	if (!item)
		return -ENOMEM;
	item->iova = iova;
	item->length = cmd->access_pages.length;
	item->id = ta->next_id++;
	list_add_tail(&item->node, &ta->items);
	cmd->access_pages.out_access_pages_id = item->id;
	rc = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (rc) {
		list_del(&item->node);
		kfree(item);
	}
	return rc;
}

static int pin_and_record(struct iommufd_ucmd *ucmd, struct test_access *ta, unsigned long iova,
			  struct page **pages, unsigned long n)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	unsigned long length = cmd->access_pages.length;
	u64 uptr = cmd->access_pages.uptr;
	int rc;

	rc = iommufd_access_pin_pages(ta->access, iova, length, pages,
				      cmd->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE);
	if (rc)
		return rc;
	if (uptr)
		rc = check_pages(uptr - offset_in_page(iova), pages, n);
	if (!rc)
		rc = record(ucmd, ta, iova);
	if (rc)
		iommufd_access_unpin_pages(ta->access, iova, length);
	return rc;
}

static unsigned long conv_access_iova(struct iommufd_access *access, u64 syz)
{
	unsigned long iova = 0;

	mutex_lock(&access->ioas_lock);
	if (access->ioas)
		iova = iommufd_test_conv_iova(&access->ioas->iopt, syz);
	mutex_unlock(&access->ioas_lock);
	return iova;
}

static int access_pages(struct iommufd_ucmd *ucmd, struct test_access *ta)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	unsigned long iova = cmd->access_pages.iova, n;
	struct page **pages;
	int rc;

	if (ta->access->ops != &ops_pin)
		return -EOPNOTSUPP;
	if (cmd->access_pages.flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = conv_access_iova(ta->access, iova);
	n = (ALIGN(iova + cmd->access_pages.length, PAGE_SIZE) - ALIGN_DOWN(iova, PAGE_SIZE)) /
	    PAGE_SIZE;
	pages = kvcalloc(max(n, 1UL), sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	mutex_lock(&ta->lock);
	rc = pin_and_record(ucmd, ta, iova, pages, n);
	mutex_unlock(&ta->lock);
	kvfree(pages);
	return rc;
}

int iommufd_test_access_pages(struct iommufd_ucmd *ucmd)
{
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct file *file;
	int rc;

	if (cmd->access_pages.length > IOMMUFD_TEST_LENGTH_MAX)
		return -ENOMEM;
	if (cmd->access_pages.flags & ~(MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ))
		return -EOPNOTSUPP;
	file = access_file(cmd->id);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	rc = access_pages(ucmd, file->private_data);
	fput(file);
	return rc;
}

/* --- reading and writing --- */

static int access_rw(const struct iommu_test_cmd *cmd, struct test_access *ta, void *tmp)
{
	void *ubuf = u64_to_user_ptr(cmd->access_rw.uptr);
	unsigned long iova = cmd->access_rw.iova, length = cmd->access_rw.length;
	u32 flags = cmd->access_rw.flags;
	bool write = flags & MOCK_ACCESS_RW_WRITE;
	int rc;

	if (write && copy_from_user(tmp, ubuf, length))
		return -EFAULT;
	if (flags & MOCK_FLAGS_ACCESS_SYZ)
		iova = conv_access_iova(ta->access, iova);
	rc = iommufd_access_rw(ta->access, iova, tmp, length, flags);
	if (!rc && !write && copy_to_user(ubuf, tmp, length))
		rc = -EFAULT;
	return rc;
}

int iommufd_test_access_rw(struct iommufd_ucmd *ucmd)
{
	const u32 known = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH | MOCK_FLAGS_ACCESS_SYZ;
	const struct iommu_test_cmd *cmd = ucmd->cmd;
	struct file *file;
	void *tmp;
	int rc = -ENOMEM;

	if (cmd->access_rw.length > IOMMUFD_TEST_LENGTH_MAX)
		return -ENOMEM;
	if (cmd->access_rw.flags & ~known)
		return -EOPNOTSUPP;
	file = access_file(cmd->id);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	tmp = kvzalloc(max(cmd->access_rw.length, (u64)1), GFP_KERNEL_ACCOUNT);
	if (tmp)
		rc = access_rw(cmd, file->private_data, tmp);
	kvfree(tmp);
	fput(file);
	return rc;
}
