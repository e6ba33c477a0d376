// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the machine's description to hardware.
 */
#include "hw/board/board.h"

#include "hw/dev/dev.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const struct hw_iommu_ops *ops;
} iommus[] = {{"vtd", &hw_vtd_ops}, {"smmuv3", &hw_smmuv3_ops}};

/* NULL: no model of hardware has this name ("mock" is the kernel's own). */
static const struct hw_iommu_ops *iommu_find(const char *model)
{
	for (u32 i = 0; i < ARRAY_SIZE(iommus); i++) {
		if (strcmp(iommus[i].name, model) == 0)
			return iommus[i].ops;
	}
	return NULL;
}

u64 board_registers(const char *model)
{
	const struct hw_iommu_ops *ops = iommu_find(model);

	return ops ? ops->mmio_size : 0;
}

bool board_has_hardware(const struct machine *m)
{
	for (u32 i = 0; i < m->n_iommus; i++) {
		if (iommu_find(m->iommu[i].model))
			return true;
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		if (m->device[i].model[0])
			return true;
	}
	return false;
}

/* --- the check --- */

static bool check_iommu(const struct machine_iommu *i, char *err, size_t err_size)
{
	static u8 none[8];
	struct hw_env env = {.ram = none, .ram_size = 0};
	const struct hw_iommu_ops *ops = iommu_find(i->model);
	struct hw_iommu *h;

	if (!ops)
		return true;
	h = ops->create(&env, i->options[0] ? i->options : NULL, err, err_size);
	if (h)
		ops->destroy(h);
	return h;
}

bool board_check(const struct machine *m, struct board_check *c)
{
	*c = (struct board_check){.iommu = MACHINE_NONE, .device = MACHINE_NONE};
	for (u32 i = 0; i < m->n_iommus; i++) {
		c->iommu = i;
		if (!check_iommu(&m->iommu[i], c->text, sizeof(c->text)))
			return false;
	}
	c->iommu = MACHINE_NONE;
	for (u32 i = 0; i < m->n_devices; i++) {
		c->device = i;
		if (strcmp(m->device[i].model, "firmware") == 0 &&
		    !dev_firmware_check(&m->device[i], &c->hash, c->text, sizeof(c->text)))
			return false;
	}
	c->device = MACHINE_NONE;
	return true;
}

/* --- building --- */

bool board_build(struct world *w, const struct machine *m, char *err, size_t err_size)
{
	struct fabric *f;
	char why[BOARD_ERR_SIZE / 2];

	if (!board_has_hardware(m))
		return true;
	f = bus_create(w, m);
	for (u32 i = 0; i < m->n_iommus; i++) {
		const struct hw_iommu_ops *ops = iommu_find(m->iommu[i].model);

		if (ops && !bus_iommu_add(f, i, ops, m->iommu[i].options, why, sizeof(why))) {
			snprintf(err, err_size, "IOMMU '%s': %s", m->iommu[i].name, why);
			return false;
		}
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		const struct dev_model *model = dev_find(m->device[i].model);

		if (model && !dev_create(f, i, model, why, sizeof(why))) {
			snprintf(err, err_size, "device '%s': %s", m->device[i].name, why);
			return false;
		}
	}
	return true;
}

void board_hold_stores(struct world *w)
{
	if (bus_of(w))
		bus_hold_stores(bus_of(w));
}
