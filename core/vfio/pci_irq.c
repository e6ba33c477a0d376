// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a function, as eventfds: INTx, MSI or MSI-X, one kind at a time; errors
 * and the wish that the user leaves. INTx's handler stays while INTx is enabled, with
 * or without an eventfd.
 */
#include "core/vfio/pci.h"

#include "hw/bus/bus.h"
#include "hw/function/function.h"

#define MSI_ADDRESS 0xfee0e000u
#define MSI_ENABLE 1u
#define MSIX_ENABLE 0x8000u

static bool is_none(const struct vfio_pci *p)
{
	return p->irq_type == VFIO_PCI_NUM_IRQS;
}

static bool is_intx(const struct vfio_pci *p)
{
	return p->irq_type == VFIO_PCI_INTX_IRQ_INDEX;
}

/* --- lines --- */

/* custom: of the world's lines, from the top. -ENOSPC. */
int vfio_pci_line_get(void)
{
	struct vfio_state *v = vfio_here();
	int line = -ENOSPC;

	mutex_lock(&v->lines_lock);
	for (int i = IRQ_LINES_MAX; i-- && line < 0;) {
		if (!(v->irq_lines >> i & 1))
			line = i;
	}
	if (line >= 0)
		v->irq_lines |= BIT(line);
	mutex_unlock(&v->lines_lock);
	return line;
}

void vfio_pci_line_put(u32 line)
{
	struct vfio_state *v = vfio_here();

	mutex_lock(&v->lines_lock);
	v->irq_lines &= ~BIT(line);
	mutex_unlock(&v->lines_lock);
}

/* Whoever has the function raises the line for INTx; IO_NONE: nobody. */
static void wire_intx(struct vfio_pci *p, u32 line)
{
	if (bus_of(this_world()))
		bus_intx_wire(bus_of(this_world()), p->vdev.dev->index, line);
	else
		function_wire(this_world(), p->vdev.dev->index, line);
}

static struct vfio_pci_irq_ctx *ctx_get(struct vfio_pci *p, u32 index)
{
	return xa_load(&p->ctx, index);
}

static struct vfio_pci_irq_ctx *ctx_alloc(struct vfio_pci *p, u32 index)
{
	struct vfio_pci_irq_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);

	if (!ctx)
		return NULL;
	ctx->p = p;
	if (!xa_insert(&p->ctx, index, ctx, GFP_KERNEL_ACCOUNT))
		return ctx;
	kfree(ctx);
	return NULL;
}

static void ctx_free(struct vfio_pci *p, struct vfio_pci_irq_ctx *ctx, u32 index)
{
	xa_erase(&p->ctx, index);
	kfree(ctx);
}

/* --- INTx --- */

static void send_intx(void *arg)
{
	struct vfio_pci_irq_ctx *ctx = arg;
	struct eventfd *trigger;

	if (!is_intx(ctx->p) || ctx->p->virq_disabled)
		return;
	trigger = READ_ONCE(ctx->trigger);
	/* What eventfd_signal() does first, here where the oracles see it. */
	if (!trigger && bug_on(BUG_VFIO_INTX_NULL_TRIGGER))
		READ_ONCE(*(const u64 *)trigger);
	if (trigger)
		eventfd_signal(trigger);
}

/* True: it is enabled, and was not masked before. */
static bool intx_mask_now(struct vfio_pci *p)
{
	struct vfio_pci_irq_ctx *ctx;
	unsigned long flags;
	bool masked;

	spin_lock_irqsave(&p->irqlock, flags);
	ctx = is_intx(p) ? ctx_get(p, 0) : NULL;
	masked = ctx && !ctx->masked;
	if (!ctx || masked)
		pci_intx(p, false);
	if (ctx)
		ctx->masked = true;
	spin_unlock_irqrestore(&p->irqlock, flags);
	return masked;
}

void vfio_pci_intx_mask(struct vfio_pci *p)
{
	if (bug_on(BUG_VFIO_INTX_DISINTX_RACE)) {
		/* What INTx has may be freed meanwhile. */
		intx_mask_now(p);
		return;
	}
	mutex_lock(&p->igate);
	intx_mask_now(p);
	mutex_unlock(&p->igate);
}

/* Before it loses its power. True: it was enabled and not masked. */
bool vfio_pci_intx_sleep(struct vfio_pci *p)
{
	bool masked;

	mutex_lock(&p->igate);
	masked = is_intx(p) && intx_mask_now(p);
	mutex_unlock(&p->igate);
	return masked;
}

