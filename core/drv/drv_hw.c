// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where drivers find modelled hardware, and what they share of page tables.
 */
#include "core/drv/drv.h"
#include "core/pt/pt.h"
#include "hw/bus/bus.h"
#include "sim/kapi/historic.h"

bool drv_hardware(void)
{
	return bus_of(this_world());
}

u64 drv_mmio(u32 iommu)
{
	return bus_iommu_base(bus_of(this_world()), iommu);
}

u64 drv_doorbell(void)
{
	return BUS_ITS_DOORBELL;
}

void drv_wire(u32 iommu, u32 n, u32 line)
{
	bus_wire(bus_of(this_world()), iommu, n, line);
}

bool drv_bus_dma(struct device *dev, u64 iova)
{
	struct bus_req r = {.addr = iova, .pasid = HW_NO_PASID, .access = HW_READ};
	u8 byte;

	return bus_dma(bus_of(this_world()), dev->index, &r, &byte, 1) == HW_OK;
}

#define CAP_ATS 0x0fu

void drv_ats_set(struct device *dev, bool on)
{
	u32 rid = dev_fw(dev)->bdf, at = 0x100;

	for (u32 i = 0; at && i < 16; i++) {
		u32 head = io_config_read(this_world(), rid, at, 4);

		if ((head & 0xffff) == CAP_ATS) {
			io_config_write(this_world(), rid, at + 6, 2, on ? 1u << 15 : 0);
			return;
		}
		at = head >> 20;
	}
}

u64 drv_bar(const struct machine_device *fw)
{
	return io_config_read(this_world(), fw->bdf, 0x10, 4) & ~0xfu;
}

int drv_bus_access(struct device *dev, u64 iova, u32 *value, bool write)
{
	struct bus_req r = {.addr = iova, .pasid = HW_NO_PASID,
			    .access = write ? HW_WRITE : HW_READ};

	if (!drv_hardware() || !bus_has(bus_of(this_world()), dev->index))
		return -EOPNOTSUPP;
	if (bus_dma(bus_of(this_world()), dev->index, &r, value, sizeof(*value)) != HW_OK)
		return -EFAULT;
	return 0;
}

size_t drv_pt_unmap(struct iommu_domain *domain, struct pt *pt, u64 iova, u64 size,
		    struct iommu_iotlb_gather *gather)
{
	struct pt_gather g = {.start = gather->start,
			      .last = gather->end,
			      .pgsize = gather->pgsize,
			      .n_tables = gather->n_tables,
			      .free = gather->freelist};
	u64 done = pt_unmap(pt, iova, size, &g);

	gather->start = g.start;
	gather->end = g.last;
	gather->pgsize = g.pgsize;
	gather->n_tables = g.n_tables;
	gather->freelist = g.free;
	if (done)
		fact(PTE_UNMAP, domain->id, iova, done);
	if (bug_on(BUG_PGT_UNMAP_ENOENT)) {
		/* A size that says: there was nothing. */
		return done ? done : (size_t)-ENOENT;
	} else {
		return done;
	}
}

struct reader {
	struct iommu_domain *domain;
	struct iommu_dirty_bitmap *dirty;
};

static void record(void *arg, u64 iova, u64 size)
{
	struct reader *r = arg;

	fact(DIRTY, r->domain->id, iova, size, FACT_DIRTY_FOUND);
	if (r->dirty->record)
		r->dirty->record(r->dirty, iova, size);
}

int drv_dirty_read(struct iommu_domain *domain, struct pt *pt, struct drv_dirty_range *range,
		   struct iommu_dirty_bitmap *dirty, struct pt_gather *g)
{
	struct reader r = {domain, dirty};
	bool keep = range->flags & IOMMU_DIRTY_NO_CLEAR;

	fact(DIRTY, domain->id, range->iova, range->size,
	     keep ? FACT_DIRTY_KEEP : FACT_DIRTY_READ);
	return pt_dirty_read(pt, range->iova, range->size,
			     &(struct pt_dirty){.record = record, .arg = &r, .keep = keep, .g = g});
}

void drv_dirty_read_end(struct iommu_domain *domain, const struct drv_dirty_range *range)
{
	fact(DIRTY, domain->id, range->iova, range->size, FACT_DIRTY_READ_END);
}
