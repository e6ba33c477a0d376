/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SMMUv3 model's own state and the seams between its files. Sections named
 * in comments are those of Arm IHI 0070.
 */
#pragma once

#include "hw/iommu/cache_layout.h"
#include "hw/iommu/hw.h"
#include "hw/iommu/nest.h"
#include "hw/smmuv3/smmuv3_regs.h"
#include "sim/base/bits.h"

#include <assert.h>
#include <string.h>

static_assert(offsetof(struct hw_resp, lg2) == 8 && offsetof(struct hw_resp, entry) == 16,
	      "words of a response are written at once");
static_assert(offsetof(struct hw_req, no_fault_report) == offsetof(struct hw_req, access) + 3,
	      "three fields of a request are judged as one word");
static_assert(offsetof(struct hw_req, pasid) == offsetof(struct hw_req, sid) + 4,
	      "stream and substream are compared at once");

/* n bits of x from bit `low`. */
#define FIELD(x, low, n) ((u32)((u64)(x) >> (low)) & (u32)((1ull << (n)) - 1))
#define FLAG(x, bit) ((bool)((u64)(x) >> (bit) & 1))
#define ADDR_MASK 0x000ffffffffff000ull
#define SMMU_SSID_BITS 20

enum smmu_persona {
	PERSONA_NONE,
	PERSONA_TEGRA264, /* an entry can outlive an invalidation that races with traffic */
	PERSONA_HI1610,   /* CMD_PREFETCH_CONFIG is illegal */
	PERSONA_TX2,      /* the queues' indexes are in page 0 only */
	PERSONA_MAXINV,   /* every invalidation drops all that it legally may */
};

/* What the options say; each is a small number. */
struct smmu_caps {
	u8 s1p, s2p, cohacc, httu, hyp, ats, ns1ats, asid16, vmid16, msi, sev, atos, pri, vmw;
	u8 cd2l, stall, term, st2, ovr, had, xnx, ril, bbml, page0, late, merge, inflight;
	u8 sid, ssid, cmdqs, evtqs, priqs, oas, gran, persona, walkcache, config;
	u8 quick; /* 0: the long way only; 2: without vector instructions */
	u8 tlb;   /* 0: pages are not cached, whatever else is */
	u8 evict; /* struct hw_iommu's */
	u16 stallmax;
};

enum smmu_granule { TG_4K = 1, TG_16K = 2, TG_64K = 4 };

/* One set of translation tables, ready to be walked. */
struct smmu_tt {
	u64 ttb;       /* of the first level, aligned */
	u8 lg2g;       /* of the granule: 12, 14, 16 */
	u8 level;      /* of the first table: 0 to 3 */
	u8 ia, oa;     /* bits of input and output */
	u8 tg;         /* 1: 4K, 2: 16K, 3: 64K */
	bool off;      /* EPD */
	bool tbi, had, ha, hd, affd, wxn, pan;
	bool one;      /* one privilege only (EL2) */
	u8 perm[16];   /* of a CD that is good: what AP, PXN, UXN (bits 0 to 3) of a leaf permit */
	u32 space;     /* of the TLB: entries that are not global, or of stage 2 */
	u32 global;    /* of the TLB: global entries */
	u32 walk;      /* of the walk cache */
};

/* A stream table entry, decoded. */
struct smmu_ste {
	u64 s1ctx;     /* table of CDs */
	u8 bad;        /* event to report, 0: it is valid */
	u8 config, s1fmt, s1cdmax, s1dss, eats, world;
	u8 privcfg, instcfg, shcfg, memattr;
	bool mtcfg, ppar, mev, s1stalld, s2s, s2r, s2ptw;
	u16 vmid;
	struct smmu_tt s2;
};

struct smmu_cd {
	u8 bad;
	bool s, r, a;
	u16 asid;
	u64 mair;
	struct smmu_tt tt[2];
};

