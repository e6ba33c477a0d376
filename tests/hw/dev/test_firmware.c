// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as devices: what they copy, where they wait, and what becomes of
 * those that mean harm.
 */
#include "hw/dev/firmware_priv.h"
#include "tests/hw/bus/toy_iommu.h"

#include "sim/mem/frames.h"
#include "tests/kit/program.h"

#include <stdio.h>
#include <unistd.h>

#define IOVA 0x40000000ULL
#define FAR 0x50000000ULL
#define WORDS 100u
#define ALL (HW_READ | HW_WRITE)

enum { R_CONTROL = 8, R_STATUS = 16, R_EXIT = 24, R_ARG0 = 32, R_FAULT = 72, R_MAILBOX = 80 };

static struct machine m;
static struct fabric *f;
static u64 pa[2], bar;
static u32 want_status, want_fault; /* fault 0: whichever */
static bool copies_nothing;

static void boot(void)
{
	char err[256] = "";

	f = bus_create(w, &m);
	cr_assert(bus_iommu_add(f, 0, &toy_ops, "", err, sizeof(err)));
	cr_assert(dev_create(f, 0, &dev_firmware, err, sizeof(err)), "%s", err);
	bar = bus_bar_pa(f, 0, 0);
	for (u32 i = 0; i < 2; i++)
		pa[i] = frame_alloc(w, 0, FRAME_ZERO);
}

static void prepare(const char *file, const char *of)
{
	memset(&m, 0, sizeof(m));
	m.n_iommus = m.n_buses = m.n_devices = 1;
	machine_iommu_init(&m.iommu[0]);
	machine_bus_init(&m.bus[0]);
	machine_device_init(&m.device[0]);
	m.device[0].bus = 0;
	m.device[0].bdf = 8;
	m.device[0].n_iommus = 1;
	snprintf(m.device[0].firmware, sizeof(m.device[0].firmware), "%s", file);
	snprintf(m.device[0].arch, sizeof(m.device[0].arch), "%s", of);
}

static void begin(void)
{
	u64 *word = frame_ptr(w, pa[0]);

	toy_map(IOVA, pa[0], HW_NO_PASID, ALL);
	toy_map(IOVA + 4096, pa[1], HW_NO_PASID, ALL);
	for (u32 i = 0; i < WORDS; i++)
		word[i] = 0x0123456789abcdefULL + i;
	memset(frame_ptr(w, pa[1]), 0, 4096);
}

static void start(u64 from, u64 to, u64 n)
{
	io_write(w, bar + R_ARG0, 8, from);
	io_write(w, bar + R_ARG0 + 8, 8, to);
	io_write(w, bar + R_ARG0 + 16, 8, n);
	io_write(w, bar + R_CONTROL, 4, 1);
}

static void driver(void *arg)
{
	u64 sum = 0;

	(void)arg;
	start(IOVA, IOVA + 4096, WORDS);
	while (!(io_read(w, bar + R_STATUS, 4) & 6))
		sched_yield_now();
	cr_assert_eq(io_read(w, bar + R_STATUS, 4), want_status, "status %lu, fault %#lx",
		     (unsigned long)io_read(w, bar + R_STATUS, 4),
		     (unsigned long)io_read(w, bar + R_FAULT, 4));
	if (want_fault)
		cr_assert_eq(io_read(w, bar + R_FAULT, 4), want_fault, "fault %#lx",
			     (unsigned long)io_read(w, bar + R_FAULT, 4));
	if (want_status != 2 || copies_nothing)
		return;
	for (u32 i = 0; i < WORDS; i++)
		sum += 0x0123456789abcdefULL + i;
	cr_assert_eq(io_read(w, bar + R_MAILBOX, 8), sum);
	cr_assert_arr_eq(frame_ptr(w, pa[1]), frame_ptr(w, pa[0]), WORDS * 8);
}

static const char *const copies[][2] = {
	{"copy.x86-64.elf", ""}, {"copy.aarch64.elf", ""}, {"copy.riscv64.elf", ""}};

