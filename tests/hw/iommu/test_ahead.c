// SPDX-License-Identifier: GPL-2.0-only
/*
 * hw_prepare(): when it asks the model, and that no table leads it out of memory. That
 * it has no effect on the models: tests/hw/vtd and tests/hw/smmuv3, test_quick.c.
 */
#include "hw/iommu/hw.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u
#define RAM (16u * PAGE)

static u32 asked;
static struct hw_ahead begins;

static bool toy_ahead(const struct hw_iommu *h, const struct hw_req *req, struct hw_ahead *a)
{
	(void)h;
	(void)req;
	asked++;
	*a = begins;
	return true;
}

static const struct hw_iommu_ops toy_ops = {.name = "toy", .ahead = toy_ahead};

static u64 random_word(void)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x * 0x2545f4914f6cdd1dULL;
}

/* Memory that cannot be written to, with nothing before and behind. */
static u8 *memory(void)
{
	u8 *p = mmap(NULL, RAM + 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	for (u64 at = 0; at < RAM; at += 8) {
		u64 word = random_word() >> (random_word() & 63);

		memcpy(p + PAGE + at, &word, 8);
	}
	mprotect(p, PAGE, PROT_NONE);
	mprotect(p + PAGE, RAM, PROT_READ);
	mprotect(p + PAGE + RAM, PAGE, PROT_NONE);
	return p + PAGE;
}

static void point(struct hw_env *e, const char *why)
{
	(void)e;
	(void)why;
}

static void fact(struct hw_env *e, enum hw_fact f, const u64 arg[4])
{
	(void)e;
	(void)f;
	(void)arg;
}

static u64 read_flushed(struct hw_env *e, u64 pa)
{
	(void)e;
	return pa;
}

static u32 asked_for(const struct hw_env *e, const struct hw_req *req, u32 n)
{
	struct hw_env env = *e;
	struct hw_iommu h = {.ops = &toy_ops, .env = &env};

	asked = 0;
	hw_prepare(&h, req, n);
	return asked;
}

Test(ahead, is_idle_where_somebody_watches)
{
	struct hw_env e = {.ram = memory(), .ram_size = RAM}, watched = e;
	struct hw_req req = {0};

	begins = (struct hw_ahead){0};
	cr_assert_eq(asked_for(&e, &req, 1), 1);
	watched.point = point;
	cr_assert_eq(asked_for(&watched, &req, 1), 0);
	watched = e;
	watched.fact = fact;
	cr_assert_eq(asked_for(&watched, &req, 1), 0);
	watched = e;
	watched.read_flushed = read_flushed;
	cr_assert_eq(asked_for(&watched, &req, 1), 0);
	watched = e;
	watched.ram_size = 7;
	cr_assert_eq(asked_for(&watched, &req, 1), 0);
}

Test(ahead, is_one_device_after_the_other)
{
	struct hw_env e = {.ram = memory(), .ram_size = RAM};
	struct hw_req req[40] = {{0}};

	begins = (struct hw_ahead){0};
	cr_assert_eq(asked_for(&e, req, 0), 0);
	cr_assert_eq(asked_for(&e, req, 16), 1);
	cr_assert_eq(asked_for(&e, req, 40), 3);
	req[3].pasid = 1;
	cr_assert_eq(asked_for(&e, req, 4), 2);
	req[5].sid = 9;
	/* 0 to 2, 3, 4, 5, 6 to 15 */
	cr_assert_eq(asked_for(&e, req, 16), 5);
}

/* Tables of any form and place, of noise. */
Test(ahead, stays_in_memory)
{
	static const u8 strides[] = {9, 11, 13};
	struct hw_env e = {.ram = memory(), .ram_size = RAM};

	for (u32 i = 0; i < 200000; i++) {
		u8 stride = strides[random_word() % 3], levels = (u8)(random_word() % 4);
		struct hw_req req[16] = {{0}};
		u32 n = 1 + (u32)(random_word() % 16);

		begins = (struct hw_ahead){
			.table = random_word() >> (random_word() & 63), .stride = stride,
			.page = (u8)(stride + 3), .next = random_word() >> (random_word() & 63),
			.shift = (u8)(stride + 3 + stride * levels),
			.reach = ~0ULL >> (random_word() & 63)};
		for (u32 k = 0; k < 16; k++)
			req[k].addr = random_word() >> (random_word() & 63);
		/* The last word of memory is at its very end, or there is none. */
		e.ram_size = i % 2 ? RAM : 8 + random_word() % (RAM - 8);
		e.ram += RAM - e.ram_size;
		asked_for(&e, req, n);
		e.ram -= RAM - e.ram_size;
	}
}
