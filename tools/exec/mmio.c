// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client's instruction on registers of a device that it has mapped.
 *
 * Such pages are the kernel's alone: the client's load or store faults, and its
 * library asks here. Unicorn executes the one instruction with the client's
 * registers and sees none of its memory but the code. A load that is not known
 * yet ends the attempt; it is made as the process would (which may block, and
 * others run), noted, and answered from the notes in the next attempt. Stores are
 * made at the end. So each access is made once, and no engine waits half-way.
 */
#include "tools/exec/exec.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucontext.h>
#include <unicorn/unicorn.h>

#define NOTES_MAX 32
#define PAGES_MAX 8
#define XMM_N 16
#define XMM_AT 160           /* of the FXSAVE area */
#define FLAGS_OURS 0xcd5ULL  /* CF, PF, AF, ZF, SF, DF, OF */

struct note {
	u64 addr, value;
	u32 size;
	bool write;
};

struct attempt;

struct page {
	struct attempt *attempt;
	u64 base;
};

struct attempt {
	uc_engine *uc;
	struct exec_worker *w;
	struct page page[PAGES_MAX]; /* whose accesses are noted */
	u32 n_pages;
	u64 code;
	u32 n_code; /* its pages */
	struct note note[NOTES_MAX];
	u32 n_notes, next; /* known; that the attempt comes to */
	u64 missing;       /* address whose page has to be added */
	bool stopped;      /* at a load that is not known, or such a page */
	bool broken;       /* too many accesses, or not those of the attempt before */
};

/* What the client had in its registers when it faulted; its memory has the places. */
struct cpu {
	greg_t gregs[NGREG];
	u8 xmm[XMM_N][16];
	u64 fs, gs;
};

static const struct {
	int reg, at;
} general[] = {
	{UC_X86_REG_R8, REG_R8},   {UC_X86_REG_R9, REG_R9},   {UC_X86_REG_R10, REG_R10},
	{UC_X86_REG_R11, REG_R11}, {UC_X86_REG_R12, REG_R12}, {UC_X86_REG_R13, REG_R13},
	{UC_X86_REG_R14, REG_R14}, {UC_X86_REG_R15, REG_R15}, {UC_X86_REG_RDI, REG_RDI},
	{UC_X86_REG_RSI, REG_RSI}, {UC_X86_REG_RBP, REG_RBP}, {UC_X86_REG_RBX, REG_RBX},
	{UC_X86_REG_RDX, REG_RDX}, {UC_X86_REG_RAX, REG_RAX}, {UC_X86_REG_RCX, REG_RCX},
	{UC_X86_REG_RSP, REG_RSP}, {UC_X86_REG_RIP, REG_RIP}, {UC_X86_REG_EFLAGS, REG_EFL},
};

/* --- what the engine asks --- */

static void give_up(struct attempt *a)
{
	a->stopped = true;
	uc_emu_stop(a->uc);
}

/* The note of this access, old or new; NULL: there is none. */
static struct note *note_of(struct attempt *a, const struct note *like)
{
	struct note *n = &a->note[a->next];

	if (a->next == NOTES_MAX) {
		a->broken = true;
		give_up(a);
		return NULL;
	}
	if (a->next < a->n_notes &&
	    (n->addr != like->addr || n->size != like->size || n->write != like->write))
		a->broken = true;
	if (a->next == a->n_notes) {
		*n = *like;
		a->n_notes++;
		if (!like->write)
			give_up(a);
	}
	a->next++;
	return n;
}

static u64 engine_reads(uc_engine *uc, u64 off, unsigned int size, void *user)
{
	const struct page *p = user;
	struct note like = {.addr = p->base + off, .size = size}, *n;

	(void)uc;
	if (p->attempt->stopped)
		return 0;
	n = note_of(p->attempt, &like);
	return n ? n->value : 0;
}

