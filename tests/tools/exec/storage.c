// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver in user space, written against VFIO's public interface: storage with pairs of
 * queues, its registers mapped, its queues and data in this program's memory, interrupts
 * by an eventfd (with an argument: none, it looks for completions itself). It writes and
 * reads blocks, and looks at what a transfer to memory that is not mapped for the device
 * gives.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define ENTRIES 16
#define BLOCK 512
#define IOVA 0x100000UL
#define PAGES 40

enum { CAP, VS = 8, CC = 0x14, CSTS = 0x1c, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, BELLS = 0x1000 };

struct command {
	uint32_t opcode_cid, nsid;
	uint64_t reserved, metadata, prp1, prp2;
	uint32_t cdw[6];
};

struct completion {
	uint32_t result, reserved;
	uint16_t head, id, cid, status;
};

struct pair {
	volatile struct command *sq;
	volatile struct completion *cq;
	uint32_t tail, head, phase;
};

static volatile uint8_t *regs;
static uint8_t *memory; /* at IOVA: 4 pages of queues, then data */
static int event = -1;
static struct pair pairs[2];

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t get(uint32_t at)
{
	return *(volatile uint32_t *)(regs + at);
}

static void set(uint32_t at, uint32_t value)
{
	*(volatile uint32_t *)(regs + at) = value;
}

static void set64(uint32_t at, uint64_t value)
{
	*(volatile uint64_t *)(regs + at) = value;
}

/* Its completion's status. */
static uint32_t submit(uint32_t q, const struct command *c)
{
	struct pair *p = &pairs[q];
	struct pollfd wait = {event, POLLIN, 0};
	uint64_t count;
	uint32_t status;

	memcpy((void *)&p->sq[p->tail], c, sizeof(*c));
	p->tail = (p->tail + 1) % ENTRIES;
	set(BELLS + 8 * q, p->tail);
	if (event >= 0 && (poll(&wait, 1, 5000) != 1 || read(event, &count, 8) != 8))
		die("no interrupt");
	while (event < 0 && (p->cq[p->head].status & 1) != p->phase)
		; /* in memory: nobody is asked */
	if ((p->cq[p->head].status & 1) != p->phase)
		die("no completion");
	status = p->cq[p->head].status >> 1;
	p->head = (p->head + 1) % ENTRIES;
	p->phase ^= !p->head;
	set(BELLS + 8 * q + 4, p->head);
	return status;
}

static void pair_init(uint32_t q)
{
	pairs[q] = (struct pair){(void *)(memory + 2 * q * PAGE),
				 (void *)(memory + (2 * q + 1) * PAGE), 0, 0, 1};
}

static void start(void)
{
	const uint8_t *page = memory + 4 * PAGE;
	struct command c = {.opcode_cid = 6, .prp1 = IOVA + 4 * PAGE, .cdw = {1}};

	printf("version %x, capabilities %llx\n", get(VS),
	       (unsigned long long)*(volatile uint64_t *)(regs + CAP));
	pair_init(0);
	pair_init(1);
	set(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
	set64(ASQ, IOVA);
	set64(ACQ, IOVA + PAGE);
	set(CC, 1);
	while (!(get(CSTS) & 1))
		;
	if (submit(0, &c))
		die("identify");
	printf("model %.16s\n", page + 24);
	c = (struct command){.opcode_cid = 5, .prp1 = IOVA + 3 * PAGE,
			     .cdw = {(ENTRIES - 1) << 16 | 1, 3}};
	if (submit(0, &c))
		die("completion queue");
	c = (struct command){.opcode_cid = 1, .prp1 = IOVA + 2 * PAGE,
			     .cdw = {(ENTRIES - 1) << 16 | 1, 1 << 16 | 1}};
	if (submit(0, &c))
		die("submission queue");
}

/* n blocks from lba on, from or to the data at `page` of our memory (a list from 3 pages on). */
static uint32_t transfer(uint32_t opcode, uint32_t lba, uint32_t n, uint32_t page)
{
	struct command c = {.opcode_cid = opcode, .nsid = 1, .prp1 = IOVA + page * PAGE,
			    .cdw = {lba, 0, n - 1}};
	uint64_t *list = (uint64_t *)(memory + (PAGES - 1) * PAGE);
	uint32_t pages = (n * BLOCK + PAGE - 1) / PAGE;

	for (uint32_t i = 1; i < pages; i++)
		list[i - 1] = IOVA + (page + i) * PAGE;
	c.prp2 = pages > 2 ? IOVA + (PAGES - 1) * PAGE : IOVA + (page + 1) * PAGE;
	return submit(1, &c);
}

static void blocks(void)
{
	uint8_t *out = memory + 5 * PAGE, *in = memory + 20 * PAGE;
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < 64 * BLOCK; i++)
		out[i] = (uint8_t)(i * 7 + i / BLOCK);
	for (uint32_t lba = 0; lba < 128; lba += 64) {
		if (transfer(1, lba, 64, 5) || transfer(2, lba, 64, 20))
			die("transfer");
		wrong += memcmp(in, out, 64 * BLOCK) != 0;
		memset(in, 0, 64 * BLOCK);
	}
	printf("128 blocks written and read, %u differ\n", wrong);
	printf("beyond the last block: status %x\n", transfer(2, 255, 2, 20));
}

