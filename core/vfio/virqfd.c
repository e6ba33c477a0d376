// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that make a driver do something: a handler in the signaller's context, and
 * what may take longer in a worker.
 */
#include "core/vfio/pci.h"

struct vfio_virqfd {
	struct eventfd_watch watch;
	struct eventfd *eventfd;
	bool (*handler)(void *arg);
	void (*thread)(void *arg);
	void *arg;
	struct work_struct inject;
	bool gone; /* marked: its eventfd has hung up */
};

static void inject(struct work_struct *work)
{
	struct vfio_virqfd *v = container_of(work, struct vfio_virqfd, inject);

	v->thread(v->arg);
}

static void signalled(struct vfio_virqfd *v)
{
	if (v->handler(v->arg))
		schedule_work(&v->inject);
}

static void told(struct eventfd_watch *watch, bool hangup)
{
	struct vfio_virqfd *v = container_of(watch, struct vfio_virqfd, watch);

	if (hangup)
		WRITE_ONCE(v->gone, true);
	else
		signalled(v);
}

/*
 * custom: one that has hung up is replaced when the next comes, or goes when it is
 * disabled; Linux frees it in a worker.
 */
int vfio_virqfd_enable(struct vfio_virqfd **slot, int fd, bool (*handler)(void *arg),
		       void (*thread)(void *arg), void *arg)
{
	struct vfio_virqfd *v;
	struct eventfd *e;

	v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	if (!v)
		return -ENOMEM;
	e = eventfd_ctx_fdget(fd);
	if (IS_ERR(e)) {
		kfree(v);
		return (int)PTR_ERR(e);
	}
	if (*slot && READ_ONCE((*slot)->gone))
		vfio_virqfd_disable(slot);
	if (*slot) {
		eventfd_ctx_put(e);
		kfree(v);
		return -EBUSY;
	}
	*v = (struct vfio_virqfd){.watch.fn = told, .eventfd = e, .handler = handler,
				  .thread = thread, .arg = arg};
	INIT_LIST_HEAD(&v->watch.entry);
	INIT_WORK(&v->inject, inject);
	*slot = v;
	/* Signals from before count, too. */
	if (eventfd_watch(e, &v->watch))
		signalled(v);
	return 0;
}

void vfio_virqfd_flush(struct vfio_virqfd **slot)
{
	if (*slot)
		flush_work(&(*slot)->inject);
}

void vfio_virqfd_disable(struct vfio_virqfd **slot)
{
	struct vfio_virqfd *v = *slot;

	if (!v)
		return;
	*slot = NULL;
	eventfd_unwatch(v->eventfd, &v->watch);
	cancel_work_sync(&v->inject);
	eventfd_ctx_put(v->eventfd);
	kfree(v);
}