/* True: it is still pending, and masked: who asked sends it again. */
static bool intx_unmask(void *arg)
{
	struct vfio_pci_irq_ctx *ctx = arg;
	struct vfio_pci *p = ctx->p;
	unsigned long flags;
	bool pending = false;

	spin_lock_irqsave(&p->irqlock, flags);
	if (is_intx(p) && ctx->masked && !p->virq_disabled) {
		pending = !pci_check_and_unmask_intx(p);
		ctx->masked = pending;
	}
	spin_unlock_irqrestore(&p->irqlock, flags);
	return pending;
}

static void intx_unmask_now(struct vfio_pci *p)
{
	struct vfio_pci_irq_ctx *ctx = ctx_get(p, 0);

	if (!is_intx(p))
		pci_intx(p, true);
	else if (ctx && intx_unmask(ctx))
		send_intx(ctx);
}

void vfio_pci_intx_unmask(struct vfio_pci *p)
{
	mutex_lock(&p->igate);
	intx_unmask_now(p);
	mutex_unlock(&p->igate);
}

static irqreturn_t intx_handler(int irq, void *arg)
{
	struct vfio_pci_irq_ctx *ctx = arg;
	struct vfio_pci *p = ctx->p;
	unsigned long flags;
	bool mine;

	(void)irq;
	spin_lock_irqsave(&p->irqlock, flags);
	mine = !ctx->masked && pci_check_and_mask_intx(p);
	if (mine)
		ctx->masked = true;
	spin_unlock_irqrestore(&p->irqlock, flags);
	if (mine)
		send_intx(ctx);
	return mine ? IRQ_HANDLED : IRQ_NONE;
}

/* trigger's reference moves, if all goes well. */
static int intx_enable(struct vfio_pci *p, struct eventfd *trigger)
{
	struct vfio_pci_irq_ctx *ctx;
	int line, ret;

	if (!is_none(p))
		return -EINVAL;
	line = vfio_pci_line_get();
	if (line < 0)
		return line;
	ctx = ctx_alloc(p, 0);
	ret = -ENOMEM;
	if (!ctx)
		goto err_line;
	ctx->line = (u32)line;
	ctx->trigger = trigger;
	/* Masked by the user's own bit: nothing comes before that is cleared. */
	ctx->masked = p->virq_disabled;
	pci_intx(p, !ctx->masked);
	p->irq_type = VFIO_PCI_INTX_IRQ_INDEX;
	ret = request_irq(ctx->line, intx_handler, IRQF_SHARED, "vfio-intx", ctx);
	if (ret)
		goto err_ctx;
	wire_intx(p, ctx->line);
	return 0;

err_ctx:
	p->irq_type = VFIO_PCI_NUM_IRQS;
	ctx_free(p, ctx, 0);
err_line:
	vfio_pci_line_put((u32)line);
	return ret;
}

/* The old eventfd goes when nobody is about to signal it any more. */
static int intx_set_signal(struct vfio_pci *p, struct eventfd *trigger)
{
	struct vfio_pci_irq_ctx *ctx = ctx_get(p, 0);
	struct eventfd *old = ctx->trigger;

	WRITE_ONCE(ctx->trigger, trigger);
	if (!old)
		return 0;
	synchronize_irq(ctx->line);
	vfio_virqfd_flush(&ctx->unmask);
	eventfd_ctx_put(old);
	return 0;
}

static void intx_disable(struct vfio_pci *p)
{
	struct vfio_pci_irq_ctx *ctx = ctx_get(p, 0);

	vfio_virqfd_disable(&ctx->unmask);
	free_irq(ctx->line, ctx);
	wire_intx(p, IO_NONE);
	vfio_pci_line_put(ctx->line);
	if (ctx->trigger)
		eventfd_ctx_put(ctx->trigger);
	ctx_free(p, ctx, 0);
	p->irq_type = VFIO_PCI_NUM_IRQS;
}

/* --- messages --- */

static u32 message_data(const struct vfio_pci *p, u32 n)
{
	return p->vdev.dev->index * VFIO_PCI_MSI_VECTORS + n;
}

static void write_vector(const struct vfio_pci *p, u32 n)
{
	u64 pa = p->bar_pa[p->msix_bar] + p->msix_offset + 16 * n;

	io_write(this_world(), pa, 4, (u32)p->msi_address);
	io_write(this_world(), pa + 4, 4, p->msi_address >> 32);
	io_write(this_world(), pa + 8, 4, message_data(p, n));
	io_write(this_world(), pa + 12, 4, 0);
}

