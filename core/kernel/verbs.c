// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations that are system calls on /dev/iommu, on any kernel.
 *
 * The program is one process with one open /dev/iommu. What an operation makes
 * (IOAS, page table, device) is a name of the program; the id that the kernel
 * gave it is kept per name. Arguments travel through memory of the process, a
 * page per task, as they would from a real program.
 */
#include "core/kernel/kernel.h"

#include "core/uapi/call.h"
#include "sim/base/assert.h"
#include "sim/sched/sched.h"
#include "sim/world/world.h"

#include <errno.h>
#include <fcntl.h>
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


static long sys(struct kernel_verbs *p, long nr, u64 a, u64 b, u64 c)
{
	return p->kernel->syscall(this_world(), 0, nr, (u64[CALL_ARGS_MAX]){a, b, c});
}

/* One call with its argument in the task's page; the kernel's answer comes back into arg. */
static long call(struct kernel_verbs *p, enum iommufd_call nr, void *arg, u32 size)
{
	u64 at = ARGS_BASE + current_task->id % ARGS_PAGES * PAGE;
	long ret;

	if (p->fd < 0)
		return -EBADF;
	if (p->kernel->poke(this_world(), 0, at, arg, size))
		return -EFAULT;
	ret = sys(p, SYS_IOCTL, (u64)p->fd, IOMMUFD_CALL(nr), at);
	if (ret >= 0 && p->kernel->peek(this_world(), 0, arg, at, size))
		return -EFAULT;
	return ret;
}

static long op_iommufd_open(struct kernel_verbs *p, const u64 *arg)
{
	u64 at = ARGS_BASE + current_task->id % ARGS_PAGES * PAGE;
	long fd;

	(void)arg;
	if (p->fd >= 0)
		return -EBUSY;
	if (p->kernel->poke(this_world(), 0, at, "/dev/iommu", sizeof("/dev/iommu")))
		return -EFAULT;
	fd = sys(p, SYS_OPEN, at, O_RDWR, 0);
	if (fd < 0)
		return fd;
	p->fd = (int)fd;
	return 0;
}

static long op_iommufd_close(struct kernel_verbs *p, const u64 *arg)
{
	int fd = p->fd;

	(void)arg;
	if (fd < 0)
		return -EBADF;
	p->fd = -1;
	memset(p->id, 0, sizeof(p->id));
	return sys(p, SYS_CLOSE, (u64)fd, 0, 0);
}

static long op_ioas_alloc(struct kernel_verbs *p, const u64 *arg)
{
	struct { u32 size, flags, id; } a = {.size = sizeof(a)};
	long ret = call(p, CALL_IOAS_ALLOC, &a, sizeof(a));

	if (!ret)
		p->id[arg[0]] = a.id;
	return ret;
}

static long op_ioas_map(struct kernel_verbs *p, const u64 *arg)
{
	struct { u32 size, flags, ioas, reserved; u64 va, length, iova; } a = {
		.size = sizeof(a), .flags = MAP_FIXED_RW, .ioas = p->id[arg[0]],
		.va = BUFFER_BASE, .length = arg[2], .iova = arg[1]};

	return call(p, CALL_IOAS_MAP, &a, sizeof(a));
}

static long op_ioas_unmap(struct kernel_verbs *p, const u64 *arg)
{
	struct { u32 size, ioas; u64 iova, length; } a = {
		.size = sizeof(a), .ioas = p->id[arg[0]], .iova = arg[1], .length = arg[2]};

	return call(p, CALL_IOAS_UNMAP, &a, sizeof(a));
}

static long op_hwpt_alloc(struct kernel_verbs *p, const u64 *arg)
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

static long op_mock_device(struct kernel_verbs *p, const u64 *arg)
{
	struct test_call_arg a = {.size = sizeof(a), .op = TEST_MOCK_DOMAIN, .id = p->id[arg[1]]};
	long ret = call(p, CALL_TEST, &a, sizeof(a));

	if (!ret) {
		p->id[arg[0]] = a.word[0];
		p->device[arg[0]] = a.word[2];
	}
	return ret;
}

static long op_mock_replace(struct kernel_verbs *p, const u64 *arg)
{
	struct test_call_arg a = {.size = sizeof(a), .op = TEST_REPLACE, .id = p->id[arg[0]],
				  .word = {p->id[arg[1]]}};

	return call(p, CALL_TEST, &a, sizeof(a));
}

static long op_destroy(struct kernel_verbs *p, const u64 *arg)
{
	struct { u32 size, id; } a = {.size = sizeof(a), .id = p->id[arg[0]]};

	return call(p, CALL_DESTROY, &a, sizeof(a));
}

static long (*const handlers[OP_CODES])(struct kernel_verbs *p, const u64 *arg) = {
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

bool kernel_verbs_has(u32 code)
{
	return code < OP_CODES && handlers[code];
}

long kernel_verbs_op(struct kernel_verbs *p, const struct op *op)
{
	const struct op_row *row = &op_rows[op->code];

	if (!kernel_verbs_has(op->code))
		return -EOPNOTSUPP;
	for (u32 i = 0; i < OP_ARGS_MAX; i++) {
		if (row->arg[i].type == OPARG_DOMAIN && op->arg[i] >= OP_DOMAINS_MAX)
			return -EINVAL;
	}
	return handlers[op->code](p, op->arg);
}

static void map_area(struct kernel_verbs *p, u64 addr, u64 size)
{
	long ret = p->kernel->syscall(this_world(), 0, SYS_MMAP,
				      (u64[CALL_ARGS_MAX]){addr, size, PROT_RW,
							   MAP_PRIVATE_FIXED_ANONYMOUS, ~0UL});

	sim_assert(ret == (long)addr);
}

void kernel_verbs_boot(struct kernel_verbs *p, const struct kernel *k)
{
	p->kernel = k;
	p->fd = -1;
	map_area(p, ARGS_BASE, ARGS_PAGES * PAGE);
	map_area(p, BUFFER_BASE, BUFFER_SIZE);
}
