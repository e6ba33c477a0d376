/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VT-d model's inside.
 *
 * A request goes: front cache (front of everything, per device) -> configuration
 * (context cache, PASID cache, or tables) -> IOTLB -> paging-structure caches ->
 * tables. The front cache and the bindings (decoded configuration per device)
 * only repeat what the caches below them say: every drop, and every register
 * write that matters, makes all of them void (front_gen, cfg_gen).
 *
 * While a walk is under way others may run (hw_point()): so an entry found in a
 * cache is copied, a walk that an invalidation has overtaken fills nothing
 * (inv_epoch), and a wait descriptor waits for walks that began before it.
 */
#pragma once

#include "hw/iommu/cache_layout.h"
#include "hw/iommu/nest.h"
#include "hw/vtd/vtd_regs.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <assert.h>
#include <string.h>

static_assert(offsetof(struct hw_resp, lg2) == 8 && offsetof(struct hw_resp, entry) == 16,
	      "words of a response are written at once");
static_assert(offsetof(struct hw_req, no_fault_report) == offsetof(struct hw_req, access) + 3,
	      "three fields of a request are judged as one word");
static_assert(offsetof(struct hw_req, pasid) == offsetof(struct hw_req, sid) + 4,
	      "source and PASID are compared at once");

#define VTD_FRONT 8
#define VTD_FRONT_GEN_ONE 0x10000u
#define VTD_DEVICES 65536u
#define VTD_PENDING 32
#define VTD_ITAGS 32
#define VTD_WALKS 64
#define VTD_LATE_PAGES 16
#define VTD_RETRIES 16
#define VTD_MEMOS 16
#define VTD_MEMO_WORDS 16
#define VTD_ROWS_END 0x100u /* of all registers but the fault records */

/* What `options` say; the capability registers follow from it. */
struct vtd_knobs {
	u32 sagaw, haw, nd, mamv, nfr, pasid, mhmv;
	u32 cm, rwbf, zlr, psi, sp, dwd, drd, fl1gp, fl5, pi, esrtps, esirtps;
	u32 coherent, qi, ats, ir, eim, pt, sc, nest, prs, ers, srs, nwfs, eafs, pds, scalable;
	u32 ssads, ss, fs, smpwc, rps, adms, rprivs;
	u32 atom, collapse, late, strict, race, fragment;
	u32 iotlb; /* 0: configuration and tables are cached, pages are not */
	u32 quick; /* 0: the long way only; 2: without vector instructions */
	struct hw_cache_policy policy;
	u32 evict; /* struct hw_iommu's */
};

/*
 * A page that a device may use at once. who: see vtd_who(). lg2, access: of hw_resp;
 * deny: bits that a request's access may not have, the sign stands for those of kind and
 * no_fault_report as well.
 */
struct vtd_front {
	u64 page, who, pa;
	u8 lg2, access;
	s16 deny;
	u32 entry;
};

enum vtd_mode { VTD_MODE_PASS, VTD_MODE_SS, VTD_MODE_FS, VTD_MODE_NESTED };

/* Context and PASID entry, decoded. */
struct vtd_cfg {
	u64 ss_root, fs_root;
	u64 tag;        /* of the IOTLB, see vtd_tag() */
	u32 pasid;      /* that translates; HW_NO_PASID in legacy mode */
	u16 did;
	u8 mode, ss_levels, fs_levels;
	bool legacy, fpd, dte, pre, priv;
	bool ssade, eafe, sre, ere, wpe, nxe, smep, pwsnp, pgsnp;
};

/*
 * The last tables of 2 MiB that the paging-structure cache gave: good until
 * something is filled there, or the lane is made anew.
 */
struct vtd_cursor {
	u64 range;      /* address / 2 MiB */
	u64 value;      /* of the cache's entry; 0: there is none */
	u64 attrs;      /* of the last leaf: its bits but the address */
	u32 flags;      /* what they mean, enum vtd_flag; 0: look closer */
	u32 slot, serial;
};
#define VTD_CURSORS 2
/* Of the tag of a configuration; of its second stage, for pages and for tables. */
enum { VTD_OWN, VTD_SS_PAGE, VTD_SS_TABLE, VTD_ROLES };

