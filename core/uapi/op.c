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

int op_find(const char *name)
{
	for (int i = 0; i < OP_CODES; i++)
		if (!strcmp(op_rows[i].name, name))
			return i;
	return -1;
}
