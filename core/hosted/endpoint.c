// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is behind the IOMMUs of a hosted world: endpoints that access memory.
 * One with ATS asks for translations and keeps them until it is told to drop
 * them; where it may not, one with PRI asks for the page. Whoever has neither
 * is translated at each access, and may be stalled.
 *
 * Between translation and access others run. While an access is under way its
 * IOMMU does no work, so that an invalidation is complete when no access is left that
 * was translated before it.
 */
#include "core/hosted/hardware.h"

#include "hw/iommu/cache.h"
#include "sim/access/access.h"
#include "sim/base/bits.h"
#include "sim/mem/frames.h"
#include "sim/oracle/oracle.h"
#include "sim/sched/sched.h"
#include "sim/trace/trace.h"

#include <errno.h>
#include <string.h>

#define TRIES_MAX 100000
#define ASKS_MAX 4 /* page requests for one access */
#define OWN_CACHE (~0u) /* in the place of an entry of the IOMMU: the endpoint answered itself */

void hosted_endpoint_reset(struct hosted_hardware *hw)
{
	memset(hw->stall, 0, sizeof(hw->stall));
	memset(hw->group, 0, sizeof(hw->group));
	memset(hw->atc, 0, sizeof(hw->atc));
	hw->atc_next = 0;
	for (u32 i = 0; i < hw->n; i++) {
		if (hw->unit[i])
			hw->unit[i]->in_flight = 0;
	}
}

/* --- what an endpoint is told --- */

void hosted_endpoint_drop(struct unit *u, const struct hw_msg *m)
{
	u64 last = m->lg2 >= 64 ? ~0ULL : m->addr + (1ULL << m->lg2) - 1;

	for (u32 i = 0; i < HOSTED_ATC_MAX; i++) {
		struct atc_entry *e = &u->all->atc[i];

		if (e->unit == u && e->sid == m->sid && (m->global || e->pasid == m->pasid) &&
		    e->addr <= last && e->addr + (1ULL << e->lg2) - 1 >= m->addr)
			e->unit = NULL;
	}
}

static void answered(struct unit *u, const struct hw_msg *m)
{
	struct page_group *g = &u->all->group[m->group % HOSTED_GROUPS_MAX];

	if (g->unit != u || g->sid != m->sid || g->over)
		return;
	g->over = true;
	g->code = m->code;
	access_release(u->door);
	sched_wake(g->task);
}

/* No access is under way: the IOMMU is at work. */
void hosted_endpoint_send(struct hw_env *e, const struct hw_msg *m)
{
	struct unit *u = (struct unit *)e;

	if (m->kind != HW_MSG_ATC_INV) {
		answered(u, m);
	} else if (likely(!u->all->n_late) || !hosted_late_send(u, m)) {
		hosted_endpoint_drop(u, m);
		u->h->ops->atc_done(u->h, m->itag);
	}
}

static struct stall *find_stall(struct unit *u, u16 tag)
{
	for (u32 i = 0; i < HOSTED_STALLS_MAX; i++) {
		struct stall *s = &u->all->stall[i];

		if (s->unit == u && s->tag == tag && !s->over)
			return s;
	}
	return NULL;
}

void hosted_endpoint_resume(struct hw_env *e, u16 tag, bool retry)
{
	struct stall *s = find_stall((struct unit *)e, tag);

	if (!s)
		return;
	s->over = true;
	s->retry = retry;
	access_release(s->unit->door);
	sched_wake(s->task);
}

/* --- what no driver may let happen --- */

/* What the entry of a cache was made from, and what stands there now. */
static void print_words(struct unit *u, struct finding *f, u32 entry)
{
	struct hw_cache_word word[HW_PROV_MAX];
	u32 n = entry && entry != OWN_CACHE ? u->h->ops->made_of(u->h, entry, word) : 0;

	for (u32 i = 0; i < n; i++) {
		u64 now;

		memcpy(&now, u->env.ram + word[i].pa, sizeof(now));
		finding_printf(f, "%s [%#llx] = %#llx", i ? "          " : "Made from:",
			       (unsigned long long)word[i].pa, (unsigned long long)word[i].value);
		if (now == word[i].value)
			finding_printf(f, "\n");
		else
			finding_printf(f, ", %#llx now\n", (unsigned long long)now);
	}
}

