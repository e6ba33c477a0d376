/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small numbers for objects: ida hands out the numbers, idr maps them.
 */
#pragma once

#include "sim/kapi/xarray.h"

struct ida {
	struct xarray xa;
};

struct idr {
	struct xarray xa;
};

void kapi_ida_init(struct ida *ida, const char *name, const struct lock_class_key *key);
#define ida_init(ida) kapi_ida_init(ida, #ida, KAPI_LOCK_KEY(#ida))
void ida_destroy(struct ida *ida);
/* Lowest free number in [min, max]; -ENOSPC or -ENOMEM. */
int ida_alloc_range(struct ida *ida, unsigned min, unsigned max, gfp_t gfp);
#define ida_alloc(ida, gfp) ida_alloc_range(ida, 0, 0x7fffffff, gfp)
#define ida_alloc_max(ida, max, gfp) ida_alloc_range(ida, 0, max, gfp)
#define ida_alloc_min(ida, min, gfp) ida_alloc_range(ida, min, 0x7fffffff, gfp)
/* A number that is not allocated is a WARN. */
void ida_free(struct ida *ida, unsigned id);
bool ida_is_empty(const struct ida *ida);

void kapi_idr_init(struct idr *idr, const char *name, const struct lock_class_key *key);
#define idr_init(idr) kapi_idr_init(idr, #idr, KAPI_LOCK_KEY(#idr))
/* Number in [start, end), end <= 0: no bound; -ENOSPC or -ENOMEM. */
int idr_alloc(struct idr *idr, void *p, int start, int end, gfp_t gfp);
void *idr_find(struct idr *idr, unsigned long id);
void *idr_replace(struct idr *idr, void *p, unsigned long id);
void *idr_remove(struct idr *idr, unsigned long id);
bool idr_is_empty(const struct idr *idr);
void *idr_get_next(struct idr *idr, int *id);

#define idr_for_each_entry(idr, entry, id)                                                         \
	for (id = 0; (entry = idr_get_next(idr, &(id))) != NULL; id++)
