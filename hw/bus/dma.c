// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: routing, translation, stalls, the access itself; posted writes.
 */
#include "hw/bus/bus_priv.h"

#include "hw/iommu/cache.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/mem/frames.h"
#include "sim/oracle/oracle.h"

#include <assert.h>
#include <string.h>

#define AGAIN_MAX 10000u /* HW_AGAIN so often: the model never gets there */
#define PAGE 4096u

/* --- stalls --- */

static struct bus_stall *stall_find(struct fabric *f, u32 iommu, u16 tag)
{
	for (u32 i = 0; i < BUS_STALLS_MAX; i++) {
		struct bus_stall *s = &f->stall[i];

		if (s->state == WAIT_OPEN && s->iommu == iommu && s->tag == tag)
			return s;
	}
	return NULL;
}

void bus_resume(struct fabric_iommu *im, u16 tag, bool retry)
{
	struct bus_stall *s = stall_find(im->f, im->index, tag);

	if (!s)
		return;
	s->state = retry ? WAIT_RETRY : WAIT_ABORT;
	sched_wake(s->task);
}

/* HW_OK: try again. HW_STALLED: nobody can wait here. */
static enum hw_status stall_wait(struct bus_fn *n, u64 addr, u16 tag)
{
	struct fabric *f = n->f;
	struct bus_stall *s = NULL;
	bool retry;

	if (!bus_can_wait(f))
		return HW_STALLED;
	for (u32 i = 0; i < BUS_STALLS_MAX && !s; i++) {
		if (f->stall[i].state == WAIT_FREE)
			s = &f->stall[i];
	}
	if (!s)
		return HW_ABORT;
	*s = (struct bus_stall){.iommu = n->iommu->index, .tag = tag, .state = WAIT_OPEN,
				.task = current_task};
	fact(HW_STALL, n->index, addr, tag);
	while (s->state == WAIT_OPEN)
		sched_block("a stalled DMA to be resumed", NULL, -1, 0);
	retry = s->state == WAIT_RETRY;
	s->state = WAIT_FREE;
	return retry ? HW_OK : HW_ABORT;
}

enum hw_status bus_translate(struct bus_fn *n, struct hw_req *q, struct hw_resp *resp)
{
	struct fabric_iommu *im = n->iommu;

	for (u32 again = 0; again < AGAIN_MAX; again++) {
		enum hw_status status;

		memset(resp, 0, sizeof(*resp));
		im->ops->translate(im->h, q, resp);
		status = resp->status;
		if (!q->no_fault_report)
			io_kick(n->f->world, im->worker);
		if (status == HW_STALLED)
			status = stall_wait(n, q->addr, resp->tag);
		else if (status != HW_AGAIN)
			return status;
		if (status != HW_OK && status != HW_AGAIN)
			return status;
		bus_breathe(n->f, im);
	}
	return HW_ABORT;
}

/* --- routing --- */

/* Whether a request between the two is turned round below the root, unseen by any IOMMU. */
static bool are_peers(const struct fabric *f, u32 a, u32 b)
{
	const struct machine *m = f->machine;
	u32 bus = m->device[a].bus;

	return a != b && bus == m->device[b].bus && m->bus[bus].kind == MACHINE_BUS_PCI &&
	       !m->bus[bus].acs;
}

/* The function whose BAR covers addr and whom fn reaches directly; MACHINE_NONE: nobody. */
static u32 peer_at(const struct bus_fn *n, u64 addr)
{
	const struct fabric *f = n->f;

	if (!n->pci)
		return MACHINE_NONE;
	for (u32 i = 0; i < f->machine->n_devices; i++) {
		for (u32 b = 0; b < BUS_BARS; b++) {
			const struct bus_bar *bar = &f->fn[i].bar[b];

			if (bar->size && addr - bar->pa < bar->size && are_peers(f, n->index, i))
				return i;
		}
	}
	return MACHINE_NONE;
}

static enum hw_status abort_at(const struct bus_fn *n, const struct bus_req *r, u64 addr)
{
	if (current_task)
		fact(HW_ABORT, n->index, addr, r->access);
	return HW_ABORT;
}

/* What happens at physical addresses, within a page. */
static enum hw_status access_pa(struct bus_fn *n, const struct bus_req *r, u64 pa, void *data,
				u32 len)
{
	struct world *w = n->f->world;
	bool ok = r->access & HW_WRITE ? io_phys_write(w, pa, data, len) :
					 io_phys_read(w, pa, data, len);

	if (r->access & HW_WRITE)
		bus_lines_wrote(n->f, pa, len);
	return ok ? HW_OK : abort_at(n, r, r->addr);
}