/*
 * What words mean: that depends on them and on `how` alone, which is 0 where nothing is
 * known. Of a CD only the first half means anything to the model.
 */
#define SMMU_STE_WORDS 8
#define SMMU_CD_WORDS 4
struct smmu_ste_words {
	u64 word[SMMU_STE_WORDS];
	u32 how;
};

struct smmu_cd_words {
	u64 word[SMMU_CD_WORDS];
	u32 how;
};

/* What the caches of structures hold. */
struct smmu_ste_kept {
	struct smmu_ste_words of;
	struct smmu_ste ste;
};

struct smmu_cd_kept {
	struct smmu_cd_words of;
	struct smmu_cd cd;
};

enum smmu_world { WORLD_EL1, WORLD_EL2, WORLD_E2H };

/*
 * How the quick way came to the last table of an input range, of either stage: good
 * as long as nothing was invalidated, and what it went by is there unchanged.
 */
#define SMMU_TRAILS 4
#define SMMU_TRAIL_WORDS 3
struct smmu_trail {
	u64 gen;            /* of struct hw_smmuv3 */
	u64 range;          /* of input that one last table is for */
	u64 table;          /* where it lies */
	u64 attrs, value;   /* of the last leaf: its bits but the address, what they mean */
	u64 plain;          /* value, or 0 if the page is global */
	u64 said;           /* of an unprivileged response: lg2, access, reads */
	/* Descriptors above it, where the walk cache does not know it; at least one. */
	u64 at[SMMU_TRAIL_WORDS], word[SMMU_TRAIL_WORDS];
	struct cache_way walk; /* of the walk cache */
	u32 serial;         /* its last fill */
	u32 reads, n;
	/* Entries of the TLB for the pages that tables of stage 1 lie in; the last repeats. */
	u32 id[SMMU_TRAIL_WORDS + 1];
	struct cache_way way[SMMU_TRAIL_WORDS + 1];
};

/*
 * A walk of both stages within 2 MiB, to the last three descriptors, and what it went by:
 * entries of the walk cache, or, where that is off, each word above. With the walk cache it
 * is only how a struct hw_nest is made. Without, and where no pages are kept either, it is
 * kept: good for who has `made` (a lane gets another one when anything was invalidated),
 * and while each word is what it was.
 */
#define SMMU_NESTS 4096
#define SMMU_NEST_WORDS 24
/* Entries of the walk cache, in the order in which they are looked for. */
enum { NEST_OWN, NEST_TABLE, NEST_PAGE, NEST_ROLES };
struct smmu_nest {
	u64 made;           /* of the lane; 0: none */
	u64 range, ipa_range; /* 2 MiB: of input, and of what stage 1 makes of it */
	u64 s1_at;          /* stage 2's descriptor of the last table of stage 1 */
	u64 s2_table;       /* of the page */
	u64 attrs[3];       /* of the last descriptors: their bits but the address */
	u64 reads;          /* where they lie in a response */
	u32 n;
	u32 meta;           /* as of the front, by both stages */
	u32 slot[NEST_ROLES];
	u64 s1_value, s2_value; /* of a page's two descriptors, as in the TLB */
	u64 at[SMMU_NEST_WORDS], word[SMMU_NEST_WORDS];
};

/*
 * Both stages of 2 MiB that were asked for last, and more than once, with nothing else in
 * between: by a nest and a below where tables are kept, but no pages; else by two trails, and
 * then nothing else was filled in the TLB.
 */
struct smmu_again {
	u64 range;          /* of input; ~0: there is none */
	u64 at, word, table;
	u64 first;          /* of stage 1: of its address only the range counts */
	u64 s2_table, attrs;
	u64 meta;           /* as of the front */
	/* By trails: of a response, of stage 2, of both; of both the second word. */
	u64 said, s2_value, mix, extra;
	const struct smmu_trail *s1, *s2;
};
#define SMMU_IN_2M 0x1ff000ull