/* Messages of MSI that nobody handles are masked, if the function can. */
static void write_mask(struct vfio_pci *p)
{
	u32 at = p->msi_cap;

	if ((pci_read(p, at + 2, 2) & 0x180) == 0x180)
		pci_write(p, at + 16, 4, p->msi_mask);
}

static void mask_message(struct vfio_pci *p, u32 n, bool on)
{
	if (p->irq_type != VFIO_PCI_MSI_IRQ_INDEX)
		return;
	p->msi_mask = on ? p->msi_mask | 1u << n : p->msi_mask & ~(1u << n);
	write_mask(p);
}

/* What messages the function sends; memory decoding is on. */
static void program(struct vfio_pci *p, bool msix)
{
	u32 at = p->msi_cap, lg2 = 0;

	if (msix) {
		for (u32 i = 0; i < p->n_vectors; i++)
			write_vector(p, i);
		pci_write(p, p->msix_cap + 2u, 2, MSIX_ENABLE);
		return;
	}
	while (1u << lg2 < p->n_vectors)
		lg2++;
	pci_write(p, at + 4, 4, (u32)p->msi_address);
	pci_write(p, at + 8, 4, (u32)(p->msi_address >> 32));
	pci_write(p, at + (pci_read(p, at + 2, 2) & 0x80 ? 12 : 8), 2, message_data(p, 0));
	write_mask(p);
	pci_write(p, at + 2, 2, lg2 << 4 | MSI_ENABLE);
}

static void vectors_put(struct vfio_pci *p)
{
	while (p->n_vectors) {
		u32 n = --p->n_vectors;

		io_vector_unbind(this_world(), p->doorbell, message_data(p, n));
		vfio_pci_line_put(p->vector_line[n]);
	}
}

static int vectors_get(struct vfio_pci *p, u32 n)
{
	while (p->n_vectors < n) {
		int line = vfio_pci_line_get();

		if (line < 0) {
			vectors_put(p);
			return line;
		}
		p->vector_line[p->n_vectors] = (u32)line;
		io_vector_bind(this_world(), p->doorbell, message_data(p, p->n_vectors),
			       (u32)line);
		p->n_vectors++;
	}
	return 0;
}

/* What an interrupt controller's driver does before it composes a message. */
static int find_doorbell(struct vfio_pci *p)
{
	bool translated = iommu_sw_msi_base(p->vdev.dev);

	p->doorbell = translated ? BUS_ITS_DOORBELL : MSI_ADDRESS;
	p->msi_address = p->doorbell;
	return translated ? iommu_dma_prepare_msi(p->vdev.dev, &p->msi_address) : 0;
}

static int msi_enable(struct vfio_pci *p, u32 n, bool msix)
{
	u32 command;
	int ret;

	if (!is_none(p))
		return -EINVAL;
	/* dup: at least one vector is asked for, and at most none. */
	if (!n)
		return -ERANGE;
	ret = find_doorbell(p);
	if (!ret)
		ret = vectors_get(p, n);
	if (ret)
		return ret;
	command = vfio_pci_memory_lock_and_enable(p);
	p->msi_mask = msix ? 0 : ~0u >> (32 - vfio_pci_irq_count(p, VFIO_PCI_MSI_IRQ_INDEX));
	program(p, msix);
	vfio_pci_memory_unlock_and_restore(p, command | PCI_COMMAND_INTX_DISABLE);
	p->irq_type = msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
	if (!msix)
		p->msi_qmax = bit_highest(n * 2 - 1);
	return 0;
}

static irqreturn_t msi_handler(int irq, void *arg)
{
	(void)irq;
	eventfd_signal(arg);
	return IRQ_HANDLED;
}

static void drop_signal(struct vfio_pci *p, u32 vector)
{
	struct vfio_pci_irq_ctx *ctx = ctx_get(p, vector);

	if (!ctx)
		return;
	free_irq(ctx->line, ctx->trigger);
	mask_message(p, vector, true);
	eventfd_ctx_put(ctx->trigger);
	ctx_free(p, ctx, vector);
}

