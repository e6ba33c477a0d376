// SPDX-License-Identifier: GPL-2.0-only
#include "tests/hw/bus/toy_iommu.h"

#include "sim/mem/frames.h"
#include "tests/kit/program.h"

#define IOVA 0x40000000ULL
#define ALL (HW_READ | HW_WRITE)

/* Functions 0 and 1 share a bus without ACS, 2 stands on one with; 3 and 4 behind a bridge. */
static struct machine m;
static struct fabric *f;
static u64 pa[4];
static u32 seen, order_broken;

static void machine(void)
{
	memset(&m, 0, sizeof(m));
	m.n_iommus = 1;
	m.n_buses = 3;
	m.n_devices = 5;
	machine_iommu_init(&m.iommu[0]);
	for (u32 i = 0; i < 3; i++) {
		machine_bus_init(&m.bus[i]);
		m.bus[i].iommu = 0;
		m.bus[i].acs = i;
	}
	m.bus[2].alias = true;
	m.bus[2].parent = 1;
	for (u32 i = 0; i < 5; i++) {
		struct machine_device *d = &m.device[i];

		machine_device_init(d);
		d->name[0] = (char)('a' + i);
		d->bus = i < 2 ? 0 : i == 2 ? 1 : 2;
		d->bdf = 0x100 + 8 * i;
		d->n_iommus = 1;
	}
	m.device[2].ats = true;
	m.device[2].pri = true;
}

static u64 bar_reg;

static u64 bar_read(void *arg, u64 off, u32 size)
{
	(void)arg;
	(void)off;
	(void)size;
	return bar_reg;
}

static void bar_write(void *arg, u64 off, u32 size, u64 value)
{
	(void)arg;
	(void)off;
	(void)size;
	bar_reg = value;
}

static const struct io_ops bar_ops = {bar_read, bar_write};

static void boot(void)
{
	char err[64] = "";
	struct bus_bar bar = {.size = 4096, .ops = &bar_ops, .worker = IO_NONE};

	f = bus_create(w, &m);
	cr_assert(bus_iommu_add(f, 0, &toy_ops, "", err, sizeof(err)));
	cr_assert(bus_bar_add(f, 1, 0, &bar));
	/* The snapshot keeps them; that they are mapped is for each run to say. */
	for (u32 i = 0; i < 4; i++)
		pa[i] = frame_alloc(w, 0, FRAME_ZERO);
}

static void map_pages(void)
{
	for (u32 i = 0; i < 4; i++)
		toy_map(IOVA + i * 4096, pa[i], HW_NO_PASID, ALL);
	bar_reg = 0;
	seen = 0;
}

static struct world_run once(void (*task)(void *))
{
	struct world_run r;

	machine();
	load(.boot = boot, .begin = map_pages, .task = {task});
	r = run_with(.seed = 1);
	assert_clean(&r);
	return r;
}

static enum hw_status dma(u32 fn, u64 addr, u16 access, void *data, u64 len)
{
	struct bus_req r = {.addr = addr, .pasid = HW_NO_PASID, .access = access};

	return bus_dma(f, fn, &r, data, len);
}

static void across_pages(void *arg)
{
	u8 out[6000], in[6000];

	(void)arg;
	for (u32 i = 0; i < sizeof(out); i++)
		out[i] = (u8)(i * 7);
	cr_assert_eq(dma(0, IOVA + 100, HW_WRITE, out, sizeof(out)), HW_OK);
	cr_assert_eq(dma(0, IOVA + 100, HW_READ, in, sizeof(in)), HW_OK);
	cr_assert_arr_eq(in, out, sizeof(in));
	cr_assert_arr_eq((u8 *)frame_ptr(w, pa[0]) + 100, out, 3996);
	cr_assert_arr_eq(frame_ptr(w, pa[1]), out + 3996, 2004);
	/* Half of it is not mapped: that half reads as ones, the rest is there. */
	cr_assert_eq(dma(0, IOVA + 3 * 4096 + 4000, HW_READ, in, 200), HW_ABORT);
	cr_assert(in[95] == 0 && in[96] == 0xff && in[199] == 0xff);
}

