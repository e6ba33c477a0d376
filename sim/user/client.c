// SPDX-License-Identifier: GPL-2.0-only
#include "sim/user/client.h"

#include <stddef.h>

static const struct user_client *client;

void user_client_set(const struct user_client *c)
{
	client = c;
}

const struct user_client *user_client(void)
{
	return client;
}