static int set_signal(struct vfio_pci *p, u32 vector, int fd)
{
	struct vfio_pci_irq_ctx *ctx;
	struct eventfd *trigger;
	int ret;

	drop_signal(p, vector);
	if (fd < 0)
		return 0;
	/* dup: vectors are not added while others are in use. */
	if (vector >= p->n_vectors)
		return -EINVAL;
	ctx = ctx_alloc(p, vector);
	if (!ctx)
		return -ENOMEM;
	trigger = eventfd_ctx_fdget(fd);
	ret = (int)PTR_ERR_OR_ZERO(trigger);
	if (ret)
		goto err_ctx;
	ctx->line = p->vector_line[vector];
	ret = request_irq(ctx->line, msi_handler, 0, "vfio-msi", trigger);
	if (ret)
		goto err_put;
	ctx->trigger = trigger;
	mask_message(p, vector, false);
	return 0;

err_put:
	eventfd_ctx_put(trigger);
err_ctx:
	ctx_free(p, ctx, vector);
	return ret;
}

/* All or none. */
static int set_block(struct vfio_pci *p, u32 start, u32 count, const s32 *fds)
{
	int ret = 0;
	u32 i;

	for (i = 0; i < count && !ret; i++)
		ret = set_signal(p, start + i, fds[i]);
	while (ret && i--)
		drop_signal(p, start + i);
	return ret;
}

static void msi_disable(struct vfio_pci *p, bool msix)
{
	struct vfio_pci_irq_ctx *ctx;
	unsigned long i;
	u32 command;

	xa_for_each(&p->ctx, i, ctx)
		drop_signal(p, (u32)i);
	command = vfio_pci_memory_lock_and_enable(p);
	if (msix) {
		pci_write(p, p->msix_cap + 2u, 2, 0);
	} else {
		pci_write(p, p->msi_cap + 2u, 2, 0);
		p->msi_mask = 0;
		write_mask(p);
	}
	vectors_put(p);
	vfio_pci_memory_unlock_and_restore(p, command & ~(u32)PCI_COMMAND_INTX_DISABLE);
	p->irq_type = VFIO_PCI_NUM_IRQS;
}

/* Memory decoding is as it was before the reset. */
void vfio_pci_irqs_restore(struct vfio_pci *p)
{
	u32 command = pci_read(p, PCI_COMMAND, 2);

	if (!p->n_vectors)
		return;
	pci_write(p, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY);
	program(p, p->irq_type == VFIO_PCI_MSIX_IRQ_INDEX);
	pci_write(p, PCI_COMMAND, 2, command);
}

/* --- SET_IRQS, by index and action; igate held --- */

static bool asked(const struct vfio_irq_set *set, const void *data, u32 i)
{
	return set->flags & VFIO_IRQ_SET_DATA_NONE ||
	       (set->flags & VFIO_IRQ_SET_DATA_BOOL && ((const u8 *)data)[i]);
}

static int set_intx_unmask(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	struct vfio_pci_irq_ctx *ctx;

	if (!is_intx(p) || set->start || set->count != 1)
		return -EINVAL;
	ctx = ctx_get(p, 0);
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (*(s32 *)data >= 0)
			return vfio_virqfd_enable(&ctx->unmask, *(s32 *)data, intx_unmask,
						  send_intx, ctx);
		vfio_virqfd_disable(&ctx->unmask);
	} else if (asked(set, data, 0)) {
		intx_unmask_now(p);
	}
	return 0;
}

static int set_intx_mask(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	if (!is_intx(p) || set->start || set->count != 1)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return -ENOTTY;
	if (asked(set, data, 0))
		intx_mask_now(p);
	return 0;
}

static int set_intx_eventfd(struct vfio_pci *p, int fd)
{
	struct eventfd *trigger = NULL;
	int ret;

	if (fd >= 0) {
		trigger = eventfd_ctx_fdget(fd);
		if (IS_ERR(trigger))
			return (int)PTR_ERR(trigger);
	}
	ret = is_intx(p) ? intx_set_signal(p, trigger) : intx_enable(p, trigger);
	if (ret && trigger)
		eventfd_ctx_put(trigger);
	return ret;
}

static int set_intx_trigger(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	if (is_intx(p) && !set->count && set->flags & VFIO_IRQ_SET_DATA_NONE) {
		intx_disable(p);
		return 0;
	}
	if ((!is_intx(p) && !is_none(p)) || set->start || set->count != 1)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return set_intx_eventfd(p, *(s32 *)data);
	if (!is_intx(p))
		return -EINVAL;
	if (asked(set, data, 0))
		send_intx(ctx_get(p, 0));
	return 0;
}

