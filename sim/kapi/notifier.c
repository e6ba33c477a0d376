// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/notifier.h"

#include "sim/kapi/err.h"
#include "sim/kapi/kapi_priv.h"

/* Behind all of at least the same priority. */
static int chain_add(struct notifier_block **at, struct notifier_block *nb)
{
	for (struct notifier_block *n = *at; n; n = n->next) {
		if (n == nb)
			return -EEXIST;
	}
	while (*at && (*at)->priority >= nb->priority)
		at = &(*at)->next;
	access_range(&nb->next, sizeof(nb->next), OP_WRITE | OP_MARKED, KAPI_CALLER);
	nb->next = *at;
	*at = nb;
	return 0;
}

static int chain_del(struct notifier_block **at, const struct notifier_block *nb)
{
	for (; *at; at = &(*at)->next) {
		if (*at != nb)
			continue;
		*at = nb->next;
		return 0;
	}
	return -ENOENT;
}

static int chain_call(struct notifier_block *nb, unsigned long action, void *data)
{
	int ret = NOTIFY_DONE;

	while (nb) {
		struct notifier_block *next;

		access_range(nb, sizeof(*nb), OP_READ | OP_MARKED, KAPI_CALLER);
		next = nb->next;
		ret = nb->notifier_call(nb, action, data);
		if (ret & NOTIFY_STOP_MASK)
			break;
		nb = next;
	}
	return ret;
}

/* --- blocking --- */

void kapi_blocking_notifier_init(struct blocking_notifier_head *h, const char *name,
				 const struct lock_class_key *key)
{
	kapi_own(h, sizeof(*h));
	kapi_rwsem_init(&h->rwsem, name, key);
	h->head = NULL;
}

int blocking_notifier_chain_register(struct blocking_notifier_head *h, struct notifier_block *nb)
{
	int err;

	down_write(&h->rwsem);
	err = chain_add(&h->head, nb);
	up_write(&h->rwsem);
	return err;
}

int blocking_notifier_chain_unregister(struct blocking_notifier_head *h, struct notifier_block *nb)
{
	int err;

	down_write(&h->rwsem);
	err = chain_del(&h->head, nb);
	up_write(&h->rwsem);
	return err;
}

int blocking_notifier_call_chain(struct blocking_notifier_head *h, unsigned long action, void *data)
{
	int ret = NOTIFY_DONE;

	/* As the kernel: an empty chain costs no lock. */
	access_service(&h->head, OP_READ);
	if (!h->head)
		return ret;
	down_read(&h->rwsem);
	ret = chain_call(h->head, action, data);
	up_read(&h->rwsem);
	return ret;
}

/* --- atomic --- */

void kapi_atomic_notifier_init(struct atomic_notifier_head *h, const char *name,
			       const struct lock_class_key *key)
{
	kapi_own(h, sizeof(*h));
	kapi_spin_init(&h->lock, name, key);
	h->head = NULL;
}

int atomic_notifier_chain_register(struct atomic_notifier_head *h, struct notifier_block *nb)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&h->lock, flags);
	err = chain_add(&h->head, nb);
	access_release(&h->head);
	spin_unlock_irqrestore(&h->lock, flags);
	return err;
}

int atomic_notifier_chain_unregister(struct atomic_notifier_head *h, struct notifier_block *nb)
{
	unsigned long flags;
	int err;

	spin_lock_irqsave(&h->lock, flags);
	err = chain_del(&h->head, nb);
	spin_unlock_irqrestore(&h->lock, flags);
	synchronize_rcu();
	return err;
}

int atomic_notifier_call_chain(struct atomic_notifier_head *h, unsigned long action, void *data)
{
	int ret;

	rcu_read_lock();
	access_acquire(&h->head);
	ret = chain_call(h->head, action, data);
	rcu_read_unlock();
	return ret;
}
