// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hosted kernel asks about processes that exist outside of it.
 */
#include "core/hosted/hosted_priv.h"

#include "sim/user/client.h"

#include <errno.h>

unsigned long hosted_foreign_copy(unsigned process, void *buf, unsigned long addr,
				  unsigned long size, _Bool to_user)
{
	const struct user_client *c = user_client();

	return c ? c->copy(process, buf, addr, size, to_user) : size;
}

int hosted_foreign_page(unsigned process, unsigned long addr, unsigned long frame, _Bool write)
{
	const struct user_client *c = user_client();

	return c ? c->adopt(process, addr, frame, write) : -EFAULT;
}

void hosted_user_read(unsigned process, unsigned long addr, const void *buf, unsigned long size)
{
	const struct user_client *c = user_client();

	if (c && c->seen)
		c->seen(process, addr, buf, size);
}