Test(bus, a_request_is_cut_at_pages_and_each_is_translated)
{
	once(across_pages);
}

static void aborts(void *arg)
{
	u32 v = 5;

	(void)arg;
	toy_find(IOVA, HW_NO_PASID)->access = HW_READ;
	cr_assert_eq(dma(0, IOVA, HW_WRITE, &v, 4), HW_ABORT);
	cr_assert_eq(dma(0, IOVA, HW_READ, &v, 4), HW_OK);
	cr_assert_eq(v, 0);
	/* Without bus mastering nothing goes out at all. */
	io_config_write(w, 0x100, 4, 2, 2);
	toy.n_requests = 0;
	cr_assert_eq(dma(0, IOVA, HW_READ, &v, 4), HW_ABORT);
	cr_assert_eq(toy.n_requests, 0);
	cr_assert_eq(v, 0xffffffff);
	/* HW_AGAIN is repeated. */
	toy.again = 3;
	cr_assert_eq(dma(2, IOVA, HW_READ, &v, 4), HW_OK);
	cr_assert_eq(toy.again, 0);
	/* And not for ever. */
	toy.again = 1u << 30;
	cr_assert_eq(dma(0, IOVA, HW_READ, &v, 4), HW_ABORT);
}

Test(bus, aborts_and_bus_mastering)
{
	once(aborts);
}

static void peers(void *arg)
{
	u64 bar = bus_bar_pa(f, 1, 0);
	u32 v = 77;

	(void)arg;
	/* Same bus, no ACS: it goes straight to the neighbour, whatever the tables say. */
	toy.n_requests = 0;
	cr_assert_eq(dma(0, bar, HW_WRITE, &v, 4), HW_OK);
	cr_assert(bar_reg == 77 && toy.n_requests == 0);
	/* From elsewhere it is redirected to the root, and not mapped there. */
	v = 78;
	cr_assert_eq(dma(2, bar, HW_WRITE, &v, 4), HW_ABORT);
	cr_assert(bar_reg == 77 && toy.n_requests > 0);
	/* Mapped there, it arrives. */
	toy_map(IOVA + 0x100000, bar, HW_NO_PASID, ALL);
	cr_assert_eq(dma(3, IOVA + 0x100000, HW_WRITE, &v, 4), HW_OK);
	cr_assert_eq(bar_reg, 78);
}

Test(bus, peer_to_peer_depends_on_acs)
{
	once(peers);
}

Test(bus, functions_behind_a_bridge_share_an_id)
{
	machine();
	load(.boot = boot);
	cr_assert_eq(bus_requester(f, 0), 0x100);
	cr_assert_eq(bus_requester(f, 2), 0x110);
	cr_assert_eq(bus_requester(f, 3), 0x118);
	cr_assert_eq(bus_requester(f, 4), 0x118);
}

static void poster(void *arg)
{
	struct bus_req r = {.addr = IOVA, .pasid = HW_NO_PASID, .access = HW_WRITE};
	u32 one = 1, v = 0;

	(void)arg;
	bus_post(f, 0, &r, &one, 4);
	r.addr = IOVA + 4096;
	bus_post(f, 0, &r, &one, 4);
	step();
	r.addr = IOVA + 8192;
	r.relaxed = true;
	bus_post(f, 0, &r, &one, 4);
	step();
	/* A read pushes the writes before it. */
	cr_assert_eq(dma(0, IOVA + 4096, HW_READ, &v, 4), HW_OK);
	cr_assert_eq(v, 1);
}

/* Looks at memory as the processor: what may be seen? */
static void onlooker(void *arg)
{
	(void)arg;
	for (int i = 0; i < 8; i++) {
		u32 second = *(u32 *)frame_ptr(w, pa[1]), first = *(u32 *)frame_ptr(w, pa[0]);
		u32 relaxed = *(u32 *)frame_ptr(w, pa[2]);

		cr_assert(!second || first, "the second write came before the first");
		order_broken += relaxed && !second;
		seen += first && !second;
		step();
	}
}