static void accuse(struct unit *u, const char *title, const struct hw_req *req,
		   const struct hw_resp *got, const struct hw_resp *want)
{
	struct finding *f = oracle_finding(this_world(), "warn", "%s", title);

	if (!f)
		return;
	finding_printf(f, "%s: requester %#x, ", u->h->ops->name, req->sid);
	if (req->pasid != HW_NO_PASID)
		finding_printf(f, "PASID %u, ", req->pasid);
	finding_printf(f, "address %#llx: ", (unsigned long long)req->addr);
	if (got->status == HW_OK)
		finding_printf(f, "reached %#llx%s", (unsigned long long)got->pa,
			       got->entry ? " by what a cache holds" : "");
	else
		finding_printf(f, "was refused");
	if (!want)
		finding_printf(f, ", a page that is nobody's\n");
	else if (want->status == HW_OK)
		finding_printf(f, "; the tables in memory say %#llx\n",
			       (unsigned long long)want->pa);
	else
		finding_printf(f, "; the tables in memory refuse it\n");
	if (got->status == HW_OK)
		print_words(u, f, got->entry);
	hosted_lines_print(u->all, f);
	finding_here(f, "device's access", (u64)(uintptr_t)__builtin_return_address(0));
	oracle_report(this_world(), f);
}

/*
 * The twin: while no software changes anything, and no work is left to the
 * hardware, what it answers is what a walk of memory gives, caches or not. And
 * what a device reaches belongs to somebody, at all times.
 */
static bool at_rest(const struct unit *u)
{
	const struct hw_iommu_ops *ops = u->h->ops;

	if (u->all->busy > 1 || hosted_late_waits(u))
		return false;
	if (ops->pending)
		return !ops->pending(u->h);
	return !u->worker || u->worker->flags & TASK_DAEMON;
}

static void watch_frame(struct unit *u, const struct hw_req *req, const struct hw_resp *got)
{
	if (got->status == HW_OK && got->pa < u->env.ram_size &&
	    !u->all->kernel->frame_used(got->pa >> FRAME_LG2)) {
		hosted_lines_held(u, req);
		accuse(u, "BUG: DMA to a freed page", req, got, NULL);
	}
}

/* What a walk of memory gives, whether it was written back or not. */
static void walk_memory(struct unit *u, const struct hw_req *req, struct hw_resp *want)
{
	memset(want, 0, sizeof(*want));
	u->all->look = LINES_MEMORY;
	hosted_unit_back(u);
	u->h->ops->walk(u->h, req, want);
	hosted_unit_leave();
	u->all->look = LINES_WALK;
}

/* Memory that was never written back is no table, at no time. */
static void watch_lines(struct unit *u, const struct hw_req *req, const struct hw_resp *got)
{
	struct hw_resp want;

	if (!u->all->never)
		return;
	u->all->never = 0;
	walk_memory(u, req, &want);
	hosted_lines_held(u, req);
	accuse(u, "BUG: missing cache flush", req, got, &want);
}

static void watch(struct unit *u, const struct hw_req *req, const struct hw_resp *got)
{
	struct hw_resp want;

	if (got->status != HW_OK && got->status != HW_ABORT)
		return;
	if (unlikely(u->all->line))
		watch_lines(u, req, got);
	if (at_rest(u)) {
		walk_memory(u, req, &want);
		if ((want.status == HW_OK || want.status == HW_ABORT) &&
		    (want.status != got->status ||
		     (want.status == HW_OK && want.pa != got->pa)))
			accuse(u, hosted_lines_held(u, req) ? "BUG: missing cache flush" :
							      "BUG: stale translation",
			       req, got, &want);
	}
	watch_frame(u, req, got);
}

/* A translation that was not given to a device that does not try without. */
static void watch_refusal(struct unit *u, const struct hw_req *req, const struct hw_resp *got)
{
	struct hw_resp no = *got;

	if (got->status != HW_OK && got->status != HW_ABORT)
		return;
	no.status = HW_ABORT;
	watch(u, req, &no);
}

/* --- DMA --- */