Test(firmware, three_architectures_copy_through_the_iommu)
{
	want_status = 2;
	for (u32 i = 0; i < 3; i++) {
		u64 hash = 0;

		prepare(copies[i][0], copies[i][1]);
		load(.boot = boot, .begin = begin, .task = {driver});
		for (u64 round = 0; round < 20; round++) {
			struct world_run r = run(1 + round % 2);

			assert_clean(&r);
			/* Whole words of 8 bytes: one request each, not two halves. */
			cr_assert_eq(toy.n_requests, 2 * WORDS);
			if (round % 2)
				cr_assert(!hash || hash == r.hash, "a run differs from itself");
			hash = round % 2 ? r.hash : hash;
		}
	}
}

static void resumer(void *arg)
{
	(void)arg;
	while (!toy.next_tag)
		sched_yield_now();
	cr_assert_eq(io_read(w, bar + R_STATUS, 4), 1, "it runs, and waits");
	toy_map(FAR, pa[1], HW_NO_PASID, ALL);
	toy.resume_tag = 0;
	toy.resume_retry = true;
	toy.resume_due = true;
	io_write(w, bus_iommu_base(f, 0), 4, 1);
}

static void stalled_driver(void *arg)
{
	(void)arg;
	toy.stalls = true;
	start(IOVA, FAR, WORDS);
	while (!(io_read(w, bar + R_STATUS, 4) & 6))
		sched_yield_now();
	cr_assert_eq(io_read(w, bar + R_STATUS, 4), 2);
	cr_assert_arr_eq(frame_ptr(w, pa[1]), frame_ptr(w, pa[0]), WORDS * 8);
	cr_assert_eq(toy.n_requests, 2 * WORDS + 1, "the one that stalled came again, no other");
}

Test(firmware, a_store_that_stalls_goes_on_where_it_was)
{
	for (u32 i = 0; i < 3; i++) {
		prepare(copies[i][0], copies[i][1]);
		load(.boot = boot, .begin = begin, .task = {stalled_driver, resumer});
		run_clean(20);
	}
}

static void left_behind(void *arg)
{
	(void)arg;
	toy.stalls = true;
	start(FAR, IOVA, WORDS);
	while (!toy.next_tag)
		sched_yield_now();
}

Test(firmware, what_waits_at_the_end_of_a_run_is_gone_in_the_next)
{
	prepare(copies[0][0], "");
	load(.boot = boot, .begin = begin, .task = {left_behind});
	run_clean(20);
	cr_assert_eq(toy.n_requests, 1);
}

/* --- programs that mean harm --- */

static void hostile(const char *of, const void *code, size_t size, u32 status)
{
	char path[] = "/tmp/iommulab-fw-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, code, size) == (ssize_t)size);
	close(fd);
	prepare(path, of);
	want_status = status;
	load(.boot = boot, .begin = begin, .task = {driver});
	unlink(path);
	run_clean(3);
}