static void engine_writes(uc_engine *uc, u64 off, unsigned int size, u64 value, void *user)
{
	const struct page *p = user;
	struct note like = {p->base + off, value, size, true}, *n;

	(void)uc;
	if (p->attempt->stopped)
		return;
	n = note_of(p->attempt, &like);
	if (n)
		n->value = value;
}

/* Data that is not the registers' that faulted: its page is added, and all begins anew. */
static bool engine_misses(uc_engine *uc, uc_mem_type type, u64 addr, int size, s64 value,
			  void *user)
{
	struct attempt *a = user;

	(void)uc;
	(void)type;
	(void)size;
	(void)value;
	if (!a->stopped)
		a->missing = addr;
	a->stopped = true;
	return false;
}

/* --- attempts --- */

static bool add_page(struct attempt *a, u64 addr)
{
	struct page *p = &a->page[a->n_pages];

	if (a->n_pages == PAGES_MAX)
		return false;
	*p = (struct page){a, addr & ~(EXEC_PAGE - 1)};
	if (uc_mmio_map(a->uc, p->base, EXEC_PAGE, engine_reads, p, engine_writes, p) != UC_ERR_OK)
		return false;
	a->n_pages++;
	return true;
}

/* The page of the instruction, and the next if the client has it. */
static bool add_code(struct attempt *a, u64 at)
{
	const struct exec_session *s = a->w->session;
	u32 process = a->w->thread->process->number;
	u8 code[EXEC_PAGE];

	a->code = at & ~(EXEC_PAGE - 1);
	for (a->n_code = 0; a->n_code < 2; a->n_code++) {
		u64 base = a->code + a->n_code * EXEC_PAGE;

		if (s->kernel->peek(s->world, process, code, base, EXEC_PAGE))
			break;
		if (uc_mem_map(a->uc, base, EXEC_PAGE, UC_PROT_READ | UC_PROT_EXEC) != UC_ERR_OK)
			break;
		uc_mem_write(a->uc, base, code, EXEC_PAGE);
	}
	return a->n_code;
}

static void load(uc_engine *uc, const struct cpu *cpu)
{
	for (u32 i = 0; i < ARRAY_SIZE(general); i++) {
		u64 value = (u64)cpu->gregs[general[i].at];

		uc_reg_write(uc, general[i].reg, &value);
	}
	for (int i = 0; i < XMM_N; i++)
		uc_reg_write(uc, UC_X86_REG_XMM0 + i, cpu->xmm[i]);
	uc_reg_write(uc, UC_X86_REG_FS_BASE, &cpu->fs);
	uc_reg_write(uc, UC_X86_REG_GS_BASE, &cpu->gs);
}

static void store(uc_engine *uc, struct cpu *cpu)
{
	for (u32 i = 0; i < ARRAY_SIZE(general); i++) {
		u64 old = (u64)cpu->gregs[general[i].at], value = 0;

		uc_reg_read(uc, general[i].reg, &value);
		if (general[i].reg == UC_X86_REG_EFLAGS)
			value = (old & ~FLAGS_OURS) | (value & FLAGS_OURS);
		cpu->gregs[general[i].at] = (greg_t)value;
	}
	for (int i = 0; i < XMM_N; i++)
		uc_reg_read(uc, UC_X86_REG_XMM0 + i, cpu->xmm[i]);
}

/* As the process does it; whether it could. */
static bool make(struct attempt *a, struct note *n)
{
	const struct exec_session *s = a->w->session;
	u32 process = a->w->thread->process->number;

	if (n->write)
		return !s->kernel->poke(s->world, process, n->addr, &n->value, n->size);
	return !s->kernel->peek(s->world, process, &n->value, n->addr, n->size);
}

static bool make_stores(struct attempt *a)
{
	for (u32 i = 0; i < a->n_notes; i++) {
		if (a->note[i].write && !make(a, &a->note[i]))
			return false;
	}
	return true;
}