/* Until the stalled transaction ends: whether it is to be tried again. */
static bool wait_stalled(struct unit *u, u16 tag)
{
	struct stall *s = u->all->stall;

	while (s < u->all->stall + HOSTED_STALLS_MAX && s->unit)
		s++;
	if (s == u->all->stall + HOSTED_STALLS_MAX)
		return false;
	*s = (struct stall){.unit = u, .tag = tag, .task = current_task};
	hosted_unit_kick(u);
	while (!s->over)
		sched_block("stalled transaction", u->door, -1, 0);
	access_acquire(u->door);
	s->unit = NULL;
	return s->retry;
}

/* --- ATS and PRI --- */

static bool permits(u8 has, u16 wants)
{
	return (has & wants & (HW_READ | HW_WRITE)) == (wants & (HW_READ | HW_WRITE));
}

static const struct atc_entry *kept(const struct unit *u, const struct hw_req *req, u32 epoch)
{
	for (u32 i = 0; i < HOSTED_ATC_MAX; i++) {
		const struct atc_entry *e = &u->all->atc[i];

		if (e->unit == u && e->sid == req->sid && e->pasid == req->pasid &&
		    e->epoch == epoch && req->addr - e->addr < 1ULL << e->lg2 &&
		    permits(e->access, req->access))
			return e;
	}
	return NULL;
}

static void keep(struct unit *u, const struct hw_req *req, const struct hw_resp *got, u32 epoch)
{
	struct hosted_hardware *hw = u->all;
	u8 lg2 = max(got->lg2, (u8)FRAME_LG2);
	u64 mask = (1ULL << lg2) - 1;

	hw->atc[hw->atc_next++ % HOSTED_ATC_MAX] = (struct atc_entry){
		.unit = u, .sid = req->sid, .pasid = req->pasid, .addr = req->addr & ~mask,
		.pa = got->pa & ~mask, .lg2 = lg2, .access = got->access, .epoch = epoch};
}

/* A request as the IOMMU answers it now; it is told to go on when it says so. */
static struct unit *ask(unsigned iommu, const struct hw_req *req, struct hw_resp *resp)
{
	for (u32 i = 0; i < TRIES_MAX; i++) {
		struct unit *u = hosted_unit_enter(iommu);

		hosted_unit_leave();
		access_sync(u->door, OP_READ);
		hosted_unit_enter(iommu);
		memset(resp, 0, sizeof(*resp));
		u->h->ops->translate(u->h, req, resp);
		hosted_unit_leave();
		if (resp->status != HW_OK)
			hosted_unit_kick(u);
		if (resp->status != HW_AGAIN)
			return u;
		hosted_relax();
	}
	resp->status = HW_ABORT;
	return hosted_unit_enter(iommu);
}

/* One group of pages from req's on; its response, or -1: nobody is there to ask. */
static int pages_requested(struct unit *u, const struct hw_req *req, u32 pages)
{
	struct page_group *g = u->all->group;
	struct hw_page_request r = {.addr = req->addr & ~((1ULL << FRAME_LG2) - 1), .sid = req->sid,
				    .pasid = req->pasid,
				    .access = req->access & (HW_READ | HW_WRITE)};

	while (g < u->all->group + HOSTED_GROUPS_MAX && g->unit)
		g++;
	if (g == u->all->group + HOSTED_GROUPS_MAX)
		return -1;
	*g = (struct page_group){.unit = u, .sid = req->sid, .task = current_task};
	r.group = (u16)(g - u->all->group);
	for (u32 i = 0; i < pages; i++, r.addr += 1ULL << FRAME_LG2) {
		/* Messages of other endpoints may come between. */
		if (i)
			access_sync(u->door, OP_WRITE);
		r.last = i + 1 == pages;
		hosted_unit_back(u);
		u->h->ops->page_request(u->h, &r);
		hosted_unit_leave();
		hosted_unit_kick(u);
	}
	while (!g->over)
		sched_block("page request", u->door, -1, 0);
	access_acquire(u->door);
	g->unit = NULL;
	return g->code;
}

/*
 * Where the endpoint keeps, or gets, a translation that permits the access: true.
 * One that may not ask for pages tries without a translation then, so that the
 * fault is reported.
 */
