// SPDX-License-Identifier: GPL-2.0-only
/*
 * The function's side of ATS and PRI: its translation cache (ATC), what it
 * answers to invalidations and when, page requests and their responses.
 */
#include "hw/bus/bus_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <string.h>

#define ASKS_MAX 4     /* page requests for one access */
#define BUS_DMA_PAGES 8 /* of one access, asked for together */
#define WORK_MAX 10000u /* steps of the IOMMU where nobody can wait */
/* PCIe gives devices a minute; an IOMMU has its own patience. */
#define LATE_NS 500000000ULL

static const struct machine_device *device_of(const struct bus_fn *n)
{
	return &n->f->machine->device[n->index];
}

bool bus_ats_on(const struct bus_fn *n)
{
	return n->pci && device_of(n)->ats && bus_config_get(n, CFG_ATS + 6, 2) >> 15;
}

static bool pri_on(const struct bus_fn *n)
{
	return n->pci && device_of(n)->pri && bus_config_get(n, CFG_PRI + 4, 2) & 1;
}

/* --- the ATC --- */

static struct bus_atc_entry *atc_find(struct bus_fn *n, const struct bus_req *r)
{
	for (u32 i = 0; i < BUS_ATC_ENTRIES; i++) {
		struct bus_atc_entry *e = &n->atc[i];

		if (e->valid && e->addr >> e->lg2 == r->addr >> e->lg2 && e->pasid == r->pasid)
			return e;
	}
	return NULL;
}

static bool permits(u8 has, u16 wants)
{
	u16 need = wants & (HW_READ | HW_WRITE | HW_EXEC);

	return (has & need) == need;
}

enum hw_status bus_ats(struct fabric *f, u32 fn, const struct bus_req *r, struct hw_resp *resp)
{
	struct bus_fn *n = &f->fn[fn];
	struct hw_req q = {.addr = r->addr & ~4095ULL, .sid = n->sid, .pasid = r->pasid,
			   .access = r->access, .kind = HW_TRANSLATION_REQUEST};
	struct bus_atc_entry *e;
	enum hw_status status;

	memset(resp, 0, sizeof(*resp));
	if (!n->iommu || !bus_ats_on(n))
		return HW_ABORT;
	if (!(r->access & HW_WRITE))
		q.access |= HW_NO_WRITE;
	status = bus_translate(n, &q, resp);
	if (status != HW_OK || !(resp->access & (HW_READ | HW_WRITE)))
		return status;
	e = atc_find(n, r);
	if (!e) {
		e = &n->atc[n->atc_next];
		n->atc_next = (n->atc_next + 1) % BUS_ATC_ENTRIES;
	}
	resp->lg2 = max(resp->lg2, (u8)12);
	*e = (struct bus_atc_entry){.addr = r->addr >> resp->lg2 << resp->lg2,
				    .pa = resp->pa >> resp->lg2 << resp->lg2,
				    .pasid = r->pasid, .lg2 = resp->lg2,
				    .access = resp->access, .global = resp->global, .valid = true};
	return HW_OK;
}

/* Meanwhile the access uses no translation: nobody has to wait for it to end. */
static enum hw_status ask(struct bus_fn *n, const struct bus_req *r, u32 pages, u8 *code)
{
	enum hw_status status;

	n->in_flight--;
	if (!n->in_flight && n->n_inbox)
		io_kick(n->f->world, n->atc_worker);
	status = bus_page_group(n->f, n->index, r, pages, code);
	n->in_flight++;
	return status;
}

/* Whether the function has a translation that permits the access, or gets one. */
static bool is_there(struct bus_fn *n, const struct bus_req *r, enum hw_status *status)
{
	const struct bus_atc_entry *e = atc_find(n, r);
	struct hw_resp resp;

	if (e && permits(e->access, r->access))
		return true;
	*status = bus_ats(n->f, n->index, r, &resp);
	e = *status == HW_OK ? atc_find(n, r) : NULL;
	return e && permits(e->access, r->access);
}

/*
 * Whatever the response: page by page it is found out what the access may do, and a page
 * of a group that failed as a whole is asked for by itself.
 */