static int set_msi_trigger(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	bool msix = set->index == VFIO_PCI_MSIX_IRQ_INDEX, on = p->irq_type == set->index;
	int ret;

	if (on && !set->count && set->flags & VFIO_IRQ_SET_DATA_NONE) {
		msi_disable(p, msix);
		return 0;
	}
	if (!on && !is_none(p))
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		ret = on ? 0 : msi_enable(p, set->start + set->count, msix);
		if (ret)
			return ret;
		ret = set_block(p, set->start, set->count, data);
		if (ret && !on)
			msi_disable(p, msix);
		return ret;
	}
	if (!on)
		return -EINVAL;
	for (u32 i = 0; i < set->count; i++) {
		struct vfio_pci_irq_ctx *ctx = ctx_get(p, set->start + i);

		if (!ctx && bug_on(BUG_VFIO_PLATFORM_NULL_TRIGGER))
			READ_ONCE(*(const u64 *)(const void *)ctx);
		if (ctx && asked(set, data, i))
			eventfd_signal(ctx->trigger);
	}
	return 0;
}

static int replace(struct eventfd **slot, struct eventfd *e)
{
	if (*slot)
		eventfd_ctx_put(*slot);
	*slot = e;
	return 0;
}

static int set_single(struct eventfd **slot, const struct vfio_irq_set *set, void *data)
{
	struct eventfd *e;
	s32 fd;

	if (set->start || set->count > 1)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_NONE) {
		if (!*slot)
			return -EINVAL;
		if (!set->count)
			return replace(slot, NULL);
		eventfd_signal(*slot);
		return 0;
	}
	if (!set->count)
		return -EINVAL;
	if (set->flags & VFIO_IRQ_SET_DATA_BOOL) {
		if (*(u8 *)data && *slot)
			eventfd_signal(*slot);
		return 0;
	}
	fd = *(s32 *)data;
	if (fd < -1)
		return -EINVAL;
	if (fd < 0)
		return replace(slot, NULL);
	e = eventfd_ctx_fdget(fd);
	return IS_ERR(e) ? (int)PTR_ERR(e) : replace(slot, e);
}

static int set_err(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	if (!vfio_pci_irq_count(p, VFIO_PCI_ERR_IRQ_INDEX))
		return -ENOTTY;
	return set_single(&p->err_trigger, set, data);
}

static int set_req(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	return set_single(&p->req_trigger, set, data);
}

/* By index: to mask, to unmask, to trigger; NULL: -ENOTTY. */
static int (*const actions[VFIO_PCI_NUM_IRQS][3])(struct vfio_pci *p,
						  const struct vfio_irq_set *set, void *data) = {
	[VFIO_PCI_INTX_IRQ_INDEX] = {set_intx_mask, set_intx_unmask, set_intx_trigger},
	[VFIO_PCI_MSI_IRQ_INDEX] = {NULL, NULL, set_msi_trigger},
	[VFIO_PCI_MSIX_IRQ_INDEX] = {NULL, NULL, set_msi_trigger},
	[VFIO_PCI_ERR_IRQ_INDEX] = {NULL, NULL, set_err},
	[VFIO_PCI_REQ_IRQ_INDEX] = {NULL, NULL, set_req},
};

int vfio_pci_set_irqs(struct vfio_pci *p, const struct vfio_irq_set *set, void *data)
{
	u32 action = set->flags & VFIO_IRQ_SET_ACTION_TYPES;

	if (!bug_on(BUG_VFIO_CDX_SETIRQS_RACE))
		lockdep_assert_held(&p->igate);
	/* One action, of an index that has it. */
	if (!action || action & (action - 1) ||
	    !actions[set->index][bit_lowest(action) - bit_lowest(VFIO_IRQ_SET_ACTION_MASK)])
		return -ENOTTY;
	return actions[set->index][bit_lowest(action) - bit_lowest(VFIO_IRQ_SET_ACTION_MASK)](
		p, set, data);
}

/* The device is being closed: nobody else uses it. */
void vfio_pci_irqs_off(struct vfio_pci *p)
{
	mutex_lock(&p->igate);
	if (is_intx(p))
		intx_disable(p);
	else if (!is_none(p))
		msi_disable(p, p->irq_type == VFIO_PCI_MSIX_IRQ_INDEX);
	replace(&p->err_trigger, NULL);
	replace(&p->req_trigger, NULL);
	mutex_unlock(&p->igate);
}
