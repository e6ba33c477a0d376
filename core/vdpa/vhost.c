// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost-vdpa: a device's IOTLB in messages. What is mapped is pinned for as long as it is,
 * and counts against the limit of its owner, the process that has said so.
 *
 * Not built: queues, configuration space, more than one address space, virtual addresses.
 */
#include "core/vdpa/vdpa_priv.h"
#include "sim/kapi/interval_tree.h"

enum {
	VHOST_SET_OWNER = 0xaf01,
	VHOST_SET_BACKEND_FEATURES = 0x4008af25,
	VHOST_GET_BACKEND_FEATURES = 0x8008af26,
	VHOST_VDPA_GET_IOVA_RANGE = 0x8010af78,
	VHOST_VDPA_GET_AS_NUM = 0x8004af7a,
};

#define VHOST_IOTLB_MSG 1
#define VHOST_IOTLB_MSG_V2 2
#define VHOST_ACCESS_RO 1
#define VHOST_ACCESS_WO 2
enum { IOTLB_UPDATE = 2, IOTLB_INVALIDATE = 3, IOTLB_BATCH_BEGIN = 5, IOTLB_BATCH_END = 6 };
#define FEATURE_V2 BIT(1)
#define FEATURE_BATCH BIT(2)
#define FEATURE_ASID BIT(3)
#define FEATURES (FEATURE_V2 | FEATURE_BATCH | FEATURE_ASID)
#define MSG_SIZE 72
#define BLOCK_PAGES 64u

struct vhost_iotlb_msg {
	u64 iova, size, uaddr;
	u8 perm, type;
	u8 pad[6];
};

/* node: IOVAs. Frames from pa on, each pinned. */
struct vhost_map {
	struct interval_tree_node node;
	u64 pa, n;
	u8 perm;
	struct page *page[];
};

/* All but v and domain: lock. */
struct vhost {
	struct vdpa_device *v;
	struct iommu_domain *domain;
	struct mutex lock;
	struct mm_struct *mm; /* the owner's, grabbed; NULL: it has none yet */
	struct interval_tree_root maps;
	u64 features;
	bool in_batch;
};

/* --- maps; lock held --- */

static struct vhost_map *first_map(struct vhost *h, u64 start, u64 last)
{
	struct interval_tree_node *node = interval_tree_iter_first(&h->maps, start, last);

	return node ? container_of(node, struct vhost_map, node) : NULL;
}

/* dup: a map that the range meets goes whole. */
static void unmap_range(struct vhost *h, u64 start, u64 last)
{
	struct vhost_map *map;

	while ((map = first_map(h, start, last))) {
		iommu_unmap(h->domain, map->node.start, map->n * PAGE_SIZE);
		for (u64 i = 0; i < map->n; i++)
			unpin_user_page(map->page[i]);
		atomic64_sub((s64)map->n, &h->mm->pinned_vm);
		interval_tree_remove(&map->node, &h->maps);
		kfree(map);
	}
}

static int perm_to_prot(u8 perm)
{
	return (perm & VHOST_ACCESS_RO ? IOMMU_READ : 0) |
	       (perm & VHOST_ACCESS_WO ? IOMMU_WRITE : 0) | IOMMU_CACHE;
}

/* n pages, contiguous and pinned, which are the map's then. */
static int add_map(struct vhost *h, u64 iova, struct page **page, u64 n, u8 perm)
{
	struct vhost_map *map = kmalloc(sizeof(*map) + n * sizeof(map->page[0]), GFP_KERNEL);
	int ret;

	if (!map)
		return -ENOMEM;
	map->node.start = iova;
	map->node.last = iova + n * PAGE_SIZE - 1;
	map->pa = page_to_phys(page[0]);
	map->n = n;
	map->perm = perm;
	for (u64 i = 0; i < n; i++)
		map->page[i] = page[i];
	ret = iommu_map(h->domain, iova, map->pa, n * PAGE_SIZE, perm_to_prot(perm));
	if (ret) {
		kfree(map);
		return ret;
	}
	interval_tree_insert(&map->node, &h->maps);
	atomic64_add((s64)n, &h->mm->pinned_vm);
	return 0;
}

