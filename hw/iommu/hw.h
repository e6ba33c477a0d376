/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every IOMMU model offers, and what it stands on.
 *
 * A model is a state machine without tasks, clock or heap of its own. It is
 * driven from outside: MMIO, transactions of devices, and work(), which does
 * one pending step (fetch a command, finish an invalidation, deliver a fault).
 * It reaches the world only through struct hw_env: physical memory, messages
 * to endpoints, interrupts, decisions. So the same model runs alone (vectors,
 * benches, fuzzers) and inside a world, where work() is a task of hardware.
 *
 * Everything that comes from registers, memory or devices is untrusted: it has
 * an architected outcome, never an assertion; loops are bounded by ring sizes
 * and table levels.
 */
#pragma once

#include "sim/base/types.h"

#include "hw/iommu/arena.h"

#define HW_NO_PASID 0xffffffffu

/* How a transaction was issued (PCIe AT field). */
enum hw_kind {
	HW_UNTRANSLATED,
	HW_TRANSLATION_REQUEST, /* ATS: asks for the translation, moves no data */
	HW_TRANSLATED,          /* addr is a physical address that ATS gave */
};

enum hw_access {
	HW_READ = 1,
	HW_WRITE = 2,
	HW_EXEC = 4,
	HW_PRIV = 8,       /* privileged mode requested (PASID TLP prefix) */
	HW_NO_WRITE = 16,  /* ATS: NW, write permission is not asked for */
	HW_INSTR = 32,     /* SMMU: instruction fetch */
	HW_NO_SNOOP = 64,  /* the No Snoop attribute of the TLP */
};

/* One transaction within one 4 KiB page. */
struct hw_req {
	u64 addr;
	u32 sid;       /* requester id (bus << 8 | devfn) or StreamID */
	u32 pasid;     /* or HW_NO_PASID */
	u16 access;    /* enum hw_access */
	u8 kind;       /* enum hw_kind */
	u8 no_fault_report; /* probes (ATOS, prefetch): no record, no state change */
	u32 data;      /* what a write to the interrupt range carries */
};

enum hw_status {
	HW_OK,
	HW_ABORT,      /* unsupported request or completer abort; a fault may have been recorded */
	HW_STALLED,    /* resp->tag names it; hw_env.resume() tells the end */
	HW_INTERRUPT,  /* the write was a message signalled interrupt, and is done */
	HW_AGAIN,      /* blocked by work in flight: call work(), then repeat */
};

struct hw_resp {
	u64 pa;        /* of req->addr */
	u8 lg2;        /* bytes (log2) around it that have the same translation */
	u8 access;     /* what is permitted: enum hw_access */
	u8 status;     /* enum hw_status */
	u8 global;     /* ATS: G */
	u8 no_snoop;   /* the access does not snoop processor caches */
	u8 reads;      /* words (8 bytes) that were read from memory for it */
	u16 tag;       /* HW_STALLED */
	u32 entry;     /* provenance of the cache entry that answered, 0: a walk did */
};

/* PCIe page request, as the endpoint sends it. */
struct hw_page_request {
	u64 addr;      /* page aligned */
	u32 sid, pasid;
	u16 group;     /* page request group index, 9 bits */
	u8 access;     /* enum hw_access: READ, WRITE, EXEC, PRIV */
	u8 last;       /* last of its group; without READ and WRITE: a stop marker */
};

/* What an IOMMU sends towards an endpoint. */
enum hw_msg_kind {
	HW_MSG_ATC_INV,       /* invalidate [addr, addr + 2^lg2); answered by atc_done(itag) */
	HW_MSG_PRG_RESPONSE,  /* page request group response */
};

enum hw_prg_code { HW_PRG_SUCCESS = 0, HW_PRG_INVALID = 1, HW_PRG_FAILURE = 15 };

struct hw_msg {
	u8 kind, code;  /* enum hw_msg_kind; enum hw_prg_code */
	u8 lg2, global;
	u16 group;
	u16 itag;       /* of HW_MSG_ATC_INV: the model's, to be handed back */
	u32 sid, pasid;
	u64 addr;
};

