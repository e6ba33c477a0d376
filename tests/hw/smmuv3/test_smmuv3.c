// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model file by file: configuration, walks, caches, commands.
 */
#include "tests/hw/smmuv3/bed.h"

Test(smmuv3, a_walk_reads_each_word_once)
{
	struct bed b;
	u64 ttb;
	struct hw_resp r;

	bed_open(&b, "cache=none");
	ttb = bed_s1(&b, 3, 7);
	bed_map(&b, ttb, 0x12345000, 0x200000 | PAGE_RW, 3);
	r = bed_dma(&b, 3, 0x12345678, HW_READ);
	cr_assert_eq(r.status, HW_OK);
	cr_assert_eq(r.pa, 0x200678);
	cr_assert_eq(r.lg2, 12);
	cr_assert_eq(r.reads, 8 + 8 + 4);
	r = bed_walk(&b, 3, 0x12345678, HW_WRITE);
	cr_assert_eq(r.pa, 0x200678);
	cr_assert_eq(r.access, HW_READ | HW_WRITE | HW_EXEC);
	bed_close(&b);
}

Test(smmuv3, what_is_kept_is_not_read_again)
{
	struct bed b;
	u64 ttb;

	bed_open(&b, "");
	ttb = bed_s1(&b, 3, 7);
	bed_map(&b, ttb, 0x12345000, 0x200000 | PAGE_RW, 3);
	bed_map(&b, ttb, 0x12346000, 0x201000 | PAGE_RW, 3);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).reads, 20);
	cr_assert_eq(bed_dma(&b, 3, 0x12346000, HW_READ).reads, 1); /* tables are kept */
	for (u32 i = 0; i < 4; i++) {
		struct hw_resp r = bed_dma(&b, 3, 0x12345008, HW_WRITE);

		cr_assert_eq(r.reads, 0);
		cr_assert_eq(r.pa, 0x200008);
		cr_assert_neq(r.entry, 0);
	}
	bed_close(&b);
}

Test(smmuv3, an_unmap_is_seen_after_invalidation_and_sync)
{
	struct bed b;
	u64 ttb, *pte, rec[4];

	bed_open(&b, "");
	ttb = bed_s1(&b, 3, 7);
	pte = bed_map(&b, ttb, 0x12345000, 0x200000 | PAGE_RW, 3);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).status, HW_OK);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).status, HW_OK);
	*pte = 0;
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).status, HW_OK);
	/* Another ASID, another page: nothing of ours goes. */
	bed_command(&b, CMD_TLBI_NH_VA | 8ull << CMD0_ASID, 0x12345000 | 1);
	bed_command(&b, CMD_TLBI_NH_VA | 7ull << CMD0_ASID, 0x12346000 | 1);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).status, HW_OK);
	bed_send_command(&b, CMD_TLBI_NH_VA | 7ull << CMD0_ASID, 0x12345000 | 1);
	cr_assert(b.h->ops->work(b.h));
	/* Consumed, not complete. */
	cr_assert_eq(bed_r32(&b, SMMU_CMDQ_CONS), b.prod);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).status, HW_OK);
	bed_command(&b, CMD_SYNC, 0);
	cr_assert_eq(bed_dma(&b, 3, 0x12345abc, HW_READ).status, HW_ABORT);
	cr_assert_eq(bed_event(&b, rec), F_TRANSLATION);
	cr_assert_eq(rec[0] >> EVT0_SID, 3);
	cr_assert_eq(rec[1], 1ull << EVT1_RNW | 2ull << EVT1_CLASS);
	cr_assert_eq(rec[2], 0x12345abc);
	cr_assert_eq(b.n_wires[0], 1);
	bed_close(&b);
}