static void tell_twin(struct bus_fn *n, const struct hw_resp *resp, const struct hw_resp *now)
{
	struct fabric_iommu *im = n->iommu;
	struct oracle_truth t = {.ok = now->status == HW_OK, .pa = now->pa};
	struct hw_cache_word word[HW_PROV_MAX];

	static_assert(ORACLE_TRUTH_WORDS == HW_PROV_MAX, "each word has its place");

	/* What the function's own cache keeps comes from nowhere that we know. */
	if (resp->entry && im->ops->made_of)
		t.n = im->ops->made_of(im->h, resp->entry, word);
	for (u32 i = 0; i < t.n; i++) {
		t.word[i].pa = word[i].pa;
		t.word[i].value = word[i].value;
	}
	oracle_truth_set(n->f->world->oracles, &t);
}

/*
 * The twin: whether a walk of the tables as they are now, without any cache, comes to the
 * same; if not, whether the IOMMU or the function still has an invalidation to do.
 */
static u64 twin(struct bus_fn *n, const struct bus_req *r, const struct hw_resp *resp)
{
	const struct hw_req q = {.addr = r->addr, .sid = n->sid, .pasid = r->pasid,
				 .access = r->access, .kind = HW_UNTRANSLATED,
				 .no_fault_report = 1};
	struct fabric_iommu *im = n->iommu;
	struct hw_resp now = {0};

	if (!im || !im->ops->walk)
		return 0;
	im->asks_twin = true;
	im->ops->walk(im->h, &q, &now);
	im->asks_twin = false;
	if (now.status == HW_OK && now.pa == resp->pa)
		return 0;
	tell_twin(n, resp, &now);
	return ORACLE_DMA_TWIN |
	       (n->n_inbox || (im->ops->pending && im->ops->pending(im->h)) ? ORACLE_DMA_PENDING :
									       0);
}

static enum hw_status access_translated(struct bus_fn *n, const struct bus_req *r,
					const struct hw_resp *resp, void *data, u32 len)
{
	enum hw_status status;

	/* Before the access: nothing may come between the translation and who judges it. */
	if (current_task)
		fact(HW_DMA, n->index, r->addr, resp->pa,
		     ORACLE_DMA_OK | (r->access & HW_WRITE ? ORACLE_DMA_WRITE : 0) |
			     (r->pasid != HW_NO_PASID ? ORACLE_DMA_PASID : 0) | twin(n, r, resp));
	status = access_pa(n, r, resp->pa, data, len);
	if (status != HW_OK && current_task)
		fact(HW_DMA, n->index, r->addr, resp->pa, 0);
	return status;
}

/* Where the page lies, by whatever way the function has. */
static enum hw_status locate(struct bus_fn *n, const struct bus_req *r, u32 len,
			     struct hw_resp *resp)
{
	struct hw_req q = {.addr = r->addr, .sid = n->sid, .pasid = r->pasid,
			   .access = r->access, .kind = HW_UNTRANSLATED};
	enum hw_status status;

	(void)len;
	if (n->untranslatable)
		return HW_ABORT;
	if (!n->iommu) {
		resp->pa = r->addr;
		return r->pasid == HW_NO_PASID ? HW_OK : HW_ABORT;
	}
	if (!r->no_ats && bus_ats_on(n)) {
		status = bus_atc_translate(n, r, resp);
		if (status != HW_OK)
			return status;
		q.kind = HW_TRANSLATED;
		q.addr = resp->pa;
		/* A translated request has no PASID unless both sides say so. */
		q.pasid = HW_NO_PASID;
	}
	return bus_translate(n, &q, resp);
}

/* One piece within a page. */
static enum hw_status do_piece(struct bus_fn *n, const struct bus_req *r, void *data, u32 len)
{
	struct hw_resp resp = {0};
	enum hw_status status;
	u32 peer = peer_at(n, r->addr);

	if (peer != MACHINE_NONE && r->pasid == HW_NO_PASID) {
		if (current_task)
			fact(HW_P2P, n->index, r->addr, peer, r->access);
		return access_pa(n, r, r->addr, data, len);
	}
	n->in_flight++;
	status = locate(n, r, len, &resp);
	if (status == HW_OK)
		status = access_translated(n, r, &resp, data, len);
	else if (status == HW_ABORT)
		status = abort_at(n, r, r->addr);
	n->in_flight--;
	if (!n->in_flight && n->n_inbox)
		io_kick(n->f->world, n->atc_worker);
	return status == HW_INTERRUPT ? HW_OK : status;
}

static enum hw_status do_request(struct bus_fn *n, const struct bus_req *r, void *data, u64 len)
{
	struct bus_req part = *r;
	enum hw_status worst = HW_OK;
	u8 *at = data;