/* What happened inside, for oracles; sent only when hw_env.fact is there. */
enum hw_fact {
	HW_FACT_WALK_WORD,    /* a: pa, b: value read for a translation or configuration */
	HW_FACT_FILL,         /* a: cache, b: entry, c: address, d: value */
	HW_FACT_DROP,         /* a: cache, b: entry, c: command serial */
	HW_FACT_TRANSLATE,    /* a: sid | pasid << 32, b: addr, c: pa, d: access */
	HW_FACT_FAULT,        /* a: sid | pasid << 32, b: addr, c: reason */
	HW_FACT_COMMAND,      /* a: first word, b: serial; it was fetched */
	HW_FACT_COMMAND_DONE, /* a: first word, b: serial; its effect is complete */
	HW_FACT_SYNC,         /* b: serial; a wait or sync was signalled to software */
	HW_FACT_PROTOCOL,     /* a: const char *: software broke a rule; b, c: words that did */
	HW_FACT_TORN,         /* a: pa of a present entry whose words never stood there together */
	HW_FACT_AD,           /* a: pa of the entry, b: old, c: new; accessed or dirty set */
};

struct hw_env {
	/* Physical memory: ram[pa], for pa < ram_size. */
	u8 *ram;
	u64 ram_size;
	void *owner;
	/* A moment at which others may run; NULL: none do. why: a static text. */
	void (*point)(struct hw_env *e, const char *why);
	/* A choice of 0 <= x < n, for late answers and replacement; NULL: always 0. */
	u32 (*choose)(struct hw_env *e, u32 n);
	/* A 32-bit message signalled interrupt by the IOMMU itself. */
	void (*msi)(struct hw_env *e, u64 addr, u32 data);
	/* Level of wired interrupt line n of the model. */
	void (*wire)(struct hw_env *e, u32 n, bool level);
	void (*send)(struct hw_env *e, const struct hw_msg *m);
	/* A stalled transaction ends: retry it, or it is aborted. */
	void (*resume)(struct hw_env *e, u16 tag, bool retry);
	/* An interrupt after remapping: APIC style destination and vector. */
	void (*deliver)(struct hw_env *e, u32 dest, u32 vector);
	void (*fact)(struct hw_env *e, enum hw_fact f, const u64 arg[4]);
	u32 deaf; /* bit per enum hw_fact: fact() would do nothing with it */
	bool provenance; /* caches know what entries were made from, whatever the options say */
	bool truth_flushed; /* walk() asks read_flushed(), too (an SMMUv3's always does) */
	/* The walker does not snoop: it reads what was flushed; NULL: coherent. */
	u64 (*read_flushed)(struct hw_env *e, u64 pa);
	/*
	 * Told before the model writes to ram[pa, pa + len), for a reset that clears
	 * what was touched; NULL: nobody asks. hw_ram_write() and hw_wrote() do it.
	 */
	void (*wrote)(struct hw_env *e, u64 pa, u64 len);
};

struct hw_iommu;
struct hw_cache;
struct hw_cache_word;

/* Where the search for an address begins, for hw_prepare(). */
#define HW_AHEAD_CACHES 2
struct hw_ahead {
	const struct hw_cache *cache[HW_AHEAD_CACHES]; /* that are asked; NULL: none */
	u32 space[HW_AHEAD_CACHES];
	u64 table;   /* the first one */
	u64 next;    /* bits of an entry that say where the next table is */
	u64 reach;   /* bits of an address that choose entries */
	u8 shift;    /* of the bits that choose one of the first table */
	u8 stride;   /* bits that choose one of each further table; 0: no tables are known */
	u8 page;     /* log2 of the smallest page */
};

