// SPDX-License-Identifier: GPL-2.0-only
#include "sim/kapi/idr.h"

#include "sim/kapi/kapi_priv.h"

void kapi_ida_init(struct ida *ida, const char *name, const struct lock_class_key *key)
{
	kapi_xa_init(&ida->xa, XA_FLAGS_ALLOC, name, key);
}

void ida_destroy(struct ida *ida)
{
	xa_destroy(&ida->xa);
}

int ida_alloc_range(struct ida *ida, unsigned min, unsigned max, gfp_t gfp)
{
	int err;
	u32 id;

	if ((int)min < 0)
		return -ENOSPC;
	if ((int)max < 0)
		max = 0x7fffffff;
	err = xa_alloc(&ida->xa, &id, xa_mk_value(1), XA_LIMIT(min, max), gfp);
	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	return (int)id;
}

void ida_free(struct ida *ida, unsigned id)
{
	if (!xa_erase(&ida->xa, id))
		kapi_finding(KAPI_CALLER,
			     "WARNING: ida_free called for id=%u which is not allocated", id);
}

bool ida_is_empty(const struct ida *ida)
{
	return xa_empty(&ida->xa);
}

void kapi_idr_init(struct idr *idr, const char *name, const struct lock_class_key *key)
{
	kapi_xa_init(&idr->xa, XA_FLAGS_ALLOC, name, key);
}

static struct xa_limit limit_of(int start, int end)
{
	return XA_LIMIT((u32)start, end > 0 ? (u32)end - 1 : 0x7fffffffu);
}

int idr_alloc(struct idr *idr, void *p, int start, int end, gfp_t gfp)
{
	int err;
	u32 id;

	if (start < 0)
		return -EINVAL;
	err = xa_alloc(&idr->xa, &id, p, limit_of(start, end), gfp);
	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	return (int)id;
}

void *idr_find(struct idr *idr, unsigned long id)
{
	return xa_load(&idr->xa, id);
}

void *idr_replace(struct idr *idr, void *p, unsigned long id)
{
	void *old = ERR_PTR(-ENOENT);

	xa_lock(&idr->xa);
	if (xa_load(&idr->xa, id))
		old = __xa_store(&idr->xa, id, p, GFP_NOWAIT);
	xa_unlock(&idr->xa);
	return old;
}

void *idr_remove(struct idr *idr, unsigned long id)
{
	return xa_erase(&idr->xa, id);
}

bool idr_is_empty(const struct idr *idr)
{
	return xa_empty(&idr->xa);
}

void *idr_get_next(struct idr *idr, int *id)
{
	unsigned long index = (unsigned long)*id;
	void *entry;

	if (*id < 0)
		return NULL;
	entry = xa_find(&idr->xa, &index, 0x7fffffff);
	if (entry)
		*id = (int)index;
	return entry;
}