static bool translated(const struct floor_dma *d, const struct hw_req *req, struct hw_resp *resp)
{
	struct hw_req q = *req;

	q.kind = HW_TRANSLATION_REQUEST;
	if (!(req->access & HW_WRITE))
		q.access |= HW_NO_WRITE;
	for (u32 asked = 0; asked <= ASKS_MAX; asked++) {
		struct unit *u = hosted_unit_enter(d->iommu);
		const struct atc_entry *e = kept(u, req, d->epoch);

		hosted_unit_leave();
		if (e) {
			*resp = (struct hw_resp){.pa = e->pa + (req->addr - e->addr),
						 .entry = OWN_CACHE};
			return true;
		}
		u = ask(d->iommu, &q, resp);
		if (resp->status == HW_OK && permits(resp->access, req->access)) {
			keep(u, req, resp, d->epoch);
			return true;
		}
		if (d->endpoint & FLOOR_ENDPOINT_PRI)
			watch_refusal(u, req, resp);
		if (resp->status != HW_OK)
			return false;
		if (!(d->endpoint & FLOOR_ENDPOINT_PRI) || asked == ASKS_MAX ||
		    pages_requested(u, req, 1) != HW_PRG_SUCCESS)
			break;
	}
	resp->status = HW_ABORT;
	return false;
}

/* --- DMA --- */

static bool is_message(u64 addr)
{
	return addr >= HOSTED_MSI_FIRST && addr <= HOSTED_MSI_LAST;
}

static int transfer(struct unit *u, const struct floor_dma *d, u64 pa)
{
	u32 data = 0;

	if (d->write && is_message(pa) && d->size == sizeof(data)) {
		memcpy(&data, d->buf, sizeof(data));
		u->all->kernel->message(pa, data);
		return 0;
	}
	if (pa >= u->env.ram_size || d->size > u->env.ram_size - pa)
		return -EFAULT;
	if (!d->write) {
		memcpy(d->buf, u->env.ram + pa, d->size);
		return 0;
	}
	memcpy(u->env.ram + pa, d->buf, d->size);
	if (unlikely(u->all->line))
		hosted_lines_wrote(u->all, pa, d->size);
	return 0;
}

/* The access on its way to memory: what was there when it was translated may be gone. */
static int arrive(struct unit *u, const struct floor_dma *d, const struct hw_req *req,
		  const struct hw_resp *resp)
{
	int ret;

	u->in_flight++;
	access_sync(u->door, d->write ? OP_WRITE : OP_READ);
	watch_frame(u, req, resp);
	ret = transfer(u, d, resp->pa);
	if (!--u->in_flight && u->worker)
		sched_wake(u->worker);
	return ret;
}

int hosted_dma(const struct floor_dma *d)
{
	struct hw_req req = {.addr = d->addr, .sid = d->sid, .pasid = d->pasid,
			     .access = d->write ? HW_WRITE : HW_READ, .kind = HW_UNTRANSLATED};
	struct unit *u = hosted_unit_enter(d->iommu);
	struct hw_resp resp = {0};

	hosted_unit_leave();
	if (!u || (d->pasid != FLOOR_NONE && !(d->endpoint & FLOOR_ENDPOINT_PASID)))
		return -EFAULT;
	if (d->pages) {
		int code = -1;

		if (d->endpoint & FLOOR_ENDPOINT_PRI)
			code = pages_requested(u, &req, d->pages);
		return code < 0 ? -EFAULT : code;
	}
	if (d->endpoint & FLOOR_ENDPOINT_ATS && !is_message(d->addr)) {
		if (translated(d, &req, &resp)) {
			watch(u, &req, &resp);
			return arrive(u, d, &req, &resp);
		}
		if (d->endpoint & FLOOR_ENDPOINT_PRI)
			return -EFAULT;
	}
	for (u32 i = 0; i < TRIES_MAX; i++) {
		u = ask(d->iommu, &req, &resp);
		watch(u, &req, &resp);
		if (resp.status == HW_OK)
			return arrive(u, d, &req, &resp);
		if (resp.status == HW_INTERRUPT)
			return 0;
		if (resp.status != HW_STALLED || !wait_stalled(u, resp.tag))
			return -EFAULT;
	}
	return -EFAULT;
}
