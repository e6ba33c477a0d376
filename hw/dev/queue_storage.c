// SPDX-License-Identifier: GPL-2.0-only
/*
 * Storage with pairs of queues, in the manner of NVM Express 1.4: an admin pair,
 * up to three pairs for reads and writes, doorbells, 64-byte commands, 16-byte
 * completions with a phase bit, PRP lists. One namespace of 256 blocks of 512
 * bytes. Commands it does not know end with Invalid Opcode.
 */
#include "hw/dev/dev.h"

#include "sim/base/bits.h"

#include <string.h>

#define PAIRS 4
#define QUEUE_MAX 256u
#define BLOCK 512u
#define BLOCKS 256u
#define PAGE 4096u
#define MDTS_PAGES 16u /* of a command's data */

enum reg { REG_CAP = 0x00, REG_VS = 0x08, REG_INTMS = 0x0c, REG_INTMC = 0x10, REG_CC = 0x14,
	   REG_CSTS = 0x1c, REG_AQA = 0x24, REG_ASQ = 0x28, REG_ACQ = 0x30, REG_DOORBELL = 0x1000 };

#define CAP_VALUE ((u64)(QUEUE_MAX - 1) | 1ULL << 16 | 1ULL << 24 | 1ULL << 37)
#define VS_VALUE 0x00010400u
#define CC_ENABLE 1u
#define CSTS_READY 1u
#define CSTS_FATAL 2u

enum { ADMIN_DELETE_SQ, ADMIN_CREATE_SQ, ADMIN_DELETE_CQ = 4, ADMIN_CREATE_CQ, ADMIN_IDENTIFY,
       ADMIN_SET_FEATURES = 9 };
enum { IO_FLUSH, IO_WRITE, IO_READ };
enum status { OK, BAD_OPCODE = 1, BAD_FIELD = 2, DATA_ERROR = 4, BAD_RANGE = 0x80,
	      BAD_CQ = 0x100, BAD_QID = 0x101, BAD_SIZE = 0x102 };

struct command {
	u32 opcode_cid, nsid;
	u64 reserved, metadata, prp1, prp2;
	u32 cdw[6]; /* 10 to 15 */
};

struct completion {
	u32 result, reserved;
	u16 sq_head, sq_id, cid, status;
};

struct queue {
	u64 base;
	u32 size; /* entries; 0: there is none */
	u32 head, tail;
	u32 cq;   /* of a submission queue */
	bool phase, interrupt;
};

struct queue_storage {
	struct dev dev;
	u32 cc, csts, aqa, mask;
	u64 asq, acq;
	struct queue sq[PAIRS], cq[PAIRS];
	u32 next; /* queue that is served next */
	u32 n_touched; /* blocks from 0 that may differ from zero */
	u8 block[BLOCKS * BLOCK];
};

static struct queue_storage *of(struct dev *d)
{
	return (struct queue_storage *)d;
}

/* --- registers --- */

static u64 qs_read(struct dev *d, u64 off, u32 size)
{
	const struct queue_storage *q = of(d);
	u64 word = off & ~7ULL, v = 0;

	switch (word) {
	case REG_CAP:
		v = CAP_VALUE;
		break;
	case REG_VS:
		v = VS_VALUE | (u64)q->mask << 32;
		break;
	case 0x10:
		v = q->mask | (u64)q->cc << 32;
		break;
	case 0x18:
		v = (u64)q->csts << 32;
		break;
	case 0x20:
		v = (u64)q->aqa << 32;
		break;
	case REG_ASQ:
		v = q->asq;
		break;
	case REG_ACQ:
		v = q->acq;
		break;
	}
	return dev_reg_get(v, off, size);
}

static void enable(struct queue_storage *q)
{
	u32 sq = (q->aqa & 0xfff) + 1, cq = (q->aqa >> 16 & 0xfff) + 1;

	if (sq < 2 || cq < 2 || sq > QUEUE_MAX || cq > QUEUE_MAX) {
		q->csts |= CSTS_FATAL;
		return;
	}
	memset(q->sq, 0, sizeof(q->sq));
	memset(q->cq, 0, sizeof(q->cq));
	q->sq[0] = (struct queue){.base = q->asq & ~4095ULL, .size = sq};
	q->cq[0] = (struct queue){.base = q->acq & ~4095ULL, .size = cq, .phase = true,
				  .interrupt = true};
	q->csts = CSTS_READY;
}

static void doorbell(struct queue_storage *q, u64 off, u32 value)
{
	u32 i = (u32)(off - REG_DOORBELL) / 4, pair = i / 2;

	if (pair >= PAIRS || !(q->csts & CSTS_READY))
		return;
	if (i & 1) {
		if (q->cq[pair].size && value < q->cq[pair].size)
			q->cq[pair].head = value;
	} else if (q->sq[pair].size && value < q->sq[pair].size) {
		q->sq[pair].tail = value;
	}
}

