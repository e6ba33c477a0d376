// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of whole executions: a model as new, 8 devices, 4 domains, 50 operations
 * of which 30 in 100 map 1 to 16 pages, 10 unmap one and invalidate it, 40
 * translate, 10 invalidate a domain, 10 move a device to another domain. Then
 * everything is as new again: of each page the lines that were touched are cleared.
 *
 * Checked: the model tells each of its steps, keeps what each entry was made
 * from, and each answer is compared with a walk of memory as it is, unless an
 * invalidation is due. The oracles of a world see the same and more: the rows "in
 * a world" (exec_world.c).
 */
#include "tools/bench/bed.h"

#include "hw/smmuv3/smmuv3_regs.h"
#include "hw/vtd/vtd_regs.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICES 8u
#define DOMAINS 4u
#define OPERATIONS 50u
#define SPAN 512u /* pages that a domain has */
#define RAM (1u << 20)

#define LINE 64u
#define LINES (BED_PAGE / LINE)

struct execution {
	struct bed bed;
	u64 lines[RAM / BED_PAGE]; /* of each page, bit per line: written to */
	u64 leaf[DOMAINS]; /* the table of all of a domain's pages; 0: not there */
	u64 root_table, root[DOMAINS], cds, contexts;
	u32 domain_of[DEVICES];
	u64 random, seed, sink, facts;
	bool checked, smmu;
};

/* Bytes of one page were written. */
static void touched(struct execution *x, u64 pa, u32 len)
{
	u32 first = pa / LINE % LINES, last = (u32)(pa + len - 1) / LINE % LINES;

	x->lines[pa / BED_PAGE] |= ~0ULL << first & ~0ULL >> (LINES - 1 - last);
}

static void model_wrote(struct hw_env *e, u64 pa, u64 len)
{
	struct bed *b = e->owner;

	touched(container_of(b, struct execution, bed), pa, (u32)len);
}

static void clear(struct execution *x)
{
	for (u64 page = 1; page < x->bed.used / BED_PAGE; page++) {
		for (u64 lines = x->lines[page]; lines; lines &= lines - 1) {
			u64 at = page * BED_PAGE + (u64)__builtin_ctzll(lines) * LINE;

			memset(bed_word(&x->bed, at), 0, LINE);
		}
		x->lines[page] = 0;
	}
	x->bed.used = BED_PAGE;
}

static u32 below(struct execution *x, u32 n)
{
	x->random = x->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(x->random >> 33) % n;
}

static void heard(struct hw_env *e, enum hw_fact f, const u64 arg[4])
{
	struct bed *b = e->owner;

	container_of(b, struct execution, bed)->facts += f + arg[0];
}

static void give(struct execution *x, u32 dev, u32 domain)
{
	u16 tag = (u16)(1 + domain);

	x->domain_of[dev] = domain;
	if (x->smmu) {
		bed_smmu_cd(&x->bed, x->cds + dev * 64, tag, x->root[domain]);
		touched(x, x->cds + dev * 64, 64);
	} else {
		bed_vtd_context(&x->bed, x->root_table, (u16)(dev << 3), tag, x->root[domain]);
		touched(x, x->contexts + (dev << 3) * 16, 16);
	}
}

static void fresh(struct execution *x)
{
	struct bed *b = &x->bed;

	b->h->ops->reset(b->h);
	clear(x);
	x->random = ++x->seed;
	x->root_table = bed_take(b);
	touched(x, x->root_table, 16);
	x->cds = x->smmu ? bed_take(b) : 0;
	for (u32 i = 0; i < DOMAINS; i++) {
		x->root[i] = bed_take(b);
		x->leaf[i] = 0;
	}
	/* All devices are on bus 0: their contexts are the next page. */
	x->contexts = b->used;
	for (u32 i = 0; i < DEVICES; i++) {
		if (x->smmu) {
			bed_smmu_stream(b, x->root_table, i << 3, x->cds + i * 64);
			touched(x, x->root_table + (i << 3) * 64, 64);
		}
		give(x, i, i % DOMAINS);
	}
	if (x->smmu)
		bed_smmu_start(b, x->root_table);
	else
		bed_vtd_on(b, x->root_table, VTD_TTM_LEGACY);
}

