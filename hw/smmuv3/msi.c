// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of the SMMU itself (3.18): messages where they are configured,
 * else a pulse on the wire of the source.
 */
#include "hw/smmuv3/smmu_priv.h"

/* false: the write was aborted. Memory takes messages too: software polls there. */
bool smmu_msi_write(struct hw_smmuv3 *h, u64 addr, u32 data)
{
	struct hw_env *e = h->base.env;

	addr &= h->oa_mask & ~3ull;
	if (e->ram_size >= 4 && addr <= e->ram_size - 4) {
		hw_wrote(e, addr, 4);
		__atomic_store_n((u32 *)(e->ram + addr), data, __ATOMIC_RELEASE);
		return true;
	}
	if (!e->msi)
		return false;
	e->msi(e, addr, data);
	return true;
}

struct source {
	u16 cfg0, enable, wire, abort;
};

static const struct source sources[] = {
	[IRQ_OF_GERROR] = {R_GERROR_CFG0, IRQ_GERROR, WIRE_GERROR, GERROR_MSI_GERROR_ABT},
	[IRQ_OF_EVENTQ] = {R_EVENTQ_CFG0, IRQ_EVENTQ, WIRE_EVENTQ, GERROR_MSI_EVENTQ_ABT},
	[IRQ_OF_PRIQ] = {R_PRIQ_CFG0, IRQ_PRIQ, WIRE_PRIQ, GERROR_MSI_PRIQ_ABT},
};

void smmu_irq(struct hw_smmuv3 *h, enum smmu_irq which)
{
	const struct source *s = &sources[which];
	struct hw_env *e = h->base.env;

	if (!(h->reg[R_IRQ_CTRLACK] & s->enable))
		return;
	if (h->cap.msi && h->reg[s->cfg0]) {
		if (!smmu_msi_write(h, h->reg[s->cfg0], (u32)h->reg[s->cfg0 + 1]))
			smmu_gerror(h, s->abort);
	} else if (e->wire) {
		e->wire(e, s->wire, true);
		e->wire(e, s->wire, false);
	}
}

/* An error of which no interrupt is sent: its own message was aborted (7.5.1). */
void smmu_gerror(struct hw_smmuv3 *h, u32 bits)
{
	u32 active = (u32)(h->reg[R_GERROR] ^ h->reg[R_GERRORN]);

	bits &= ~active;
	h->reg[R_GERROR] ^= bits;
	if (bits & ~GERROR_MSI_GERROR_ABT)
		smmu_irq(h, IRQ_OF_GERROR);
}