/* Registers in parts, by what compilers make of it. */
static void registers(void)
{
	uint64_t asq = *(volatile uint64_t *)(regs + ASQ), high = get(ASQ + 4);
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = regs[ASQ + i];
	*(volatile uint32_t *)(regs + 0x0c) |= 6; /* read, changed, written */
	printf("parts %s, mask %x, %s\n",
	       !memcmp(bytes, &asq, 8) && high == asq >> 32 ? "agree" : "differ", get(0x0c),
	       *(volatile uint16_t *)(regs + CSTS) & 1 ? "ready" : "not ready");
	set(0x10, 6);
}

static int connect_irq(int device)
{
	struct {
		struct vfio_irq_set head;
		int32_t fd;
	} s = {{sizeof(s), VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, 1}, 0};
	struct vfio_irq_info info = {.argsz = sizeof(info)};

	event = eventfd(0, 0);
	s.fd = event;
	for (uint32_t i = VFIO_PCI_MSIX_IRQ_INDEX + 1; i--;) {
		info.index = i;
		s.head.index = i;
		if (ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info) || !info.count)
			continue;
		if (!ioctl(device, VFIO_DEVICE_SET_IRQS, &s))
			return printf("interrupt %u\n", i), 0;
	}
	return -1;
}

static void use(int device, bool interrupts)
{
	struct vfio_region_info bar = {.argsz = sizeof(bar)};
	struct vfio_region_info config = {.argsz = sizeof(config), .index = 7};
	uint16_t command = 6;

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config))
		die("regions");
	if (pwrite(device, &command, 2, (off_t)config.offset + 4) != 2)
		die("bus mastering");
	regs = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
	if (regs == MAP_FAILED)
		die("registers");
	if (interrupts && connect_irq(device))
		die("interrupts");
	start();
	blocks();
	registers();
}

static int in_group(const char *path, const char *name, int *container)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = 3, .vaddr = (uintptr_t)memory, .iova = IOVA,
		.size = PAGES * PAGE};
	int group = open(path, O_RDWR), device;

	*container = open("/dev/vfio/vfio", O_RDWR);
	if (group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, container) ||
	    ioctl(*container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) ||
	    ioctl(*container, VFIO_IOMMU_MAP_DMA, &map))
		die(path);
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (device < 0)
		die(name);
	return device;
}

static void write_to(const char *fmt, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), fmt, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		die(path);
}

/* What an administrator does: the device for vfio-pci, whoever has it. */
static void take(const char *name)
{
	char path[512], driver[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", name);
	n = readlink(path, driver, sizeof(driver) - 1);
	driver[n < 0 ? 0 : n] = 0;
	printf("driver %s\n", n < 0 ? "none" : strrchr(driver, '/') + 1);
	if (n > 0 && !strcmp(strrchr(driver, '/'), "/vfio-pci"))
		return;
	if (n > 0)
		write_to("/sys/bus/pci/devices/%s/driver/unbind", name, name);
	write_to("/sys/bus/pci/devices/%s/driver_override", name, "vfio-pci\n");
	write_to("/sys/bus/pci/drivers_probe", name, name);
}

static const char *group_of(const char *name)
{
	static char path[512];
	char link[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		die(path);
	link[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(link, '/'));
	printf("group %s\n", path);
	return path;
}

/* The first function of this class, as udev or lspci would look. */
static const char *find(const char *class)
{
	static struct dirent *e;
	DIR *d = opendir("/sys/bus/pci/devices");
	char path[512], text[16] = "";
	FILE *f;

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (!fgets(text, sizeof(text), f))
			text[0] = 0;
		fclose(f);
		if (!strncmp(text, class, strlen(class)))
			return e->d_name;
	}
	die("no such function");
	return NULL;
}

int main(int argc, char **argv)
{
	const char *name;

	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = IOVA, .size = PAGES * PAGE};
	int container, device;

	setvbuf(stdout, NULL, _IOLBF, 0);
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	name = find("0x010802");
	take(name);
	device = in_group(group_of(name), name, &container);
	use(device, argc < 2);
	/* All of it goes, but for the first part, which comes back. */
	if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap))
		die("unmap");
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = 3, .vaddr = (uintptr_t)memory, .iova = IOVA,
		.size = 20 * PAGE};
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
		die("map");
	printf("to memory that is not mapped: status %x\n", transfer(2, 0, 8, 20));
	printf("after it: status %x\n", transfer(2, 0, 8, 5));
	return 0;
}
