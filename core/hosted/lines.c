// SPDX-License-Identifier: GPL-2.0-only
/*
 * What walkers see of a hosted world's frames that do not snoop the processors' caches: of
 * memory that the kernel caches, what was written back since it was allocated. Stores are
 * held in the caches until the tree's own flush, or until a cache writes their line back by
 * itself: a driver can rely on neither. The latter is as late as it can be without a
 * difference, when a walk comes to a word that was stored and not flushed (evict=N: at one of
 * N): each line for itself, so that what was stored first may be seen last. What an IOMMU or a
 * device writes goes past the caches, and takes the rest of its lines along.
 *
 * Seen at once is what no driver has to flush: dma_alloc_coherent()'s memory, and that of
 * processes (who flush, if a table of theirs is walked, by an instruction that nobody sees).
 *
 * All of it lies in the hardware's arena, and goes back with that at the start of a run.
 */
#include "core/hosted/hardware.h"

#include "sim/access/access.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/mem/frames.h"
#include "sim/oracle/oracle.h"
#include "sim/sched/sched.h"

#include <string.h>

#define LINE_LG2 6
#define LINE (1u << LINE_LG2)
#define EVICT_USUAL 4
#define STALE 0xa5 /* what is read of a line that was never written back */

_Static_assert(FRAME_SIZE >> LINE_LG2 == 64, "a bit for each line of a frame");

struct line_frame {
	u64 back;    /* lines that were written back */
	u8 *data;    /* their contents; NULL: none was */
	bool cached; /* else each store is seen */
};

static u64 line_bit(u64 pa)
{
	return 1ULL << ((pa & (FRAME_SIZE - 1)) >> LINE_LG2);
}

static const u8 *memory_at(const struct hosted_hardware *hw, u64 pa)
{
	return (const u8 *)(FRAMES_BASE + hw->world->slot * FRAMES_SLOT) + pa;
}

static void write_back_line(struct hosted_hardware *hw, u64 pa)
{
	struct line_frame *l = &hw->line[pa >> FRAME_LG2];

	if (!l->cached)
		return;
	if (!l->data)
		l->data = hw_malloc(FRAME_SIZE);
	sim_assert(l->data);
	memcpy(l->data + (pa & (FRAME_SIZE - 1)), memory_at(hw, pa), LINE);
	l->back |= line_bit(pa);
}

static void write_back(struct hosted_hardware *hw, u64 pa, u64 len)
{
	if (!len || pa >= FRAME_MSI_BASE || len > FRAME_MSI_BASE - pa)
		return;
	for (u64 at = pa & ~(u64)(LINE - 1); at < pa + len; at += LINE)
		write_back_line(hw, at);
}

/* Nothing but the IOMMU's own store has come between what it told and now. */
static void settle(struct hosted_hardware *hw)
{
	u64 len = hw->wrote_len;

	hw->wrote_len = 0;
	write_back(hw, hw->wrote_pa, len);
}

/* --- the walker's side --- */

static void env_wrote(struct hw_env *e, u64 pa, u64 len)
{
	struct hosted_hardware *hw = ((struct unit *)e)->all;

	settle(hw);
	hw->wrote_pa = pa;
	hw->wrote_len = len;
}

/* Whether the line of this word, which is not as in memory, was written back before its flush. */
static bool written_back_early(struct hosted_hardware *hw, u8 evict, u64 pa, u64 memory)
{
	struct sched *s = hw->world->sched;

	if (!hw_evict_happened(&hw->evict, s, evict, pa >> LINE_LG2))
		return false;
	write_back_line(hw, pa);
	if (hw->n_early < HOSTED_HELD_MAX)
		hw->early[hw->n_early++] = (struct early_line){pa, memory, sched_steps(s),
							       current_task->id};
	fact(HW_WRITE_BACK, pa, memory);
	return true;
}

static void note_differing(struct hosted_hardware *hw, u64 pa, u64 memory, u64 back)
{
	if (memory != back && hw->n_held < HOSTED_HELD_MAX)
		hw->held[hw->n_held++] = (struct held_word){pa, memory, back};
}