static void qs_write(struct dev *d, u64 off, u32 size, u64 value)
{
	struct queue_storage *q = of(d);
	u32 was = q->cc;

	if (off >= REG_DOORBELL && size == 4) {
		doorbell(q, off, (u32)value);
		return;
	}
	if (off == REG_INTMS && size == 4)
		q->mask |= (u32)value;
	else if (off == REG_INTMC && size == 4)
		q->mask &= ~(u32)value;
	else if (off == REG_CC && size == 4)
		q->cc = (u32)value;
	else if (off == REG_AQA && size == 4)
		q->aqa = (u32)value;
	else if ((off & ~7ULL) == REG_ASQ)
		q->asq = dev_reg_set(q->asq, off, size, value);
	else if ((off & ~7ULL) == REG_ACQ)
		q->acq = dev_reg_set(q->acq, off, size, value);
	if (!(was & CC_ENABLE) && q->cc & CC_ENABLE)
		enable(q);
	else if (was & CC_ENABLE && !(q->cc & CC_ENABLE))
		q->csts = 0;
}

/* --- data --- */

/* The address of page i of a command's data; false: its PRP list cannot be read. */
static bool prp_page(struct queue_storage *q, const struct command *c, u32 i, u32 n, u64 *addr)
{
	if (i == 0) {
		*addr = c->prp1;
		return true;
	}
	if (n == 2) {
		*addr = c->prp2 & ~4095ULL;
		return true;
	}
	if (dev_read(&q->dev, c->prp2 + (u64)(i - 1) * 8, 0, addr, 8) != HW_OK)
		return false;
	*addr &= ~4095ULL;
	return true;
}

/* Moves len bytes between the block store (or a page of answer) and memory. */
static enum status transfer(struct queue_storage *q, const struct command *c, u8 *data, u32 len,
			    bool to_memory)
{
	u32 first = PAGE - (u32)(c->prp1 & 4095), n = 1, done = 0;

	if (len > first)
		n += (len - first + PAGE - 1) / PAGE;
	if (n > MDTS_PAGES + 1)
		return BAD_FIELD;
	for (u32 i = 0; i < n; i++) {
		u32 size = min(len - done, i ? PAGE : first);
		u64 addr;

		if (!prp_page(q, c, i, n, &addr))
			return DATA_ERROR;
		if (to_memory ? dev_write(&q->dev, addr, 0, data + done, size) != HW_OK :
				dev_read(&q->dev, addr, 0, data + done, size) != HW_OK)
			return DATA_ERROR;
		done += size;
	}
	return OK;
}

/* --- commands --- */

static enum status identify(struct queue_storage *q, const struct command *c)
{
	static const char model[] = "iommulab storage";
	u8 page[PAGE] = {0};

	if ((c->cdw[0] & 0xff) == 1) {
		memset(page + 24, ' ', 40);
		memcpy(page + 24, model, sizeof(model) - 1);
		page[77] = 4;          /* at most 16 pages a command */
		page[512] = 0x66;      /* entries of 64 bytes */
		page[513] = 0x44;
		page[516] = 1;
	} else if ((c->cdw[0] & 0xff) == 0) {
		page[1] = BLOCKS >> 8; /* size, capacity, use */
		page[9] = BLOCKS >> 8;
		page[17] = BLOCKS >> 8;
		page[130] = 9;
	} else {
		return BAD_FIELD;
	}
	return transfer(q, c, page, PAGE, true);
}

static enum status create_queue(struct queue_storage *q, const struct command *c, bool sq)
{
	u32 id = c->cdw[0] & 0xffff, size = (c->cdw[0] >> 16) + 1, cq = c->cdw[1] >> 16;
	struct queue *new = id < PAIRS ? sq ? &q->sq[id] : &q->cq[id] : NULL;

	if (!new || !id || new->size)
		return BAD_QID;
	if (size < 2 || size > QUEUE_MAX)
		return BAD_SIZE;
	if (!(c->cdw[1] & 1) || c->prp1 & 4095)
		return BAD_FIELD;
	if (sq && (!cq || cq >= PAIRS || !q->cq[cq].size))
		return BAD_CQ;
	*new = (struct queue){.base = c->prp1, .size = size, .cq = cq, .phase = true,
			      .interrupt = c->cdw[1] & 2};
	return OK;
}

static enum status delete_queue(struct queue_storage *q, const struct command *c, bool sq)
{
	u32 id = c->cdw[0] & 0xffff;

