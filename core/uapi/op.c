// SPDX-License-Identifier: GPL-2.0-only
#include "core/uapi/op.h"

#include <string.h>

const char *const op_domtype_names[OP_DOMTYPES] = {
	[OP_DOMTYPE_DMA] = "dma",
	[OP_DOMTYPE_DMA_FQ] = "dma-fq",
	[OP_DOMTYPE_IDENTITY] = "identity",
	[OP_DOMTYPE_BLOCKED] = "blocked",
	[OP_DOMTYPE_UNMANAGED] = "unmanaged",
};

const struct op_row op_rows[OP_CODES] = {
#define ARG(type, name) {OPARG_##type, #name}
#define OP(name, doc, ...) [OP_##name] = {#name, doc, {__VA_ARGS__}},
#include "core/uapi/ops.def"
#undef OP
#undef ARG
};

/* A row that is not here may change tables: oracles excuse more, never less. */
static const u8 effects[OP_CODES] = {
	[OP_dma] = FACT_CHANGES_NOTHING,
	[OP_dma_read] = FACT_CHANGES_NOTHING,
	[OP_dma_write] = FACT_CHANGES_NOTHING,
	[OP_dma_post] = FACT_CHANGES_NOTHING,
	[OP_dma_flush] = FACT_CHANGES_NOTHING,
	[OP_dma_copy] = FACT_CHANGES_NOTHING,
	[OP_dma_request] = FACT_CHANGES_NOTHING,
	[OP_buf_dma_read] = FACT_CHANGES_NOTHING,
	[OP_buf_dma_write] = FACT_CHANGES_NOTHING,
	[OP_ats] = FACT_CHANGES_NOTHING,
	[OP_page_request] = FACT_CHANGES_NOTHING,
	[OP_mmio_read] = FACT_CHANGES_NOTHING,
	[OP_mmio_wait] = FACT_CHANGES_NOTHING,
	[OP_mmio_agree] = FACT_CHANGES_NOTHING,
	[OP_mem_read] = FACT_CHANGES_NOTHING,
	[OP_mem_wait] = FACT_CHANGES_NOTHING,
	[OP_dev_read] = FACT_CHANGES_NOTHING,
	[OP_dev_write] = FACT_CHANGES_NOTHING,
	[OP_dev_wait] = FACT_CHANGES_NOTHING,
	[OP_msi_set] = FACT_CHANGES_NOTHING,
	[OP_msi_wait] = FACT_CHANGES_NOTHING,
	[OP_config_read] = FACT_CHANGES_NOTHING,
	[OP_config_write] = FACT_CHANGES_NOTHING,
	[OP_pasid_read] = FACT_CHANGES_NOTHING,
	[OP_pasid_write] = FACT_CHANGES_NOTHING,
	[OP_wait] = FACT_CHANGES_NOTHING,
	[OP_signal] = FACT_CHANGES_NOTHING,
	[OP_mem_write] = FACT_BY_HAND,
	[OP_mmio_write] = FACT_BY_HAND,
	[OP_mem_flush] = FACT_BY_HAND,
	[OP_shutdown_iommu] = FACT_SHUTS_DOWN,
};

enum fact_effect op_effect(u16 code)
{
	return effects[code];
}

int op_find(const char *name)
{
	for (int i = 0; i < OP_CODES; i++)
		if (!strcmp(op_rows[i].name, name))
			return i;
	return -1;
}
