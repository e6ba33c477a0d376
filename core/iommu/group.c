// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: their life, and which devices belong together.
 *
 * Linux walks the PCI hierarchy at each probe: aliases, then bridges without
 * ACS upward, then functions. The machine is known here at boot, so the same
 * relation is computed once (core->peers, an equivalence) and a probe only
 * looks for a peer that has a group already. Devices belong together when
 *	one is an alias of the other (a shared requester id);
 *	they are behind one conventional bridge (a shared requester id, too);
 *	their bus, or a port above it, does not isolate them (no ACS);
 *	they are on the platform bus and share a stream id of one instance.
 */
#include "core/iommu/iommu_priv.h"

/* --- life --- */

/* dup: a group with one reference. Its id is the lowest free number. */
struct iommu_group *iommu_group_alloc(void)
{
	struct iommu_core *core = iommu_core();
	struct iommu_group *group = kzalloc(sizeof(*group), GFP_KERNEL);
	int id;

	if (!group)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc(&core->group_ida, GFP_KERNEL);
	if (id < 0) {
		kfree(group);
		return ERR_PTR(id);
	}
	group->id = (u32)id;
	kref_init(&group->kref);
	mutex_init(&group->mutex);
	INIT_LIST_HEAD(&group->devices);
	INIT_LIST_HEAD(&group->entry);
	xa_init(&group->pasid_array);
	return group;
}

static void iommu_group_release(struct kref *kref)
{
	struct iommu_group *group = container_of(kref, struct iommu_group, kref);

	WARN_ON(!xa_empty(&group->pasid_array));
	xa_destroy(&group->pasid_array);
	ida_free(&iommu_core()->group_ida, group->id);
	kfree(group);
}

/*
 * custom: under probe_lock, so that a device on its way into a group, or out
 * of it after a failure, is not seen. Linux reads dev->iommu_group unlocked
 * and relies on the caller.
 */
struct iommu_group *iommu_group_get(struct device *dev)
{
	struct iommu_core *core = iommu_core();
	struct iommu_group *group;

	mutex_lock(&core->probe_lock);
	group = dev->iommu_group;
	if (group)
		kref_get(&group->kref);
	mutex_unlock(&core->probe_lock);
	return group;
}

struct iommu_group *iommu_group_ref_get(struct iommu_group *group)
{
	kref_get(&group->kref);
	return group;
}

void iommu_group_put(struct iommu_group *group)
{
	kref_put(&group->kref, iommu_group_release);
}

u32 iommu_group_id(const struct iommu_group *group)
{
	return group->id;
}

int iommu_group_add_device(struct iommu_group *group, struct device *dev)
{
	struct group_device *gdev = kzalloc(sizeof(*gdev), GFP_KERNEL);

	if (!gdev)
		return -ENOMEM;
	gdev->dev = dev;
	mutex_lock(&iommu_core()->probe_lock);
	if (dev->iommu_group) {
		mutex_unlock(&iommu_core()->probe_lock);
		kfree(gdev);
		return -EEXIST;
	}
	dev->iommu_group = iommu_group_ref_get(group);
	mutex_lock(&group->mutex);
	list_add_tail(&gdev->list, &group->devices);
	mutex_unlock(&group->mutex);
	mutex_unlock(&iommu_core()->probe_lock);
	return 0;
}

void iommu_group_remove_device(struct device *dev)
{
	struct iommu_group *group = dev->iommu_group;
	struct group_device *gdev;

	mutex_lock(&group->mutex);
	gdev = list_first_entry(&group->devices, struct group_device, list);
	list_del(&gdev->list);
	mutex_unlock(&group->mutex);
	kfree(gdev);
	mutex_lock(&iommu_core()->probe_lock);
	dev->iommu_group = NULL;
	mutex_unlock(&iommu_core()->probe_lock);
	iommu_group_put(group);
}

/* dup: with group->mutex held. */
int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*fn)(struct device *dev, void *data))
{
	struct group_device *gdev;
	int ret = 0;

	mutex_lock(&group->mutex);
	list_for_each_entry(gdev, &group->devices, list) {
		ret = fn(gdev->dev, data);
		if (ret)
			break;
	}
	mutex_unlock(&group->mutex);
	return ret;
}

/* --- who belongs together --- */

