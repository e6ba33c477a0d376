// SPDX-License-Identifier: GPL-2.0-only
/*
 * The facts are published by hand: this oracle's whole world is what it hears.
 */
#include "sim/kapi/kapi.h"
#include "tests/kit/oracle.h"

#define GROUP 5
#define NIC 1
#define DOMAIN 7
#define UNMANAGED 1
#define DMA_API 3

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
	load_oracle("domain", .task = {attach_too_early});
	fires("BUG: device attached before its first DMA in %F");
}

Test(domain, a_domain_attached_after_its_end)
{
	load_oracle("domain", .task = {attach_freed});
	fires("BUG: freed domain attached in %F");
}

Test(domain, a_deferred_attach_that_is_due)
{
	load_oracle("domain", .task = {attach_in_time});
	silent();
}

Test(domain, a_users_domain_need_not_wait)
{
	load_oracle("domain", .task = {attach_user_domain});
	silent();
}

Test(domain, live_domains_may_be_attached)
{
	load_oracle("domain", .task = {attach_live});
	silent();
}
