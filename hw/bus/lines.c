// SPDX-License-Identifier: GPL-2.0-only
/*
 * What walkers see that do not snoop the processors' caches: memory as it was written
 * back. Software's stores are held in the caches until it flushes their lines, for ever if
 * it never does: a missing flush is always seen. Only with evict=N a line is written back
 * by itself, as late as it can be without a difference: when a walk comes to a word of it
 * that was not; the words that it reads on from there are of the same moment. What devices
 * and IOMMUs write goes past the caches, and takes the rest of its lines along.
 */
#include "hw/bus/bus_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/mem/frames.h"
#include "sim/sched/sched.h"

#include <string.h>
#include <sys/mman.h>

#define LINE 64u

void bus_hold_stores(struct fabric *f)
{
	bool any = false;
	void *p;

	for (u32 i = 0; i < f->n_iommus; i++)
		any |= f->iommu[i].h && f->iommu[i].h->incoherent;
	if (!any || f->lines)
		return;
	/* Pages of it are only there once something is written back. */
	p = mmap(NULL, FRAME_MSI_BASE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		sim_exhausted("the host refuses memory: lines of %lu MiB", FRAME_MSI_BASE >> 20);
	f->lines = p;
}

static void write_back(struct fabric *f, u64 pa, u64 len)
{
	u64 from = pa & ~(u64)(LINE - 1), to = ALIGN(pa + len, LINE);

	memcpy(f->lines + from, frame_ptr(f->world, from), to - from);
	f->lines_touched = true;
}

/* Nothing but the IOMMU's own store has come between what it told and now. */
static void settle(struct fabric *f)
{
	u64 len = f->wrote_len;

	f->wrote_len = 0;
	if (len)
		write_back(f, f->wrote_pa, len);
}

u64 bus_lines_read(struct fabric *f, u64 pa, u8 evict)
{
	u64 value, held;

	settle(f);
	memcpy(&value, f->lines + pa, sizeof(value));
	if (likely(!evict || !current_task))
		return value;
	memcpy(&held, frame_ptr(f->world, pa), sizeof(held));
	if (held == value || !hw_evict_happened(&f->evict, f->world->sched, evict, pa / LINE))
		return value;
	write_back(f, pa, sizeof(held));
	fact(HW_WRITE_BACK, pa, held);
	return held;
}

void bus_lines_wrote(struct fabric *f, u64 pa, u64 len)
{
	if (f->lines && len && frames_contains(pa, len))
		write_back(f, pa, len);
}

void bus_lines_writes(struct fabric *f, u64 pa, u64 len)
{
	if (!f->lines)
		return;
	settle(f);
	f->wrote_pa = pa;
	f->wrote_len = len;
}

/* Between a store and its flush others run. */
bool bus_flush_lines(struct fabric *f, u64 pa, u64 len)
{
	if (!len || len > FRAME_MSI_BASE || !frames_contains(pa, len))
		return false;
	if (f->lines) {
		sched_point(frame_ptr(f->world, pa), 1, OP_WRITE | OP_MARKED | OP_SHARED);
		settle(f);
		write_back(f, pa, len);
	}
	return true;
}

void bus_lines_reset(struct fabric *f)
{
	f->wrote_len = 0;
	hw_evict_reset(&f->evict);
	if (f->lines_touched)
		sim_assert(!madvise(f->lines, FRAME_MSI_BASE, MADV_DONTNEED));
	f->lines_touched = false;
}

void bus_lines_free(struct fabric *f)
{
	if (f->lines)
		munmap(f->lines, FRAME_MSI_BASE);
	f->lines = NULL;
}