struct vtd_binding {
	u64 gen;        /* of cfg; 0: none */
	u64 quick_gen;  /* gen, if space is known and nothing in cfg is beyond the quick way */
	u64 absent_limit; /* below it vtd_absent() knows: the second stage alone */
	u32 pasid;      /* as requested */
	u32 space;      /* of the IOTLB */
	u32 psc_space;  /* of the paging-structure caches, for the tag of cfg */
	u32 ss_space;   /* likewise, for the second stage that cfg is nested on */
	struct vtd_cfg cfg;
};

/*
 * Of one stage: the last table that was used, of all lanes' the last that the cache of
 * tables gave (struct vtd's youngest); in it the last leaf: its bits but the address, what
 * they mean, and the answer's word of it.
 */
struct vtd_single {
	u64 range, table, attrs;
	u32 flags, meta;
};

/* What the quick way knows of a device and PASID beside the binding. */
#define VTD_LANES 64
struct vtd_lane {
	u64 who;        /* see vtd_who(); 0: none */
	u64 limit;      /* addresses below it the tables have */
	u64 exact;      /* and tags of the view tell them apart */
	u64 ss_limit;   /* likewise of the second stage that is nested on */
	struct vtd_binding *bind;
	u32 mode;       /* enum vtd_mode */
	u64 usual;      /* view's version, if it is of pages of 4 KiB in sets that age */
	struct cache_view view; /* of the IOTLB */
	u32 other;      /* of one stage: what the other one would permit, enum vtd_flag */
	struct vtd_single last_table;
	struct hw_nests *nests; /* if it is nested, and there are any */
	/* Which lane it is, with the cache of tables as it was; see struct hw_nest. */
	u64 made;
	u32 psc_serial;
	struct vtd_cursor last[VTD_ROLES][VTD_CURSORS];
};

/*
 * The nest and the below that were used last, and not by chance. No other was since, nor was
 * the cache of tables asked for anything else.
 */
struct vtd_again {
	u64 range;      /* of the nest; ~0: there is none */
	u64 at, word, table;
	u64 first;      /* an entry of the first stage; of its address only the range counts */
	u64 ss_table, attrs;
	u32 flags, meta; /* of the answer, as in quick_priv.h */
};

/* Without caches: what configuration was read, and what it meant. */
struct vtd_memo {
	u64 gen;        /* as of vtd_binding */
	u32 sid, pasid;
	u32 n;
	struct hw_cache_word word[VTD_MEMO_WORDS];
	struct vtd_cfg cfg;
};

/*
 * Without caches: all memory that the last nested walk in 2 MiB read, but the two leaves of
 * its page, in pieces of 32 bytes, each once. If each still is what it was, then so is where
 * they lead. What lies beside a word in its piece counts, too: it seldom changes.
 */
#define VTD_TRAILS 16
#define VTD_TRAIL_PIECES ((VTD_MEMO_WORDS + 22 + 3) & ~3)
#define VTD_IN_2M 0x1ff000ULL
struct vtd_trail {
	u64 gen;        /* as of vtd_binding */
	u64 who;        /* source and PASID */
	u64 range;      /* address / 2 MiB */
	u64 fs_table, ss_table; /* the last ones, all of them in memory */
	u64 first;      /* the last leaf of the first stage; but where in 2 MiB its page lies */
	u64 attrs;      /* of the second one's: its bits but the address */
	u32 meta;       /* what they mean together, as in quick_base_priv.h */
	u32 reads;      /* words read, each time that one is */
	u32 n;          /* pieces; a multiple of 4 */
	u64 gpa_range;  /* address / 2 MiB, of the page before the second stage */
	u64 fs[2], ss[2]; /* bits of the upper entries: that all have, that any has */
	u64 at[VTD_TRAIL_PIECES];
	u64 was[VTD_TRAIL_PIECES][4] __attribute__((aligned(64)));
};

