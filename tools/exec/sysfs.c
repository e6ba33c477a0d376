// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's devices as clients see them below /sys and /dev: a folder of real
 * files and links, which the client's library puts before its paths. What is
 * written to the files that bind drivers comes here, as EXEC_NR_SYSFS; afterwards
 * the links are what the kernel says.
 */
#include "tools/exec/exec.h"

#include "sim/base/bits.h"
#include "sim/host/host.h"
#include "sim/io/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX 256
#define PATH_SIZE 512
#define CONFIG_SIZE 256
#define DEVICES "../../../devices"
#define SYS_PREFIX "iommulab-sys-"

struct exec_sysfs {
	char root[PATH_SIZE - TEXT_MAX];
	int lock; /* of the folder, held as long as it is ours */
	/* What the user has asked for; KERNEL_DRIVERS_N: nothing. */
	u32 override[MACHINE_DEVICES_MAX];
	u64 ids[KERNEL_DRIVERS_N]; /* vendor << 32 | device, from new_id */
};

static const char *const buses[] = {"pci", "platform"};

/* --- files and links --- */

static void path_of(const struct exec_sysfs *f, char path[PATH_SIZE], const char *fmt, va_list ap)
{
	int n = snprintf(path, PATH_SIZE, "%s/", f->root);

	vsnprintf(path + n, PATH_SIZE - (size_t)n, fmt, ap);
}

