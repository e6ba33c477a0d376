// SPDX-License-Identifier: GPL-2.0-only
#include "sim/user/client.h"

#include "sim/mem/frames.h"

#include <sys/mman.h>
#include <unistd.h>

static const struct user_client *client;
static int frames_fd = -1;

void user_client_set(const struct user_client *c)
{
	client = c;
}

const struct user_client *user_client(void)
{
	return client;
}

const struct user_client *const *user_client_place(void)
{
	return &client;
}

int user_frames_share(void)
{
	if (frames_fd >= 0)
		return frames_fd;
	frames_fd = memfd_create("iommulab-frames", MFD_CLOEXEC);
	if (frames_fd >= 0 && ftruncate(frames_fd, FRAMES_SLOT)) {
		close(frames_fd);
		frames_fd = -1;
	}
	if (frames_fd >= 0)
		frames_map(0, frames_fd);
	return frames_fd;
}