static u64 run_length(struct page **page, u64 n)
{
	u64 i = 1;

	while (i < n && page_to_pfn(page[i]) == page_to_pfn(page[i - 1]) + 1)
		i++;
	return i;
}

/* At most a block: how many pages are mapped now, or -errno. */
static s64 map_block(struct vhost *h, u64 iova, u64 uaddr, u64 n, u8 perm)
{
	u32 flags = FOLL_PIN | (perm & VHOST_ACCESS_WO ? FOLL_WRITE : 0);
	struct page *page[BLOCK_PAGES];
	u64 done = 0, run;
	long got;
	int ret = 0;

	n = min(n, (u64)BLOCK_PAGES);
	got = pin_user_pages(h->mm, uaddr, n, flags, page);
	if (got < 0)
		return got;
	if ((u64)got != n)
		ret = -ENOMEM;
	for (; done < (u64)got && !ret; done += run) {
		run = run_length(page + done, (u64)got - done);
		ret = add_map(h, iova + done * PAGE_SIZE, page + done, run, perm);
		if (ret)
			break;
	}
	for (; ret && done < (u64)got; done++)
		unpin_user_page(page[done]);
	return ret ? ret : got;
}

/* dup: whole pages, from those of iova and uaddr on; all of it or nothing. */
static int map_range(struct vhost *h, const struct vhost_iotlb_msg *msg)
{
	u64 offset = msg->iova & ~PAGE_MASK, iova = msg->iova & PAGE_MASK;
	u64 uaddr = msg->uaddr & PAGE_MASK, n, done = 0;
	u64 limit = process_rlimit(current_process(), RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 got;

	if (msg->size > ~0UL - offset)
		return -EINVAL;
	n = (msg->size + offset + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (!n)
		return -EINVAL;
	if (n + (u64)atomic64_read(&h->mm->pinned_vm) > limit)
		return -ENOMEM;
	while (done < n) {
		got = map_block(h, iova + done * PAGE_SIZE, uaddr + done * PAGE_SIZE, n - done,
				msg->perm);
		if (got < 0) {
			if (done)
				unmap_range(h, iova, iova + done * PAGE_SIZE - 1);
			return (int)got;
		}
		done += (u64)got;
	}
	return 0;
}

static int update(struct vhost *h, const struct vhost_iotlb_msg *msg)
{
	u64 last = msg->iova + msg->size - 1;

	if (!msg->size || last < msg->iova || msg->iova < h->domain->geometry.aperture_start ||
	    last > h->domain->geometry.aperture_end)
		return -EINVAL;
	/* custom: Linux warns of other permissions, and maps nothing that is of use. */
	if (!(msg->perm & 3) || msg->perm & ~3)
		return -EINVAL;
	if (first_map(h, msg->iova, last))
		return -EEXIST;
	return map_range(h, msg);
}

static int process_msg(struct vhost *h, u32 asid, const struct vhost_iotlb_msg *msg)
{
	if (!h->mm || h->mm != current_mm())
		return -EPERM;
	if (asid)
		return -EINVAL;
	switch (msg->type) {
	case IOTLB_UPDATE:
		return update(h, msg);
	case IOTLB_INVALIDATE:
		unmap_range(h, msg->iova, msg->iova + msg->size - 1);
		return 0;
	case IOTLB_BATCH_BEGIN:
	case IOTLB_BATCH_END:
		h->in_batch = msg->type == IOTLB_BATCH_BEGIN;
		return 0;
	default:
		return -EINVAL;
	}
}

/* --- the file --- */

/* dup: -EFAULT whatever a message failed of; the size of a message however short it was. */
static s64 vdpa_write(struct file *file, u64 buf, u64 count, s64 *pos)
{
	struct vhost *h = file->private_data;
	struct vhost_iotlb_msg msg;
	u32 head[2];
	int ret;

	(void)pos;
	if (count < sizeof(head) + sizeof(msg) ||
	    copy_from_user(head, vdpa_ptr(buf), sizeof(head)) ||
	    (head[0] != VHOST_IOTLB_MSG && head[0] != VHOST_IOTLB_MSG_V2) ||
	    copy_from_user(&msg, vdpa_ptr(buf + sizeof(head)), sizeof(msg)))
		return -EINVAL;
	if (msg.type == IOTLB_UPDATE && !msg.size)
		return -EINVAL;
	mutex_lock(&h->lock);
	if (head[0] == VHOST_IOTLB_MSG || !(h->features & FEATURE_ASID))
		head[1] = 0;
	ret = process_msg(h, head[1], &msg);
	mutex_unlock(&h->lock);
	return ret ? -EFAULT : MSG_SIZE;
}

static long set_owner(struct vhost *h)
{
	long ret = -EBUSY;

	mutex_lock(&h->lock);
	if (!h->mm) {
		h->mm = current_mm();
		mmgrab(h->mm);
		ret = 0;
	}
	mutex_unlock(&h->lock);
	return ret;
}

static long set_features(struct vhost *h, u64 arg)
{
	u64 features;

	if (copy_from_user(&features, vdpa_ptr(arg), sizeof(features)))
		return -EFAULT;
	if (features & ~FEATURES)
		return -EOPNOTSUPP;
	mutex_lock(&h->lock);
	h->features = features;
	mutex_unlock(&h->lock);
	return 0;
}

static long get(u64 arg, const void *value, size_t size)
{
	return copy_to_user(vdpa_ptr(arg), value, size) ? -EFAULT : 0;
}

static long vdpa_ioctl(struct file *file, u32 cmd, u64 arg)
{
	struct vhost *h = file->private_data;
	const u64 features = FEATURES;
	const u32 n = 1;

	switch (cmd) {
	case VHOST_SET_OWNER:
		return set_owner(h);
	case VHOST_SET_BACKEND_FEATURES:
		return set_features(h, arg);
	case VHOST_GET_BACKEND_FEATURES:
		return get(arg, &features, sizeof(features));
	case VHOST_VDPA_GET_AS_NUM:
		return get(arg, &n, sizeof(n));
	case VHOST_VDPA_GET_IOVA_RANGE:
		return get(arg, &(u64[]){h->domain->geometry.aperture_start,
					 h->domain->geometry.aperture_end}, 2 * sizeof(u64));
	default:
		return -ENOTTY;
	}
}

static void vdpa_release(struct file *file)
{
	struct vhost *h = file->private_data;

	mutex_lock(&h->lock);
	unmap_range(h, 0, ~0ULL);
	mutex_unlock(&h->lock);
	vdpa_domain_free(h->v, h->domain);
	vdpa_device_put(h->v);
	if (h->mm)
		mmdrop(h->mm);
	mutex_destroy(&h->lock);
	kfree(h);
}

/* dup: -EBUSY: somebody has it; and what claiming and attaching give. */
int vdpa_open(struct file *file)
{
	struct vdpa_device *v = vdpa_device_get((unsigned long)file->private_data, false);
	struct vhost *h;
	int ret = -ENOMEM;

	if (IS_ERR(v))
		return (int)PTR_ERR(v);
	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		goto err_put;
	h->v = v;
	h->domain = vdpa_domain_new(v);
	ret = (int)PTR_ERR_OR_ZERO(h->domain);
	if (ret)
		goto err_free;
	mutex_init(&h->lock);
	file->private_data = h;
	return 0;

err_free:
	kfree(h);
err_put:
	vdpa_device_put(v);
	return ret;
}

const struct file_operations vdpa_fops = {
	.name = "[vhost-vdpa]",
	.write = vdpa_write,
	.ioctl = vdpa_ioctl,
	.release = vdpa_release,
	.mode = 0020600,
};
