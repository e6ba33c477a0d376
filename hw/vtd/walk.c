// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of the tables (3.6, 3.7): first stage with 4 or 5 levels, second stage
 * with 3 to 5, and the first on the second. Permissions are gathered on the way
 * and judged at the end; then accessed and dirty bits are set, each by a compare
 * with what was read: if another wrote the entry, the walk begins anew (3.6.2).
 */
#include "hw/vtd/vtd_priv.h"

#define LEVELS 5
#define SS_RW (VTD_SS_R | VTD_SS_W)

/* Entries of one stage of one walk, for A, D and the caches. */
struct stage {
	u64 pa[LEVELS + 1], value[LEVELS + 1]; /* by level */
	u64 gpa[LEVELS + 1]; /* pa before the second stage */
	u64 addr;
	u64 page;     /* where the page begins */
	u32 flags;
	u32 passed[LEVELS + 1]; /* what is permitted down to this level */
	u8 top, leaf; /* levels that were read: top down to leaf */
};

/* The arrays are only read from top to leaf: to clear them would cost as much as the walk. */
static inline void stage_begin(struct stage *s, u64 addr)
{
	s->addr = addr;
	s->page = 0;
	s->flags = 0;
	s->top = s->leaf = 0;
}

struct reasons {
	u8 root, access, reserved, absent_read, absent_write, width;
};

static const struct reasons legacy = {VTD_FR_SS_ACCESS, VTD_FR_SS_ACCESS, VTD_FR_SS_RESERVED,
				      VTD_FR_READ, VTD_FR_WRITE, VTD_FR_BEYOND_WIDTH};
static const struct reasons scalable = {VTD_FR_S_SS_ROOT, VTD_FR_S_SS_ACCESS,
					VTD_FR_S_SS_RESERVED, VTD_FR_S_SS_P, VTD_FR_S_SS_P,
					VTD_FR_S_WIDTH};

static bool fail(struct vtd_walk *w, u8 reason)
{
	w->reason = reason;
	w->paged = true;
	return false;
}

static inline u32 level_shift(u32 level)
{
	return 12 + 9 * (level - 1);
}

/* --- paging-structure caches (6.2.5) --- */

/* The space of a tag: remembered per device for the tags of its configuration. */
static u32 psc_space(struct vtd_walk *w, u64 tag)
{
	struct vtd *v = w->v;
	struct vtd_binding *b = &v->dev[w->req->sid].bind;
	bool mine = tag == w->cfg.tag;
	u32 *space = mine ? &b->psc_space : &b->ss_space;

	if (b->gen != v->cfg_gen || b->pasid != w->req->pasid)
		return hw_space_find(v->psc, tag);
	/* That of the second stage is made when something is put there. */
	if (!*space || hw_space_tag(v->psc, *space) != tag)
		*space = mine ? vtd_psc_space(v, tag) : hw_space_find(v->psc, tag);
	return *space;
}

/* Where to go on: the deepest table known for addr. False: from the root. */
static bool psc_find(struct vtd_walk *w, u64 tag, u64 addr, u64 *table, u32 *level, u32 *flags)
{
	struct vtd *v = w->v;
	const struct hw_cache_entry *e;

	if (w->pure || !v->keeps)
		return false;
	e = hw_cache_find(v->psc, psc_space(w, tag), addr);
	if (!e)
		return false;
	*table = e->value & ~VTD_F_MASK;
	*flags = (u32)(e->value & VTD_F_MASK);
	*level = (e->lg2 - 12u) / 9;
	return true;
}

static void psc_fill(struct vtd_walk *w, u64 tag, const struct stage *s)
{
	struct vtd *v = w->v;
	struct hw_cache_entry e = {0};

	if (s->top == s->leaf || !vtd_may_fill(w) || !v->keeps)
		return;
	e.space = vtd_psc_space(v, tag);
	for (u32 level = s->top; level > s->leaf; level--) {
		e.lg2 = (u8)level_shift(level);
		e.addr = s->addr >> e.lg2 << e.lg2;
		e.value = (s->value[level] & v->addr_mask) | s->passed[level];
		vtd_fill(w, v->psc, &e);
	}
}

/* --- second stage --- */

/* Sets bits in an entry if it still is what was read. False: it is not. */
static bool set_bits(struct vtd_walk *w, u64 pa, u64 *value, u64 bits)
{
	struct vtd *v = w->v;
	u64 now = 0;

	if (w->pure)
		return true;
	if (w->watched)
		hw_point(v->h.env, "vtd: accessed or dirty");
	vtd_load(v, pa, &now);
	if (now != *value) {
		w->changed = true;
		return false;
	}
	vtd_store(v, pa, now | bits, 8);
	vtd_fact(v, HW_FACT_AD, pa, now, now | bits, 0);
	*value = now | bits;
	return true;
}

