// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct kernel for a hosted tree: the operations of the table that are system
 * calls, made on the object's own system-call entries.
 *
 * The program is one process with one open /dev/iommu. What an operation makes
 * (IOAS, page table, device) is a name of the program; the id that the kernel
 * gave it is kept per name. Arguments travel through memory of the process, a
 * page per task, as they would from a real program.
 */
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

#define PAGE 4096UL
#define ARGS_BASE 0x10000000UL  /* a page per task */
#define ARGS_PAGES 64UL
#define BUFFER_BASE 0x20000000UL /* what ioas_map maps */
#define BUFFER_SIZE (1UL << 20)

/* x86-64's system calls and arguments of mmap(). */
#define SYS_OPEN 2
#define SYS_CLOSE 3
#define SYS_MMAP 9
#define SYS_IOCTL 16
#define PROT_RW 3UL
#define MAP_PRIVATE_FIXED_ANONYMOUS 0x32UL

/* _IO(';', n) of the uAPI. */
#define IOMMUFD_CALL(n) (0x3b00U | (n))

enum iommufd_call {
	CALL_DESTROY = 0x80,
	CALL_IOAS_ALLOC = 0x81,
	CALL_IOAS_MAP = 0x85,
	CALL_IOAS_UNMAP = 0x86,
	CALL_HWPT_ALLOC = 0x89,
	CALL_TEST = 0xa0,
};

enum test_call { TEST_MOCK_DOMAIN = 2, TEST_REPLACE = 10 };

#define MAP_FIXED_RW 7U /* fixed IOVA, writable, readable */

/* A world's process; in the heap, so that it is reset with it. */
struct process {
	const struct hosted_kernel *k;
	int fd;                      /* of /dev/iommu, -1 = closed */
	u32 id[OP_DOMAINS_MAX];      /* what `destroy` takes; 0 = none */
	u32 device[OP_DOMAINS_MAX];  /* a mock device's id for hwpt_alloc */
};

static struct process *process_of(struct world *w)
{
	return w->kernel;
}

static long sys(struct process *p, long nr, u64 a, u64 b, u64 c)
{
	return p->k->syscall(0, nr, (u64[CALL_ARGS_MAX]){a, b, c});
}

/* One call with its argument in the task's page; the kernel's answer comes back into arg. */
static long call(struct process *p, enum iommufd_call nr, void *arg, u32 size)
{
	u64 at = ARGS_BASE + current_task->id % ARGS_PAGES * PAGE;
	long ret;

	if (p->fd < 0)
		return -EBADF;
	if (p->k->poke(0, at, arg, size))
		return -EFAULT;
	ret = sys(p, SYS_IOCTL, (u64)p->fd, IOMMUFD_CALL(nr), at);
	if (ret >= 0 && p->k->peek(0, arg, at, size))
		return -EFAULT;
	return ret;
}

static long op_iommufd_open(struct process *p, const u64 *arg)
{
	u64 at = ARGS_BASE + current_task->id % ARGS_PAGES * PAGE;
	long fd;

	(void)arg;
	if (p->fd >= 0)
		return -EBUSY;
	if (p->k->poke(0, at, "/dev/iommu", sizeof("/dev/iommu")))
		return -EFAULT;
	fd = sys(p, SYS_OPEN, at, O_RDWR, 0);
	if (fd < 0)
		return fd;
	p->fd = (int)fd;
	return 0;
}

static long op_iommufd_close(struct process *p, const u64 *arg)
{
	int fd = p->fd;

	(void)arg;
	if (fd < 0)
		return -EBADF;
	p->fd = -1;
	memset(p->id, 0, sizeof(p->id));
	return sys(p, SYS_CLOSE, (u64)fd, 0, 0);
}

static long op_ioas_alloc(struct process *p, const u64 *arg)
{
	struct { u32 size, flags, id; } a = {.size = sizeof(a)};
	long ret = call(p, CALL_IOAS_ALLOC, &a, sizeof(a));

	if (!ret)
		p->id[arg[0]] = a.id;
	return ret;
}

static long op_ioas_map(struct process *p, const u64 *arg)
{
	struct { u32 size, flags, ioas, reserved; u64 va, length, iova; } a = {
		.size = sizeof(a), .flags = MAP_FIXED_RW, .ioas = p->id[arg[0]],
		.va = BUFFER_BASE, .length = arg[2], .iova = arg[1]};

	return call(p, CALL_IOAS_MAP, &a, sizeof(a));
}

static long op_ioas_unmap(struct process *p, const u64 *arg)
{
	struct { u32 size, ioas; u64 iova, length; } a = {
		.size = sizeof(a), .ioas = p->id[arg[0]], .iova = arg[1], .length = arg[2]};

	return call(p, CALL_IOAS_UNMAP, &a, sizeof(a));
}