static u64 env_read_flushed(struct hw_env *e, u64 pa)
{
	struct unit *u = (struct unit *)e;
	struct hosted_hardware *hw = u->all;
	const struct line_frame *l = &hw->line[pa >> FRAME_LG2];
	u64 value, back;
	bool known;

	settle(hw);
	memcpy(&value, memory_at(hw, pa), sizeof(value));
	if (!l->cached || hw->look == LINES_MEMORY)
		return value;
	known = l->back & line_bit(pa);
	if (known)
		memcpy(&back, l->data + (pa & (FRAME_SIZE - 1)), sizeof(back));
	else
		memset(&back, STALE, sizeof(back));
	/* What a walk has met is a finding already: the lines stay as it met them. */
	if (hw->look == LINES_WALK && !hw->never && (!known || back != value) &&
	    written_back_early(hw, u->h->evict, pa, value))
		return value;
	if (hw->look == LINES_WALK && !known && !hw->never)
		hw->never = pa;
	if (hw->look == LINES_HELD)
		note_differing(hw, pa, value, back);
	return back;
}

void hosted_lines_make(struct unit *u)
{
	struct hosted_hardware *hw = u->all;

	if (!u->h->unsnooped)
		return;
	u->env.read_flushed = env_read_flushed;
	u->env.wrote = env_wrote;
	u->env.truth_flushed = true;
	if (u->h->evict == HW_EVICT_UNSAID)
		u->h->evict = EVICT_USUAL;
	if (!hw->line)
		hw->line = hw_calloc(FRAME_MSI_BASE >> FRAME_LG2, sizeof(*hw->line));
	sim_assert(hw->line);
}

void hosted_lines_reset(struct hosted_hardware *hw)
{
	hw->wrote_len = 0;
	hw->never = 0;
	hw->n_held = 0;
	hw->n_early = 0;
	hw_evict_reset(&hw->evict);
	hw->look = LINES_WALK;
}

void hosted_lines_wrote(struct hosted_hardware *hw, u64 pa, u64 len)
{
	hw_arena_use(hw->arena);
	settle(hw);
	write_back(hw, pa, len);
	hw_arena_use(NULL);
}

/* --- the kernel's side --- */

/* NULL: no walker but snoops. */
static struct hosted_hardware *enter(void)
{
	struct hosted_hardware *hw = hosted_hardware_of(this_world());

	if (!hw || !hw->line)
		return NULL;
	hosted_hardware_busy(hw->world, 0);
	hw_arena_use(hw->arena);
	settle(hw);
	return hw;
}

_Bool hosted_lines_memory(unsigned long pfn, unsigned long n, enum floor_memory kind)
{
	struct hosted_hardware *hw = enter();

	if (!hw)
		return false;
	for (unsigned long i = pfn; i < pfn + n; i++) {
		struct line_frame *l = &hw->line[i];

		/* What is not cached and never was needs no word. */
		if (l->cached || kind == FLOOR_MEMORY_CACHED) {
			l->cached = kind == FLOOR_MEMORY_CACHED;
			l->back = 0;
		}
	}
	hw_arena_use(NULL);
	return true;
}

/* Between a store and its flush others run: stores to frames themselves are no moments. */
void hosted_lines_flush(unsigned long pa, unsigned long len)
{
	struct hosted_hardware *hw = hosted_hardware_of(this_world());

	if (!hw || !hw->line)
		return;
	if (!hw->world->sched->setup)
		access_sync(memory_at(hw, pa), OP_WRITE);
	enter();
	write_back(hw, pa, len);
	hw_arena_use(NULL);
}

/* --- the twin's side --- */

bool hosted_lines_held(struct unit *u, const struct hw_req *req)
{
	struct hosted_hardware *hw = u->all;
	struct hw_resp resp = {0};

	if (!hw->line)
		return false;
	hw->n_held = 0;
	hw->look = LINES_HELD;
	hosted_unit_back(u);
	u->h->ops->walk(u->h, req, &resp);
	hosted_unit_leave();
	hw->look = LINES_WALK;
	return hw->n_held;
}

void hosted_lines_print(const struct hosted_hardware *hw, struct finding *f)
{
	for (u32 i = 0; i < hw->n_held; i++) {
		const struct held_word *w = &hw->held[i];
		const struct line_frame *l = &hw->line[w->pa >> FRAME_LG2];

		finding_printf(f, "%s [%#llx] = %#llx", i ? "            " : "Not flushed:",
			       (unsigned long long)w->pa, (unsigned long long)w->memory);
		if (l->back & line_bit(w->pa))
			finding_printf(f, ", the IOMMU reads %#llx\n", (unsigned long long)w->back);
		else
			finding_printf(f, ", a line never written back since its page was "
					  "allocated\n");
	}
	for (u32 i = 0; i < hw->n_early; i++) {
		const struct early_line *e = &hw->early[i];

		finding_printf(f, "%s [%#llx] = %#llx, met by T%u at step %llu\n",
			       i ? "                   " : "Written back early:",
			       (unsigned long long)e->pa, (unsigned long long)e->value, e->task,
			       (unsigned long long)e->step);
	}
}
