// SPDX-License-Identifier: GPL-2.0-only
/*
 * What firmware says of VT-d: a DMAR table with a DRHD of each unit, an RMRR of
 * each direct region, and an ATSR that lets all root ports have ATS. The tree's
 * intel_iommu_init() is called where x86 calls it: after the PCI bus was walked.
 */
#include "core/hosted/custom/machine.h"

#include <linux/acpi.h>
#include <linux/dmar.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define TABLE_MAX 4096

void dmar_msi_write(int irq, struct msi_msg *msg);
int __init intel_iommu_init(void);

int iommu_detected, no_iommu;
/* Of x86's boot: whom it would call. hosted_vtd_boot() does. */
char hosted_x86_init[1024] HOSTED_NAMED(x86_init);
char hosted_x86_platform[1024] HOSTED_NAMED(x86_platform);

/* --- the table --- */

static struct {
	struct acpi_table_dmar head;
	u8 rest[TABLE_MAX];
} table;
static unsigned int table_used;

static void *add(u16 type, u16 size)
{
	struct acpi_dmar_header *h = (void *)(table.rest + table_used);

	BUG_ON(table_used + size > TABLE_MAX);
	h->type = type;
	h->length = size;
	table_used += size;
	return h;
}

/* An endpoint below `h`, the entry that was added last. */
static void add_scope(struct acpi_dmar_header *h, const struct hosted_device *hd)
{
	struct acpi_dmar_device_scope *s = (void *)(table.rest + table_used);
	struct acpi_dmar_pci_path *path = (void *)(s + 1);
	u32 id = hosted_pci_address(hd);

	BUG_ON(table_used + sizeof(*s) + sizeof(*path) > TABLE_MAX);
	s->entry_type = ACPI_DMAR_SCOPE_TYPE_ENDPOINT;
	s->length = sizeof(*s) + sizeof(*path);
	s->bus = id >> 8;
	path->device = PCI_SLOT(id);
	path->function = PCI_FUNC(id);
	h->length += s->length;
	table_used += s->length;
}

static bool is_pci(const struct hosted_device *hd)
{
	return hosted_machine.bus[hd->d.bus].pci;
}

/* The last unit has all that no other names. */
static void add_units(void)
{
	int last = -1;

	for (int i = 0; i < hosted_machine.n_iommus; i++) {
		if (hosted_machine.iommu[i].d.model == FLOOR_MODEL_VTD)
			last = i;
	}
	for (int i = 0; i <= last; i++) {
		struct acpi_dmar_hardware_unit *unit;

		if (hosted_machine.iommu[i].d.model != FLOOR_MODEL_VTD)
			continue;
		unit = add(ACPI_DMAR_TYPE_HARDWARE_UNIT, sizeof(*unit));
		unit->flags = i == last ? ACPI_DMAR_INCLUDE_ALL : 0;
		unit->address = hosted_machine.iommu[i].d.mmio;
		for (int k = 0; k < hosted_machine.n_devices && i != last; k++) {
			const struct hosted_device *hd = &hosted_machine.device[k];

			if (hd->d.iommu == i && is_pci(hd))
				add_scope(&unit->header, hd);
		}
	}
}

static void add_regions(void)
{
	for (int i = 0; i < hosted_machine.n_resv; i++) {
		const struct floor_resv *r = &hosted_machine.resv[i];
		const struct hosted_device *hd = &hosted_machine.device[r->device];
		struct acpi_dmar_reserved_memory *rmrr;

		if (r->type > FLOOR_RESV_DIRECT_RELAXABLE || !is_pci(hd))
			continue;
		rmrr = add(ACPI_DMAR_TYPE_RESERVED_MEMORY, sizeof(*rmrr));
		rmrr->base_address = r->start;
		rmrr->end_address = r->start + r->length - 1;
		add_scope(&rmrr->header, hd);
	}
}

static void make_table(void)
{
	struct acpi_dmar_atsr *atsr;

	memcpy(table.head.header.signature, ACPI_SIG_DMAR, ACPI_NAMESEG_SIZE);
	table.head.width = 48 - 1;
	add_units();
	add_regions();
	atsr = add(ACPI_DMAR_TYPE_ROOT_ATS, sizeof(*atsr));
	atsr->flags = ACPI_DMAR_ALL_PORTS;
	table.head.header.length = sizeof(table.head) + table_used;
}

acpi_status acpi_get_table(char *signature, u32 instance, struct acpi_table_header **out)
{
	if (strncmp(signature, ACPI_SIG_DMAR, ACPI_NAMESEG_SIZE) || !table_used)
		return AE_NOT_FOUND;
	*out = &table.head.header;
	return AE_OK;
}

void acpi_put_table(struct acpi_table_header *t)
{
}

/* --- interrupts of the units themselves --- */

static void mask(struct irq_data *d)
{
	dmar_msi_mask(d);
}

static void unmask(struct irq_data *d)
{
	dmar_msi_unmask(d);
}

static void nothing(struct irq_data *d)
{
}

/* When it is requested; the driver knows by now which of its interrupts it is. */
static int write_message(struct irq_data *d)
{
	struct msi_msg msg = {.address_lo = 0xfee00000, .data = d->hwirq};

	dmar_msi_write(d->irq, &msg);
	return 0;
}

static struct irq_chip chip = {
	.name = "DMAR-MSI",
	.irq_mask = mask,
	.irq_unmask = unmask,
	.irq_ack = nothing,
	.irq_request_resources = write_message,
};

int dmar_alloc_hwirq(int id, int node, void *arg)
{
	return hosted_irq_vector(&chip, arg);
}

void dmar_free_hwirq(int irq)
{
	hosted_irq_vector_free(irq);
}

/* --- what else ACPI could say, and does not --- */

const struct bus_type acpi_bus_type = {.name = "acpi"};

bool is_acpi_device_node(const struct fwnode_handle *fwnode)
{
	return false;
}

bool acpi_check_dsm(acpi_handle handle, const guid_t *guid, u64 rev, u64 funcs)
{
	return false;
}

union acpi_object *acpi_evaluate_dsm(acpi_handle handle, const guid_t *guid, u64 rev, u64 func,
				     union acpi_object *argv4)
{
	return NULL;
}

struct acpi_device *acpi_fetch_acpi_dev(acpi_handle handle)
{
	return NULL;
}

acpi_status acpi_get_handle(acpi_handle parent, const char *path, acpi_handle *out)
{
	return AE_NOT_FOUND;
}

/* signature given */
acpi_status acpi_walk_namespace(acpi_object_type type, acpi_handle start, u32 depth,
				acpi_walk_callback down, acpi_walk_callback up, void *context,
				void **ret)
{
	return AE_OK;
}

/* Of firmware's memory map: what a unit must map is reserved. */
int hosted_e820_type(u64 start, u64 end) HOSTED_NAMED(e820__get_entry_type);

int hosted_e820_type(u64 start, u64 end)
{
	return 2;
}

int hosted_vtd_boot(void)
{
	make_table();
	detect_intel_iommu();
	return intel_iommu_init();
}
