/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core's tests share: a machine made in C, our kernel booted on it,
 * and either a table of operations with their results or a function that runs
 * in a task. All oracles watch; a finding fails the test.
 */
#pragma once

#include "core/iommu/iommu.h"
#include "core/kernel/kernel.h"
#include "sim/kapi/errno.h"
#include "sim/kapi/kapi.h"
#include "tests/kit/program.h"

static struct machine m;

static inline u32 add_device(u32 bus, u32 bdf)
{
	struct machine_device *d = &m.device[m.n_devices];

	machine_device_init(d);
	strcpy(d->name, "dev");
	d->bus = bus;
	d->bdf = bdf;
	if (m.bus[bus].iommu != MACHINE_NONE) {
		d->iommus[0] = m.bus[bus].iommu;
		d->n_iommus = 1;
	}
	return m.n_devices++;
}

/* One IOMMU, one PCI bus behind it with so many devices: 01.0, 02.0 ... */
static inline void machine_small(bool acs, u32 n_devices)
{
	memset(&m, 0, sizeof(m));
	m.n_iommus = 1;
	machine_iommu_init(&m.iommu[0]);
	m.n_buses = 1;
	machine_bus_init(&m.bus[0]);
	m.bus[0].iommu = 0;
	m.bus[0].acs = acs;
	for (u32 i = 0; i < n_devices; i++)
		add_device(0, 8 * (i + 1));
}

static inline void add_resv(u32 device, u64 start, u64 length, enum machine_resv_type type)
{
	m.resv[m.n_resv++] = (struct machine_resv){device, start, length, type};
}

struct step {
	u16 code;
	u64 arg[OP_ARGS_MAX];
	long want;
};

static const struct step *steps;
static u32 n_steps;
static long got[256];
static void (*test_body)(void);

static void core_task(void *arg)
{
	(void)arg;
	for (u32 i = 0; i < n_steps; i++) {
		struct op op = {.code = steps[i].code};

		memcpy(op.arg, steps[i].arg, sizeof(op.arg));
		got[i] = kernel_model.op(this_world(), &op);
	}
	if (test_body)
		test_body();
	kapi_task_exit_check();
}

static void core_boot(void)
{
	kernel_model.boot(w, &m);
}

static void core_shutdown(void)
{
	kernel_model.shutdown(w);
}

/* In a task: an operation without ceremony. */
static inline long perform(u16 code, u64 a, u64 b, u64 c, u64 d)
{
	struct op op = {.code = code, .arg = {a, b, c, d}};

	return kernel_model.op(this_world(), &op);
}

/* Runs the steps, then fn (may be NULL), in one task of a fresh kernel. */
static inline void run_core(const struct step *table, u32 n, void (*fn)(void))
{
	struct world_run r;

	steps = table;
	n_steps = n;
	test_body = fn;
	cr_assert(n <= 256);
	load(.boot = core_boot, .task = {core_task}, .shutdown = core_shutdown);
	r = run_with(.seed = 1, .steps_max = 100000000);
	assert_clean(&r);
	for (u32 i = 0; i < n; i++)
		cr_assert_eq(got[i], table[i].want, "step %u, %s: %ld, expected %ld", i,
			     op_rows[table[i].code].name, got[i], table[i].want);
}

#define RUN_STEPS(table) run_core(table, sizeof(table) / sizeof(*(table)), NULL)