Test(smmuv3, an_illegal_command_stops_the_queue_until_it_is_acknowledged)
{
	struct bed b;
	u64 *slot;

	bed_open(&b, "");
	bed_send_command(&b, 0xff, 0);
	bed_command(&b, CMD_SYNC | 1ull << CMD0_SYNC_CS, 0);
	cr_assert_eq(bed_r32(&b, SMMU_CMDQ_CONS), (u64)CERROR_ILL << CMDQ_CONS_ERR);
	cr_assert_eq(bed_r32(&b, SMMU_GERROR), GERROR_CMDQ);
	cr_assert_eq(b.n_wires[3], 1);
	cr_assert_eq(b.n_wires[2], 0);
	slot = bed_word(&b, BED_CMDQ);
	*slot = CMD_SYNC;
	bed_w32(&b, SMMU_GERRORN, GERROR_CMDQ);
	bed_idle(&b);
	cr_assert_eq(bed_r32(&b, SMMU_CMDQ_CONS) & 0xfffff, 2);
	cr_assert_eq(b.n_wires[2], 1);
	bed_close(&b);
}

/* Its message goes nowhere: what of it is an error, and which interrupt tells of that. */
static void lose_message(struct bed *b, u64 cfg0, u32 gerror)
{
	u32 wires = b->n_wires[3];

	bed_w32(b, SMMU_IRQ_CTRL, 0);
	bed_w64(b, cfg0, 0xfee00000);
	bed_w32(b, SMMU_IRQ_CTRL, IRQ_GERROR | IRQ_EVENTQ | IRQ_PRIQ);
	if (cfg0 == SMMU_PRIQ_IRQ_CFG0)
		b->h->ops->page_request(b->h, &(struct hw_page_request){
						      .addr = 0x5000, .sid = 3,
						      .pasid = HW_NO_PASID, .access = HW_READ});
	else
		bed_dma(b, 3, 0x5000, HW_WRITE);
	cr_assert_eq(bed_r32(b, SMMU_GERROR) ^ bed_r32(b, SMMU_GERRORN), gerror);
	cr_assert_eq(b->n_wires[3], wires + 1);
	bed_w32(b, SMMU_GERRORN, bed_r32(b, SMMU_GERROR));
}

Test(smmuv3, a_message_that_goes_nowhere_is_an_error)
{
	struct bed b;

	bed_open(&b, "");
	bed_s1(&b, 3, 7);
	b.env.msi = NULL;
	bed_command(&b, CMD_SYNC | 1ull << CMD0_SYNC_CS, 0xfee00000);
	cr_assert_eq(bed_r32(&b, SMMU_GERROR), GERROR_MSI_CMDQ_ABT);
	cr_assert_eq(b.n_wires[3], 1);
	cr_assert_eq(b.n_wires[2], 0);
	bed_w32(&b, SMMU_GERRORN, GERROR_MSI_CMDQ_ABT);
	lose_message(&b, SMMU_EVENTQ_IRQ_CFG0, GERROR_MSI_EVENTQ_ABT);
	lose_message(&b, SMMU_PRIQ_IRQ_CFG0, GERROR_MSI_PRIQ_ABT);
	/* Of its own there is no interrupt. */
	bed_w32(&b, SMMU_IRQ_CTRL, 0);
	bed_w64(&b, SMMU_GERROR_IRQ_CFG0, 0xfee00000);
	bed_w32(&b, SMMU_IRQ_CTRL, IRQ_GERROR);
	bed_command(&b, 0xff, 0);
	cr_assert_eq(bed_r32(&b, SMMU_GERROR) ^ bed_r32(&b, SMMU_GERRORN),
		     GERROR_CMDQ | GERROR_MSI_GERROR_ABT);
	cr_assert_eq(b.n_wires[3], 3);
	bed_close(&b);
}

