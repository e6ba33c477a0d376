// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hosted kernel asks about processes that exist outside of it, the
 * clients of `iommulab exec`; and frames that they can map, too.
 */
#include "core/hosted/hosted_priv.h"

#include "sim/base/assert.h"
#include "sim/base/region.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct hosted_client *client;
static int frames_fd = -1;

void hosted_client_set(const struct hosted_client *c)
{
	client = c;
}

int hosted_frames_share(void)
{
	if (frames_fd >= 0)
		return frames_fd;
	frames_fd = memfd_create("iommulab-frames", MFD_CLOEXEC);
	if (frames_fd >= 0 && ftruncate(frames_fd, FRAMES_SLOT)) {
		close(frames_fd);
		frames_fd = -1;
	}
	return frames_fd;
}

int hosted_frames_fd(void)
{
	return frames_fd;
}

unsigned long hosted_foreign_copy(unsigned process, void *buf, unsigned long addr,
				  unsigned long size, _Bool to_user)
{
	return client ? client->copy(process, buf, addr, size, to_user) : size;
}

int hosted_foreign_page(unsigned process, unsigned long addr, unsigned long frame, _Bool write)
{
	return client ? client->adopt(process, addr, frame, write) : -EFAULT;
}

void hosted_user_read(unsigned process, unsigned long addr, const void *buf, unsigned long size)
{
	if (client && client->seen)
		client->seen(process, addr, buf, size);
}
