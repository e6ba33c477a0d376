// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-migrate: vfio-pci of a function that migrates (hw/function). The function's control
 * is a page of a BAR whose other page is the user's: the user has that one alone.
 *
 * vfio-shared: the same, but for that: as a device is whose maker has put both behind one
 * page, and a driver that shows it nevertheless. The oracle `isolation` objects.
 */
#include "core/vfio/pci.h"

#include "hw/function/function.h"

#include <string.h>

struct pci_migrate {
	struct vfio_migrator mig;
	struct mutex log_lock;
	bool logging;          /* log_lock, as what follows */
	u64 log_start, log_last;
	u32 log_shift;
};

static struct pci_migrate *migrate_of(struct vfio_device *vdev)
{
	return to_pci(vdev)->variant_data;
}

/* --- the function's control; memory decoding is on while the device is open --- */

static u64 control_at(const struct vfio_pci *p, u32 reg)
{
	return p->bar_pa[FUNCTION_MIGRATION_BAR] + FUNCTION_CONTROL + reg;
}

static u32 control_read(const struct vfio_pci *p, u32 reg)
{
	return (u32)io_read(this_world(), control_at(p, reg), 4);
}

static void control_write(const struct vfio_pci *p, u32 reg, u32 value)
{
	io_write(this_world(), control_at(p, reg), 4, value);
}

/* The user may have turned memory decoding off; memory_lock is not to be had here. */
static u32 decode_on(struct vfio_pci *p)
{
	u32 command = pci_read(p, PCI_COMMAND, 2);

	if (!(command & PCI_COMMAND_MEMORY))
		pci_write(p, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY);
	return command;
}

static void decode_as(struct vfio_pci *p, u32 command)
{
	if (!(command & PCI_COMMAND_MEMORY))
		pci_write(p, PCI_COMMAND, 2, command);
}

static int run(struct vfio_device *vdev, enum vfio_mig_level level)
{
	struct vfio_pci *p = to_pci(vdev);
	u32 command = decode_on(p);

	control_write(p, FUNCTION_LEVEL, VFIO_MIG_RUNNING - level);
	decode_as(p, command);
	return 0;
}

static int save(struct vfio_device *vdev, void *to, u32 size)
{
	struct vfio_pci *p = to_pci(vdev);
	u32 command = decode_on(p);

	control_write(p, FUNCTION_COMMAND, 1);
	for (u32 i = 0; i < size; i += 4) {
		u32 word = control_read(p, FUNCTION_WINDOW + i);

		memcpy((u8 *)to + i, &word, 4);
	}
	decode_as(p, command);
	return 0;
}

static int load(struct vfio_device *vdev, const void *from, u32 size)
{
	struct vfio_pci *p = to_pci(vdev);
	u32 command = decode_on(p);

	for (u32 i = 0; i < size; i += 4) {
		u32 word;

		memcpy(&word, (const u8 *)from + i, 4);
		control_write(p, FUNCTION_WINDOW + i, word);
	}
	control_write(p, FUNCTION_COMMAND, 2);
	decode_as(p, command);
	return 0;
}

static const struct vfio_migrator_ops migrator_ops = {run, save, load};

static struct file *set_state(struct vfio_device *vdev, u32 state)
{
	return vfio_migrator_set_state(&migrate_of(vdev)->mig, state);
}

static int get_state(struct vfio_device *vdev, u32 *state)
{
	*state = vfio_migrator_state(&migrate_of(vdev)->mig);
	return 0;
}

static int get_data_size(struct vfio_device *vdev, u64 *length)
{
	*length = vfio_migrator_data_size(&migrate_of(vdev)->mig);
	return 0;
}

static const struct vfio_migration_ops mig_ops = {set_state, get_state, get_data_size};

/* --- the log --- */

static void log_program(struct vfio_pci *p, const struct pci_migrate *g, u32 n)
{
	u32 command = decode_on(p);

	control_write(p, FUNCTION_LOG_LOW, (u32)g->log_start);
	control_write(p, FUNCTION_LOG_HIGH, (u32)(g->log_start >> 32));
	control_write(p, FUNCTION_LOG_SHIFT, g->log_shift);
	control_write(p, FUNCTION_LOG_N, n);
	decode_as(p, command);
}

/* -EINVAL: it is on. Pages are larger than asked for where there are too many of them. */
static int log_start(struct vfio_device *vdev, struct interval_tree_root *ranges, u32 n,
		     u64 *page_size)
{
	struct pci_migrate *g = migrate_of(vdev);
	const struct interval_tree_node *all;
	u32 shift;
	int ret = -EINVAL;

	if (*page_size < PAGE_SIZE || *page_size & (*page_size - 1))
		return ret;
	vfio_combine_iova_ranges(ranges, n, 1);
	all = interval_tree_iter_first(ranges, 0, ~0UL);
	if (!all || all->last < all->start)
		return ret;
	for (shift = bit_lowest(*page_size); (all->last - all->start) >> shift >=
	     FUNCTION_LOG_PAGES; shift++)
		;
	mutex_lock(&g->log_lock);
	if (!g->logging) {
		g->log_start = all->start;
		g->log_last = all->last;
		g->log_shift = shift;
		g->logging = true;
		log_program(to_pci(vdev), g, (u32)((all->last - all->start) >> shift) + 1);
		*page_size = BIT(shift);
		ret = 0;
	}
	mutex_unlock(&g->log_lock);
	return ret;
}

