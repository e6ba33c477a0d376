// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invalidation queue (6.5.2). Fetching a descriptor moves the head; its
 * effect is another step, later; its completion may be a third (device TLBs).
 * Commands complete in any order, but device TLBs hear of theirs behind the
 * IOTLB's; wait descriptors only when all before them have, and when no walk is
 * under way that began before.
 */
#include "hw/vtd/vtd_priv.h"

#define TYPE_HIGH(d) ((u8)(vtd_bits(d, 9, 3) << 4))

static const char *const errors[] = {
	[VTD_IQEI_TAIL] = "invalidation queue: the tail lies behind its end (IQEI 1)",
	[VTD_IQEI_FETCH] = "invalidation queue: there is no such memory (IQEI 2)",
	[VTD_IQEI_TYPE] = "invalidation queue: no such type of descriptor (IQEI 3)",
	[VTD_IQEI_RESERVED] = "invalidation queue: a reserved field of a descriptor (IQEI 4)",
	[VTD_IQEI_WIDTH] = "invalidation queue: the descriptor needs 256 bits (IQEI 5)",
	[VTD_IQEI_ALIGN] = "invalidation queue: the tail is not aligned (IQEI 6)",
	[VTD_IQEI_TTM] = "invalidation queue: the descriptor needs scalable mode (IQEI 7)",
};

static void queue_error(struct vtd *v, u32 info, const u64 d[4])
{
	vtd_set(v, VTD_IQERCD, (vtd_get(v, VTD_IQERCD) & ~0xfu) | info);
	vtd_protocol(v, errors[info], d[0], d[1]);
	vtd_status_set(v, VTD_FSTS_IQE);
}

bool vtd_drained(const struct vtd *v, u64 stamp)
{
	for (u32 i = 0; i < v->n_walks; i++) {
		if (v->walk_stamp[i] <= stamp)
			return false;
	}
	return true;
}

static void take_out(struct vtd *v, u32 at)
{
	if (at == v->n_cmds - 1) {
		v->n_cmds = at;
		return;
	}
	memmove(&v->cmd[at], &v->cmd[at + 1], (--v->n_cmds - at) * sizeof(v->cmd[0]));
}

static void retire(struct vtd *v, u32 at)
{
	vtd_fact(v, HW_FACT_COMMAND_DONE, v->cmd[at].d[0], v->cmd[at].serial, 0, 0);
	take_out(v, at);
}

/* --- device TLBs --- */

/* 6.5.2.5: with S, the lowest 0 above says how many pages. */
static u8 device_range(u64 word, u64 s_bit, u64 *addr)
{
	u32 lg2 = 12;

	if (word & s_bit) {
		while (lg2 < 63 && (word & 1ULL << lg2))
			lg2++;
		lg2++;
	}
	*addr = lg2 < 64 ? word >> lg2 << lg2 : 0;
	return (u8)lg2;
}

static bool device_send(struct vtd *v, struct vtd_cmd *c)
{
	bool pasid = c->type == VTD_INV_PASID_DEVTLB;
	struct hw_msg m = {.kind = HW_MSG_ATC_INV, .pasid = HW_NO_PASID};
	u32 free_tags = ~v->itags;

	if (!free_tags)
		return false;
	c->itag = (u16)bit_lowest(free_tags);
	m.sid = (u32)vtd_bits(c->d[0], pasid ? 16 : 32, 16);
	if (pasid) {
		m.pasid = (u32)vtd_bits(c->d[0], 32, 20);
		m.global = c->d[1] & 1;
	}
	m.lg2 = device_range(c->d[1], pasid ? 1 << 11 : 1, &m.addr);
	m.itag = c->itag;
	v->itags |= 1u << c->itag;
	v->itag_sid[c->itag] = (u16)m.sid;
	c->state = VTD_CMD_SENT;
	if (v->h.env->send)
		v->h.env->send(v->h.env, &m);
	return true;
}

void vtd_atc_done(struct hw_iommu *h, u16 itag)
{
	struct vtd *v = container_of(h, struct vtd, h);
	u32 error;

	for (u32 i = 0; i < v->n_cmds; i++) {
		if (v->cmd[i].state != VTD_CMD_SENT || v->cmd[i].itag != itag)
			continue;
		v->itags &= ~(1u << itag);
		retire(v, i);
		return;
	}
	/* 6.5.2.11: nobody waits for it. */
	error = vtd_get(v, VTD_IQERCD + 4) & 0xffff;
	error |= itag < VTD_ITAGS ? (u32)v->itag_sid[itag] << 16 : 0;
	vtd_set(v, VTD_IQERCD + 4, error);
	vtd_status_set(v, VTD_FSTS_ICE);
}