Test(bus, posted_writes_come_later_and_in_order)
{
	u32 between = 0;

	machine();
	load(.boot = boot, .begin = map_pages, .task = {poster, onlooker});
	order_broken = 0;
	for (u64 seed = 1; seed <= 500; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
		between += seen;
	}
	cr_assert_gt(between, 0, "nobody ever saw one without the other");
	cr_assert_gt(order_broken, 0, "a relaxed write never overtook");
}

static void stalled(void *arg)
{
	u32 v = 0x55;

	(void)arg;
	toy.stalls = true;
	seen = dma(0, IOVA + 0x10000, HW_WRITE, &v, 4);
}

static void resumer(void *arg)
{
	bool retry = arg;

	while (!toy.next_tag)
		sched_yield_now();
	step();
	if (retry)
		toy_map(IOVA + 0x10000, pa[0], HW_NO_PASID, ALL);
	toy.resume_tag = 0;
	toy.resume_retry = retry;
	toy.resume_due = true;
	io_write(w, bus_iommu_base(f, 0), 4, 1);
}

Test(bus, a_stalled_request_waits_and_is_retried_or_aborted)
{
	machine();
	for (int retry = 0; retry < 2; retry++) {
		load(.boot = boot, .begin = map_pages, .task = {stalled, resumer},
		     .arg = {NULL, retry ? &m : NULL});
		for (u64 seed = 1; seed <= 100; seed++) {
			struct world_run r = run(seed);

			assert_clean(&r);
			cr_assert_eq(seen, retry ? HW_OK : HW_ABORT);
			cr_assert_eq(*(u32 *)frame_ptr(w, pa[0]), retry ? 0x55 : 0);
		}
	}
}

static void ats(void *arg)
{
	struct bus_req r = {.addr = IOVA, .pasid = HW_NO_PASID, .access = HW_READ};
	struct hw_resp resp;
	u32 v = 3;

	(void)arg;
	cr_assert_eq(bus_ats(f, 0, &r, &resp), HW_ABORT, "function 0 has no ATS");
	cr_assert_eq(bus_ats(f, 2, &r, &resp), HW_OK);
	cr_assert_eq(resp.pa, pa[0]);
	cr_assert_eq(bus_atc_count(f, 2), 1);
	toy.n_translated = 0;
	cr_assert_eq(dma(2, IOVA + 8, HW_WRITE, &v, 4), HW_OK);
	cr_assert_eq(toy.n_translated, 1);
	/* The cache is believed after the table has changed: until it is invalidated. */
	toy_map(IOVA, pa[1], HW_NO_PASID, ALL);
	cr_assert_eq(dma(2, IOVA + 8, HW_WRITE, &v, 4), HW_OK);
	cr_assert_eq(*(u32 *)((u8 *)frame_ptr(w, pa[1]) + 8), 0);
	toy.h.env->send(toy.h.env, &(struct hw_msg){.kind = HW_MSG_ATC_INV, .sid = 0x110,
						    .pasid = HW_NO_PASID, .addr = IOVA, .lg2 = 12,
						    .itag = 9});
	while (!toy.n_done)
		sched_yield_now();
	cr_assert_eq(toy.last_itag, 9);
	cr_assert_eq(bus_atc_count(f, 2), 0);
	cr_assert_eq(dma(2, IOVA + 8, HW_WRITE, &v, 4), HW_OK);
	cr_assert_eq(*(u32 *)((u8 *)frame_ptr(w, pa[1]) + 8), 3);
	/* With a PASID the function asks, and goes to where it was told without one. */
	r.pasid = 5;
	toy_map(IOVA, pa[2], 5, ALL);
	toy.n_translated = 0;
	cr_assert_eq(bus_dma(f, 2, &r, &v, 4), HW_OK);
	cr_assert_eq(v, *(u32 *)frame_ptr(w, pa[2]));
	cr_assert(toy.n_translated == 1 && !toy.n_translated_pasid);
	v = 3;
	/* A page that is not there is asked for. */
	toy.maps_on_request = true;
	cr_assert_eq(dma(2, IOVA + 0x20000, HW_WRITE, &v, 4), HW_OK);
	cr_assert_eq(*(u32 *)frame_ptr(w, IOVA + 0x120000), 3);
	toy.maps_on_request = false;
	toy.response = HW_PRG_INVALID;
	cr_assert_eq(dma(2, IOVA + 0x30000, HW_WRITE, &v, 4), HW_ABORT);
}