struct vtd_dev {
	struct vtd_front front[VTD_FRONT];
	struct vtd_binding bind;
	bool touched;
} __attribute__((aligned(512)));

/* Permissions and state of a translation: low bits of a cached value. */
enum vtd_flag {
	VTD_F_RW = 1,      /* first stage allows writes */
	VTD_F_US = 2,      /* first stage allows user accesses */
	VTD_F_XD = 4,      /* first stage forbids execution */
	VTD_F_SSR = 8,
	VTD_F_SSW = 16,
	VTD_F_DIRTY = 32,  /* no D has to be set by a write */
	VTD_F_CLOSER = 64, /* in the interrupt range, or negative: not for the quick way */
	VTD_F_SNP = 128,
	VTD_F_NEGATIVE = 256, /* extra: the fault reason */
	VTD_F_ALL = VTD_F_RW | VTD_F_US | VTD_F_SSR | VTD_F_SSW,
};
#define VTD_F_MASK 0xfffULL

/* One request on its way. */
struct vtd_walk {
	struct vtd *v;
	const struct hw_req *req;
	struct vtd_cfg cfg;
	u64 epoch;      /* of invalidations, when it began */
	u64 stamp;
	u64 pa;
	u32 flags;      /* enum vtd_flag */
	u32 entry;
	u32 reads;
	u32 n_words;
	u32 access;     /* needed: HW_READ, HW_WRITE, HW_EXEC */
	bool priv;      /* the request counts as privileged */
	bool no_write;  /* a translation request that asks for no write permission */
	bool pure;      /* walk(): no cache, no side effect */
	bool quiet;     /* nothing may be seen of it but fills; if pure, no moments */
	bool watched;   /* each word read is a moment */
	bool fpd;
	bool paged;     /* reason: of a paging structure of this request */
	bool changed;   /* another wrote the entry whose A or D was to be set */
	u8 reason;      /* fault, or 0 */
	u8 lg2;
	struct hw_cache_word word[HW_PROV_MAX];
};

enum vtd_state { VTD_CMD_NEW, VTD_CMD_SENT };

struct vtd_cmd {
	u64 d[4];
	u64 serial;
	u64 stamp;      /* walks below it must have ended */
	u16 itag;
	u8 type, state;
};

struct vtd {
	struct hw_iommu h;
	u64 front_gen;  /* 1 to 65535, in bits 16 to 31; changes whenever pages are invalidated */
	struct vtd_lane *hot; /* the last that was asked for, or one of nobody */
	struct vtd_dev *dev;
	void *dev_block;
	bool front_on;
	bool te;
	bool quick;     /* the options leave something to the quick way */
	u8 ttm;
	bool keeps;     /* not cache=none */
	bool pages;     /* and translations of pages, too */
	bool binds;     /* decoded configuration is remembered: there is room for all of it */
	bool nested;    /* since the reset, some request was nested */
	u64 cfg_gen;    /* of the bindings */
	u64 root;       /* active root table */
	u64 addr_mask;  /* bits 12 to HAW - 1 */
	u64 ss_reserved[6][2], fs_reserved[6][2]; /* [level][leaf] */
	struct hw_cache *ctx, *pasid, *iotlb, *psc, *iec;
	struct vtd_lane *lane, nobody;
	struct hw_nests *nests;
	/* Whose last_table is the youngest of its set; until anything else is asked for. */
	const struct vtd_lane *youngest;
	struct vtd_again again;
	u64 lanes_made;
	struct vtd_memo *memo;
	struct vtd_trail *trail;
	u32 ctx_space, iec_space;
	struct vtd_knobs k;
	u64 inv_epoch, stamp;
	u64 walk_stamp[VTD_WALKS];
	u32 n_walks;
	/* Registers that have state; which row of regs.c a word belongs to, from 1. */
	u32 r[VTD_MMIO_SIZE / 4];
	u32 power_on[VTD_ROWS_END / 4];
	u8 row_at[VTD_ROWS_END / 4];
	u64 ir_table;
	u32 ir_size;
	bool eime;
	u32 next_record;
	/* Invalidation queue. */
	struct vtd_cmd cmd[VTD_PENDING];
	u32 n_cmds;
	u64 serial;
	u16 itag_sid[VTD_ITAGS];
	u32 itags;      /* bit: in use */
	u32 inv_types;  /* bit: there are descriptors of this type */
	/* Late effects of register writes. */
	u32 late_gcmd, late_done;
	bool late_ccmd, late_iotlb;
	struct hw_page_request page[VTD_LATE_PAGES];
	u32 n_pages;
	u32 touched[VTD_DEVICES];
	u32 n_touched;
};