/* The next descriptor or command: the queue has room for all of an execution. */
static void queued(struct execution *x)
{
	touched(x, x->bed.queue + (x->smmu ? x->bed.tail * 16 : x->bed.tail), 16);
}

/* All of a domain; or of a page, at this address. */
static void drop_domain(struct execution *x, u64 domain)
{
	queued(x);
	if (x->smmu)
		bed_smmu_command(&x->bed, CMD_TLBI_NH_ASID | (domain + 1) << CMD0_ASID, 0);
	else
		bed_vtd_invalidate(&x->bed, VTD_INV_IOTLB | 2 << 4 | (domain + 1) << 16, 0);
}

static void drop_page(struct execution *x, u64 domain, u64 addr)
{
	queued(x);
	if (x->smmu)
		bed_smmu_command(&x->bed, CMD_TLBI_NH_VA | (domain + 1) << CMD0_ASID, addr);
	else
		bed_vtd_invalidate(&x->bed, VTD_INV_IOTLB | 3 << 4 | (domain + 1) << 16, addr);
}

/* The table of a domain's pages, made with those above it. */
static u64 leaf_table(struct execution *x, u32 domain)
{
	const struct bed_format *f = x->smmu ? &bed_smmu_s1 : &bed_vtd_ss;
	u64 table = x->root[domain];

	for (u32 shift = 39; shift > 12; shift -= 9) {
		u64 at = table + (BED_BASE >> shift & 511) * 8;

		table = bed_take(&x->bed);
		*bed_word(&x->bed, at) = table | f->table;
		touched(x, at, 8);
	}
	return table;
}

static void map(struct execution *x)
{
	const struct bed_format *f = x->smmu ? &bed_smmu_s1 : &bed_vtd_ss;
	u32 domain = below(x, DOMAINS);
	u64 first = below(x, SPAN - 16), n = 1 + below(x, 16), *leaf;

	if (!x->leaf[domain])
		x->leaf[domain] = leaf_table(x, domain);
	touched(x, x->leaf[domain] + first * 8, (u32)n * 8);
	leaf = bed_word(&x->bed, x->leaf[domain]);
	for (u64 i = first; i < first + n; i++) {
		if (!leaf[i])
			leaf[i] = (BED_BASE + i * BED_PAGE) | f->leaf;
	}
}

static void unmap(struct execution *x)
{
	u64 domain = below(x, DOMAINS), page = below(x, SPAN);

	if (x->leaf[domain])
		*bed_word(&x->bed, x->leaf[domain] + page * 8) = 0;
	drop_page(x, domain, BED_BASE + page * BED_PAGE);
}

static void translate(struct execution *x)
{
	const struct hw_iommu_ops *ops = x->bed.h->ops;
	struct hw_req req = {.addr = BED_BASE + below(x, SPAN) * BED_PAGE, .pasid = HW_NO_PASID,
			     .access = HW_READ, .sid = below(x, DEVICES) << 3};
	struct hw_resp resp, truth;

	ops->translate(x->bed.h, &req, &resp);
	x->sink += resp.pa;
	if (!x->checked)
		return;
	ops->walk(x->bed.h, &req, &truth);
	sim_assert(truth.status == resp.status && truth.pa == resp.pa);
}

static void attach(struct execution *x)
{
	u32 dev = below(x, DEVICES), domain = below(x, DOMAINS), old = x->domain_of[dev];

	give(x, dev, domain);
	queued(x);
	if (x->smmu)
		bed_smmu_command(&x->bed, CMD_CFGI_CD | (u64)dev << 35, 1);
	else
		/* Device-selective: granularity 3, and the domain that is cached. */
		bed_vtd_invalidate(&x->bed,
				   VTD_INV_CONTEXT | 3 << 4 | (u64)(1 + old) << 16 |
					   (u64)dev << 35, 0);
	drop_domain(x, old);
}

static void operation(struct execution *x)
{
	u32 kind = below(x, 10);

	if (kind < 3)
		map(x);
	else if (kind < 4)
		unmap(x);
	else if (kind < 8)
		translate(x);
	else if (kind < 9)
		drop_domain(x, below(x, DOMAINS));
	else
		attach(x);
}