/* 3.7.2: A in each entry, D in the last if it is written; then the upper ones may be cached. */
static bool ss_done(struct vtd_walk *w, struct stage *s, bool write)
{
	for (u32 level = s->top; w->cfg.ssade && level >= s->leaf; level--) {
		u64 bits = VTD_SS_A | (write && level == s->leaf ? VTD_SS_D : 0);

		bits &= ~s->value[level];
		if (!bits)
			continue;
		if (!w->cfg.pwsnp)
			return fail(w, VTD_FR_S_SS_AD);
		if ((w->quiet && !w->pure) || !set_bits(w, s->pa[level], &s->value[level], bits))
			return false;
	}
	psc_fill(w, vtd_tag(w->cfg.did, 0, VTD_MODE_SS), s);
	return true;
}

static bool ss_entry_good(struct vtd_walk *w, u64 pte, u32 level, u32 access,
			  const struct reasons *r)
{
	bool leaf = level == 1 || (pte & VTD_SS_PS);
	const struct vtd *v = w->v;

	if (!(pte & SS_RW))
		return fail(w, access & HW_WRITE ? r->absent_write : r->absent_read);
	if (pte & v->ss_reserved[level][leaf && !(level > 3)])
		return fail(w, r->reserved);
	return true;
}

/* Likewise of a device whose configuration is known, from where the caches know the way. */
u32 vtd_absent(struct vtd *v, struct vtd_binding *b, u64 addr)
{
	const struct hw_cache_entry *e;
	u64 table = b->cfg.ss_root;
	u32 level = b->cfg.ss_levels;

	if (!b->psc_space || hw_space_tag(v->psc, b->psc_space) != b->cfg.tag)
		b->psc_space = vtd_psc_space(v, b->cfg.tag);
	e = hw_cache_find(v->psc, b->psc_space, addr);
	if (e) {
		table = e->value & ~VTD_F_MASK;
		level = (e->lg2 - 12u) / 9;
	}
	return vtd_ss_absent(v, addr, table, level);
}

/* The second stage of addr. access: what for; decides only between reasons. */
static bool ss_walk(struct vtd_walk *w, struct stage *s, u32 access)
{
	const struct reasons *r = w->cfg.legacy ? &legacy : &scalable;
	u64 tag = vtd_tag(w->cfg.did, 0, VTD_MODE_SS), table = w->cfg.ss_root;
	u32 level = w->cfg.ss_levels, flags = VTD_F_SSR | VTD_F_SSW;

	psc_find(w, tag, s->addr, &table, &level, &flags);
	if (!w->watched) {
		u32 n = vtd_ss_absent(w->v, s->addr, table, level);

		w->reads += n;
		if (n)
			return fail(w, access & HW_WRITE ? r->absent_write : r->absent_read);
	}
	s->top = (u8)level;
	for (;; level--) {
		u32 shift = level_shift(level);
		u64 pte;

		s->pa[level] = table + (s->addr >> shift & 511) * 8;
		if (!vtd_read(w, s->pa[level], w->cfg.pwsnp, &pte))
			return fail(w, level == w->cfg.ss_levels ? r->root : r->access);
		if (!ss_entry_good(w, pte, level, access, r))
			return false;
		s->value[level] = pte;
		flags &= (u32)(pte & SS_RW) * VTD_F_SSR;
		s->passed[level] = flags;
		if (level == 1 || (pte & VTD_SS_PS)) {
			s->page = pte & w->v->addr_mask & ~((1ULL << shift) - 1);
			flags |= pte & VTD_SS_SNP ? VTD_F_SNP : 0;
			flags |= !w->cfg.ssade || (pte & VTD_SS_D) ? VTD_F_DIRTY : 0;
			break;
		}
		table = pte & w->v->addr_mask;
	}
	s->leaf = (u8)level;
	s->flags = flags;
	return true;
}

/* --- first stage --- */