Test(smmuv3, a_stall_is_resumed)
{
	struct bed b;
	u64 ttb, rec[4];
	struct hw_resp r;

	bed_open(&b, "");
	ttb = bed_s1(&b, 3, 7);
	*bed_cd(&b, 3, 0) |= 1ull << CD0_S;
	r = bed_dma(&b, 3, 0x5000, HW_WRITE);
	cr_assert_eq(r.status, HW_STALLED);
	cr_assert_eq(bed_event(&b, rec), F_TRANSLATION);
	cr_assert(rec[1] & 1ull << EVT1_STALL);
	cr_assert_eq(rec[1] & 0xffff, r.tag);
	bed_map(&b, ttb, 0x5000, 0x200000 | PAGE_RW, 3);
	bed_command(&b, CMD_RESUME | 4ull << CMD0_SID | 1ull << CMD0_RESUME_AC, r.tag);
	cr_assert_eq(b.n_resumed, 0); /* another stream's */
	bed_command(&b, CMD_RESUME | 3ull << CMD0_SID | 1ull << CMD0_RESUME_AC, r.tag);
	cr_assert_eq(b.n_resumed, 1);
	cr_assert(b.resumed_retry);
	cr_assert_eq(bed_dma(&b, 3, 0x5000, HW_WRITE).status, HW_OK);
	bed_close(&b);
}

/* Stage 2 tables: 4K, 3 levels from level 1 (39 bits). */
static u64 stage2(struct bed *b, u32 sid, u16 vmid, u32 config)
{
	u64 ttb = bed_new_table(b), *ste = bed_ste(b, sid);

	ste[0] = (ste[0] & ~15ull) | 1 | (u64)config << STE0_CONFIG;
	ste[2] = vmid | 25ull << STE2_S2T0SZ | 1ull << STE2_S2SL0 | 5ull << STE2_S2PS |
		 1ull << STE2_S2AA64 | 1ull << STE2_S2R;
	ste[3] = ttb;
	return ttb;
}

static void s2_map(struct bed *b, u64 ttb, u64 ipa, u64 pa)
{
	u64 at = ttb;

	for (u32 l = 1; l < 3; l++) {
		u64 *slot = bed_word(b, at + (ipa >> (39 - 9 * l) & 511) * 8);

		if (!*slot)
			*slot = bed_new_table(b) | 3;
		at = *slot & 0xfffffffff000ull;
	}
	*bed_word(b, at + (ipa >> 12 & 511) * 8) = pa | 0x3 | 0xf << 2 | 3 << 6 | 3 << 8 | 1 << 10;
}

Test(smmuv3, nested_reads_are_counted)
{
	struct bed b;
	u64 ttb, s2;
	struct hw_resp r;

	bed_open(&b, "cache=none");
	ttb = bed_s1(&b, 3, 7);
	bed_map(&b, ttb, 0x12345000, 0x300000 | PAGE_RW, 3);
	s2 = stage2(&b, 3, 9, 7);
	for (u64 pa = 0; pa < 0x400000; pa += 0x1000)
		s2_map(&b, s2, pa, pa == 0x300000 ? 0x777000 : pa);
	r = bed_dma(&b, 3, 0x12345678, HW_READ);
	cr_assert_eq(r.status, HW_OK);
	cr_assert_eq(r.pa, 0x777678);
	/* STE, CD through 3 levels for each word, 4 tables of stage 1 through 3, the page. */
	cr_assert_eq(r.reads, 8 + 8 * 4 + 4 * 4 + 3);
	bed_close(&b);
}

Test(smmuv3, combined_entries_outlive_a_stage_2_invalidation)
{
	struct bed b;
	u64 ttb, s2;

	bed_open(&b, "");
	ttb = bed_s1(&b, 3, 7);
	bed_map(&b, ttb, 0x12345000, 0x300000 | PAGE_RW, 3);
	s2 = stage2(&b, 3, 9, 7);
	for (u64 pa = 0; pa < 0x400000; pa += 0x1000)
		s2_map(&b, s2, pa, pa);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).pa, 0x300000);
	s2_map(&b, s2, 0x300000, 0x400000);
	bed_command(&b, CMD_TLBI_S2_IPA | 9ull << CMD0_VMID, 0x300000);
	bed_command(&b, CMD_SYNC, 0);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).pa, 0x300000);
	bed_command(&b, CMD_TLBI_NH_ALL | 8ull << CMD0_VMID, 0);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).pa, 0x300000);
	bed_command(&b, CMD_TLBI_NH_ALL | 9ull << CMD0_VMID, 0);
	cr_assert_eq(bed_dma(&b, 3, 0x12345000, HW_READ).pa, 0x400000);
	bed_close(&b);
}