static long op_hwpt_alloc(struct process *p, const u64 *arg)
{
	struct {
		u32 size, flags, device, pt, id, reserved, type, len;
		u64 data;
		u32 fault, reserved2;
	} a = {.size = sizeof(a), .device = p->device[arg[1]], .pt = p->id[arg[2]]};
	long ret = call(p, CALL_HWPT_ALLOC, &a, sizeof(a));

	if (!ret)
		p->id[arg[0]] = a.id;
	return ret;
}

/* struct iommu_test_cmd and zeroes behind it, which every tree's size rule takes. */
struct test_call_arg {
	u32 size, op, id, reserved;
	u32 word[60];
};

static long op_mock_device(struct process *p, const u64 *arg)
{
	struct test_call_arg a = {.size = sizeof(a), .op = TEST_MOCK_DOMAIN, .id = p->id[arg[1]]};
	long ret = call(p, CALL_TEST, &a, sizeof(a));

	if (!ret) {
		p->id[arg[0]] = a.word[0];
		p->device[arg[0]] = a.word[2];
	}
	return ret;
}

static long op_mock_replace(struct process *p, const u64 *arg)
{
	struct test_call_arg a = {.size = sizeof(a), .op = TEST_REPLACE, .id = p->id[arg[0]],
				  .word = {p->id[arg[1]]}};

	return call(p, CALL_TEST, &a, sizeof(a));
}

static long op_destroy(struct process *p, const u64 *arg)
{
	struct { u32 size, id; } a = {.size = sizeof(a), .id = p->id[arg[0]]};

	return call(p, CALL_DESTROY, &a, sizeof(a));
}

static long (*const handlers[OP_CODES])(struct process *p, const u64 *arg) = {
	[OP_iommufd_open] = op_iommufd_open,
	[OP_iommufd_close] = op_iommufd_close,
	[OP_ioas_alloc] = op_ioas_alloc,
	[OP_ioas_map] = op_ioas_map,
	[OP_ioas_unmap] = op_ioas_unmap,
	[OP_hwpt_alloc] = op_hwpt_alloc,
	[OP_mock_device] = op_mock_device,
	[OP_mock_replace] = op_mock_replace,
	[OP_destroy] = op_destroy,
};

static long hosted_op(struct world *w, const struct op *op)
{
	const struct op_row *row;
	long ret;

	if (op->code >= OP_CODES)
		return -ENOSYS;
	if (op->code < OP_CORE_CODES || op->code == OP_dma_read || op->code == OP_dma_write) {
		hosted_hardware_busy(w, 1);
		ret = process_of(w)->k->core_op(op->code, op->arg);
		hosted_hardware_busy(w, -1);
		return ret;
	}
	if (!handlers[op->code])
		return -EOPNOTSUPP;
	row = &op_rows[op->code];
	for (u32 i = 0; i < OP_ARGS_MAX; i++) {
		if (row->arg[i].type == OPARG_DOMAIN && op->arg[i] >= OP_DOMAINS_MAX)
			return -EINVAL;
	}
	return handlers[op->code](process_of(w), op->arg);
}

static long map_area(const struct hosted_kernel *k, u64 addr, u64 size)
{
	return k->syscall(0, SYS_MMAP, (u64[CALL_ARGS_MAX]){addr, size, PROT_RW,
							    MAP_PRIVATE_FIXED_ANONYMOUS, ~0UL});
}

static void hosted_boot(struct world *w, const struct machine *m)
{
	struct hosted_image *image = w->kernel;
	const struct hosted_kernel *k = hosted_place(image, w);
	struct process *p;
	long ret;

	hosted_hardware_make(image, w, m, k);
	k->boot(hosted_tell_machine(w, m));
	p = mem_alloc(w->mem, sizeof(*p), MEM_ZERO | MEM_NOFAIL, "hosted process",
		      (u64)__builtin_return_address(0));
	sim_assert(p);
	p->k = k;
	p->fd = -1;
	w->kernel = p;
	ret = map_area(k, ARGS_BASE, ARGS_PAGES * PAGE);
	sim_assert(ret == (long)ARGS_BASE);
	ret = map_area(k, BUFFER_BASE, BUFFER_SIZE);
	sim_assert(ret == (long)BUFFER_BASE);
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

void hosted_kernel_init(struct hosted_image *image)
{
	snprintf(image->name, sizeof(image->name), "Linux %s", image->facts.version);
	image->kernel = (struct kernel){
		.name = image->name,
		.boot = hosted_boot,
		.op = hosted_op,
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
	hosted_kernel_init(image);
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

const struct hosted_facts *hosted_facts(const struct kernel *k)
{
	return &((const struct hosted_image *)k)->facts;
}