/* Where a first-stage table entry lies: at gpa, or where the second stage puts it. */
static bool table_address(struct vtd_walk *w, u64 gpa, bool root, bool write, u64 *pa)
{
	u32 need = write ? VTD_F_SSW : VTD_F_SSR;
	struct stage s;

	*pa = gpa;
	if (w->cfg.mode != VTD_MODE_NESTED)
		return true;
	if (gpa >> (12 + 9 * w->cfg.ss_levels))
		return fail(w, VTD_FR_FS_NEST_WIDTH);
	stage_begin(&s, gpa);
	if (!ss_walk(w, &s, HW_READ)) {
		if (w->reason == VTD_FR_S_SS_P)
			w->reason = root ? VTD_FR_FS_NEST_ROOT_READ : VTD_FR_FS_NEST_READ;
		return false;
	}
	if ((s.flags & need) != need)
		return fail(w, write  ? VTD_FR_FS_NEST_WRITE :
			       root ? VTD_FR_FS_NEST_ROOT_READ :
				      VTD_FR_FS_NEST_READ);
	if (!ss_done(w, &s, write))
		return false;
	*pa = s.page | (gpa & ((1ULL << level_shift(s.leaf)) - 1));
	return true;
}

static bool canonical(u64 addr, u32 levels)
{
	u32 unused = 64 - (12 + 9 * levels);

	return (u64)((s64)(addr << unused) >> unused) == addr;
}

static u32 fs_flags(u32 flags, u64 pte)
{
	u32 keep = (pte & VTD_FS_RW ? VTD_F_RW : 0) | (pte & VTD_FS_US ? VTD_F_US : 0);

	return (flags & (keep | ~(u32)(VTD_F_RW | VTD_F_US))) | (pte & VTD_FS_XD ? VTD_F_XD : 0);
}

static bool fs_walk(struct vtd_walk *w, struct stage *s)
{
	u64 table = w->cfg.fs_root, no_nxe = w->cfg.nxe ? 0 : VTD_FS_XD;
	u32 level = w->cfg.fs_levels, flags = VTD_F_RW | VTD_F_US;
	bool root = !psc_find(w, w->cfg.tag, s->addr, &table, &level, &flags);

	s->top = (u8)level;
	for (;; level--, root = false) {
		u32 shift = level_shift(level);
		bool leaf;
		u64 pte;

		s->gpa[level] = table + (s->addr >> shift & 511) * 8;
		if (!table_address(w, s->gpa[level], root, false, &s->pa[level]))
			return false;
		if (!vtd_read(w, s->pa[level], w->cfg.pwsnp, &pte))
			return fail(w, root ? VTD_FR_FS_ROOT_ACCESS : VTD_FR_FS_ACCESS);
		if (!(pte & VTD_FS_P))
			return fail(w, VTD_FR_FS_P);
		leaf = level == 1 || (level <= 3 && (pte & VTD_FS_PS));
		if (pte & (w->v->fs_reserved[level][leaf] | no_nxe))
			return fail(w, VTD_FR_FS_RESERVED);
		s->value[level] = pte;
		flags = fs_flags(flags, pte);
		s->passed[level] = flags;
		if (leaf) {
			s->page = pte & w->v->addr_mask & ~((1ULL << shift) - 1);
			break;
		}
		table = pte & w->v->addr_mask;
	}
	s->leaf = (u8)level;
	s->flags = flags;
	return true;
}

/* 3.6.2: A (and EA) in each entry, D in the last if it is written. */
static bool fs_accessed(struct vtd_walk *w, struct stage *s, bool write)
{
	u64 accessed = VTD_FS_A | (w->cfg.eafe ? VTD_FS_EA : 0);

	for (u32 level = s->top; level >= s->leaf; level--) {
		u64 bits = accessed | (write && level == s->leaf ? VTD_FS_D : 0);

		bits &= ~s->value[level];
		if (!bits)
			continue;
		if (!w->cfg.pwsnp)
			return fail(w, VTD_FR_FS_AD);
		/* The entry is written: the second stage has to allow it. */
		if ((w->quiet && !w->pure) ||
		    !table_address(w, s->gpa[level], false, true, &s->pa[level]) ||
		    !set_bits(w, s->pa[level], &s->value[level], bits))
			return false;
	}
	psc_fill(w, w->cfg.tag, s);
	return true;
}

/* --- permissions --- */

u32 vtd_allowed(const struct vtd_walk *w, u32 flags)
{
	u32 may = 0;

	if (!(flags & VTD_F_SSR))
		flags |= VTD_F_XD;
	if (!w->priv && !(flags & VTD_F_US))
		return 0;
	may |= flags & VTD_F_SSR ? HW_READ : 0;
	if ((flags & VTD_F_SSW) && ((flags & VTD_F_RW) || (w->priv && !w->cfg.wpe)))
		may |= HW_WRITE;
	if (!(flags & VTD_F_XD) && !(w->priv && w->cfg.smep && (flags & VTD_F_US)))
		may |= HW_EXEC;
	return may;
}