/* 0; -EFAULT: the process may not; -EOPNOTSUPP: no instruction that we can do. */
static long execute(struct attempt *a, struct cpu *cpu)
{
	u64 rip = (u64)cpu->gregs[REG_RIP];
	uc_err err;

	for (u32 i = 0; i < NOTES_MAX + PAGES_MAX; i++) {
		a->next = 0;
		a->missing = 0;
		a->stopped = false;
		load(a->uc, cpu);
		err = uc_emu_start(a->uc, rip, ~0ULL, 0, 1);
		if (a->broken)
			return -EOPNOTSUPP;
		if (!a->stopped && err != UC_ERR_OK)
			return -EOPNOTSUPP;
		if (!a->stopped) {
			store(a->uc, cpu);
			return make_stores(a) ? 0 : -EFAULT;
		}
		if (a->missing && !add_page(a, a->missing))
			return -EOPNOTSUPP;
		if (!a->missing && !make(a, &a->note[a->n_notes - 1]))
			return -EFAULT;
	}
	return -EOPNOTSUPP;
}

/* --- the call --- */

static bool exchange(struct exec_worker *w, struct cpu *cpu, const u64 *arg, bool back)
{
	const struct exec_session *s = w->session;
	u32 process = w->thread->process->number;

	if (back)
		return !s->kernel->poke(s->world, process, arg[1], cpu->gregs,
					sizeof(cpu->gregs)) &&
		       (!arg[2] || !s->kernel->poke(s->world, process, arg[2] + XMM_AT, cpu->xmm,
						    sizeof(cpu->xmm)));
	return !s->kernel->peek(s->world, process, cpu->gregs, arg[1], sizeof(cpu->gregs)) &&
	       (!arg[2] || !s->kernel->peek(s->world, process, cpu->xmm, arg[2] + XMM_AT,
					    sizeof(cpu->xmm)));
}

/* An engine takes longer to make than to use: one is kept. */
static struct attempt *attempt_get(struct exec_worker *w)
{
	struct attempt *a = w->session->mmio;
	int misses = UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED;
	uc_hook hook;

	w->session->mmio = NULL;
	if (!a) {
		a = calloc(1, sizeof(*a));
		sim_assert(a);
		if (uc_open(UC_ARCH_X86, UC_MODE_64, &a->uc) != UC_ERR_OK ||
		    uc_hook_add(a->uc, &hook, misses, engine_misses, a, 1, 0) != UC_ERR_OK)
			sim_fatal("exec: no engine for instructions of clients");
	}
	a->w = w;
	return a;
}

static void attempt_free(struct attempt *a)
{
	if (a)
		uc_close(a->uc);
	free(a);
}

static void attempt_put(struct attempt *a)
{
	uc_engine *uc = a->uc;

	for (u32 i = 0; i < a->n_pages; i++)
		uc_mem_unmap(uc, a->page[i].base, EXEC_PAGE);
	if (a->n_code) {
		uc_ctl_remove_cache(uc, a->code, a->code + a->n_code * EXEC_PAGE);
		uc_mem_unmap(uc, a->code, a->n_code * EXEC_PAGE);
	}
	if (a->w->session->mmio) {
		attempt_free(a);
		return;
	}
	a->w->session->mmio = a;
	*a = (struct attempt){.uc = uc, .w = a->w};
}

void exec_mmio_free(struct exec_session *s)
{
	attempt_free(s->mmio);
	s->mmio = NULL;
}

long exec_mmio(struct exec_worker *w, const u64 *arg)
{
	struct cpu cpu = {.fs = arg[3], .gs = arg[4]};
	struct attempt *a;
	long ret = -EOPNOTSUPP;

	if (!exchange(w, &cpu, arg, false))
		return -EFAULT;
	a = attempt_get(w);
	if (add_code(a, (u64)cpu.gregs[REG_RIP]) && add_page(a, arg[0]))
		ret = execute(a, &cpu);
	attempt_put(a);
	if (!ret && !exchange(w, &cpu, arg, true))
		ret = -EFAULT;
	return ret;
}