Test(firmware, loops_jumps_and_wild_writes_have_an_end)
{
	static const u8 loop[] = {0xeb, 0xfe};                    /* jmp . */
	static const u8 jump[] = {0x31, 0xc0, 0xff, 0xe0};        /* jmp 0 */
	static const u8 halt[] = {0xf4};                          /* hlt */
	static const u8 trap[] = {0xcc};                          /* int3 */
	static const u8 undefined[] = {0x0f, 0x0b};               /* ud2 */
	static const u8 zero[64] = {0};
	static const u8 string[] = {0x31, 0xff, 0xbf, 0, 0, 1, 0, /* edi = 0x10000 */
				    0xb9, 0xff, 0xff, 0xff, 0x7f, /* ecx = 2^31 - 1 */
				    0xf3, 0xaa, 0xeb, 0xfe};      /* rep stosb */
	static const u8 window[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0x40, 0, 0, /* rax = DMA window */
				    0xff, 0xe0};                  /* jmp *rax */
	static const u8 unaligned[] = {0x48, 0xb8, 1, 0, 0, 0x40, 0, 0x40, 0, 0,
				       0x48, 0x8b, 0x00, 0xeb, 0xfe}; /* mov (rax), rax */
	static const u8 wide[] = {0x48, 0xb8, 0, 0, 0, 0x40, 0, 0x40, 0, 0,
				  0x0f, 0x28, 0x00, 0xeb, 0xfe};  /* movaps (rax), xmm0 */
	static const u8 sweep[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0x40, 0, 0, /* rax = DMA window */
				   0x48, 0x89, 0x00,              /* mov rax, (rax) */
				   0x48, 0x05, 0, 0x10, 0, 0,     /* add 4096, rax */
				   0xeb, 0xf5};
	static const u32 arm_loop[] = {0x14000000}, riscv_loop[] = {0x0000006f};
	static const u32 arm_ret[] = {0xd65f03c0}, riscv_zero[] = {0};

	copies_nothing = true;
	hostile("x86-64", loop, sizeof(loop), 4);
	hostile("x86-64", jump, sizeof(jump), 4);
	hostile("x86-64", trap, sizeof(trap), 4);
	hostile("x86-64", undefined, sizeof(undefined), 4);
	hostile("x86-64", string, sizeof(string), 4);
	hostile("x86-64", window, sizeof(window), 4);
	hostile("x86-64", unaligned, sizeof(unaligned), 4);
	hostile("x86-64", wide, sizeof(wide), 4);
	hostile("x86-64", sweep, sizeof(sweep), 4);
	hostile("x86-64", zero, sizeof(zero), 4);
	hostile("aarch64", arm_loop, sizeof(arm_loop), 4);
	hostile("aarch64", arm_ret, sizeof(arm_ret), 4);
	hostile("riscv64", riscv_loop, sizeof(riscv_loop), 4);
	hostile("riscv64", riscv_zero, sizeof(riscv_zero), 4);
	hostile("x86-64", halt, sizeof(halt), 2);
}

static void late_driver(void *arg)
{
	(void)arg;
	start(0, 0, 0);
	for (u32 i = 0; i < 3; i++)
		sched_yield_now();
	io_write(w, bar + R_ARG0, 8, 1);
	while (!(io_read(w, bar + R_STATUS, 4) & 6))
		sched_yield_now();
	cr_assert_eq(io_read(w, bar + R_STATUS, 4) & 6, 2);
	cr_assert_eq(io_read(w, bar + R_EXIT, 8), 7);
}

/* It looks at its first argument again and again, and does no DMA meanwhile. */
Test(firmware, a_program_that_waits_lets_others_run)
{
	static const u8 wait[] = {0xbb, 0, 0, 0, 0xf0,        /* ebx = 0xf0000000 */
				  0x8b, 0x03, 0x85, 0xc0, 0x74, 0xfa, /* until (rbx) is not 0 */
				  0xb8, 7, 0, 0, 0, 0x89, 0x43, 0x30, /* exit 7 */
				  0xf4};
	char path[] = "/tmp/iommulab-fw-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, wait, sizeof(wait)) == (ssize_t)sizeof(wait));
	close(fd);
	prepare(path, "x86-64");
	load(.boot = boot, .begin = begin, .task = {late_driver});
	unlink(path);
	run_clean(3);
}

/* What they read is the host's: no run would be like the other. */
Test(firmware, clocks_and_chance_are_faults)
{
	static const u8 rdtsc[] = {0x0f, 0x31, 0xf4};
	static const u8 rex_rdtsc[] = {0x66, 0x48, 0x0f, 0x31, 0xf4};
	static const u8 rdtscp[] = {0x0f, 0x01, 0xf9, 0xf4};
	static const u8 rdrand[] = {0x0f, 0xc7, 0xf0, 0xf4};
	static const u8 constant[] = {0xb8, 0x0f, 0x31, 0, 0, 0xf4}; /* eax = 0x310f; hlt */
	static const u32 cntvct[] = {0xd53be040, 0x14000000}, cntpct[] = {0xd53be020, 0x14000000};
	static const u32 rdcycle[] = {0xc00022f3, 0x6f}, mcycle[] = {0xb00022f3, 0x6f};

	copies_nothing = true;
	want_fault = 0x102;
	hostile("x86-64", rdtsc, sizeof(rdtsc), 4);
	hostile("x86-64", rex_rdtsc, sizeof(rex_rdtsc), 4);
	hostile("x86-64", rdtscp, sizeof(rdtscp), 4);
	hostile("aarch64", cntvct, sizeof(cntvct), 4);
	hostile("aarch64", cntpct, sizeof(cntpct), 4);
	hostile("riscv64", rdcycle, sizeof(rdcycle), 4);
	hostile("riscv64", mcycle, sizeof(mcycle), 4);
	/* Not known to the emulator's usual processor, or a fault of ours. */
	want_fault = 0;
	hostile("x86-64", rdrand, sizeof(rdrand), 4);
	hostile("x86-64", constant, sizeof(constant), 2);
}

