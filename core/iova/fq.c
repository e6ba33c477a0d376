// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flush queue: rings of addresses that were unmapped and that devices may
 * still reach, until one flush of the whole domain serves them all.
 *
 * An entry carries the number of flushes that had begun when it came. It is over
 * when a flush has ended that began later: `finished` is above its number. The
 * timer runs while anything waits.
 *
 * Order of a flush: started++, flush, finished++.
 */
#include "core/iova/iova_priv.h"

#include "sim/kapi/errno.h"
#include "sim/kapi/jiffies.h"
#include "sim/kapi/slab.h"

struct iova_fq_entry {
	u64 iova, size, tables;
	u64 counter;
};

/* head: the oldest; empty when equal to tail. lock protects it all. */
struct iova_fq_ring {
	spinlock_t lock;
	u32 head, tail;
	struct iova_fq_entry *entry; /* IOVA_FQ_SIZE, made with the first */
};

struct iova_fq {
	struct iova_domain *domain;
	const struct iova_fq_ops *ops;
	void *arg;
	atomic64_t started, finished;
	atomic_t timer_on;
	struct timer_list timer;
	struct iova_fq_ring ring[IOVA_CPUS];
};

static void fq_flush_domain(struct iova_fq *fq)
{
	atomic64_inc_return(&fq->started);
	fq->ops->flush(fq->arg);
	atomic64_inc_return(&fq->finished);
}

/* Gives back what is over. ring->lock held. */
static void ring_free(struct iova_fq *fq, struct iova_fq_ring *ring)
{
	u64 finished = (u64)atomic64_read(&fq->finished);

	while (ring->head != ring->tail) {
		struct iova_fq_entry *e = &ring->entry[ring->head];

		if (e->counter >= finished)
			break;
		if (e->tables)
			fq->ops->release(fq->arg, e->tables);
		iova_free(fq->domain, e->iova, e->size);
		ring->head = (ring->head + 1) % IOVA_FQ_SIZE;
	}
}

static void fq_free_all(struct iova_fq *fq)
{
	for (u32 i = 0; i < IOVA_CPUS; i++) {
		unsigned long flags;

		spin_lock_irqsave(&fq->ring[i].lock, flags);
		if (fq->ring[i].entry)
			ring_free(fq, &fq->ring[i]);
		spin_unlock_irqrestore(&fq->ring[i].lock, flags);
	}
}

static void fq_timeout(struct timer_list *t)
{
	struct iova_fq *fq = from_timer(fq, t, timer);

	atomic_set(&fq->timer_on, 0);
	fq_flush_domain(fq);
	fq_free_all(fq);
}

int iova_fq_init(struct iova_domain *d, const struct iova_fq_ops *ops, void *arg)
{
	struct iova_fq *fq;

	if (iova_fq_ready(d))
		return 0;
	fq = kzalloc(sizeof(*fq), GFP_KERNEL);
	if (!fq)
		return -ENOMEM;
	fq->domain = d;
	fq->ops = ops;
	fq->arg = arg;
	timer_setup(&fq->timer, fq_timeout, 0);
	for (u32 i = 0; i < IOVA_CPUS; i++)
		spin_lock_init(&fq->ring[i].lock);
	spin_lock(&d->lock);
	if (!d->fq) {
		smp_store_release(&d->fq, fq);
		fq = NULL;
	}
	spin_unlock(&d->lock);
	kfree(fq);
	return 0;
}

static bool ring_full(const struct iova_fq_ring *ring)
{
	return (ring->tail + 1) % IOVA_FQ_SIZE == ring->head;
}

void iova_fq_queue(struct iova_domain *d, u64 iova, u64 size, u64 tables)
{
	struct iova_fq *fq = smp_load_acquire(&d->fq);
	struct iova_fq_ring *ring = &fq->ring[iova_this_cpu()];
	bool queued = false;
	unsigned long flags;

	spin_lock_irqsave(&ring->lock, flags);
	if (!ring->entry)
		ring->entry = kcalloc(IOVA_FQ_SIZE, sizeof(*ring->entry), GFP_ATOMIC);
	if (ring->entry) {
		ring_free(fq, ring);
		if (ring_full(ring)) {
			fq_flush_domain(fq);
			ring_free(fq, ring);
		}
		ring->entry[ring->tail] = (struct iova_fq_entry){
			.iova = iova, .size = size, .tables = tables,
			.counter = (u64)atomic64_read(&fq->started)};
		ring->tail = (ring->tail + 1) % IOVA_FQ_SIZE;
		queued = true;
	}
	spin_unlock_irqrestore(&ring->lock, flags);
	if (!queued) {
		/* No memory for a ring: as in strict mode. */
		fq_flush_domain(fq);
		if (tables)
			fq->ops->release(fq->arg, tables);
		iova_free(d, iova, size);
		return;
	}
	if (!atomic_read(&fq->timer_on) && !atomic_xchg(&fq->timer_on, 1))
		mod_timer(&fq->timer, jiffies + msecs_to_jiffies(IOVA_FQ_TIMEOUT_MS));
}

void iova_fq_flush(struct iova_domain *d)
{
	struct iova_fq *fq = smp_load_acquire(&d->fq);

	if (!fq)
		return;
	fq_flush_domain(fq);
	fq_free_all(fq);
}

void iova_fq_fini(struct iova_domain *d)
{
	struct iova_fq *fq = d->fq;

	if (!fq)
		return;
	if (bug_on(BUG_FQ_TIMEOUT_TEARDOWN)) {
		/* It may be running. */
		del_timer(&fq->timer);
	} else {
		del_timer_sync(&fq->timer);
	}
	iova_fq_flush(d);
	for (u32 i = 0; i < IOVA_CPUS; i++)
		kfree(fq->ring[i].entry);
	d->fq = NULL;
	kfree(fq);
}