static bool bus_isolates(const struct machine *m, u32 bus)
{
	for (; bus != MACHINE_NONE; bus = m->bus[bus].parent)
		if (!m->bus[bus].acs || m->bus[bus].alias)
			return false;
	return true;
}

/* The highest bus above (or at) bus that still fails to isolate. */
static u32 bus_domain(const struct machine *m, u32 bus)
{
	u32 top = bus;

	for (; bus != MACHINE_NONE; bus = m->bus[bus].parent)
		if (!m->bus[bus].acs || m->bus[bus].alias)
			top = bus;
	return top;
}

static bool share_stream(const struct iommu_core *core, u32 a, u32 b)
{
	const struct machine_device *da = &core->machine->device[a];
	const struct machine_device *db = &core->machine->device[b];

	if (!da->n_iommus || !db->n_iommus || da->iommus[0] != db->iommus[0])
		return false;
	for (u32 i = 0; i < stream_count(da); i++)
		for (u32 j = 0; j < stream_count(db); j++)
			if (stream_id(core, a, i) == stream_id(core, b, j))
				return true;
	return false;
}

static bool related(const struct iommu_core *core, u32 i, u32 j)
{
	const struct machine *m = core->machine;
	const struct machine_device *a = &m->device[i], *b = &m->device[j];

	if (a->alias_of == j || b->alias_of == i || share_stream(core, i, j))
		return true;
	if (m->bus[a->bus].kind != MACHINE_BUS_PCI || m->bus[b->bus].kind != MACHINE_BUS_PCI)
		return false;
	if (bus_isolates(m, a->bus) || bus_isolates(m, b->bus))
		return false;
	return bus_domain(m, a->bus) == bus_domain(m, b->bus);
}

/* The bus of the highest conventional bridge above (or at) bus; MACHINE_NONE: none. */
static u32 conventional_bus(const struct machine *m, u32 bus)
{
	u32 top = MACHINE_NONE;

	for (; bus != MACHINE_NONE; bus = m->bus[bus].parent)
		if (m->bus[bus].alias)
			top = bus;
	return top;
}

/*
 * The id under which i's requests arrive: that of the device it aliases, and
 * behind conventional bridges that of the first device there. custom: Linux
 * gives the device its own id beside these, since it cannot tell which is used.
 */
static u32 requester_id(const struct machine *m, u32 i)
{
	u32 top, first = 0;

	for (u32 n = 0; n < m->n_devices && m->device[i].alias_of != MACHINE_NONE; n++)
		i = m->device[i].alias_of;
	top = conventional_bus(m, m->device[i].bus);
	if (top == MACHINE_NONE)
		return m->device[i].bdf;
	while (conventional_bus(m, m->device[first].bus) != top)
		first++;
	return m->device[first].bdf;
}

/* Fills core->requester, and core->peers: the reflexive, transitive closure of related(). */
void iommu_grouping_init(struct iommu_core *core)
{
	const struct machine *m = core->machine;
	bool grew = true;

	for (u32 i = 0; i < m->n_devices; i++)
		core->requester[i] = requester_id(m, i);
	for (u32 i = 0; i < m->n_devices; i++) {
		core->peers[i] = BIT(i);
		for (u32 j = 0; j < m->n_devices; j++)
			if (related(core, i, j))
				core->peers[i] |= BIT(j);
	}
	while (grew) {
		grew = false;
		for (u32 i = 0; i < m->n_devices; i++) {
			u64 all = core->peers[i];

			for (u64 left = all; left; left &= left - 1)
				all |= core->peers[bit_lowest(left)];
			grew |= all != core->peers[i];
			core->peers[i] = all;
		}
	}
}

/*
 * custom: the group of any peer that has one, else a new one. Stands for
 * Linux's pci_device_group() and for drivers that look their streams up.
 */
struct iommu_group *pci_device_group(struct device *dev)
{
	struct iommu_core *core = iommu_core();
	u64 mask = core->peers[dev->index] & core->grouped_mask;

	if (mask)
		return iommu_group_ref_get(core->grouped[bit_lowest(mask)]->iommu_group);
	return iommu_group_alloc();
}

/* dup: a group of its own. */
struct iommu_group *generic_device_group(struct device *dev)
{
	(void)dev;
	return iommu_group_alloc();
}