void bus_atc_prepare(struct bus_fn *n, const struct bus_req *r, u64 len)
{
	struct bus_req page = *r, want[BUS_DMA_PAGES];
	u64 end = r->addr + len;
	enum hw_status status = HW_OK;
	u32 n_want = 0;
	u8 code;

	if (r->no_ats || !n->iommu || !bus_ats_on(n) || !pri_on(n) || end < r->addr)
		return;
	n->in_flight++;
	for (page.addr = r->addr & ~4095ULL; page.addr < end && n_want < BUS_DMA_PAGES;
	     page.addr += 4096) {
		bool there = is_there(n, &page, &status);

		if (status != HW_OK)
			break;
		if (!there)
			want[n_want++] = page;
	}
	if (n_want > 1)
		ask(n, want, n_want, &code);
	n->in_flight--;
	if (!n->in_flight && n->n_inbox)
		io_kick(n->f->world, n->atc_worker);
}

enum hw_status bus_atc_translate(struct bus_fn *n, const struct bus_req *r, struct hw_resp *resp)
{
	for (u32 asked = 0; asked < ASKS_MAX; asked++) {
		struct bus_atc_entry *e = atc_find(n, r);
		enum hw_status status;
		u8 code;

		if (!e || !permits(e->access, r->access)) {
			status = bus_ats(n->f, n->index, r, resp);
			if (status != HW_OK)
				return status;
			e = atc_find(n, r);
		}
		if (e && permits(e->access, r->access)) {
			resp->pa = e->pa | (r->addr & ((1ULL << e->lg2) - 1));
			return HW_OK;
		}
		status = ask(n, r, 1, &code);
		if (status != HW_OK || code != HW_PRG_SUCCESS)
			return status == HW_STALLED ? status : HW_ABORT;
	}
	return HW_ABORT;
}

u32 bus_atc_count(const struct fabric *f, u32 fn)
{
	u32 count = 0;

	for (u32 i = 0; i < BUS_ATC_ENTRIES; i++)
		count += f->fn[fn].atc[i].valid;
	return count;
}

static void atc_drop(struct bus_fn *n, const struct hw_msg *m)
{
	u64 last = m->addr + (m->lg2 >= 64 ? ~0ULL : (1ULL << m->lg2) - 1);

	last = m->lg2 >= 64 ? ~0ULL : last;
	for (u32 i = 0; i < BUS_ATC_ENTRIES; i++) {
		struct bus_atc_entry *e = &n->atc[i];
		u64 end = e->addr + ((1ULL << e->lg2) - 1);

		if (e->valid && (m->global || e->pasid == m->pasid) && e->addr <= last &&
		    end >= m->addr)
			e->valid = false;
	}
}

/* One invalidation, when no request that uses an old translation is on its way. */
bool bus_atc_step(void *arg)
{
	struct bus_fn *n = arg;
	struct fabric_iommu *im = n->iommu;
	struct hw_msg m;

	if (!n->n_inbox || n->in_flight)
		return false;
	/* Late: others come first, as often as choice has it. */
	if (device_of(n)->atc == MACHINE_ATC_LATE && bus_choose(n->f, 4))
		return true;
	m = n->inbox[0];
	memmove(&n->inbox[0], &n->inbox[1], (n->n_inbox - 1) * sizeof(m));
	n->n_inbox--;
	atc_drop(n, &m);
	im->ops->atc_done(im->h, m.itag);
	io_kick(n->f->world, im->worker);
	return true;
}

static void receive_invalidation(struct bus_fn *n, const struct hw_msg *m)
{
	struct fabric_iommu *im = n->iommu;

	if (current_task)
		fact(HW_ATC_INV, n->index, m->addr, m->lg2, m->itag);
	if (!device_of(n)->ats || device_of(n)->atc == MACHINE_ATC_NEVER ||
	    n->n_inbox == BUS_INBOX_MAX) {
		if (!clock_timer_pending(&im->late))
			clock_timer_arm(n->f->world->clock, &im->late, LATE_NS);
		return;
	}
	n->inbox[n->n_inbox++] = *m;
	io_kick(n->f->world, n->atc_worker);
}

static void receive_response(struct bus_fn *n, const struct hw_msg *m)
{
	bool found = false;

	if (m->code == HW_PRG_FAILURE)
		bus_pri_status(n, PRI_FAILED);
	for (u32 i = 0; i < BUS_GROUPS_MAX; i++) {
		struct bus_group *g = &n->group[i];

		if (g->state != WAIT_OPEN || g->group != m->group)
			continue;
		found = true;
		g->state = WAIT_ANSWERED;
		g->code = m->code;
		if (g->task)
			sched_wake(g->task);
	}
	if (found)
		return;
	bus_pri_status(n, PRI_UNEXPECTED);
	if (current_task)
		fact(HW_PROTOCOL, n->iommu->index,
		     (u64)(uintptr_t)"a response to no group of page requests", m->group);
}