/* What the quick way knows of a context beside it. */
struct smmu_lane {
	u64 who, gen;       /* as of the context, if it is quick; else gen is 0 */
	u64 usual;          /* addresses below it are in pages of 4 KiB, by its first tables */
	u64 plain;          /* the TLB's version, if own[0] is of 4 KiB and global[0] empty */
	u64 output;         /* bits of addresses that its leaves may have */
	u64 s2_output;      /* and those of stage 2 */
	u64 s2_limit;       /* intermediate addresses below it stage 2 has, and tags tell apart */
	/* Which lane it is, with the caches as they were; see struct hw_nest. */
	u64 made, walk_gen;
	u32 walk_serial;
	bool nested;
	bool trails;        /* some were made for this context */
	struct hw_smmuv3 *h;
	const struct smmu_ctx *ctx;
	struct cache_view own[2], global[2], s2; /* of the TLB */
	u64 mix_s1, mix_s2, mix, mix_extra;      /* the last two values that were combined */
	struct smmu_trail s1_trail[SMMU_TRAILS], s2_trail[SMMU_TRAILS];
};

/* What a (StreamID, SubstreamID) leads to. */
struct smmu_ctx {
	u64 who;
	u64 gen;
	bool s1, s2;   /* stages that translate */
	bool quick;    /* stage 1, or both; nothing overridden */
	struct smmu_ste ste;
	struct smmu_cd cd;
	/* What these were made of: true of a context that is void, too. */
	struct smmu_ste_words ste_of;
	struct smmu_cd_words cd_of;
};

/*
 * The answer of last resort of speed: 8 pages of each of 1024 streams. lg2, access: of
 * hw_resp; deny: bits that a request's access may not have, the sign stands for those of
 * kind and no_fault_report as well.
 */
struct smmu_front {
	u64 key;       /* page, and front_gen below */
	u64 who, pa;   /* as of smmu_lane; page */
	u8 lg2, access;
	s16 deny;
	u32 id;
};
#define FRONT_PAGES 8
#define FRONT_STREAMS 1024
#define CTX_SLOTS 256

/*
 * Permissions: for privileged, then for unprivileged. Bits as in enum hw_access.
 * TLB values: address in ADDR_MASK, and
 */
#define PERM_ALL 0x3f
#define V_DIRTY (1ull << 6)     /* a write has to set the dirty state first */
#define V_TG 7                  /* 2 bits */
#define V_LEVEL 9               /* of stage 1, or of stage 2 in entries of its own; 2 bits */
#define V_DEVICE (1ull << 11)   /* stage 2: device memory */
#define V_GLOBAL (1ull << 52)
#define V_NESTED (1ull << 53)
#define V_SH 54                 /* 2 bits */
#define V_ATTR 56               /* 8 bits, as in MAIR */
/* extra of combined entries: the intermediate address, and */
#define X_S1 0                  /* what stage 1 permits */
#define X_S2 6                  /* what stage 2 permits */

#define SMMU_REGS_END 0x200u /* of the registers of page 0 */

enum { CACHE_TLB, CACHE_WALK, CACHE_STE, CACHE_CD, CACHE_L1STD, CACHE_L1CD, CACHES };

/* Faults of a walk. */
struct smmu_fault {
	u8 event;      /* 0: none */
	bool s2, ttrnw;
	u8 class;
	u64 ipa;
	u64 fetch;
};
enum { CLASS_CD, CLASS_TT, CLASS_IN };

struct hw_smmuv3;