static void tear(struct bed *b, const char *why)
{
	(void)why;
	/* After three words of the entry were read, software changes all of it. */
	if (b->points == 4) {
		u64 *ste = bed_ste(b, 3);

		ste[0] = 1 | 6ull << STE0_CONFIG;
		ste[2] = 0;
	}
}

Test(smmuv3, a_torn_entry_is_seen_as_it_was_read)
{
	struct bed b;
	u64 ttb, *ste;
	struct hw_resp r;

	bed_open(&b, "");
	ttb = bed_s1(&b, 3, 7);
	bed_map(&b, ttb, 0x1000, 0x300000 | PAGE_RW, 3);
	ste = bed_ste(&b, 3);
	(void)ste;
	b.point = tear;
	b.env.point = bed_point;
	r = bed_dma(&b, 3, 0x1000, HW_READ);
	/* Word 0 of old, the rest of new: stage 1 as before. */
	cr_assert_eq(r.status, HW_OK);
	cr_assert_eq(r.pa, 0x300000);
	bed_close(&b);
}

Test(smmuv3, contradicting_options_are_refused)
{
	static const char *const bad[] = {
		"s1p=0,s2p=0", "pri=1,ats=0", "ns1ats=1,ats=0", "sid=16,st2=0", "ssid=4,s1p=0",
		"oas=52,gran=4k", "httu=3", "oas=47", "gran=4k+8k", "nonsense=1", "s1p",
		"cache=big", "persona=x", "asid16=1,s1p=0", "vmid16=1,s2p=0", "hyp=1,s1p=0",
		"cd2l=1,ssid=0", "stall=1,stallmax=4", "sid=33", "sid=0", "vmw=1,s2p=0",
	};

	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char err[200] = "";
		struct hw_env env = {0};

		cr_assert_null(hw_smmuv3_ops.create(&env, bad[i], err, sizeof(err)), "%s", bad[i]);
		cr_assert(strncmp(err, "smmuv3: ", 8) == 0, "%s: %s", bad[i], err);
	}
}

static void other_stream(struct bed *b, const char *why)
{
	struct hw_resp r;

	(void)why;
	b->point = NULL;
	/* Another stream whose context would lie in the same place. */
	r = bed_dma(b, 3 + 0x101, 0x1000, HW_READ);
	cr_assert_eq(r.status, HW_OK);
	cr_assert_eq(r.pa, 0x500000);
}

Test(smmuv3, a_walk_is_not_led_astray_by_one_that_comes_between)
{
	struct bed b;
	u64 one, other, *ste;

	bed_open(&b, "sid=16");
	bed_w32(&b, SMMU_CR0, 0);
	bed_w64(&b, SMMU_STRTAB_BASE, 0x800000);
	bed_w32(&b, SMMU_STRTAB_BASE_CFG, 10);
	bed_w32(&b, SMMU_CR0, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN);
	one = bed_s1(&b, 3, 7);
	other = bed_s1(&b, 4, 8);
	bed_map(&b, one, 0x1000, 0x300000 | PAGE_RW, 3);
	bed_map(&b, one, 0x2000, 0x301000 | PAGE_RW, 3);
	bed_map(&b, other, 0x1000, 0x500000 | PAGE_RW, 3);
	bed_map(&b, other, 0x2000, 0x501000 | PAGE_RW, 3);
	ste = bed_word(&b, 0x800000 + 3 * 64);
	memcpy(ste, bed_ste(&b, 3), 64);
	memcpy(ste + 0x101 * 8, bed_ste(&b, 4), 64);
	cr_assert_eq(bed_dma(&b, 3, 0x1000, HW_READ).pa, 0x300000);
	b.point = other_stream;
	b.env.point = bed_point;
	cr_assert_eq(bed_dma(&b, 3, 0x2000, HW_READ).pa, 0x301000);
	bed_close(&b);
}

static u64 seed = 1;