/* 6.5.2.11: what was sent is given up, and with it the waits that stood behind it. */
void vtd_timeout(struct hw_iommu *h)
{
	struct vtd *v = container_of(h, struct vtd, h);
	bool found = false;

	for (u32 i = 0; i < v->n_cmds;) {
		struct vtd_cmd *c = &v->cmd[i];

		if (c->state == VTD_CMD_SENT) {
			if (!found)
				vtd_set(v, VTD_IQERCD + 4,
					(vtd_get(v, VTD_IQERCD + 4) & 0xffff0000u) |
						v->itag_sid[c->itag]);
			found = true;
			v->itags &= ~(1u << c->itag);
		} else if (c->type != VTD_INV_WAIT || !found) {
			i++;
			continue;
		}
		retire(v, i);
	}
	if (found)
		vtd_status_set(v, VTD_FSTS_ITE);
}

/* --- one step --- */

static void wait_done(struct vtd *v, const struct vtd_cmd *c)
{
	u32 old = vtd_get(v, VTD_ICS);

	if (c->d[0] & VTD_WAIT_SW)
		vtd_store(v, c->d[1] & ~3ULL, c->d[0] >> 32, 4);
	vtd_fact(v, HW_FACT_SYNC, c->d[0], c->serial, c->d[1], 0);
	if (!(c->d[0] & VTD_WAIT_IF))
		return;
	vtd_set(v, VTD_ICS, old | VTD_ICS_IWC);
	if (!(old & VTD_ICS_IWC))
		vtd_event(v, VTD_IECTL);
}

/*
 * 6.5.2.5: software requests an IOTLB's invalidation before the device's, which could ask
 * for what the IOTLB still holds. To request is enough: the device hears of it afterwards.
 */
static bool behind_iotlb(const struct vtd *v, u32 at)
{
	const u32 iotlb = 1u << VTD_INV_IOTLB | 1u << VTD_INV_PASID_IOTLB;

	for (u32 i = 0; i < at; i++) {
		if (iotlb >> v->cmd[i].type & 1)
			return true;
	}
	return false;
}

static bool can_go_on(const struct vtd *v, u32 at)
{
	const struct vtd_cmd *c = &v->cmd[at];

	if (c->state == VTD_CMD_SENT)
		return false;
	if (c->type == VTD_INV_DEVTLB || c->type == VTD_INV_PASID_DEVTLB)
		return ~v->itags != 0 && !behind_iotlb(v, at);
	if (c->type != VTD_INV_WAIT)
		return true;
	return at == 0 && vtd_drained(v, c->stamp) &&
	       !((c->d[0] & VTD_WAIT_PD) && v->n_pages);
}

/* It leaves the list first: who hears of its effect may call us. */
static void go_on(struct vtd *v, u32 at)
{
	struct vtd_cmd c = v->cmd[at];

	if (c.type == VTD_INV_DEVTLB || c.type == VTD_INV_PASID_DEVTLB) {
		device_send(v, &v->cmd[at]);
		return;
	}
	take_out(v, at);
	if (c.type == VTD_INV_WAIT)
		wait_done(v, &c);
	else
		vtd_inv_effect(v, &c);
	vtd_fact(v, HW_FACT_COMMAND_DONE, c.d[0], c.serial, 0, 0);
}

static bool may_fetch(const struct vtd *v)
{
	if (vtd_get64(v, VTD_IQH) == vtd_get64(v, VTD_IQT))
		return false;
	if (!(vtd_get(v, VTD_GSTS) & VTD_G_QIE) || v->n_cmds == VTD_PENDING ||
	    (vtd_get(v, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE)))
		return false;
	for (u32 i = 0; i < v->n_cmds; i++) {
		if (v->cmd[i].type == VTD_INV_WAIT && (v->cmd[i].d[0] & VTD_WAIT_FN))
			return false;
	}
	return true;
}

static u32 fetch_error(const struct vtd *v, u32 tail, u32 bytes, bool wide)
{
	if (wide && !v->k.scalable)
		return VTD_IQEI_WIDTH;
	if (tail >= bytes)
		return VTD_IQEI_TAIL;
	if (wide && (tail & 16))
		return VTD_IQEI_ALIGN;
	return 0;
}

/* The words of a descriptor, each a moment where there are any. False: there is no such memory. */
static bool load_words(struct vtd *v, u64 at, u64 *word, u32 n)
{
	const struct hw_env *e = v->h.env;

	if (!e->point && e->ram_size >= 32 && at <= e->ram_size - 32) {
		memcpy(word, e->ram + at, 8 * (size_t)n);
		return true;
	}
	for (u32 i = 0; i < n; i++) {
		hw_point(v->h.env, "vtd: descriptor word");
		if (!vtd_load(v, at + 8 * i, &word[i]))
			return false;
	}
	return true;
}