Test(bus, translations_that_the_function_keeps)
{
	once(ats);
}

/* --- groups of several pages --- */

static void groups(void *arg)
{
	u32 v[3072] = {[0] = 7, [1024] = 8, [2048] = 9};
	struct bus_req r[65];
	u8 code = 99;

	(void)arg;
	toy.maps_on_request = true;
	/* An access to three pages asks for all three at once. */
	cr_assert_eq(dma(2, IOVA + 0x20000, HW_WRITE, v, sizeof(v)), HW_OK);
	cr_assert_eq(toy.n_messages, 3);
	cr_assert_eq(*(u32 *)frame_ptr(w, IOVA + 0x122000), 9);
	/* Those that are there are not asked for; one alone is a group of its own. */
	cr_assert_eq(dma(2, IOVA + 0x21000, HW_WRITE, v, sizeof(v)), HW_OK);
	cr_assert_eq(toy.n_messages, 4);
	/* What failed together is tried page by page. */
	toy.response_many = HW_PRG_INVALID;
	cr_assert_eq(dma(2, IOVA + 0x30000, HW_WRITE, v, sizeof(v)), HW_OK);
	cr_assert_eq(toy.n_messages, 4 + 3 + 3);
	for (u32 i = 0; i < 65; i++)
		r[i] = (struct bus_req){.addr = IOVA + 0x50000 + i * 0x1000ULL,
					.pasid = HW_NO_PASID, .access = ALL};
	cr_assert_eq(bus_page_group(f, 2, r, 5, &code), HW_OK);
	cr_assert_eq(code, HW_PRG_INVALID);
	cr_assert_eq(bus_page_group(f, 2, r, 65, &code), HW_ABORT);
	cr_assert_eq(bus_page_group(f, 2, r, 0, &code), HW_ABORT);
	/* Software allows less. */
	io_config_write(w, 0x110, 0x11c, 4, 4);
	cr_assert_eq(bus_page_group(f, 2, r, 5, &code), HW_ABORT);
	cr_assert_eq(bus_page_group(f, 2, r, 4, &code), HW_OK);
	/* A failure is in the status; written back it goes. */
	cr_assert_eq(io_config_read(w, 0x110, 0x116, 2), 0);
	toy.response_many = HW_PRG_FAILURE;
	cr_assert_eq(bus_page_group(f, 2, r, 2, &code), HW_OK);
	cr_assert_eq(code, HW_PRG_FAILURE);
	cr_assert_eq(io_config_read(w, 0x110, 0x116, 2), 1);
	io_config_write(w, 0x110, 0x116, 2, 1);
	cr_assert_eq(io_config_read(w, 0x110, 0x116, 2), 0);
}

Test(bus, pages_are_asked_for_in_groups)
{
	once(groups);
}

static void answers_nobody(void *arg)
{
	(void)arg;
	toy.h.env->send(toy.h.env, &(struct hw_msg){.kind = HW_MSG_PRG_RESPONSE, .sid = 0x110,
						    .group = 77});
	cr_assert_eq(io_config_read(w, 0x110, 0x116, 2), 2);
	io_config_write(w, 0x110, 0x116, 2, 2);
	cr_assert_eq(io_config_read(w, 0x110, 0x116, 2), 0);
}

/* It is in the function's status, and a finding where somebody watches. */
Test(bus, a_response_to_nobody_is_unexpected)
{
	machine();
	load(.boot = boot, .begin = map_pages, .task = {answers_nobody}, .oracles = "deadlock");
	run_clean(1);
	load(.boot = boot, .begin = map_pages, .task = {answers_nobody}, .oracles = "hwqueue");
	run_finds(1, "illegal command");
}