/* One translation under way. Lies on the stack of who asked. */
struct smmu_walk {
	struct hw_smmuv3 *h;
	const struct smmu_ctx *ctx;
	u64 gen;           /* of the invalidations, when it began */
	u64 addr;
	u32 sid, pasid;
	u8 need;           /* permissions, as in a TLB value */
	u8 access;         /* after the overrides of the STE */
	u8 reads;
	bool slow;         /* reads have witnesses */
	bool points;
	bool again;        /* an invalidation completed meanwhile: all anew */
	bool truth;        /* no caches, no effects */
	bool ats, no_write;
	bool atomic_dirty; /* an access that sets the dirty state */
	bool stage1_only, stage2_only; /* ATOS, split-stage ATS */
	struct smmu_fault f;
	/* The result. */
	u64 pa, value, extra;
	u8 lg2;
	u32 entry;
	u32 n_prov;
	struct hw_cache_word prov[HW_PROV_MAX];
	struct smmu_ctx local;
};

struct smmu_pool {
	void *rec;
	u64 *key;
	u32 *free;
	u32 n, max, n_free;
	size_t size;
};

struct smmu_pending { /* a command that was consumed and is not complete */
	u64 w[2];
	u32 serial;
};
#define PENDING_MAX 16

struct smmu_stall {
	u64 event[4];
	u32 sid;
	bool used, recorded;
};

struct smmu_atc {
	u16 itag;
	bool used;
};
#define ATC_MAX 32

struct smmu_inflight {
	struct hw_cache_entry e;
	u32 n;
	struct hw_cache_word prov[HW_PROV_MAX];
};
#define INFLIGHT_MAX 8

/* Registers that are stored, by number. */
enum smmu_reg {
	R_IDR0, R_IDR1, R_IDR2, R_IDR3, R_IDR4, R_IDR5, R_IIDR, R_AIDR, R_CR0, R_CR0ACK, R_CR1,
	R_CR2, R_STATUSR, R_GBPA, R_AGBPA, R_IRQ_CTRL, R_IRQ_CTRLACK, R_GERROR, R_GERRORN,
	R_GERROR_CFG0, R_GERROR_CFG1, R_GERROR_CFG2, R_STRTAB_BASE, R_STRTAB_BASE_CFG,
	R_CMDQ_BASE, R_CMDQ_PROD, R_CMDQ_CONS, R_EVENTQ_BASE, R_EVENTQ_PROD, R_EVENTQ_CONS,
	R_EVENTQ_CFG0, R_EVENTQ_CFG1, R_EVENTQ_CFG2, R_PRIQ_BASE, R_PRIQ_PROD, R_PRIQ_CONS,
	R_PRIQ_CFG0, R_PRIQ_CFG1, R_PRIQ_CFG2, R_GATOS_CTRL, R_GATOS_SID, R_GATOS_ADDR,
	R_GATOS_PAR, R_COUNT,
};

/* Wires of the model, in the order of its firmware description. */
enum { WIRE_EVENTQ, WIRE_PRIQ, WIRE_SYNC, WIRE_GERROR };

struct hw_smmuv3 {
	struct hw_iommu base;
	struct smmu_front *front;
	u64 front_gen;     /* 1 to 4095, in the low 12 bits of a key */
	struct smmu_lane *hot, nobody; /* the last that was asked for, or one of nobody */
	bool front_on;
	bool quick;        /* no option that a quick answer would pass over */
	bool caching;      /* translations are kept */
	bool walks;        /* and tables */
	u8 tg_seen;        /* bit tg: there are, or were, spaces of this granule */
	bool config_cache; /* structures are kept */
	u64 gen;           /* counts invalidations: a walk that began before one starts over */
	u64 cfg_gen;       /* of ctx[]; 0: of none */
	bool substreams;   /* ctx[] has, or had, some of substreams */
	struct smmu_ctx *ctx;
	struct smmu_lane *lane; /* of each of ctx[] */
	struct smmu_nest *nest; /* where pages are not kept */
	/* The last two trails that were used; their ways of the walk cache: no other was since. */
	const struct smmu_trail *young[2];
	struct hw_nests *nests; /* likewise, with a walk cache */
	struct smmu_again again;
	u64 lanes_made;
	u8 perm[8][16];    /* by kind of tables, then as perm[] of struct smmu_tt */
	struct smmu_caps cap;
	struct hw_cache_policy policy;
	struct hw_cache *cache[CACHES];
	u32 ste_space, cd_space, l1std_space, l1cd_space;
	struct smmu_pool ste_pool, cd_pool;
	u64 reg[R_COUNT];
	u64 mask[R_COUNT]; /* bits that exist */
	u64 power_on[R_COUNT];
	u8 reg_at[SMMU_REGS_END / 4]; /* which row of regs.c a word belongs to, from 1 */
	u8 oa_bits;
	u64 oa_mask;
	/* commands */
	u8 needs;          /* bit per kind of them that there is */
	u32 ring_mask;     /* of their index, wrap included */
	u64 ring_base;
	struct smmu_pending pending[PENDING_MAX];
	u32 n_pending, serial;
	bool invalidated;  /* since the last CMD_SYNC */
	struct smmu_atc atc[ATC_MAX];
	u32 n_atc;         /* in use */
	u16 atc_seq;
	bool atc_failed;
	bool ack_late;     /* CR0ACK and its kin have to follow */
	struct smmu_inflight inflight[INFLIGHT_MAX];
	u32 n_inflight;
	struct smmu_stall *stall;
	u32 n_stalled, stall_hand;
	u64 last_event[4]; /* for merging */
	u32 last_prod;
	bool last_merges;
};