static int log_stop(struct vfio_device *vdev)
{
	struct pci_migrate *g = migrate_of(vdev);

	mutex_lock(&g->log_lock);
	if (g->logging)
		log_program(to_pci(vdev), g, 0);
	g->logging = false;
	mutex_unlock(&g->log_lock);
	return 0;
}

/* The bits of a word of the log, taken from the function. */
static u32 take_word(struct vfio_pci *p, u32 index)
{
	u32 command = decode_on(p), bits;

	control_write(p, FUNCTION_LOG_INDEX, index);
	bits = control_read(p, FUNCTION_LOG_WORD);
	decode_as(p, command);
	return bits;
}

struct report {
	u64 iova, last;
	void (*mark)(void *arg, u64 iova, u64 length);
	void *arg;
};

/* custom: what a word has beside the range is told to nobody: reports are made of whole words. */
static void tell(const struct pci_migrate *g, const struct report *r, u32 index, u32 bits)
{
	for (; bits; bits &= bits - 1) {
		u64 page = g->log_start + ((u64)(32 * index + bit_lowest(bits)) << g->log_shift);
		u64 from = max(page, r->iova);
		u64 to = min(page + BIT(g->log_shift) - 1, r->last);

		if (from <= to)
			r->mark(r->arg, from, to - from + 1);
	}
}

static int log_take(struct vfio_device *vdev, u64 iova, u64 length,
		    void (*mark)(void *arg, u64 iova, u64 length), void *arg)
{
	struct pci_migrate *g = migrate_of(vdev);
	struct report r = {iova, iova + length - 1, mark, arg};
	u32 first, last, bits;

	mutex_lock(&g->log_lock);
	if (!g->logging) {
		mutex_unlock(&g->log_lock);
		return -EINVAL;
	}
	if (!length || r.iova > g->log_last || r.last < g->log_start) {
		mutex_unlock(&g->log_lock);
		return 0;
	}
	first = (u32)((max(r.iova, g->log_start) - g->log_start) >> g->log_shift) / 32;
	last = (u32)((min(r.last, g->log_last) - g->log_start) >> g->log_shift) / 32;
	for (u32 i = first; i <= last && g->logging; i++) {
		bits = take_word(to_pci(vdev), i);
		mutex_unlock(&g->log_lock);
		tell(g, &r, i, bits);
		mutex_lock(&g->log_lock);
	}
	mutex_unlock(&g->log_lock);
	return 0;
}

static const struct vfio_log_ops log_ops = {log_start, log_stop, log_take};

/* --- its life --- */

static int migrate_init(struct vfio_pci *p)
{
	struct pci_migrate *g;

	if (!dev_fw(p->vdev.dev)->migration)
		return -ENODEV;
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return -ENOMEM;
	vfio_migrator_init(&g->mig, &p->vdev, &migrator_ops, FUNCTION_STATE_SIZE);
	mutex_init(&g->log_lock);
	p->variant_data = g;
	p->vdev.mig_ops = &mig_ops;
	p->vdev.log_ops = &log_ops;
	p->vdev.migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P |
				  VFIO_MIGRATION_PRE_COPY;
	p->region_size[FUNCTION_MIGRATION_BAR] = FUNCTION_CONTROL;
	return 0;
}

static int shared_init(struct vfio_pci *p)
{
	int ret = migrate_init(p);

	p->region_size[FUNCTION_MIGRATION_BAR] = p->bar_size[FUNCTION_MIGRATION_BAR];
	return ret;
}

static void fini(struct vfio_pci *p)
{
	struct pci_migrate *g = p->variant_data;

	mutex_destroy(&g->log_lock);
	vfio_migrator_destroy(&g->mig);
	kfree(g);
}

/* The function has lost its log with all else: DMA from now on is not logged. */
static void was_reset(struct vfio_pci *p)
{
	vfio_migrator_reset(&migrate_of(&p->vdev)->mig);
}

static void opened(struct vfio_pci *p)
{
	vfio_migrator_reset(&migrate_of(&p->vdev)->mig);
}

static void closed(struct vfio_pci *p)
{
	log_stop(&p->vdev);
	vfio_migrator_reset(&migrate_of(&p->vdev)->mig);
}

int vfio_migrate_probe(struct device *dev)
{
	static const struct vfio_pci_variant variant = {
		.name = "vfio-migrate", .init = migrate_init, .fini = fini, .opened = opened,
		.closed = closed, .was_reset = was_reset};

	return vfio_pci_probe_variant(dev, &variant);
}

int vfio_shared_probe(struct device *dev)
{
	static const struct vfio_pci_variant variant = {
		.name = "vfio-shared", .init = shared_init, .fini = fini, .opened = opened,
		.closed = closed, .was_reset = was_reset};

	return vfio_pci_probe_variant(dev, &variant);
}
