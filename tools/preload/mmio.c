// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of devices that the client has mapped. Their pages cannot be reached;
 * the load or store faults, and the server does it with the client's registers.
 * Until such a mapping is made, SIGSEGV is the client's alone; from then on its
 * action is kept here, and taken for every other fault.
 */
#include "tools/preload/preload_priv.h"

#include <asm/prctl.h>
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/ucontext.h>

#define RANGES_MAX 256
#define EXPORT __attribute__((visibility("default")))

static struct range {
	unsigned long addr, end; /* both 0: free */
} ranges[RANGES_MAX];

static bool watching;
static struct sigaction clients; /* the client's own action */

static int libc_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	int (*next)(int, const struct sigaction *, struct sigaction *) =
		(int (*)(int, const struct sigaction *, struct sigaction *))dlsym(RTLD_NEXT,
										  "sigaction");

	return next(sig, act, old);
}

bool preload_is_registers(unsigned long addr)
{
	for (int i = 0; i < RANGES_MAX; i++) {
		if (ranges[i].addr <= addr && addr < ranges[i].end)
			return true;
	}
	return false;
}

/* --- the fault --- */

static void take_clients_action(int sig, siginfo_t *info, void *context)
{
	static const struct sigaction by_default = {.sa_handler = SIG_DFL};

	if (clients.sa_flags & SA_SIGINFO)
		clients.sa_sigaction(sig, info, context);
	else if (clients.sa_handler != SIG_DFL && clients.sa_handler != SIG_IGN)
		clients.sa_handler(sig);
	else
		libc_sigaction(sig, &by_default, NULL); /* it faults again, and ends */
}

/* What is behind the mapping does not answer. */
static void bus_error(const siginfo_t *info)
{
	siginfo_t bus = *info;
	long pid = preload_raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
	long tid = preload_raw(SYS_gettid, 0, 0, 0, 0, 0, 0);

	bus.si_signo = SIGBUS;
	bus.si_code = BUS_ADRERR;
	preload_raw(SYS_rt_tgsigqueueinfo, pid, tid, SIGBUS, (long)&bus, 0, 0);
}

static void say_unknown(void)
{
	static const char text[] = "iommulab: exec: an instruction on registers of a device is none "
				   "that can be done here (docs/CAVEATS.md)\n";

	preload_raw(SYS_write, 2, (long)text, sizeof(text) - 1, 0, 0, 0);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	unsigned long fs = 0, gs = 0;
	int saved = errno;
	long ret;

	if (info->si_code <= 0 || !preload_is_registers((unsigned long)info->si_addr)) {
		take_clients_action(sig, info, context);
		return;
	}
	preload_raw(SYS_arch_prctl, ARCH_GET_FS, (long)&fs, 0, 0, 0, 0);
	preload_raw(SYS_arch_prctl, ARCH_GET_GS, (long)&gs, 0, 0, 0, 0);
	ret = preload_ask(EXEC_NR_MMIO,
			  (preload_args){(long)info->si_addr, (long)uc->uc_mcontext.gregs,
					 (long)uc->uc_mcontext.fpregs, (long)fs, (long)gs},
			  -1, NULL);
	if (ret == -EFAULT)
		bus_error(info);
	else if (ret)
		say_unknown();
	if (ret && ret != -EFAULT)
		take_clients_action(sig, info, context);
	errno = saved;
}

/* Ours, where the client's would be taken, and with its mask. */
static void install(void)
{
	struct sigaction ours = {.sa_mask = clients.sa_mask};

	ours.sa_sigaction = on_fault;
	ours.sa_flags = SA_SIGINFO | SA_RESTART | (clients.sa_flags & (SA_ONSTACK | SA_NODEFER));
	libc_sigaction(SIGSEGV, &ours, NULL);
}

/* --- ranges --- */

static void put(unsigned long addr, unsigned long end)
{
	for (int i = 0; i < RANGES_MAX && addr < end; i++) {
		if (ranges[i].end)
			continue;
		ranges[i] = (struct range){addr, end};
		return;
	}
}

void preload_registers_add(unsigned long addr, unsigned long end)
{
	put(addr, end);
	if (watching)
		return;
	libc_sigaction(SIGSEGV, NULL, &clients);
	watching = true;
	install();
}

void preload_registers_cut(unsigned long addr, unsigned long end)
{
	for (int i = 0; i < RANGES_MAX; i++) {
		struct range r = ranges[i];

		if (r.end <= addr || end <= r.addr)
			continue;
		ranges[i] = (struct range){0, 0};
		put(r.addr, r.addr < addr ? addr : r.addr);
		put(end, end < r.end ? r.end : end);
	}
}

/* --- the client's action --- */

EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction before = clients;

	if (sig != SIGSEGV || !watching)
		return libc_sigaction(sig, act, old);
	if (act) {
		clients = *act;
		install();
	}
	if (old)
		*old = before;
	return 0;
}

EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

	return sigaction(sig, &act, &old) ? SIG_ERR : old.sa_handler;
}