/* options.c */
bool smmu_options(struct smmu_caps *cap, struct hw_cache_policy *policy, const char *text,
		  char *err, size_t err_size);
/* regs.c */
void smmu_regs_make(struct hw_smmuv3 *h);
void smmu_regs_reset(struct hw_smmuv3 *h);
u64 smmu_mmio_read(struct hw_iommu *base, u64 off, u32 size);
void smmu_mmio_write(struct hw_iommu *base, u64 off, u32 size, u64 value);
bool smmu_acknowledge(struct hw_smmuv3 *h);
void smmu_gerror(struct hw_smmuv3 *h, u32 bits);
/* msi.c */
enum smmu_irq { IRQ_OF_GERROR, IRQ_OF_EVENTQ, IRQ_OF_PRIQ };
void smmu_irq(struct hw_smmuv3 *h, enum smmu_irq which);
bool smmu_msi_write(struct hw_smmuv3 *h, u64 addr, u32 data);
/* memory.c */
bool smmu_read_slow(struct smmu_walk *w, u64 pa, u64 *value);
bool smmu_write_words(struct hw_smmuv3 *h, u64 pa, const u64 *word, u32 n);
bool smmu_read_words(struct hw_smmuv3 *h, u64 pa, u64 *word, u32 n);
/* ste.c, cd.c */
u8 smmu_fetch_ste(struct smmu_walk *w, struct smmu_ctx *ctx);
void smmu_decode_ste(struct hw_smmuv3 *h, const u64 word[8], struct smmu_ste *ste);
u8 smmu_fetch_cd(struct smmu_walk *w, u32 ssid, struct smmu_ctx *ctx);
void smmu_decode_cd(struct hw_smmuv3 *h, const struct smmu_ste *ste, const u64 word[8],
		    struct smmu_cd *cd);
u8 smmu_resolve(struct smmu_walk *w);
u8 smmu_config_of(struct smmu_walk *w, const struct smmu_ste *ste, bool *s1, u32 *ssid);
bool smmu_granule(const struct hw_smmuv3 *h, u32 lg2g);
u8 smmu_size_bits(u32 encoded);
/* walk.c */
u8 smmu_translate_walk(struct smmu_walk *w);
/*
 * The fault of an address that stage 1, alone and unwatched, does not map, and that the TLB
 * has just been asked for. Gives how many words were read; 0: it is not so simple.
 */