static void fetch(struct vtd *v)
{
	u64 iqa = vtd_get64(v, VTD_IQA), serial = v->serial, at;
	bool wide = iqa & VTD_IQA_DW;
	u32 bytes = 4096u << (iqa & VTD_IQA_QS), step = wide ? 32 : 16;
	u32 head = vtd_get(v, VTD_IQH) & (bytes - 1) & ~(step - 1);
	u32 error = fetch_error(v, vtd_get(v, VTD_IQT), bytes, wide);
	struct vtd_cmd c = {.stamp = v->stamp};

	at = (iqa & ~0xfffULL) + head;
	if (!error && !load_words(v, at, c.d, step / 8))
		error = VTD_IQEI_FETCH;
	c.type = (u8)((c.d[0] & 0xf) | TYPE_HIGH(c.d[0]));
	/* A time-out came meanwhile: a wait behind it must not end as if there were none. */
	if (vtd_get(v, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE))
		return;
	if (!error)
		error = vtd_inv_check(v, &c);
	if (error) {
		queue_error(v, error, c.d);
		return;
	}
	/* Others may have run at the points above, and fetched it. */
	if (v->n_cmds == VTD_PENDING || !(vtd_get(v, VTD_GSTS) & VTD_G_QIE) ||
	    v->serial != serial || vtd_get64(v, VTD_IQA) != iqa)
		return;
	c.serial = ++v->serial;
	c.stamp = v->stamp;
	vtd_set64(v, VTD_IQH, (head + step) & (bytes - 1));
	v->cmd[v->n_cmds++] = c;
	vtd_fact(v, HW_FACT_COMMAND, c.d[0], c.serial, c.d[1], 0);
}

/* What can be done now: any command that can go on, or the next fetch. */
bool vtd_inv_work(struct vtd *v)
{
	u32 ready[VTD_PENDING], n = 0, pick = 0;
	bool more;

	/* Without choice the first that can go on does. */
	if (v->n_cmds && !v->h.env->choose && can_go_on(v, 0)) {
		go_on(v, 0);
		return true;
	}
	more = may_fetch(v);
	if (!v->n_cmds) {
		if (more)
			fetch(v);
		return more;
	}
	for (u32 i = 0; i < v->n_cmds; i++) {
		if (can_go_on(v, i))
			ready[n++] = i;
	}
	if (!n && !more)
		return false;
	if (v->h.env->choose && n + more > 1)
		pick = v->h.env->choose(v->h.env, n + more);
	if (pick < n)
		go_on(v, ready[pick]);
	else
		fetch(v);
	return true;
}

/* Descriptors that are done when they are fetched, and call nobody. */
#define AT_ONCE (1u << VTD_INV_CONTEXT | 1u << VTD_INV_IOTLB | 1u << VTD_INV_IEC | \
		 1u << VTD_INV_PASID_IOTLB | 1u << VTD_INV_PASID_CACHE)

/*
 * As vtd_inv_work() again and again: without choice each is done before the next is
 * fetched. What is wrong, or takes longer, is left to it.
 */
bool vtd_inv_drain(struct vtd *v)
{
	const struct hw_env *e = v->h.env;
	u64 iqa = vtd_get64(v, VTD_IQA), tail = vtd_get64(v, VTD_IQT), head;
	u32 bytes = 4096u << (iqa & VTD_IQA_QS);
	const u8 *ring = e->ram + (iqa & ~0xfffULL);

	if (e->point || e->choose || v->n_cmds || !may_fetch(v) || (iqa & VTD_IQA_DW) ||
	    tail >= bytes || e->ram_size < bytes || (iqa & ~0xfffULL) > e->ram_size - bytes)
		return false;
	while ((head = vtd_get64(v, VTD_IQH)) != tail) {
		struct vtd_cmd c = {.stamp = v->stamp};

		memcpy(c.d, ring + (head & (bytes - 1)), 16);
		c.type = (u8)((c.d[0] & 0xf) | TYPE_HIGH(c.d[0]));
		if (c.type > 15 || !(AT_ONCE >> c.type & 1) || vtd_inv_check(v, &c))
			return false;
		c.serial = ++v->serial;
		vtd_set64(v, VTD_IQH, (head + 16) & (bytes - 1));
		vtd_fact(v, HW_FACT_COMMAND, c.d[0], c.serial, c.d[1], 0);
		vtd_inv_effect(v, &c);
		vtd_fact(v, HW_FACT_COMMAND_DONE, c.d[0], c.serial, 0, 0);
	}
	return true;
}

bool vtd_inv_pending(const struct vtd *v)
{
	if (may_fetch(v))
		return true;
	for (u32 i = 0; i < v->n_cmds; i++) {
		if (can_go_on(v, i))
			return true;
	}
	return false;
}

/* 6.5.2: off: what was fetched is finished first; the head goes back to 0. */
void vtd_inv_enable(struct vtd *v, bool on)
{
	if (on)
		return;
	while (v->n_cmds) {
		struct vtd_cmd c = v->cmd[0];

		take_out(v, 0);
		if (c.type != VTD_INV_WAIT && c.state == VTD_CMD_NEW)
			vtd_inv_effect(v, &c);
	}
	v->itags = 0;
	vtd_set64(v, VTD_IQH, 0);
}
