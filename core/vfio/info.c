// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chains of capabilities, behind the structs of GET_INFO calls.
 */
#include "core/vfio/type1.h"

void *vfio_info_cap_add(struct vfio_info_cap *caps, u64 size, u16 id, u16 version)
{
	struct vfio_info_cap_header *header, *last;
	void *buf;

	size = ALIGN(size, 8);
	buf = krealloc(caps->buf, caps->size + size, GFP_KERNEL);
	if (!buf) {
		kfree(caps->buf);
		*caps = (struct vfio_info_cap){.buf = NULL};
		return NULL;
	}
	caps->buf = buf;
	header = (void *)((char *)buf + caps->size);
	for (u64 i = 0; i < size / 8 && !bug_on(BUG_VFIO_CAP_INFO_LEAK); i++)
		((u64 *)(void *)header)[i] = 0;
	*header = (struct vfio_info_cap_header){id, version, 0};
	if (caps->size) {
		last = buf;
		while (last->next)
			last = (void *)((char *)buf + last->next);
		last->next = (u32)caps->size;
	}
	caps->size += size;
	return header;
}

void vfio_info_cap_shift(struct vfio_info_cap *caps, u32 offset)
{
	struct vfio_info_cap_header *cap = caps->buf;

	while (cap->next) {
		u32 next = cap->next;

		cap->next += offset;
		cap = (void *)((char *)caps->buf + next);
	}
}