static inline struct vtd_lane *vtd_lane_of(const struct vtd *v, u32 sid)
{
	return &v->lane[(sid ^ sid >> 8) % VTD_LANES];
}

static inline u32 vtd_get(const struct vtd *v, u32 off)
{
	return v->r[off / 4];
}

static inline void vtd_set(struct vtd *v, u32 off, u32 value)
{
	v->r[off / 4] = value;
}

static inline u64 vtd_get64(const struct vtd *v, u32 off)
{
	return v->r[off / 4] | (u64)v->r[off / 4 + 1] << 32;
}

static inline void vtd_set64(struct vtd *v, u32 off, u64 value)
{
	v->r[off / 4] = (u32)value;
	v->r[off / 4 + 1] = (u32)(value >> 32);
}

static inline u64 vtd_bits(u64 word, u32 low, u32 n)
{
	return word >> low & ((1ULL << n) - 1);
}

static inline void vtd_fact(struct vtd *v, enum hw_fact f, u64 a, u64 b, u64 c, u64 d)
{
	if (hw_heard(v->h.env, f))
		v->h.env->fact(v->h.env, f, (const u64[4]){a, b, c, d});
}

/* Software broke a rule, by these words; nothing else happens by this. text: static. */
static inline void vtd_protocol(struct vtd *v, const char *text, u64 word, u64 next)
{
	vtd_fact(v, HW_FACT_PROTOCOL, (u64)(uintptr_t)text, word, next, 0);
}

/* fault.c */
void vtd_fault(struct vtd *v, const struct hw_req *req, u8 reason, bool page_request);

/* caps.c */
bool vtd_knobs_read(struct vtd_knobs *k, const char *options, char *err, size_t err_size);
u64 vtd_cap(const struct vtd_knobs *k);
u64 vtd_ecap(const struct vtd_knobs *k);
void vtd_reserved_bits(struct vtd *v);

/* regs.c */
u64 vtd_mmio_read(struct hw_iommu *h, u64 off, u32 size);
void vtd_mmio_write(struct hw_iommu *h, u64 off, u32 size, u64 value);
void vtd_regs_make(struct vtd *v);
void vtd_regs_reset(struct vtd *v);
/* A register write's effect that was put off; false: there is none. */
bool vtd_late_work(struct vtd *v);
bool vtd_late_pending(const struct vtd *v);
/* An event of the block FECTL, IECTL or PECTL; its interrupt, or that it is pending. */
void vtd_event(struct vtd *v, u32 ctl);
void vtd_event_clear(struct vtd *v, u32 ctl);

/* mem.c */
void vtd_watched_word(struct vtd_walk *w, u64 pa, bool snoop, u64 *value);
bool vtd_read_watched(struct vtd_walk *w, u64 pa, u64 *word, u32 n);
bool vtd_load(struct vtd *v, u64 pa, u64 *value);
bool vtd_store(struct vtd *v, u64 pa, u64 value, u32 bytes);

/* A word of a table. False: there is no such memory. */
static inline bool vtd_read(struct vtd_walk *w, u64 pa, bool snoop, u64 *value)
{
	const struct hw_env *e = w->v->h.env;

	if (unlikely(e->ram_size < 8 || pa > e->ram_size - 8))
		return false;
	w->reads++;
	if (unlikely(w->watched))
		vtd_watched_word(w, pa, snoop, value);
	else
		memcpy(value, e->ram + pa, 8);
	return true;
}

