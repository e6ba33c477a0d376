// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stalled transactions (3.12.2, 4.7). A tag names one until it is resumed or
 * ended; its record is never lost, only late.
 */
#include "hw/smmuv3/smmu_priv.h"

/* false: no tag is free, the transaction has to wait outside. */
bool smmu_stall(struct hw_smmuv3 *h, u64 rec[4], struct hw_resp *resp)
{
	u32 n = h->cap.stallmax, tag = 0;
	bool in_turn = smmu_eventq_writable(h) && !smmu_stalls_waiting(h);

	for (u32 i = 0; i < n; i++) {
		tag = (h->stall_hand + i) % n;
		if (!h->stall[tag].used)
			break;
	}
	if (h->n_stalled == n || h->stall[tag].used)
		return false;
	h->stall_hand = tag + 1;
	h->n_stalled++;
	rec[1] |= 1ull << EVT1_STALL | (u64)tag << EVT1_STAG;
	h->stall[tag] = (struct smmu_stall){.sid = (u32)(rec[0] >> EVT0_SID), .used = true};
	memcpy(h->stall[tag].event, rec, sizeof(h->stall[tag].event));
	resp->status = HW_STALLED;
	resp->tag = (u16)tag;
	if (in_turn) {
		h->stall[tag].recorded = true;
		smmu_event_write(h, rec);
	}
	return true;
}

/* Records that found no room. */
bool smmu_stalls_waiting(const struct hw_smmuv3 *h)
{
	for (u32 i = 0, seen = 0; seen < h->n_stalled && i < h->cap.stallmax; i++) {
		const struct smmu_stall *s = &h->stall[(h->stall_hand + i) % h->cap.stallmax];

		seen += s->used;
		if (s->used && !s->recorded)
			return true;
	}
	return false;
}

/* The oldest of them goes to the queue. */
bool smmu_stalls_deliver(struct hw_smmuv3 *h)
{
	if (!h->n_stalled || !smmu_eventq_writable(h))
		return false;
	for (u32 i = 0; i < h->cap.stallmax; i++) {
		struct smmu_stall *s = &h->stall[(h->stall_hand + i) % h->cap.stallmax];

		if (!s->used || s->recorded)
			continue;
		s->recorded = true;
		smmu_event_write(h, s->event);
		return true;
	}
	return false;
}

static void end(struct hw_smmuv3 *h, u32 tag, bool retry)
{
	struct hw_env *e = h->base.env;

	h->stall[tag].used = false;
	h->n_stalled--;
	if (e->resume)
		e->resume(e, (u16)tag, retry);
}

/* After an invalidation and CMD_SYNC: those that were not recorded start over. */
void smmu_stalls_retry(struct hw_smmuv3 *h)
{
	for (u32 tag = 0; h->n_stalled && tag < h->cap.stallmax; tag++) {
		if (h->stall[tag].used && !h->stall[tag].recorded)
			end(h, tag, true);
	}
}

void smmu_stalls_end(struct hw_smmuv3 *h, bool all, u32 sid)
{
	for (u32 tag = 0; h->n_stalled && tag < h->cap.stallmax; tag++) {
		if (h->stall[tag].used && (all || h->stall[tag].sid == sid))
			end(h, tag, false);
	}
}

void smmu_resume(struct hw_smmuv3 *h, const u64 w[2])
{
	u32 tag = FIELD(w[1], CMD1_STAG, 16), sid = (u32)(w[0] >> CMD0_SID);

	if (tag >= h->cap.stallmax || !h->stall[tag].used || h->stall[tag].sid != sid)
		return;
	/* Of a stall that software has not been told of it cannot speak. */
	if (h->stall[tag].recorded)
		end(h, tag, FLAG(w[0], CMD0_RESUME_AC));
}