static bool folder(const struct exec_sysfs *f, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	path_of(f, path, fmt, ap);
	va_end(ap);
	for (char *at = path + strlen(f->root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
	return !mkdir(path, 0755) || errno == EEXIST;
}

static bool file(const struct exec_sysfs *f, const void *data, size_t size, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list ap;
	ssize_t n;
	int fd;

	va_start(ap, fmt);
	path_of(f, path, fmt, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	n = write(fd, data, size);
	close(fd);
	return n == (ssize_t)size;
}

/* NULL: there shall be none. */
static bool link_to(const struct exec_sysfs *f, const char *target, const char *fmt, ...)
{
	char path[PATH_SIZE], now[PATH_SIZE];
	va_list ap;
	ssize_t n;

	va_start(ap, fmt);
	path_of(f, path, fmt, ap);
	va_end(ap);
	n = readlink(path, now, sizeof(now) - 1);
	now[n < 0 ? 0 : n] = '\0';
	if (target && !strcmp(now, target))
		return true;
	unlink(path);
	return !target || !symlink(target, path);
}

/* --- a device --- */

static bool is_pci(const struct exec_session *s, u32 device)
{
	const struct machine *m = &s->machine->machine;

	return m->bus[m->device[device].bus].kind == MACHINE_BUS_PCI;
}

static bool seen(struct exec_session *s, u32 device, struct kernel_seen *k)
{
	return s->kernel->describe(s->world, device, k);
}

/* Where its folder is, below devices/. */
static void place_of(const struct exec_session *s, u32 device, const struct kernel_seen *k,
		     char place[TEXT_MAX])
{
	if (is_pci(s, device))
		snprintf(place, TEXT_MAX, "pci%.7s/%s", k->name, k->name);
	else
		snprintf(place, TEXT_MAX, "platform/%s", k->name);
}

/* As lspci reads it: an address register's bits are found by writing ones. */
static size_t resource_text(struct exec_session *s, u32 rid, char *text, size_t size)
{
	size_t n = 0;

	for (u32 i = 0; i < 6; i++) {
		u32 reg = 0x10 + 4 * i, old = io_config_read(s->world, rid, reg, 4), mask;

		io_config_write(s->world, rid, reg, 4, ~0u);
		mask = io_config_read(s->world, rid, reg, 4) & ~0xfu;
		io_config_write(s->world, rid, reg, 4, old);
		n += (size_t)snprintf(text + n, size - n, "0x%016x 0x%016x 0x%016x\n",
				      mask ? old & ~0xfu : 0,
				      mask ? (old & ~0xfu) + ~mask : 0, mask ? 0x40200 : 0);
	}
	return n;
}

static bool pci_files(struct exec_session *s, u32 rid, const char *place)
{
	static const struct {
		const char *name, *format;
		u32 off, size;
	} row[] = {
		{"vendor", "0x%04x\n", 0, 2},    {"device", "0x%04x\n", 2, 2},
		{"revision", "0x%02x\n", 8, 1},  {"subsystem_vendor", "0x%04x\n", 0x2c, 2},
		{"irq", "%u\n", 0x3c, 1},        {"subsystem_device", "0x%04x\n", 0x2e, 2},
	};
	u32 class = io_config_read(s->world, rid, 8, 4) >> 8;
	u8 config[CONFIG_SIZE];
	char text[TEXT_MAX * 2];
	bool ok = true;

	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		snprintf(text, sizeof(text), row[i].format,
			 io_config_read(s->world, rid, row[i].off, row[i].size));
		ok &= file(s->sysfs, text, strlen(text), "sys/devices/%s/%s", place, row[i].name);
	}
	snprintf(text, sizeof(text), "0x%06x\n", class);
	ok &= file(s->sysfs, text, strlen(text), "sys/devices/%s/class", place);
	ok &= file(s->sysfs, "-1\n", 3, "sys/devices/%s/numa_node", place);
	ok &= file(s->sysfs, text, resource_text(s, rid, text, sizeof(text)),
		   "sys/devices/%s/resource", place);
	for (u32 i = 0; i < CONFIG_SIZE; i += 4) {
		u32 value = io_config_read(s->world, rid, i, 4);

		memcpy(config + i, &value, 4);
	}
	return ok && file(s->sysfs, config, sizeof(config), "sys/devices/%s/config", place);
}

/* What does not change. */
static bool device_files(struct exec_session *s, u32 device)
{
	const char *bus = buses[!is_pci(s, device)];
	char place[TEXT_MAX], target[PATH_SIZE];
	struct kernel_seen k;
	bool ok;

	if (!seen(s, device, &k))
		return true;
	place_of(s, device, &k, place);
	ok = folder(s->sysfs, "sys/devices/%s", place) &&
	     file(s->sysfs, "(null)\n", 7, "sys/devices/%s/driver_override", place);
	snprintf(target, sizeof(target), DEVICES "/%s", place);
	ok &= link_to(s->sysfs, target, "sys/bus/%s/devices/%s", bus, k.name);
	snprintf(target, sizeof(target), "../../../bus/%s", bus);
	ok &= link_to(s->sysfs, target, "sys/devices/%s/subsystem", place);
	return ok && (k.rid < 0 || pci_files(s, (u32)k.rid, place));
}

/* The links that bind and unbind change. */
static bool driver_links(struct exec_session *s, u32 device, const struct kernel_seen *k,
			 const char *place)
{
	const char *bus = buses[!is_pci(s, device)];
	char text[PATH_SIZE], target[PATH_SIZE];
	bool ok = true;

	snprintf(text, sizeof(text), "../../../bus/%s/drivers/%s", bus, k->driver ? k->driver : "");
	ok &= link_to(s->sysfs, k->driver ? text : NULL, "sys/devices/%s/driver", place);
	snprintf(target, sizeof(target), "../../../../devices/%s", place);
	for (u32 i = 0; i < KERNEL_DRIVERS_N; i++) {
		const char *name = kernel_driver_names[i];
		bool here = k->driver && !strcmp(k->driver, name);

		ok &= link_to(s->sysfs, here ? target : NULL, "sys/bus/%s/drivers/%s/%s", bus, name,
			      k->name);
	}
	return ok;
}

/* Without an IOMMU: names say so, the group's own, too. */
static bool vfio_files(struct exec_session *s, const struct kernel_seen *k, const char *place)
{
	static const char name[] = "vfio-noiommu\n";
	const char *group = k->noiommu ? "noiommu-" : "", *own = k->cdev ? group : "";
	bool ok = folder(s->sysfs, "sys/devices/%s/vfio-dev/%svfio%ld", place, own, k->vfio) &&
		  file(s->sysfs, "", 0, "dev/vfio/%s%ld", group, k->group);

	if (k->cdev)
		ok &= file(s->sysfs, "", 0, "dev/vfio/devices/%svfio%ld", own, k->vfio);
	if (k->noiommu)
		ok &= file(s->sysfs, name, sizeof(name) - 1, "sys/kernel/iommu_groups/%ld/name",
			   k->group);
	return ok;
}

static bool group_links(struct exec_session *s, const struct kernel_seen *k, const char *place)
{
	char target[PATH_SIZE];
	bool ok = true;

	if (k->group >= 0) {
		ok &= folder(s->sysfs, "sys/kernel/iommu_groups/%ld/devices", k->group) &&
		      folder(s->sysfs, "dev/vfio/devices");
		snprintf(target, sizeof(target), "../../../../devices/%s", place);
		ok &= link_to(s->sysfs, target, "sys/kernel/iommu_groups/%ld/devices/%s", k->group,
			      k->name);
	}
	snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%ld", k->group);
	ok &= link_to(s->sysfs, k->group >= 0 ? target : NULL, "sys/devices/%s/iommu_group", place);
	if (k->vfio < 0)
		return ok;
	return ok && vfio_files(s, k, place);
}

static void nothing_of_vfio(struct exec_session *s, const char *place)
{
	static const char *const before[] = {"", "noiommu-"};
	char path[PATH_SIZE];

	for (u32 i = 0; i < MACHINE_DEVICES_MAX * ARRAY_SIZE(before); i++) {
		const char *own = before[i % ARRAY_SIZE(before)];
		u32 index = i / (u32)ARRAY_SIZE(before);

		snprintf(path, sizeof(path), "%s/sys/devices/%.200s/vfio-dev/%svfio%u",
			 s->sysfs->root, place, own, index);
		if (rmdir(path))
			continue;
		snprintf(path, sizeof(path), "%s/dev/vfio/devices/%svfio%u", s->sysfs->root, own,
			 index);
		unlink(path);
	}
}

#define GROUPS_MAX (2L * MACHINE_DEVICES_MAX)

/* A group's file is there while a device of it has a driver of VFIO. */
static void forget_groups(struct exec_session *s, const bool used[2][GROUPS_MAX])
{
	char path[PATH_SIZE];

	for (u32 i = 0; i < 2 * GROUPS_MAX; i++) {
		if (used[i % 2][i / 2])
			continue;
		snprintf(path, sizeof(path), "%s/dev/vfio/%s%u", s->sysfs->root,
			 i % 2 ? "noiommu-" : "", i / 2);
		unlink(path);
	}
}

/* All links are what the kernel says. */
static bool refresh(struct exec_session *s)
{
	bool used[2][GROUPS_MAX] = {{false}};
	bool ok = true;

	for (u32 i = 0; i < s->machine->machine.n_devices; i++) {
		char place[TEXT_MAX];
		struct kernel_seen k;

		if (!seen(s, i, &k))
			continue;
		place_of(s, i, &k, place);
		if (k.vfio < 0)
			nothing_of_vfio(s, place);
		else if (k.group >= 0 && k.group < GROUPS_MAX)
			used[k.noiommu][k.group] = true;
		ok &= driver_links(s, i, &k, place) && group_links(s, &k, place);
	}
	forget_groups(s, used);
	return ok;
}

/* --- what is written --- */

struct request {
	const char *last, *driver; /* last word of the path, the one after "drivers" */
	u32 device;                /* of the path; MACHINE_NONE */
	char *data;
};

static u32 device_named(struct exec_session *s, const char *name)
{
	struct kernel_seen k;

	for (u32 i = 0; i < s->machine->machine.n_devices; i++) {
		if (seen(s, i, &k) && !strcmp(k.name, name))
			return i;
	}
	return MACHINE_NONE;
}

static u32 driver_named(const char *name)
{
	u32 i = 0;

	while (i < KERNEL_DRIVERS_N && (!name || strcmp(kernel_driver_names[i], name) != 0))
		i++;
	return i;
}

static u64 id_of(struct exec_session *s, u32 device)
{
	struct kernel_seen k;

	if (!seen(s, device, &k) || k.rid < 0)
		return 0;
	return (u64)io_config_read(s->world, (u32)k.rid, 0, 2) << 32 |
	       io_config_read(s->world, (u32)k.rid, 2, 2);
}

/* Whether the bus would let this driver have it. */
static bool matches(struct exec_session *s, u32 device, u32 driver)
{
	const struct exec_sysfs *f = s->sysfs;

	if (f->override[device] != KERNEL_DRIVERS_N)
		return f->override[device] == driver;
	return driver_named(s->machine->machine.device[device].driver) == driver ||
	       (f->ids[driver] && f->ids[driver] == id_of(s, device));
}

static long op(struct exec_session *s, u32 code, u32 device, u32 driver)
{
	return s->kernel->op(s->world, &(struct op){.code = code, .arg = {device, driver}});
}

static long do_bind(struct exec_session *s, const struct request *r)
{
	u32 device = device_named(s, r->data), driver = driver_named(r->driver);

	if (device == MACHINE_NONE || driver == KERNEL_DRIVERS_N || !matches(s, device, driver))
		return -ENODEV;
	return op(s, OP_bind, device, driver);
}

static long do_unbind(struct exec_session *s, const struct request *r)
{
	u32 device = device_named(s, r->data);
	struct kernel_seen k;

	if (device == MACHINE_NONE || !seen(s, device, &k) || !k.driver ||
	    (r->driver && strcmp(r->driver, k.driver) != 0))
		return -ENODEV;
	return op(s, OP_unbind, device, 0);
}

static long do_override(struct exec_session *s, const struct request *r)
{
	if (r->device == MACHINE_NONE)
		return -ENOENT;
	/* A driver that the kernel does not have matches nothing. */
	s->sysfs->override[r->device] = *r->data ? driver_named(r->data) : KERNEL_DRIVERS_N;
	if (*r->data && s->sysfs->override[r->device] == KERNEL_DRIVERS_N)
		s->sysfs->override[r->device] = KERNEL_DRIVERS_N + 1;
	return 0;
}

static long bind_if_free(struct exec_session *s, u32 device)
{
	struct kernel_seen k;

	if (!seen(s, device, &k) || k.driver)
		return 0;
	for (u32 i = 0; i < KERNEL_DRIVERS_N; i++) {
		if (matches(s, device, i))
			return op(s, OP_bind, device, i);
	}
	return 0;
}

static long do_probe(struct exec_session *s, const struct request *r)
{
	u32 device = device_named(s, r->data);

	return device == MACHINE_NONE ? -ENODEV : bind_if_free(s, device);
}

static long do_new_id(struct exec_session *s, const struct request *r)
{
	u32 driver = driver_named(r->driver);
	unsigned int vendor, device;

	if (driver == KERNEL_DRIVERS_N || sscanf(r->data, "%x %x", &vendor, &device) != 2)
		return -EINVAL;
	s->sysfs->ids[driver] = (u64)vendor << 32 | device;
	for (u32 i = 0; i < s->machine->machine.n_devices; i++) {
		if (id_of(s, i) == s->sysfs->ids[driver])
			bind_if_free(s, i);
	}
	return 0;
}

static long do_remove_id(struct exec_session *s, const struct request *r)
{
	u32 driver = driver_named(r->driver);

	if (driver == KERNEL_DRIVERS_N || !s->sysfs->ids[driver])
		return -ENODEV;
	s->sysfs->ids[driver] = 0;
	return 0;
}

static const struct {
	const char *last;
	long (*make)(struct exec_session *s, const struct request *r);
} writable[] = {
	{"bind", do_bind},
	{"unbind", do_unbind},
	{"driver_override", do_override},
	{"drivers_probe", do_probe},
	{"new_id", do_new_id},
	{"remove_id", do_remove_id},
};

static void split(struct exec_session *s, char *path, struct request *r)
{
	char *save = NULL, *before = "";

	for (char *w = strtok_r(path, "/", &save); w; w = strtok_r(NULL, "/", &save)) {
		u32 device = device_named(s, w);

		if (!strcmp(before, "drivers"))
			r->driver = w;
		if (device != MACHINE_NONE)
			r->device = device;
		r->last = before = w;
	}
}

/* Its links have changed; so has the file that was written, if it can be read. */
static bool written(struct exec_session *s, const struct request *r)
{
	char place[TEXT_MAX], text[TEXT_MAX + 2];
	struct kernel_seen k;

	if (!strcmp(r->last, "driver_override") && seen(s, r->device, &k)) {
		place_of(s, r->device, &k, place);
		snprintf(text, sizeof(text), "%s\n", *r->data ? r->data : "(null)");
		if (!file(s->sysfs, text, strlen(text), "sys/devices/%s/driver_override", place))
			return false;
	}
	return refresh(s);
}

long exec_sysfs_write(struct exec_worker *w, const u64 *arg)
{
	struct exec_session *s = w->session;
	u32 process = w->thread->process->number;
	char path[PATH_SIZE] = "", data[TEXT_MAX] = "";
	struct request r = {.last = "", .device = MACHINE_NONE, .data = data};
	u64 size = arg[2];
	long ret = -EACCES;

	if (!s->sysfs || arg[3] >= sizeof(path))
		return -EACCES;
	if (size >= sizeof(data))
		return -EINVAL;
	if (s->kernel->peek(s->world, process, path, arg[0], arg[3]) ||
	    s->kernel->peek(s->world, process, data, arg[1], size))
		return -EFAULT;
	data[strcspn(data, "\n")] = '\0';
	split(s, path, &r);
	for (u32 i = 0; i < ARRAY_SIZE(writable); i++) {
		if (strcmp(writable[i].last, r.last) != 0)
			continue;
		ret = writable[i].make(s, &r);
		if (!written(s, &r) && ret >= 0)
			ret = -EIO;
	}
	return ret < 0 ? ret : (long)size;
}

/* --- life --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The folder's owner holds its lock; -1: somebody else does, or it cannot be had. */
static int lock_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * What a session left that was killed by SIGKILL: its folder, if the process that its
 * name says is gone (a new one has no lock yet) and nobody holds the lock (whose process
 * has another number here).
 */
static void remove_stale(const char *dir)
{
	DIR *d = opendir(dir);
	char path[PATH_SIZE];
	struct stat st;

	for (struct dirent *e; d && (e = readdir(d));) {
		int pid = 0, fd;

		if (sscanf(e->d_name, SYS_PREFIX "%d-", &pid) != 1 || pid <= 0 ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%.200s/%.200s", dir, e->d_name);
		fd = lock_folder(path);
		if (fd < 0)
			continue;
		if (!fstat(fd, &st) && st.st_uid == geteuid())
			remove_all(path);
		close(fd);
	}
	if (d)
		closedir(d);
}

bool exec_sysfs_make(struct exec_session *s)
{
	struct exec_sysfs *f = calloc(1, sizeof(*f));
	const char *dir = host_env("TMPDIR");

	if (!f)
		return false;
	for (u32 i = 0; i < MACHINE_DEVICES_MAX; i++)
		f->override[i] = KERNEL_DRIVERS_N;
	dir = dir && *dir ? dir : "/tmp";
	remove_stale(dir);
	snprintf(f->root, sizeof(f->root), "%.200s/" SYS_PREFIX "%d-XXXXXX", dir, getpid());
	s->sysfs = f;
	f->lock = -1;
	if (!mkdtemp(f->root)) {
		f->root[0] = '\0';
		return false;
	}
	f->lock = lock_folder(f->root);
	return true;
}

const char *exec_sysfs_root(const struct exec_session *s)
{
	return s->sysfs ? s->sysfs->root : "";
}

bool exec_sysfs_fill(struct exec_session *s)
{
	static const char *const of_driver[] = {"bind", "unbind", "new_id", "remove_id"};
	struct exec_sysfs *f = s->sysfs;
	bool ok = f;

	for (u32 b = 0; ok && b < 2; b++) {
		ok = folder(f, "sys/bus/%s/devices", buses[b]) &&
		     folder(f, "sys/bus/%s/drivers", buses[b]) &&
		     file(f, "", 0, "sys/bus/%s/drivers_probe", buses[b]);
		for (u32 i = 0; ok && i < KERNEL_DRIVERS_N; i++) {
			ok = folder(f, "sys/bus/%s/drivers/%s", buses[b], kernel_driver_names[i]);
			for (u32 k = 0; ok && k < ARRAY_SIZE(of_driver); k++)
				ok = file(f, "", 0, "sys/bus/%s/drivers/%s/%s", buses[b],
					  kernel_driver_names[i], of_driver[k]);
		}
	}
	ok = ok && folder(f, "sys/kernel/iommu_groups") && folder(f, "dev/vfio/devices") &&
	     file(f, "", 0, "dev/vfio/vfio") && file(f, "", 0, "dev/iommu");
	for (u32 i = 0; ok && i < s->machine->machine.n_devices; i++)
		ok = device_files(s, i);
	return ok && refresh(s);
}

void exec_sysfs_free(struct exec_session *s)
{
	if (s->sysfs && s->sysfs->root[0]) {
		remove_all(s->sysfs->root);
		if (s->sysfs->lock >= 0)
			close(s->sysfs->lock);
	}
	free(s->sysfs);
	s->sysfs = NULL;
}