	if (!id || id >= PAIRS || !(sq ? q->sq[id].size : q->cq[id].size))
		return BAD_QID;
	for (u32 i = 1; !sq && i < PAIRS; i++) {
		if (q->sq[i].size && q->sq[i].cq == id)
			return BAD_QID;
	}
	if (sq)
		q->sq[id].size = 0;
	else
		q->cq[id].size = 0;
	return OK;
}

static enum status admin(struct queue_storage *q, const struct command *c, u32 *result)
{
	switch (c->opcode_cid & 0xff) {
	case ADMIN_CREATE_SQ:
	case ADMIN_CREATE_CQ:
		return create_queue(q, c, (c->opcode_cid & 0xff) == ADMIN_CREATE_SQ);
	case ADMIN_DELETE_SQ:
	case ADMIN_DELETE_CQ:
		return delete_queue(q, c, (c->opcode_cid & 0xff) == ADMIN_DELETE_SQ);
	case ADMIN_IDENTIFY:
		return identify(q, c);
	case ADMIN_SET_FEATURES:
		*result = (PAIRS - 2) << 16 | (PAIRS - 2);
		return (c->cdw[0] & 0xff) == 7 ? OK : BAD_FIELD;
	default:
		return BAD_OPCODE;
	}
}

static enum status io(struct queue_storage *q, const struct command *c)
{
	u64 lba = c->cdw[0] | (u64)c->cdw[1] << 32;
	u32 n = (c->cdw[2] & 0xffff) + 1, op = c->opcode_cid & 0xff;

	if (op == IO_FLUSH)
		return OK;
	if (op != IO_READ && op != IO_WRITE)
		return BAD_OPCODE;
	if (lba >= BLOCKS || n > BLOCKS - lba)
		return BAD_RANGE;
	if (op == IO_WRITE)
		q->n_touched = max(q->n_touched, (u32)lba + n);
	return transfer(q, c, q->block + lba * BLOCK, n * BLOCK, op == IO_READ);
}

static void answer(struct queue_storage *q, u32 sq, const struct command *c, u32 result,
		   enum status status)
{
	struct queue *s = &q->sq[sq], *cq = &q->cq[s->cq];
	struct completion done = {
		.result = result, .sq_head = (u16)s->head, .sq_id = (u16)sq,
		.cid = (u16)(c->opcode_cid >> 16),
		.status = (u16)((u32)status << 1 | cq->phase)};

	dev_post(&q->dev, cq->base + (u64)cq->tail * sizeof(done), 0, &done, sizeof(done));
	cq->tail = (cq->tail + 1) % cq->size;
	cq->phase ^= !cq->tail;
	if (cq->interrupt && !(q->mask & 1))
		bus_interrupt(q->dev.fabric, q->dev.fn);
}

static void serve(struct queue_storage *q, u32 sq)
{
	struct queue *s = &q->sq[sq];
	u64 where = s->base + (u64)s->head * sizeof(struct command);
	struct command c = {0};
	enum status status;
	u32 result = 0;

	if (dev_read(&q->dev, where, 0, &c, sizeof(c)) != HW_OK) {
		q->csts |= CSTS_FATAL;
		return;
	}
	s->head = (s->head + 1) % s->size;
	status = sq ? io(q, &c) : admin(q, &c, &result);
	/* A DMA may have waited: the queues may be gone by now. */
	if (s->size && q->cq[s->cq].size)
		answer(q, sq, &c, result, status);
}

static bool qs_step(struct dev *d)
{
	struct queue_storage *q = of(d);

	if (!(q->csts & CSTS_READY) || q->csts & CSTS_FATAL)
		return false;
	for (u32 i = 0; i < PAIRS; i++) {
		u32 sq = (q->next + i) % PAIRS;
		const struct queue *s = &q->sq[sq], *cq = &q->cq[s->cq];

		if (!s->size || s->head == s->tail || !cq->size ||
		    (cq->tail + 1) % cq->size == cq->head)
			continue;
		q->next = (sq + 1) % PAIRS;
		serve(q, sq);
		return true;
	}
	return false;
}

static void qs_reset(struct dev *d)
{
	struct queue_storage *q = of(d);
	size_t state = offsetof(struct queue_storage, block) - sizeof(struct dev);

	memset(q->block, 0, (size_t)q->n_touched * BLOCK);
	memset((u8 *)q + sizeof(struct dev), 0, state);
}

const struct dev_model dev_queue_storage = {
	.name = "queue-storage", .class = 0x010802, .bar_size = 8192,
	.state_size = sizeof(struct queue_storage),
	.reset = qs_reset, .read = qs_read, .write = qs_write, .step = qs_step,
};
