// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facts are published by hand: this oracle's whole world is what it hears.
 */
#include "tests/sim/oracle/check/oracle_test.h"

#define GROUP 5
#define NIC 1
#define DOMAIN 7
#define UNMANAGED 1
#define DMA_API 3

static void (*body)(void *);

static void start(struct world *world, void *self)
{
	(void)world;
	(void)self;
	spawn("task", body, NULL);
}

static void load_body(void (*fn)(void *))
{
	body = fn;
	load("domain", NULL, start);
}

static void attach_too_early(void *arg)
{
	(void)arg;
	fact(ATTACH_DEFERRED, NIC, true);
	fact(ATTACH, GROUP, NIC, DOMAIN, DMA_API);
}

static void attach_freed(void *arg)
{
	(void)arg;
	fact(DOMAIN_FREE, DOMAIN, UNMANAGED);
	fact(ATTACH, GROUP, NIC, DOMAIN, UNMANAGED);
}

static void attach_in_time(void *arg)
{
	(void)arg;
	fact(ATTACH_DEFERRED, NIC, true);
	fact(ATTACH_DEFERRED, NIC, false);
	fact(ATTACH, GROUP, NIC, DOMAIN, DMA_API);
}

static void attach_user_domain(void *arg)
{
	(void)arg;
	fact(ATTACH_DEFERRED, NIC, true);
	fact(ATTACH, GROUP, NIC, DOMAIN, UNMANAGED);
}

static void attach_live(void *arg)
{
	(void)arg;
	fact(ATTACH, GROUP, NIC, DOMAIN, UNMANAGED);
	fact(DETACH, GROUP, NIC, DOMAIN);
	fact(DOMAIN_FREE, DOMAIN, UNMANAGED);
	fact(ATTACH, GROUP, NIC, DOMAIN + 1, UNMANAGED);
}

Test(domain, a_deferred_attach_that_does_not_wait)
{
	load_body(attach_too_early);
	fires("BUG: device attached before its first DMA in %F");
}

Test(domain, a_domain_attached_after_its_end)
{
	load_body(attach_freed);
	fires("BUG: freed domain attached in %F");
}

Test(domain, a_deferred_attach_that_is_due)
{
	load_body(attach_in_time);
	silent();
}

Test(domain, a_users_domain_need_not_wait)
{
	load_body(attach_user_domain);
	silent();
}

Test(domain, live_domains_may_be_attached)
{
	load_body(attach_live);
	silent();
}