static u32 most_open; /* pages, in any run */

static void asks_three(void *arg)
{
	u64 base = IOVA + 0x100000 + (u64)(uintptr_t)arg * 0x10000;
	struct bus_req r[3];
	u8 code = 99;

	for (u32 i = 0; i < 3; i++)
		r[i] = (struct bus_req){.addr = base + i * 0x1000ULL, .pasid = HW_NO_PASID,
					.access = ALL};
	if (!arg)
		io_config_write(w, 0x110, 0x11c, 4, 7);
	for (u32 i = 0; i < 3; i++)
		cr_assert_eq(bus_page_group(f, 2, r, 3, &code), HW_OK);
	most_open = max(most_open, toy.most_asked);
}

/* Three tasks, room for two groups: messages mix, and nobody asks for more than is allowed. */
Test(bus, no_more_pages_are_outstanding_than_software_allows)
{
	machine();
	load(.boot = boot, .begin = map_pages, .task = {asks_three, asks_three, asks_three},
	     .arg = {NULL, (void *)1, (void *)2});
	for (u64 seed = 1; seed <= 200; seed++) {
		struct world_run r = run(seed);

		assert_clean(&r);
	}
	cr_assert(most_open > 3 && most_open <= 7, "%u", most_open);
}

static void never(void *arg)
{
	(void)arg;
	toy.h.env->send(toy.h.env, &(struct hw_msg){.kind = HW_MSG_ATC_INV, .sid = 0x110, .lg2 = 64,
						    .global = 1, .itag = 1});
	while (!toy.n_timeouts)
		sched_yield_now();
	cr_assert_eq(toy.n_done, 0);
}

Test(bus, an_invalidation_that_nobody_answers_times_out)
{
	struct world_run r;

	machine();
	m.device[2].atc = MACHINE_ATC_NEVER;
	load(.boot = boot, .begin = map_pages, .task = {never});
	r = run_with(.seed = 1);
	assert_clean(&r);
	cr_assert_geq(r.time_ns, 500000000ULL);
}

static void interrupts(void *arg)
{
	(void)arg;
	bus_interrupt(f, 0);
	bus_flush(f, 0);
	cr_assert_eq(io_message_count(w), 0, "MSI is off");
	toy_map(0xfee00000, 0xfee00000, HW_NO_PASID, ALL);
	io_config_write(w, 0x100, 0x54, 4, 0xfee00000);
	io_config_write(w, 0x100, 0x5c, 2, 0x31);
	io_config_write(w, 0x100, 0x52, 2, 1);
	bus_interrupt(f, 0);
	bus_flush(f, 0);
	cr_assert_eq(io_message_count(w), 1);
	cr_assert_eq(io_message_seen(w, 0).data, 0x31);
}

Test(bus, an_interrupt_is_a_write_like_others)
{
	once(interrupts);
}

static void config(void *arg)
{
	u32 bar = (u32)bus_bar_pa(f, 1, 0), cap;

	(void)arg;
	cr_assert_eq(io_config_read(w, 0x108, 0x10, 4), bar);
	io_config_write(w, 0x108, 0x10, 4, 0xffffffff);
	cr_assert_eq(io_config_read(w, 0x108, 0x10, 4), 0xfffff000);
	io_config_write(w, 0x108, 0x10, 4, bar);
	io_config_write(w, 0x108, 0, 4, 0);
	cr_assert_neq(io_config_read(w, 0x108, 0, 2), 0);
	/* The list of function 2: ATS, PRI, and no more. */
	cap = io_config_read(w, 0x110, 0x100, 4);
	cr_assert_eq(cap & 0xffff, 0x0f);
	cap = io_config_read(w, 0x110, cap >> 20, 4);
	cr_assert_eq(cap, 0x10013);
	cr_assert_eq(io_config_read(w, 0x100, 0x100, 4), 0);
	cr_assert_eq(io_config_read(w, 0x999, 0, 4), 0xffffffff);
}

Test(bus, configuration_space_has_what_the_function_has)
{
	once(config);
}