static inline bool vtd_read_words(struct vtd_walk *w, u64 pa, u64 *word, u32 n)
{
	const struct hw_env *e = w->v->h.env;

	if (unlikely(w->watched || e->ram_size < 64 || pa > e->ram_size - 64))
		return vtd_read_watched(w, pa, word, n);
	w->reads += n;
	memcpy(word, e->ram + pa, 8 * (size_t)n);
	return true;
}

/* root.c, context.c, pasid.c: false with w->reason set */
bool vtd_config(struct vtd_walk *w);
bool vtd_fetch_context(struct vtd_walk *w, u64 word[2]);
bool vtd_context_good(const struct vtd *v, const u64 word[2]);
bool vtd_legacy_config(struct vtd_walk *w);
bool vtd_pasid_config(struct vtd_walk *w, const u64 ctx[2], u32 pasid);

/* walk.c: false with w->reason set, or w->changed */
bool vtd_walk_tables(struct vtd_walk *w);
u32 vtd_absent(struct vtd *v, struct vtd_binding *b, u64 addr);
/* enum hw_access of the mode of w that flags allow. */
u32 vtd_allowed(const struct vtd_walk *w, u32 flags);
/* The reason for which flags do not permit w->access; 0: they do. */
u8 vtd_denied(const struct vtd_walk *w, u32 flags);