u8 vtd_denied(const struct vtd_walk *w, u32 flags)
{
	u32 lacks = w->access & ~vtd_allowed(w, flags);

	if (!lacks)
		return 0;
	if (!w->priv && !(flags & VTD_F_US))
		return VTD_FR_S_USER;
	if (lacks & HW_WRITE)
		return w->cfg.legacy ? VTD_FR_WRITE : VTD_FR_S_WRITE;
	if (lacks & HW_READ)
		return w->cfg.legacy ? VTD_FR_READ : VTD_FR_S_READ;
	return VTD_FR_S_EXECUTE;
}

/* --- both --- */

/* Whether D is due: a write, or a translation that lets the device write (3.6.2, 4.2.3). */
static bool dirties(const struct vtd_walk *w, u32 flags)
{
	if (w->req->kind == HW_TRANSLATION_REQUEST)
		return (vtd_allowed(w, flags) & HW_WRITE) && !w->no_write;
	return w->access & HW_WRITE;
}

static bool finish(struct vtd_walk *w, u64 page, u32 flags, u32 lg2)
{
	u64 offset = w->req->addr & ((1ULL << lg2) - 1);

	w->pa = page | offset;
	w->flags = flags;
	w->lg2 = (u8)lg2;
	w->reason = vtd_denied(w, flags);
	if (w->reason)
		return false;
	if (w->pa >= VTD_INTERRUPT_BASE && w->pa <= VTD_INTERRUPT_LAST) {
		w->reason = w->cfg.legacy ? VTD_FR_INTERRUPT_ADDR : VTD_FR_S_INTERRUPT;
		return false;
	}
	return true;
}

static bool walk_ss(struct vtd_walk *w)
{
	struct stage s;

	stage_begin(&s, w->req->addr);
	if (s.addr >> (12 + 9 * w->cfg.ss_levels))
		return fail(w, w->cfg.legacy ? VTD_FR_BEYOND_WIDTH : VTD_FR_S_WIDTH);
	if (!ss_walk(w, &s, w->access))
		return false;
	if (!finish(w, s.page, s.flags | VTD_F_RW | VTD_F_US, level_shift(s.leaf)) ||
	    !ss_done(w, &s, dirties(w, w->flags)))
		return false;
	if (dirties(w, w->flags))
		w->flags |= VTD_F_DIRTY;
	return true;
}

/* The page of a first stage, put where the second stage has it. */
static bool nest(struct vtd_walk *w, const struct stage *fs, struct stage *ss)
{
	u32 fs_lg2 = level_shift(fs->leaf);

	ss->addr = fs->page | (fs->addr & ((1ULL << fs_lg2) - 1));
	if (ss->addr >> (12 + 9 * w->cfg.ss_levels))
		return fail(w, VTD_FR_S_NEST_WIDTH);
	return ss_walk(w, ss, w->access);
}

static bool walk_fs(struct vtd_walk *w)
{
	struct stage fs, ss;
	bool write, nested = w->cfg.mode == VTD_MODE_NESTED;
	u32 lg2, flags;
	u64 page;

	stage_begin(&fs, w->req->addr);
	stage_begin(&ss, 0);
	if (!canonical(fs.addr, w->cfg.fs_levels))
		return fail(w, VTD_FR_S_CANONICAL);
	if (!fs_walk(w, &fs))
		return false;
	lg2 = level_shift(fs.leaf);
	page = fs.page;
	flags = fs.flags | VTD_F_SSR | VTD_F_SSW | VTD_F_DIRTY;
	if (nested) {
		/* Judged before the second stage is asked: reasons of the first come first. */
		w->reason = vtd_denied(w, flags);
		if (w->reason)
			return fail(w, w->reason);
		if (!nest(w, &fs, &ss))
			return false;
		flags = fs.flags | ss.flags;
		page = ss.page;
		if (lg2 < level_shift(ss.leaf))
			page |= ss.addr & ((1ULL << level_shift(ss.leaf)) - 1) &
				~((1ULL << lg2) - 1);
		lg2 = min(lg2, level_shift(ss.leaf));
	}
	if (!(fs.value[fs.leaf] & VTD_FS_D))
		flags &= ~(u32)VTD_F_DIRTY;
	if (!finish(w, page, flags, lg2))
		return false;
	write = dirties(w, flags);
	if (!fs_accessed(w, &fs, write) || (nested && !ss_done(w, &ss, write)))
		return false;
	if (write)
		w->flags |= VTD_F_DIRTY;
	return true;
}

bool vtd_walk_tables(struct vtd_walk *w)
{
	w->reason = 0;
	w->paged = false;
	w->changed = false;
	return w->cfg.mode == VTD_MODE_SS ? walk_ss(w) : walk_fs(w);
}