u32 smmu_absent(struct hw_smmuv3 *h, const struct smmu_ctx *ctx, const struct hw_req *req);
/* Likewise of memory as it is: without caches and effects. */
u32 smmu_absent_truth(const struct hw_smmuv3 *h, const struct smmu_ctx *ctx, u64 va);
/* What a stage makes of an address: pa of it, lg2, and a TLB value. */
struct smmu_leaf {
	u64 pa, value;
	u32 lg2;
};
u8 smmu_s2(struct smmu_walk *w, const struct smmu_ste *ste, u64 ipa, u32 class,
	   struct smmu_leaf *leaf);
bool smmu_s2_word(struct smmu_walk *w, const struct smmu_ste *ste, u64 ipa, u8 class, u64 *pa);
/* cache.c */
void smmu_cache_reset(struct hw_smmuv3 *h);
bool smmu_cache_create(struct hw_smmuv3 *h);
void smmu_cache_destroy(struct hw_smmuv3 *h);
void smmu_spaces(struct hw_smmuv3 *h, struct smmu_ctx *ctx);
void smmu_tlb_fill(struct smmu_walk *w, u32 space, u64 addr, u32 lg2, u64 value, u64 extra);
void smmu_walk_fill(struct smmu_walk *w, u32 space, u64 addr, u32 lg2, u64 value);
bool smmu_retire_inflight(struct hw_smmuv3 *h, bool all);
void smmu_ste_keep(struct smmu_walk *w, const struct smmu_ctx *ctx);
const struct smmu_ste_kept *smmu_ste_cached(struct hw_smmuv3 *h, u32 sid);
void smmu_cd_keep(struct smmu_walk *w, u32 ssid, const struct smmu_ctx *ctx);
const struct smmu_cd_kept *smmu_cd_cached(struct hw_smmuv3 *h, u32 sid, u32 ssid);
void smmu_front_drop(struct hw_smmuv3 *h);
void smmu_contexts_void(struct hw_smmuv3 *h);
void smmu_lane_make(struct hw_smmuv3 *h, const struct smmu_ctx *slot);
u64 smmu_lane_number(struct hw_smmuv3 *h);
/* Before the walk cache is asked for anything, but by a nest. */
void smmu_walks_settle(struct hw_smmuv3 *h);
u64 smmu_tag(u32 world, u32 stage2, u32 global, u32 tg, u32 asid, u32 vmid);
#define TAG_WORLD 3ull
#define TAG_S2 4ull
#define TAG_GLOBAL 8ull
#define TAG_TG 4
#define TAG_VMID 16
#define TAG_ASID 32
/* tlbi.c */
void smmu_invalidate(struct hw_smmuv3 *h, const u64 w[2]);
/* cmdq.c */
void smmu_commands_make(struct hw_smmuv3 *h);
void smmu_commands_place(struct hw_smmuv3 *h);
bool smmu_command(struct hw_smmuv3 *h);
bool smmu_command_ready(struct hw_smmuv3 *h);
/* Commands that nobody watches, one after the other. True: nothing is left. */
bool smmu_commands_drain(struct hw_smmuv3 *h);
void smmu_complete_one(struct hw_smmuv3 *h);
/* evtq.c */
void smmu_event(struct hw_smmuv3 *h, const u64 rec[4], bool merges);
bool smmu_event_write(struct hw_smmuv3 *h, const u64 rec[4]);
bool smmu_eventq_writable(const struct hw_smmuv3 *h);
void smmu_record(const struct smmu_walk *w, const struct hw_req *req, u64 rec[4]);
void smmu_record_plain(const struct hw_req *req, u8 event, u64 rec[4]);
/* priq.c */
void smmu_page_request(struct hw_iommu *base, const struct hw_page_request *r);
void smmu_pri_response(struct hw_smmuv3 *h, const u64 w[2]);
/* stall.c */
bool smmu_stall(struct hw_smmuv3 *h, u64 rec[4], struct hw_resp *resp);
bool smmu_stalls_waiting(const struct hw_smmuv3 *h);
bool smmu_stalls_deliver(struct hw_smmuv3 *h);
void smmu_stalls_retry(struct hw_smmuv3 *h);
void smmu_stalls_end(struct hw_smmuv3 *h, bool all, u32 sid);
void smmu_resume(struct hw_smmuv3 *h, const u64 w[2]);
/* ats.c */
void smmu_ats_request(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp);
void smmu_ats_translated(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp);
bool smmu_atc_invalidate(struct hw_smmuv3 *h, const u64 w[2]);
static inline bool smmu_atc_busy(const struct hw_smmuv3 *h)
{
	return h->n_atc;
}
void smmu_atc_done(struct hw_iommu *base, u16 itag);
void smmu_timeout(struct hw_iommu *base);
/* atos.c */
void smmu_atos_run(struct hw_smmuv3 *h);
void smmu_permissions_make(struct hw_smmuv3 *h);
void smmu_permissions(const struct hw_smmuv3 *h, struct smmu_tt *tt);
static inline u64 smmu_who(const struct hw_req *req)
{
	u64 who;

	/* sid and pasid at once */
	memcpy(&who, &req->sid, sizeof(who));
	return who;
}