/* quick_priv.h: what a device asks, of a model that leaves something to it */
void vtd_translate_avx2(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
void vtd_translate_scalar(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
/* Of one that keeps tables, but no pages. */
void vtd_tables_avx2(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
void vtd_tables_scalar(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);

/* Of one that keeps nothing. */
void vtd_bare_avx2(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
void vtd_bare_scalar(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);

/* Who asks, and when: of a source id below 65536, which leaves room for front_gen. */
static inline u64 vtd_who(const struct vtd *v, const struct hw_req *req)
{
	u64 who;

	memcpy(&who, &req->sid, sizeof(who));
	return who | v->front_gen;
}

static inline struct vtd_front *vtd_front_of(const struct vtd *v, const struct hw_req *req)
{
	return &v->dev[req->sid].front[req->addr >> 12 & (VTD_FRONT - 1)];
}

/* The front answers. It is silent, and empty where somebody wants to hear of it. */
static inline bool vtd_front_hit(const struct vtd_front *f, u64 who, const struct hw_req *req,
				 struct hw_resp *resp)
{
	u64 offset = req->addr ^ f->page, meta = f->lg2 | (u64)f->access << 8;
	u32 how;

	/* access, kind and no_fault_report at once */
	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(f->who != who || offset > 0xfff || (how & (u32)f->deny)))
		return false;
	resp->pa = f->pa | offset;
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = f->entry;
	return true;
}

/* translate.c */
void vtd_translate(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
void vtd_translate_slow(struct vtd *v, const struct hw_req *req, struct hw_resp *resp);
/* What the quick way knows: pages, and neither privilege nor execution. */
bool vtd_is_quick(const struct vtd *v, const struct vtd_cfg *c);
void vtd_pure_walk(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
void vtd_walk_begin(struct vtd *v, struct vtd_walk *w, const struct hw_req *req);
void vtd_walk_end(struct vtd *v, struct vtd_walk *w);

/*
 * Whether tables of the second stage lead to an entry that is not present, and to nothing
 * else of note: then it is all that a fault says of them. Gives how many were read; 0:
 * nothing is known.
 */
static inline u32 vtd_ss_absent(const struct vtd *v, u64 addr, u64 table, u32 level)
{
	const struct hw_env *e = v->h.env;
	const u64 bad = v->ss_reserved[1][0] | VTD_SS_PS, limit = e->ram_size - 8;
	u32 shift = 3 + 9 * level;

	if (unlikely(e->ram_size < 8))
		return 0;
	for (u32 n = 1;; shift -= 9, n++) {
		u64 at = table + (addr >> shift & 511) * 8, pte;

		if (unlikely(at > limit))
			return 0;
		memcpy(&pte, e->ram + at, 8);
		if (!(pte & (VTD_SS_R | VTD_SS_W)))
			return n;
		if (shift == 12 || (pte & bad))
			return 0;
		table = pte & v->addr_mask;
	}
}

/* The answer to a plain request, and its fault: of a page that is not there. */
static inline void vtd_absent_answer(struct vtd *v, const struct vtd_cfg *c,
				     const struct hw_req *req, u32 reads, struct hw_resp *resp)
{
	u8 reason = req->access & HW_WRITE ? VTD_FR_WRITE : VTD_FR_READ;

	*resp = (struct hw_resp){.status = HW_ABORT, .reads = (u8)reads};
	if (!c->fpd)
		vtd_fault(v, req, c->legacy ? reason : VTD_FR_S_SS_P, false);
}

/* ats.c */
void vtd_ats_done(struct vtd_walk *w, struct hw_resp *resp);
bool vtd_translated_check(struct vtd_walk *w);
/* A fault that a translation request answers with "no access". */
bool vtd_recoverable(u8 reason);

/* cache.c */
u64 vtd_tag(u16 did, u32 pasid, enum vtd_mode mode);
void vtd_caches_create(struct vtd *v);
void vtd_caches_destroy(struct vtd *v);
void vtd_caches_reset(struct vtd *v);
bool vtd_may_fill(const struct vtd_walk *w);
u32 vtd_fill(struct vtd_walk *w, struct hw_cache *c, struct hw_cache_entry *e);
void vtd_lanes_void(struct vtd *v);
u64 vtd_lane_number(struct vtd *v);
u32 vtd_psc_space(struct vtd *v, u64 tag);
void vtd_front_void(struct vtd *v);
void vtd_front_fill(struct vtd_walk *w, const struct hw_resp *resp);
struct vtd_dev *vtd_dev_touch(struct vtd *v, u32 sid);
void vtd_drop_context(struct vtd *v, u32 granularity, u16 did, u16 sid, u32 fm);
void vtd_drop_pasid(struct vtd *v, u32 granularity, u16 did, u32 pasid);
void vtd_drop_iotlb(struct vtd *v, u32 granularity, u16 did, u64 addr, u64 last, bool hint);
void vtd_drop_piotlb(struct vtd *v, u64 tag_pasid, u64 addr, u64 last, bool hint);
void vtd_drop_iec(struct vtd *v, bool all, u32 index, u32 lg2);

/* fault.c */
void vtd_ir_fault(struct vtd *v, u32 sid, u32 index, u8 reason);
void vtd_status_set(struct vtd *v, u32 bits);
void vtd_status_written(struct vtd *v);
void vtd_record_write(struct vtd *v, u32 off, u32 value);
bool vtd_qualified(u8 reason);

/* inv.c */
bool vtd_inv_work(struct vtd *v);
bool vtd_inv_pending(const struct vtd *v);
/* Descriptors that nobody watches, one after the other. True: nothing is left. */
bool vtd_inv_drain(struct vtd *v);
void vtd_inv_enable(struct vtd *v, bool on);
void vtd_atc_done(struct hw_iommu *h, u16 itag);
void vtd_timeout(struct hw_iommu *h);
/* Decodes and does one command whose effect is on our own caches. */
void vtd_inv_effect(struct vtd *v, const struct vtd_cmd *c);
void vtd_ccmd(struct vtd *v);
void vtd_iotlb_command(struct vtd *v);
/* Whether all walks have ended that began before the stamp. */
bool vtd_drained(const struct vtd *v, u64 stamp);

/* inv_decode.c: which types there are; IQEI, or 0 */
u32 vtd_inv_types(const struct vtd_knobs *k);
u32 vtd_inv_check(const struct vtd *v, const struct vtd_cmd *c);

/* prq.c */
void vtd_page_request(struct hw_iommu *h, const struct hw_page_request *r);
bool vtd_prq_work(struct vtd *v);
void vtd_prq_status_written(struct vtd *v);
void vtd_page_response(struct vtd *v, const struct vtd_cmd *c);

/* ir.c */
void vtd_interrupt(struct vtd *v, const struct hw_req *req, struct hw_resp *resp);