	if (!bus_master_on(n)) {
		if (r->access & HW_READ)
			memset(data, 0xff, len);
		return abort_at(n, r, r->addr);
	}
	if ((r->addr & (PAGE - 1)) + len > PAGE)
		bus_atc_prepare(n, r, len);
	while (len) {
		u32 n_bytes = (u32)min(len, (u64)(PAGE - (part.addr & (PAGE - 1))));
		enum hw_status status = do_piece(n, &part, at, n_bytes);

		if (status != HW_OK) {
			if (r->access & HW_READ)
				memset(at, 0xff, n_bytes);
			worst = status;
		}
		part.addr += n_bytes;
		at += n_bytes;
		len -= n_bytes;
	}
	return worst;
}

enum hw_status bus_dma(struct fabric *f, u32 fn, const struct bus_req *r, void *data, u64 len)
{
	struct bus_fn *n = &f->fn[fn];

	sim_assert(fn < f->machine->n_devices && !(r->access & HW_READ) != !(r->access & HW_WRITE));
	/* A read's completion pushes the writes before it; a write does not overtake them. */
	if (!r->relaxed)
		bus_flush(f, fn);
	if (current_task)
		sched_point(n, 1, OP_SYNC);
	return do_request(n, r, data, len);
}

/* --- posted writes --- */

/* Which goes next: the first, or a relaxed one whom nothing but choice holds back. */
static u32 next_posted(struct bus_fn *n)
{
	u32 candidate[BUS_POSTED_MAX], n_candidates = 0;

	candidate[n_candidates++] = 0;
	for (u32 i = 1; i < n->n_posted; i++) {
		if (n->posted[i].relaxed)
			candidate[n_candidates++] = i;
	}
	return candidate[n_candidates > 1 ? bus_choose(n->f, n_candidates) : 0];
}

static void deliver_one(struct bus_fn *n)
{
	u32 i = next_posted(n);
	struct bus_posted p = n->posted[i];
	struct bus_req r = {.addr = p.addr, .pasid = p.pasid, .access = p.access,
			    .no_ats = p.no_ats};

	memmove(&n->posted[i], &n->posted[i + 1], (n->n_posted - i - 1) * sizeof(p));
	n->n_posted--;
	n->delivering = true;
	if (do_request(n, &r, p.data, p.len) != HW_OK)
		n->post_errors++;
	n->delivering = false;
}

void bus_flush(struct fabric *f, u32 fn)
{
	struct bus_fn *n = &f->fn[fn];

	while (n->n_posted || n->delivering) {
		if (!n->delivering)
			deliver_one(n);
		else if (bus_can_wait(f))
			sched_yield_now();
		else
			return;
	}
}

void bus_post(struct fabric *f, u32 fn, const struct bus_req *r, const void *data, u64 len)
{
	struct bus_fn *n = &f->fn[fn];
	const u8 *from = data;
	u64 addr = r->addr;

	sim_assert(fn < f->machine->n_devices && r->access & HW_WRITE);
	while (len) {
		u32 size = (u32)min(len, (u64)(BUS_PAYLOAD - (addr & (BUS_PAYLOAD - 1))));
		struct bus_posted *p;

		while (n->n_posted == BUS_POSTED_MAX) {
			if (n->delivering && !bus_can_wait(f))
				return;
			if (n->delivering)
				sched_yield_now();
			else
				deliver_one(n);
		}
		p = &n->posted[n->n_posted++];
		*p = (struct bus_posted){.addr = addr, .pasid = r->pasid, .access = r->access,
					 .len = (u8)size, .relaxed = r->relaxed,
					 .no_ats = r->no_ats};
		memcpy(p->data, from, size);
		from += size;
		addr += size;
		len -= size;
	}
	if (bus_can_wait(f))
		io_kick(f->world, n->link);
	else
		bus_flush(f, fn);
}

bool bus_link_step(void *arg)
{
	struct bus_fn *n = arg;

	if (!n->n_posted || n->delivering)
		return false;
	deliver_one(n);
	return true;
}

u32 bus_post_errors(const struct fabric *f, u32 fn)
{
	return f->fn[fn].post_errors;
}

/* --- interrupts --- */

void bus_msi_set(struct fabric *f, u32 fn, u64 addr, u32 data)
{
	f->fn[fn].msi_addr = addr;
	f->fn[fn].msi_data = data;
	f->fn[fn].msi_on = true;
}

void bus_interrupt(struct fabric *f, u32 fn)
{
	struct bus_fn *n = &f->fn[fn];
	struct bus_req r = {.addr = n->msi_addr, .pasid = HW_NO_PASID, .access = HW_WRITE,
			    .no_ats = true};
	u32 data = n->msi_data;

	if (!n->msi_on && n->pci && bus_config_get(n, CFG_MSI + 2, 2) & 1) {
		r.addr = bus_config_get(n, CFG_MSI + 4, 4) |
			 (u64)bus_config_get(n, CFG_MSI + 8, 4) << 32;
		data = bus_config_get(n, CFG_MSI + 12, 2);
	} else if (!n->msi_on) {
		bus_intx_send(n);
		return;
	}
	bus_post(f, fn, &r, &data, sizeof(data));
}