/* Each change of code costs the emulator memory that it keeps. */
Test(firmware, code_that_changes_itself_for_ever_has_an_end)
{
	static const u32 code[] = {0x100000a0,  /* l: adr x0, m */
				   0xb9400001,  /* ldr w1, [x0] */
				   0x11008021,  /* add w1, w1, #32 */
				   0xb9000001,  /* str w1, [x0] */
				   0x14000001,  /* b m */
				   0xd2800002,  /* m: movz x2, #0 */
				   0x17fffffa}; /* b l */

	/* Changes its own block: l: lea m(%rip), %rax; incl 1(%rax); m: mov $0, %eax; jmp l */
	static const u8 block[] = {0x48, 0x8d, 0x05, 3, 0, 0, 0, 0xff, 0x40, 1, 0xb8, 0, 0, 0, 0,
				   0xeb, 0xef};

	copies_nothing = true;
	want_fault = 0x100;
	hostile("aarch64", code, sizeof(code), 4);
	want_fault = 0x103;
	hostile("x86-64", block, sizeof(block), 4);
}

Test(firmware, files_that_are_none_are_one_line)
{
	struct fw_image *i = malloc(sizeof(*i));
	char err[256];
	u8 elf[256] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	struct choice ch;

	cr_assert_not(fw_load(i, "no-such-file", "x86-64", err, sizeof(err)));
	cr_assert(strstr(err, "no-such-file"));
	cr_assert_not(fw_parse(i, elf, 20, "", err, sizeof(err)));
	cr_assert_not(fw_parse(i, elf, sizeof(elf), "", err, sizeof(err)));
	cr_assert(strstr(err, "machine 0"), "%s", err);
	elf[18] = 62;
	cr_assert_not(fw_parse(i, elf, sizeof(elf), "", err, sizeof(err)));
	cr_assert(strstr(err, "without program headers"), "%s", err);
	cr_assert_not(fw_parse(i, elf, sizeof(elf), "riscv64", err, sizeof(err)));
	cr_assert(strstr(err, "an ELF for x86-64, expected one for 'arch', riscv64"), "%s", err);
	elf[54] = 56;
	elf[56] = 1;
	cr_assert_not(fw_parse(i, elf, sizeof(elf), "", err, sizeof(err)));
	cr_assert(strstr(err, "no segment"), "%s", err);
	cr_assert_not(fw_parse(i, (const u8 *)"text", 4, "", err, sizeof(err)));
	cr_assert_not(fw_parse(i, (const u8 *)"", 0, "x86-64", err, sizeof(err)));
	/* Whatever the headers say: refused or loaded, nothing else. */
	choice_seed(&ch, 1);
	for (u32 n = 0; n < 200000; n++) {
		u32 at = choice_below(&ch, CHOICE_DATA, sizeof(elf) - 16) + 16;

		elf[at] = (u8)choice_word(&ch, CHOICE_DATA);
		if (n % 8 == 0) {
			elf[18] = 62;
			elf[19] = 0;
			elf[54] = 56;
			elf[55] = 0;
		}
		err[0] = 0;
		cr_assert(fw_parse(i, elf, sizeof(elf), "", err, sizeof(err)) || err[0]);
	}
	free(i);
}