struct hw_iommu_ops {
	const char *name;      /* as in YAML: "vtd", "smmuv3" */
	u64 mmio_size;         /* bytes */
	/*
	 * options: "key=value,key=value" (capabilities, cache policy, personas);
	 * NULL: defaults. Returns NULL and a text in err (of err_size bytes) if it is
	 * malformed or contradicts itself.
	 */
	struct hw_iommu *(*create)(struct hw_env *e, const char *options, char *err,
				   size_t err_size);
	void (*destroy)(struct hw_iommu *h);
	/* Power-on state. O(touched). */
	void (*reset)(struct hw_iommu *h);
	/* size 1, 2, 4 or 8; outside of the region or unaligned: reads 0, writes nothing. */
	u64 (*mmio_read)(struct hw_iommu *h, u64 off, u32 size);
	void (*mmio_write)(struct hw_iommu *h, u64 off, u32 size, u64 value);
	void (*translate)(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
	/* One pending step; false: nothing is pending. */
	bool (*work)(struct hw_iommu *h);
	void (*page_request)(struct hw_iommu *h, const struct hw_page_request *r);
	/* The endpoint has finished the ATC invalidation itag. */
	void (*atc_done)(struct hw_iommu *h, u16 itag);
	/* Time in which no answer came, for time-outs (ITE, CERROR_ATC_INV_SYNC). */
	void (*timeout)(struct hw_iommu *h);
	/* Ground truth: the same walk of memory as it is now, no cache, no effect. NULL: none. */
	void (*walk)(struct hw_iommu *h, const struct hw_req *req, struct hw_resp *resp);
	/*
	 * The words that the entry of the last answer (hw_resp.entry) was made from, at most
	 * HW_PROV_MAX; 0: it is gone, or none are kept. NULL: as that.
	 */
	u32 (*made_of)(struct hw_iommu *h, u32 entry, struct hw_cache_word *word);
	/* Whether work() would do something. NULL: ask work() itself. */
	bool (*pending)(struct hw_iommu *h);
	/*
	 * work() until nothing is pending, in one go where nobody chooses or has moments in
	 * between. Who hears of facts must not drive the model meanwhile. NULL: call work().
	 */
	void (*drain)(struct hw_iommu *h);
	/* For hw_prepare(); without any effect. False: nothing is known. NULL: as that. */
	bool (*ahead)(const struct hw_iommu *h, const struct hw_req *req, struct hw_ahead *a);
};

#define HW_EVICT_MAX 64
#define HW_EVICT_UNSAID 255 /* as whoever drives the model has it */

/* First member of each model's state. */
struct hw_iommu {
	const struct hw_iommu_ops *ops;
	struct hw_env *env;
	bool incoherent; /* it asks env->read_flushed, if there is one */
	bool unsnooped;  /* it does so in some of its walks: incoherent ones have this, too */
	/*
	 * Of the words that software has stored and not flushed, and a walk comes to, one in so
	 * many has been written back by itself; 0: none. What reads flushed words sees to it.
	 */
	u8 evict;
};

extern const struct hw_iommu_ops hw_vtd_ops, hw_smmuv3_ops;

/* All that is pending, and what comes of it. */
static inline void hw_drain(struct hw_iommu *h)
{
	if (h->ops->drain) {
		h->ops->drain(h);
		return;
	}
	while (h->ops->work(h))
		;
}

/*
 * These n requests come next: the tables and cache lines that they will need are fetched
 * into the processor's caches, of many requests at once, where one after the other would
 * wait for memory. Nothing else happens: the model, what it reads and what it answers are
 * as without it. Of use where tables are larger than the processor's caches, and the
 * requests far from each other; else it costs its instructions. Idle in worlds, which watch.
 */
void hw_prepare(const struct hw_iommu *h, const struct hw_req *req, u32 n);

static inline void hw_wrote(struct hw_env *e, u64 pa, u64 len)
{
	if (e->wrote)
		e->wrote(e, pa, len);
}

/* False, and nothing is written, if it is not memory. */
static inline bool hw_ram_write(struct hw_env *e, u64 pa, const void *data, u64 len)
{
	if (pa >= e->ram_size || len > e->ram_size - pa)
		return false;
	hw_wrote(e, pa, len);
	__builtin_memcpy(e->ram + pa, data, len);
	return true;
}

/* Whether somebody wants to know of this. */
static inline bool hw_heard(const struct hw_env *e, enum hw_fact f)
{
	return e->fact && !(e->deaf >> f & 1);
}

static inline void hw_point(struct hw_env *e, const char *why)
{
	if (e->point)
		e->point(e, why);
}