void bus_receive(struct fabric_iommu *im, const struct hw_msg *m)
{
	struct fabric *f = im->f;
	bool found = false;

	for (u32 i = 0; i < f->machine->n_devices; i++) {
		struct bus_fn *n = &f->fn[i];

		if (n->iommu != im || n->sid != m->sid)
			continue;
		found = true;
		if (m->kind == HW_MSG_ATC_INV)
			receive_invalidation(n, m);
		else
			receive_response(n, m);
		break;
	}
	/* To nobody: no answer ever comes. */
	if (!found && m->kind == HW_MSG_ATC_INV && !clock_timer_pending(&im->late))
		clock_timer_arm(f->world->clock, &im->late, LATE_NS);
}

/* --- page requests --- */

/* The message alone; group below 512. */
static void page_request_send(struct fabric *f, u32 fn, const struct bus_req *r, u16 group,
			      bool last)
{
	struct bus_fn *n = &f->fn[fn];
	struct hw_page_request p = {.addr = r->addr & ~4095ULL, .sid = n->sid, .pasid = r->pasid,
				    .group = group & 511, .access = (u8)(r->access & 15),
				    .last = last};

	if (!n->iommu)
		return;
	if (current_task)
		fact(HW_PAGE_REQUEST, n->index, p.addr, p.group, last);
	n->iommu->ops->page_request(n->iommu->h, &p);
	io_kick(f->world, n->iommu->worker);
}

static void group_wait(struct bus_fn *n, struct bus_group *g)
{
	if (bus_can_wait(n->f)) {
		g->task = current_task;
		while (g->state == WAIT_OPEN)
			sched_block("a page request's response", NULL, -1, 0);
		return;
	}
	for (u32 i = 0; i < WORK_MAX && g->state == WAIT_OPEN; i++) {
		if (!n->iommu->ops->work(n->iommu->h))
			return;
	}
}

static u32 pages_open(const struct bus_fn *n)
{
	u32 pages = 0;

	for (u32 i = 0; i < BUS_GROUPS_MAX; i++)
		pages += n->group[i].state == WAIT_OPEN ? n->group[i].pages : 0;
	return pages;
}

static bool group_open(const struct bus_fn *n, u16 group)
{
	for (u32 i = 0; i < BUS_GROUPS_MAX; i++) {
		if (n->group[i].state == WAIT_OPEN && n->group[i].group == group)
			return true;
	}
	return false;
}

/* With room for so many pages; NULL: there is none, and nobody can wait for it. */
static struct bus_group *group_take(struct bus_fn *n, u32 pages)
{
	u32 most = min(bus_config_get(n, CFG_PRI + 12, 4), (u32)BUS_PAGES_MAX);
	struct bus_group *g = NULL;

	while (pages <= most) {
		for (u32 i = 0; i < BUS_GROUPS_MAX && pages_open(n) + pages <= most; i++) {
			if (n->group[i].state == WAIT_FREE)
				g = &n->group[i];
		}
		if (g || !bus_can_wait(n->f))
			break;
		sched_yield_now();
	}
	if (!g)
		return NULL;
	while (group_open(n, n->next_group))
		n->next_group = (n->next_group + 1) & 511;
	*g = (struct bus_group){.group = n->next_group, .pages = (u16)pages, .state = WAIT_OPEN};
	n->next_group = (n->next_group + 1) & 511;
	return g;
}

enum hw_status bus_page_group(struct fabric *f, u32 fn, const struct bus_req *r, u32 n_pages,
			      u8 *code)
{
	struct bus_fn *n = &f->fn[fn];
	struct bus_group *g;

	if (!n->iommu || !pri_on(n) || !n_pages)
		return HW_ABORT;
	g = group_take(n, n_pages);
	if (!g)
		return HW_ABORT;
	for (u32 i = 0; i < n_pages; i++) {
		/* Messages of other functions may come between. */
		if (i && current_task)
			sched_point(n, 1, OP_SYNC);
		page_request_send(f, fn, &r[i], g->group, i + 1 == n_pages);
	}
	group_wait(n, g);
	if (g->state != WAIT_ANSWERED)
		return HW_STALLED;
	*code = g->code;
	g->state = WAIT_FREE;
	return HW_OK;
}