static u64 any(void)
{
	u64 z = seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Whoever is watched goes the long way: it must say the same. */
Test(smmuv3, the_quick_way_says_what_the_long_way_says)
{
	struct bed b;
	u32 same = 0;

	bed_open(&b, "cache=none,config=1");
	bed_s1(&b, 3, 7);
	for (u32 i = 0; i < 20000; i++) {
		static const u16 access[] = {HW_READ, HW_WRITE, HW_EXEC, HW_READ | HW_PRIV,
					     HW_WRITE | HW_PRIV, HW_READ | HW_WRITE};
		u64 va = any() & 0x3fffff, desc = 3 | (any() & 0xbcc) | (any() % 4 ? 0x400 : 0);
		struct hw_resp quick, slow;
		u64 *cd = bed_cd(&b, 3, 0);

		if (i % 64 == 0) {
			cd[0] = (cd[0] & ~0x1f00000000full & ~(3ull << 42)) | 16 |
				(any() & 0x11000000000ull) | any() % 4 << 42;
			bed_command(&b, CMD_CFGI_CD | 3ull << CMD0_SID, 0);
		}
		desc |= (any() & 0x7ff) << 12 | (any() % 4 ? 0 : any() % 8 << 51) |
			(any() % 4) << 53;
		for (u32 l = 0; l < 4; l++)
			*bed_word(&b, BED_S1 + l * 0x1000 + (va >> (39 - 9 * l) & 511) * 8) =
				(BED_S1 + (l + 1) * 0x1000) | 3 |
				(any() % 8 ? 0 : any() % 16 << 59);
		*bed_word(&b, BED_S1 + 0x3000 + (va >> 12 & 511) * 8) = desc;
		if (any() % 8 == 0)
			*bed_word(&b, BED_S1 + 0x2000 + (va >> 21 & 511) * 8) = desc & ~2ull;
		quick = bed_dma(&b, 3, va, access[i % 6]);
		b.env.point = bed_point;
		slow = bed_dma(&b, 3, va, access[i % 6]);
		b.env.point = NULL;
		cr_assert(quick.status == slow.status && quick.pa == slow.pa &&
				  quick.lg2 == slow.lg2 && quick.access == slow.access,
			  "%u: va %lx desc %lx: %u %lx %u %x, %u %lx %u %x", i, va, desc,
			  quick.status, quick.pa, quick.lg2, quick.access, slow.status, slow.pa,
			  slow.lg2, slow.access);
		same += quick.status == HW_OK;
		for (u64 rec[4]; bed_event(&b, rec);)
			;
	}
	cr_assert(same > 2000, "%u", same);
	bed_close(&b);
}

/* --- a walk that an invalidation overtakes --- */

static u32 overtake_at;
static u64 gone[2];
static bool is_gone;
static u32 read_gone;

static void take_away(struct bed *b, const char *why)
{
	(void)why;
	if (b->points != overtake_at)
		return;
	b->point = NULL;
	/* The stream's tables go as a driver takes them away. */
	bed_cd(b, 3, 0)[0] = 0;
	bed_command(b, CMD_CFGI_CD | 3ull << CMD0_SID, 1);
	bed_command(b, CMD_TLBI_NH_ASID | 7ull << CMD0_ASID, 0);
	bed_command(b, CMD_SYNC, 0);
	is_gone = true;
}

static void look(struct hw_env *e, enum hw_fact f, const u64 a[4])
{
	(void)e;
	if (f == HW_FACT_WALK_WORD && is_gone && a[0] >= gone[0] && a[0] < gone[1])
		read_gone++;
}

/* After CMD_SYNC nothing reads tables that the transaction had found before. */
static void overtaken_everywhere(const char *options)
{
	struct hw_resp r = {0};
	u32 n = 0;

	for (overtake_at = 1; !n || overtake_at <= n; overtake_at++) {
		struct bed b;
		u64 ttb, rec[4];

		bed_open(&b, options);
		ttb = bed_s1(&b, 3, 7);
		bed_map(&b, ttb, 0x12345000, 0x200000 | PAGE_RW, 3);
		gone[0] = ttb;
		gone[1] = b.table;
		is_gone = false;
		read_gone = 0;
		b.env.point = bed_point;
		b.env.fact = look;
		if (n)
			b.point = take_away;
		r = bed_dma(&b, 3, 0x12345678, HW_WRITE);
		if (!n) {
			cr_assert_eq(r.status, HW_OK);
			n = b.points;
			overtake_at = 0;
		} else {
			cr_assert_eq(read_gone, 0, "at %u: %u words of freed tables", overtake_at,
				     read_gone);
			cr_assert_eq(r.status, HW_ABORT, "at %u", overtake_at);
			cr_assert_eq(bed_event(&b, rec), C_BAD_CD, "at %u", overtake_at);
			cr_assert_eq(bed_event(&b, rec), 0, "at %u", overtake_at);
		}
		b.env.point = NULL;
		bed_close(&b);
	}
	cr_assert_geq(n, 20, "%u", n);
}

Test(smmuv3, a_walk_reads_nothing_of_tables_that_an_invalidation_took_away)
{
	overtaken_everywhere("");
	overtaken_everywhere("cache=none");
	overtaken_everywhere("httu=2");
}

static u64 fault[4]; /* the last one that was told */
static u32 n_faults;

static void note_fault(struct hw_env *e, enum hw_fact f, const u64 a[4])
{
	(void)e;
	if (f != HW_FACT_FAULT)
		return;
	n_faults++;
	memcpy(fault, a, sizeof(fault));
}

/* Of a stream whose STE has no EATS. */
static void forbidden(u8 kind, u32 cr0, u8 event)
{
	struct hw_req q = {.addr = 0x5000, .sid = 3, .pasid = HW_NO_PASID, .access = HW_READ,
			   .kind = kind};
	struct hw_resp r;
	struct bed b;
	u64 rec[4];

	bed_open(&b, "");
	bed_s1(&b, 3, 7);
	bed_w32(&b, SMMU_CR0, cr0);
	bed_idle(&b);
	b.env.fact = note_fault;
	n_faults = 0;
	b.h->ops->translate(b.h, &q, &r);
	cr_assert_eq(r.status, HW_ABORT);
	cr_assert_eq(n_faults, 1);
	cr_assert_eq(fault[0], (u64)HW_NO_PASID << 32 | 3);
	cr_assert_eq(fault[1], 0x5000);
	cr_assert_eq(fault[2], event);
	cr_assert_eq(bed_event(&b, rec), event);
	bed_close(&b);
}

Test(smmuv3, what_ats_may_not_do_is_told_as_a_fault)
{
	const u32 on = CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN;

	forbidden(HW_TRANSLATION_REQUEST, on, F_BAD_ATS_TREQ);
	forbidden(HW_TRANSLATED, on | CR0_ATSCHK, F_TRANSL_FORBIDDEN);
}

static void go_away(struct bed *b, const char *why)
{
	(void)why;
	if (b->points != overtake_at)
		return;
	b->point = NULL;
	bed_cd(b, 3, 0)[1] = gone[1];
	bed_command(b, CMD_CFGI_CD | 3ull << CMD0_SID, 1);
	bed_command(b, CMD_TLBI_NH_ASID | 7ull << CMD0_ASID, 0);
	bed_command(b, CMD_SYNC, 0);
}

/* A probe that is overtaken answers for the new tables, not with an abort. */
Test(smmuv3, a_probe_that_is_overtaken_starts_over)
{
	for (overtake_at = 1; overtake_at <= 20; overtake_at++) {
		struct bed b;

		bed_open(&b, "atos=1,cache=none");
		gone[0] = bed_s1(&b, 3, 7);
		bed_map(&b, gone[0], 0x12345000, 0x200000 | PAGE_RW, 3);
		gone[1] = bed_new_table(&b);
		bed_map(&b, gone[1], 0x12345000, 0x300000 | PAGE_RW, 3);
		b.env.point = bed_point;
		b.point = go_away;
		bed_w64(&b, SMMU_GATOS_SID, 3);
		bed_w64(&b, SMMU_GATOS_ADDR, 0x12345000 | 1ull << ATOS_ADDR_TYPE |
						     1ull << ATOS_ADDR_RNW);
		bed_w32(&b, SMMU_GATOS_CTRL, ATOS_RUN);
		cr_assert_eq(b.h->ops->mmio_read(b.h, SMMU_GATOS_PAR, 8) & 0xfffffff001, 0x300000,
			     "at %u: %lx", overtake_at,
			     b.h->ops->mmio_read(b.h, SMMU_GATOS_PAR, 8));
		b.env.point = NULL;
		bed_close(&b);
	}
}

/* All commands in one go, as hw_drain() does them. */
static void at_once(struct bed *b, u64 w0, u64 w1)
{
	bed_send_command(b, w0, w1);
	hw_drain(b->h);
	cr_assert_eq(bed_r32(b, SMMU_CMDQ_CONS), b->prod);
}

Test(smmuv3, a_sync_retries_what_stalled_after_an_invalidation_in_one_go)
{
	struct bed b;

	bed_open(&b, "");
	bed_s1(&b, 3, 7);
	*bed_cd(&b, 3, 0) |= 1ull << CD0_S;
	/* The queue of 16 events is full: what stalls then is not told. */
	for (u32 i = 0; i < 16; i++)
		bed_dma(&b, 3, 0x5000 + i * 0x1000, HW_WRITE);
	at_once(&b, CMD_STALL_TERM | 3ull << CMD0_SID, 0);
	at_once(&b, CMD_SYNC, 0);
	b.n_resumed = 0;
	at_once(&b, CMD_TLBI_NH_ASID | 7ull << CMD0_ASID, 0);
	cr_assert_eq(bed_dma(&b, 3, 0x5000, HW_WRITE).status, HW_STALLED);
	cr_assert_eq(b.n_resumed, 0);
	at_once(&b, CMD_SYNC, 0);
	cr_assert_eq(b.n_resumed, 1);
	cr_assert(b.resumed_retry);
	bed_close(&b);
}

/* The same words mean another world: nothing remembered of them may be used. */
Test(smmuv3, an_ste_means_another_world_when_e2h_changes)
{
	struct bed b;
	u64 ttb, rec[4];

	bed_open(&b, "hyp=1");
	ttb = bed_s1(&b, 3, 7);
	bed_ste(&b, 3)[1] |= 2ull << STE1_STRW;
	/* Not for the unprivileged; EL2 without E2H knows no such thing. */
	bed_map(&b, ttb, 0x5000, 0x200000 | (PAGE_RW & ~(1ull << 6)), 3);
	cr_assert_eq(bed_dma(&b, 3, 0x5000, HW_READ).status, HW_OK);
	bed_w32(&b, SMMU_CR0, CR0_EVENTQEN | CR0_CMDQEN);
	bed_idle(&b);
	bed_w32(&b, SMMU_CR2, CR2_E2H);
	bed_w32(&b, SMMU_CR0, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN);
	bed_command(&b, CMD_CFGI_STE_RANGE, 31);
	bed_command(&b, CMD_TLBI_EL2_ALL, 0);
	cr_assert_eq(bed_dma(&b, 3, 0x5000, HW_READ).status, HW_ABORT);
	cr_assert_eq(bed_event(&b, rec), F_PERMISSION);
	bed_close(&b);
}

Test(smmuv3, a_cd_that_stalls_is_bad_where_its_ste_forbids_it)
{
	struct bed b;
	u64 rec[4];

	bed_open(&b, "");
	bed_s1(&b, 3, 7);
	*bed_cd(&b, 3, 0) |= 1ull << CD0_S;
	cr_assert_eq(bed_dma(&b, 3, 0x5000, HW_READ).status, HW_STALLED);
	bed_ste(&b, 3)[1] |= 1ull << STE1_S1STALLD;
	bed_command(&b, CMD_CFGI_STE_RANGE, 31);
	bed_event(&b, rec);
	cr_assert_eq(bed_dma(&b, 3, 0x5000, HW_READ).status, HW_ABORT);
	cr_assert_eq(bed_event(&b, rec), C_BAD_CD);
	bed_close(&b);
}
