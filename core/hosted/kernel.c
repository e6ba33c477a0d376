// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct kernel for a hosted tree: its operations and system calls are the
 * object's own entries.
 */
#include "core/hosted/core_ops.h"
#include "core/hosted/hosted_priv.h"

#include "core/uapi/call.h"
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/mem/mem.h"
#include "sim/sched/sched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A world's; in the heap, so that it is reset with it. */
struct process {
	const struct hosted_kernel *k;
	struct kernel_verbs verbs;
};

static struct process *process_of(struct world *w)
{
	return w->kernel;
}

static long hosted_op(struct world *w, const struct op *op)
{
	long ret;

	if (op->code >= OP_CODES)
		return -ENOSYS;
	if (op->code < OP_CORE_CODES || op->code == OP_dma_read || op->code == OP_dma_write ||
	    op->code == OP_page_request) {
		hosted_hardware_busy(w, 1);
		ret = process_of(w)->k->core_op(op->code, op->arg);
		hosted_hardware_busy(w, -1);
		return ret;
	}
	return kernel_verbs_op(&process_of(w)->verbs, op);
}

static void hosted_boot(struct world *w, const struct machine *m)
{
	struct hosted_image *image = w->kernel;
	const struct hosted_kernel *k = hosted_place(image, w);
	struct process *p;

	hosted_hardware_make(image, w, m, k);
	k->boot(hosted_tell_machine(w, m));
	p = mem_alloc(w->mem, sizeof(*p), MEM_ZERO | MEM_NOFAIL, "hosted process",
		      (u64)__builtin_return_address(0));
	sim_assert(p);
	p->k = k;
	w->kernel = p;
	kernel_verbs_boot(&p->verbs, &image->kernel);
}

static long hosted_syscall(struct world *w, u32 process, long nr, const u64 arg[6])
{
	long ret;

	hosted_hardware_busy(w, 1);
	ret = process_of(w)->k->syscall(process, nr, arg);
	hosted_hardware_busy(w, -1);
	return ret;
}

static u64 hosted_peek(struct world *w, u32 process, void *buf, u64 addr, u64 size)
{
	return process_of(w)->k->peek(process, buf, addr, size);
}

static u64 hosted_poke(struct world *w, u32 process, u64 addr, const void *buf, u64 size)
{
	return process_of(w)->k->poke(process, addr, buf, size);
}

static long hosted_fork(struct world *w, u32 process)
{
	return process_of(w)->k->fork(process);
}

static void hosted_exit(struct world *w, u32 process)
{
	process_of(w)->k->exit(process);
}

static long hosted_frame(struct world *w, u32 process, u64 addr, bool write)
{
	return process_of(w)->k->frame(process, addr, write);
}

static void hosted_interrupt(struct world *w, struct task *t)
{
	process_of(w)->k->interrupt(t);
}

static void hosted_next_fd(struct world *w, u32 process, int fd)
{
	process_of(w)->k->syscall(process, FLOOR_NR_NEXT_FD, (u64[CALL_ARGS_MAX]){(u64)fd});
}

long hosted_selftest(struct world *w, u32 number)
{
	return process_of(w)->k->syscall(0, FLOOR_NR_SELFTEST, (u64[CALL_ARGS_MAX]){number});
}

long hosted_pgtable(struct world *w, u32 number, struct hosted_pgtable *p)
{
	return process_of(w)->k->syscall(0, HOSTED_NR_PGTABLE,
					 (u64[CALL_ARGS_MAX]){number, (u64)p});
}

static void hosted_shutdown(struct world *w)
{
	process_of(w)->k->shutdown();
}

static bool hosted_has_op(u32 code)
{
	static const bool core_op[OP_CODES] = {
#define X(name, on, after_iommu) [OP_##name] = true,
		HOSTED_CORE_OPS(X)
#undef X
	};

	return code < OP_CODES && (core_op[code] || kernel_verbs_has(code));
}

/* Those that the runtime (custom/demo_driver.c, vfio_device.c) and the tree's files have. */
static bool hosted_has_driver(const char *name)
{
	static const char *const has[] = {"demo-nic", "demo-disk", "vfio-pci", "pci-stub",
					  "pcieport", "vfio-test", "vfio-emulated"};

	for (u32 i = 0; i < ARRAY_SIZE(has); i++) {
		if (strcmp(has[i], name) == 0)
			return true;
	}
	return false;
}

/* boot(), op() and shutdown() of every hosted kernel. */
static void kernel_init(struct hosted_image *image)
{
	snprintf(image->name, sizeof(image->name), "Linux %s", image->facts.version);
	image->kernel = (struct kernel){
		.name = image->name,
		.boot = hosted_boot,
		.op = hosted_op,
		.has_op = hosted_has_op,
		.has_driver = hosted_has_driver,
		.foreign = true,
		.endpoints = true,
		.shutdown = hosted_shutdown,
		.syscall = hosted_syscall,
		.peek = hosted_peek,
		.poke = hosted_poke,
		.fork = hosted_fork,
		.exit = hosted_exit,
		.frame = hosted_frame,
		.interrupt = hosted_interrupt,
		.next_fd = hosted_next_fd,
		.path = image->path,
		.build = image->build,
	};
}

const struct kernel *hosted_open(const char *path, char *err, size_t err_size)
{
	struct hosted_image *image = calloc(1, sizeof(*image));

	sim_assert(image);
	if (!hosted_image_read(image, path, err, err_size)) {
		free(image->file);
		free(image);
		return NULL;
	}
	image->path = strdup(path);
	sim_assert(image->path);
	kernel_init(image);
	return &image->kernel;
}

const char *hosted_file(const struct kernel *k)
{
	return ((const struct hosted_image *)k)->path;
}

void hosted_call(const struct kernel *k, const char *name)
{
	struct hosted_image *image = (struct hosted_image *)(uintptr_t)k;

	free(image->called);
	image->called = strdup(name);
	sim_assert(image->called);
	image->kernel.path = image->called;
}

void hosted_close(const struct kernel *k)
{
	struct hosted_image *image = (struct hosted_image *)(uintptr_t)k;

	if (!image)
		return;
	hosted_hardware_destroy(image->hardware);
	free(image->called);
	free(image->path);
	free(image->file);
	free(image);
}

void hosted_on_print(const struct kernel *k,
		     void (*fn)(void *arg, const char *text, unsigned long len), void *arg)
{
	struct hosted_image *image = (struct hosted_image *)(uintptr_t)k;

	image->printer = fn;
	image->printer_arg = arg;
}