static inline struct smmu_front *smmu_front_of(const struct hw_smmuv3 *h, const struct hw_req *req)
{
	u64 stream = (u64)(req->sid % FRONT_STREAMS) * (FRONT_PAGES * sizeof(struct smmu_front));
	u64 page = req->addr / (4096 / sizeof(struct smmu_front)) &
		   (FRONT_PAGES - 1) * sizeof(struct smmu_front);

	return (struct smmu_front *)((char *)h->front + stream + page);
}

/* The front answers, if it knows. It is silent, and empty where somebody wants to hear of it. */
static inline bool smmu_front_hit(const struct hw_smmuv3 *h, const struct smmu_front *f, u64 who,
				  const struct hw_req *req, struct hw_resp *resp)
{
	u64 meta = f->lg2 | (u64)f->access << 8;
	u32 how;

	/* access, kind and no_fault_report at once */
	memcpy(&how, &req->access, sizeof(how));
	if (unlikely(f->key != ((req->addr & ~0xfffull) | h->front_gen) || f->who != who ||
		     (how & (u32)f->deny)))
		return false;
	resp->pa = f->pa | (req->addr & 0xfff);
	memcpy(&resp->lg2, &meta, sizeof(meta));
	resp->entry = f->id;
	return true;
}

/*
 * By bits 3 to 6 of a TLB value, what the unprivileged may and V_DIRTY: lg2 of 4 KiB, access
 * and deny of struct smmu_front. Only reads and writes; no writes where they have to be marked,
 * and there one bit more is denied, which no request has: the quick way looks closer.
 */
#define FRONT_NEVER 0x4000u
#define FRONT_META(v) (12 | ((v) & 7) << 8 | \
		       ((~((v) & (HW_READ | HW_WRITE)) & 0xffff & ~FRONT_NEVER) | \
			((v) & 8 ? FRONT_NEVER | HW_WRITE : 0)) << 16)
static const u32 smmu_front_meta[16] = {
	FRONT_META(0), FRONT_META(1), FRONT_META(2), FRONT_META(3),
	FRONT_META(4), FRONT_META(5), FRONT_META(6), FRONT_META(7),
	FRONT_META(8), FRONT_META(9), FRONT_META(10), FRONT_META(11),
	FRONT_META(12), FRONT_META(13), FRONT_META(14), FRONT_META(15),
};
static_assert(offsetof(struct smmu_front, deny) == offsetof(struct smmu_front, lg2) + 2,
	      "three fields of the front are written at once");

/* value: of the entry that answered, of this size; pa: of req->addr */
static inline void smmu_front_fill(struct hw_smmuv3 *h, const struct hw_req *req, u64 pa,
				   u64 value, u32 lg2, u32 id)
{
	struct smmu_front *f = smmu_front_of(h, req);
	u32 meta = smmu_front_meta[value >> 3 & 15];

	f->key = (req->addr & ~0xfffull) | h->front_gen;
	f->who = smmu_who(req);
	f->pa = pa & ~0xfffull;
	memcpy(&f->lg2, &meta, sizeof(meta));
	f->lg2 = (u8)lg2;
	f->id = id;
}