static void execution_run(void *arg, u64 n)
{
	struct execution *x = arg;

	while (n--) {
		fresh(x);
		for (u32 i = 0; i < OPERATIONS; i++)
			operation(x);
	}
}

static void fresh_run(void *arg, u64 n)
{
	while (n--)
		fresh(arg);
}

/* What processes execute; and what else is measured in this one. */
struct forks {
	struct execution *x, *other;
};
#define SETTLE 4u

/* A process for each: as a fuzzer has it that cannot reset what it tests. */
static void fork_run(void *arg, u64 n)
{
	const struct forks *f = arg;

	while (n--) {
		pid_t pid = fork();
		int status;

		sim_assert(pid >= 0);
		if (pid == 0) {
			execution_run(f->x, 1);
			_exit(0);
		}
		sim_assert(waitpid(pid, &status, 0) == pid && status == 0);
	}
	/* Each page faults when it is written to again: by fork(), not by what comes next. */
	execution_run(f->x, SETTLE);
	execution_run(f->other, SETTLE);
}

static void up(struct execution *x, bool smmu, bool checked)
{
	*x = (struct execution){.checked = checked, .smmu = smmu};
	bed_open(&x->bed, smmu ? &hw_smmuv3_ops : &hw_vtd_ops,
		 checked ? "cache=sets,provenance=1" : "cache=sets", RAM);
	x->bed.env.fact = checked ? heard : NULL;
	x->bed.env.wrote = model_wrote;
	/* What is cleared is all that was written. */
	execution_run(x, 16);
	clear(x);
	for (u64 pa = 0; pa < RAM; pa += 8)
		sim_assert(!*bed_word(&x->bed, pa));
	x->seed = 0;
}

static void row(struct bench *b, const char *const name[2], const char *against,
		const struct bench_loop loop[2], double must)
{
	struct bench_sample m[2];
	char text[96];

	snprintf(text, sizeof(text), "%s: %s", name[0], name[1]);
	bench_measure(b, &loop[0], &loop[1], m);
	bench_add(b, &(struct bench_row){
			     .name = text, .unit = "us", .against = against,
			     .value = m[0].median / 1000, .spread = m[0].spread,
			     .baseline = m[1].median / 1000, .limit = must,
			     .kind = must > 0 ? BENCH_RATIO_AT_MOST : BENCH_FREE});
}

/* 3 and 6 us over 120 us of a process that is made and waited for. */
static void rows_of(struct bench *b, bool smmu)
{
	const char *model = smmu ? "SMMUv3" : "VT-d";
	struct execution bare, checked;
	struct forks forks = {&bare, &checked};
	struct bench_loop forked = {fork_run, &forks};

	up(&bare, smmu, false);
	up(&checked, smmu, true);
	row(b, (const char *const[2]){model, "50 operations on a fresh model"},
	    "a process for each", (struct bench_loop[2]){{execution_run, &bare}, forked}, 3. / 120);
	row(b, (const char *const[2]){model, "50 operations, fresh, checked"},
	    "a process for each", (struct bench_loop[2]){{execution_run, &checked}, forked},
	    6. / 120);
	row(b, (const char *const[2]){model, "50 operations, fresh, checked/bare"}, "bare",
	    (struct bench_loop[2]){{execution_run, &checked}, {execution_run, &bare}}, 0);
	row(b, (const char *const[2]){model, "a model as new: reset, tables, on"},
	    "50 operations", (struct bench_loop[2]){{fresh_run, &bare}, {execution_run, &bare}}, 0);
	if (!smmu)
		bench_exec_world(b, &forked);
	bed_close(&bare.bed);
	bed_close(&checked.bed);
}

static void bench_vtd_exec(struct bench *b)
{
	rows_of(b, false);
}

static void bench_smmu_exec(struct bench *b)
{
	rows_of(b, true);
}

const struct bench_entry bench_model_exec_entries[] = {
	{"vtd-exec", "50 operations on the VT-d model, alone and in a world with oracles", false,
	 bench_vtd_exec},
	{"smmu-exec", "a fresh execution of 50 operations on the SMMUv3 model", false,
	 bench_smmu_exec},
	{NULL, NULL, false, NULL},
};