/* quick_priv.h */
void smmu_translate_avx2(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp);
void smmu_translate_scalar(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp);
/* Of one that keeps no pages. */
void smmu_bare_avx2(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp);
void smmu_bare_scalar(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp);

static inline struct smmu_nest *smmu_nest_of(const struct hw_smmuv3 *h, u64 addr)
{
	return &h->nest[addr >> 21 & (SMMU_NESTS - 1)];
}

/* translate.c */
void smmu_translate_long(struct hw_smmuv3 *h, const struct hw_req *req, struct hw_resp *resp);
void smmu_translate(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp);
void smmu_ground_truth(struct hw_iommu *base, const struct hw_req *req, struct hw_resp *resp);
void smmu_begin(struct smmu_walk *w, struct hw_smmuv3 *h, const struct hw_req *req, bool truth);
void smmu_fail(struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp);
void smmu_prefetch(struct hw_smmuv3 *h, u32 sid, u32 pasid, u64 addr);
void smmu_answer(const struct smmu_walk *w, const struct hw_req *req, struct hw_resp *resp);
extern const u8 smmu_need_of[64];

static inline bool smmu_enabled(const struct hw_smmuv3 *h)
{
	return h->reg[R_CR0ACK] & CR0_SMMUEN;
}

static inline void smmu_fact(struct hw_smmuv3 *h, enum hw_fact f, u64 a, u64 b, u64 c, u64 d)
{
	if (hw_heard(h->base.env, f))
		h->base.env->fact(h->base.env, f, (const u64[4]){a, b, c, d});
}

/* One word of a table. false: external abort. */
static inline bool smmu_read(struct smmu_walk *w, u64 pa, u64 *value)
{
	const struct hw_env *e = w->h->base.env;

	if (unlikely(pa > e->ram_size - 8 || e->ram_size < 8))
		return false;
	w->reads += w->reads != 255;
	if (unlikely(w->slow))
		return smmu_read_slow(w, pa, value);
	*value = __atomic_load_n((const u64 *)(e->ram + pa), __ATOMIC_RELAXED);
	return true;
}

/* The 8 words of a structure that nobody watches. False: nothing was done. */
static inline bool smmu_read_at_once(struct smmu_walk *w, u64 pa, u64 word[8])
{
	const struct hw_env *e = w->h->base.env;

	if (w->slow || e->ram_size < 64 || pa > e->ram_size - 64)
		return false;
	memcpy(word, e->ram + pa, 64);
	w->reads = (u8)min(w->reads + 8u, 255u);
	return true;
}

/* Where the context of a stream and substream is, if it is known. */
static inline u32 smmu_ctx_index(u32 sid, u32 pasid)
{
	return (sid ^ sid >> 8 ^ pasid * 31) % CTX_SLOTS;
}

static inline struct smmu_ctx *smmu_ctx_slot(struct hw_smmuv3 *h, u32 sid, u32 pasid)
{
	return &h->ctx[smmu_ctx_index(sid, pasid)];
}

/* Whether n words are the same. */
static inline bool smmu_same_words(const u64 *a, const u64 *b, u32 n)
{
	u64 differ = 0;

	for (u32 i = 0; i < n; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

/* Has an invalidation completed since the walk began? Then nothing of it may have effect. */
static inline bool smmu_overtaken(struct smmu_walk *w)
{
	return w->again = w->points && w->gen != w->h->gen;
}

static inline u8 smmu_fault(struct smmu_walk *w, u8 event, bool s2, u8 class, u64 ipa)
{
	w->f.event = event;
	w->f.s2 = s2;
	w->f.class = class;
	w->f.ipa = ipa;
	return event;
}
