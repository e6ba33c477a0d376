// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's IOMMUs that have a model, for a hosted tree's own drivers: the
 * doors are struct floor's. Each model works in a task of hardware, a step at a
 * time; what it finds in memory are the hosted kernel's frames.
 *
 * What boot leaves in the models is kept, as the heap is: all of their state
 * lies in an arena, which goes back to that when a run first touches hardware.
 */
#include "core/hosted/hardware.h"

#include "sim/access/access.h"
#include "sim/base/assert.h"
#include "sim/base/region.h"
#include "sim/choice/choice.h"
#include "sim/mem/frames.h"
#include "sim/mem/mem.h"
#include "sim/oracle/oracle.h"
#include "sim/sched/sched.h"
#include "sim/trace/trace.h"

#include <errno.h>
#include <string.h>

#define ARENA_SIZE (4UL << 30) /* of address space */
#define MMIO_BASE 0x100000000UL /* above all frames */
#define MMIO_STRIDE 0x100000UL
#define SPINS 16            /* polls without progress that take no time */
#define POLL_NS 1000UL      /* the first that takes some; doubles up to */
#define POLL_MAX_NS 10000000UL
#define READS_MAX 32        /* equal reads of one register before others get their turn */

static const struct {
	const char *name;
	const struct hw_iommu_ops *ops;
	enum floor_model model;
} models[] = {
	{"vtd", &hw_vtd_ops, FLOOR_MODEL_VTD},
	{"smmuv3", &hw_smmuv3_ops, FLOOR_MODEL_SMMUV3},
};

static u32 model_of(const char *name)
{
	u32 i = 0;

	while (i < sizeof(models) / sizeof(*models) &&
	       (!models[i].ops || strcmp(models[i].name, name) != 0))
		i++;
	return i;
}

static bool has_model(const char *name)
{
	return model_of(name) < sizeof(models) / sizeof(*models);
}

/* --- what a model stands on --- */

static struct unit *unit_of(struct hw_env *e)
{
	return (struct unit *)e;
}

void hosted_unit_back(struct unit *u)
{
	hw_arena_use(u->all->arena);
}

/* What the IOMMU says is done is done for accesses that it has let through. */
static void await_accesses(const struct unit *u)
{
	while (u->in_flight && u->worker == current_task)
		sched_block("accesses under way", u->door, -1, 0);
}

/* The run may end here, and the next world's hardware must not be made in this arena. */
static void env_point(struct hw_env *e, const char *why)
{
	(void)why;
	hosted_unit_leave();
	if (!current_task->world->sched->setup)
		access_sync(unit_of(e)->door, OP_READ);
	await_accesses(unit_of(e));
	hosted_unit_back(unit_of(e));
}

static u32 env_choose(struct hw_env *e, u32 n)
{
	return n > 1 ? choice_below(unit_of(e)->all->world->choice, CHOICE_DATA, n) : 0;
}

static void env_msi(struct hw_env *e, u64 addr, u32 data)
{
	hw_arena_use(NULL);
	unit_of(e)->all->kernel->message(addr, data);
	hosted_unit_back(unit_of(e));
}

static void env_wire(struct hw_env *e, u32 n, bool level)
{
	hw_arena_use(NULL);
	unit_of(e)->all->kernel->wire(unit_of(e)->index, n, level);
	hosted_unit_back(unit_of(e));
}

static void env_deliver(struct hw_env *e, u32 dest, u32 vector)
{
	(void)dest;
	env_msi(e, HOSTED_MSI_FIRST, vector);
}

/* --- making it --- */

static struct unit *make_unit(struct hosted_hardware *hw, const struct machine_iommu *m, u32 index)
{
	const struct hw_iommu_ops *ops = models[model_of(m->model)].ops;
	struct unit *u = hw_calloc(1, sizeof(*u));
	char err[160] = "";

	sim_assert(u);
	u->env = (struct hw_env){
		.ram = (u8 *)(FRAMES_BASE + hw->world->slot * FRAMES_SLOT),
		.ram_size = FRAME_MSI_BASE,
		.owner = u,
		.point = env_point,
		.choose = env_choose,
		.msi = env_msi,
		.wire = env_wire,
		.send = hosted_endpoint_send,
		.resume = hosted_endpoint_resume,
		.deliver = env_deliver,
		.provenance = true,
	};
	u->all = hw;
	u->index = index;
	u->door = mem_alloc(hw->world->mem, 16, MEM_ZERO | MEM_NOFAIL, "hardware",
			    (u64)(uintptr_t)__builtin_return_address(0));
	u->h = ops->create(&u->env, *m->options ? m->options : NULL, err, sizeof(err));
	if (!u->h)
		sim_fatal("%s: %s", m->name, err);
	u->h->ops->reset(u->h);
	hosted_lines_make(u);
	return u;
}

void hosted_hardware_destroy(struct hosted_hardware *hw)
{
	if (!hw)
		return;
	hw_arena_destroy(hw->arena);
	free(hw);
}

void hosted_hardware_make(struct hosted_image *image, struct world *w, const struct machine *m,
			  const struct hosted_kernel *k)
{
	struct hosted_hardware *hw;

	hosted_hardware_destroy(image->hardware);
	image->hardware = NULL;
	for (u32 i = 0; m && i < m->n_iommus; i++) {
		if (!has_model(m->iommu[i].model))
			continue;
		hw = image->hardware;
		if (!hw) {
			hw = calloc(1, sizeof(*hw));
			sim_assert(hw);
			hw->world = w;
			hw->kernel = k;
			hw->boot_gen = hw->gen = current_task->gen;
			hw->arena = hw_arena_create(ARENA_SIZE);
			hw->n = m->n_iommus;
			image->hardware = hw;
		}
		hw_arena_use(hw->arena);
		hw->unit[i] = make_unit(hw, &m->iommu[i], i);
		hw_arena_use(NULL);
	}
	if (image->hardware)
		hosted_late_make(image->hardware, m);
}

void hosted_hardware_tell(struct world *w, u32 i, struct floor_iommu *to)
{
	struct hosted_hardware *hw = hosted_hardware_of(w);

	if (!hw || !hw->unit[i])
		return;
	to->model = models[model_of(hw->unit[i]->h->ops->name)].model;
	to->mmio = MMIO_BASE + i * MMIO_STRIDE;
	to->mmio_size = hw->unit[i]->h->ops->mmio_size;
}

/* --- runs --- */

static void begin_run(struct hosted_hardware *hw)
{
	if (hw->gen == current_task->gen)
		return;
	if (hw->gen == hw->boot_gen)
		hw_arena_snapshot(hw->arena);
	else
		hw_arena_restore(hw->arena);
	hw->gen = current_task->gen;
	for (u32 i = 0; i < hw->n; i++) {
		if (hw->unit[i])
			hw->unit[i]->worker = NULL;
	}
	hosted_endpoint_reset(hw);
	hosted_late_reset(hw);
	hosted_lines_reset(hw);
	hw->progress = hw->poll_progress = hw->polls = 0;
	hw->reads = 0;
	hw->reader = SCHED_TASKS_MAX; /* not the last run's: that would count once more */
	hw->busy = 0;
}

void hosted_hardware_busy(struct world *w, int n)
{
	struct hosted_hardware *hw = hosted_hardware_of(w);

	if (!hw)
		return;
	if (current_task->gen != hw->boot_gen)
		begin_run(hw);
	hw->busy += n;
}

struct unit *hosted_unit_enter(unsigned index)
{
	struct hosted_hardware *hw = hosted_hardware_of(this_world());

	if (!hw || index >= hw->n || !hw->unit[index])
		return NULL;
	begin_run(hw);
	hw_arena_use(hw->arena);
	return hw->unit[index];
}

void hosted_unit_leave(void)
{
	hw_arena_use(NULL);
}

static bool one_step(struct unit *u)
{
	if (likely(!u->gives_up))
		return u->h->ops->work(u->h);
	hosted_late_give_up(u);
	return true;
}

static void work(void *arg)
{
	struct unit *u = arg;

	for (;;) {
		bool did;

		await_accesses(u);
		access_acquire(u->door);
		hosted_unit_back(u);
		did = one_step(u);
		hosted_unit_leave();
		if (did) {
			u->all->progress++;
			access_release(u->door);
			access_sync(u->door, OP_WRITE);
			continue;
		}
		current_task->flags |= TASK_DAEMON;
		sched_block("hardware", u->door, -1, 0);
		current_task->flags &= ~TASK_DAEMON;
	}
}

void hosted_unit_kick(struct unit *u)
{
	const struct hw_iommu_ops *ops = u->h->ops;

	if (!ops->pending || ops->pending(u->h))
		hosted_unit_wake(u);
}

void hosted_unit_wake(struct unit *u)
{
	access_release(u->door);
	if (u->worker)
		sched_wake(u->worker);
	else
		u->worker = sched_spawn(this_world()->sched, u->index ? "iommu1" : "iommu0", work,
					u, 0);
}

/*
 * Who reads the same again and again, with nothing that says that it waits, lets
 * others go first: hardware, and those whose commands it stands behind. Interrupts
 * may be off for it (SMMUv3's driver with a full queue): hardware does not mind.
 */
static void note_read(struct hosted_hardware *hw, u64 at, u64 value)
{
	if (at != hw->read_at || value != hw->read_value || current_task->id != hw->reader) {
		hw->read_at = at;
		hw->read_value = value;
		hw->reader = current_task->id;
		hw->reads = 0;
	} else if (++hw->reads == READS_MAX) {
		hw->reads = 0;
		hosted_relax();
	}
}

unsigned long hosted_mmio_read(unsigned iommu, unsigned long off, unsigned size)
{
	struct unit *u = hosted_unit_enter(iommu);
	u64 value;

	if (!u)
		return ~0UL;
	hosted_unit_leave();
	access_sync(u->door, OP_READ);
	hosted_unit_enter(iommu);
	access_acquire(u->door);
	value = u->h->ops->mmio_read(u->h, off, size);
	hosted_unit_leave();
	note_read(u->all, iommu * MMIO_STRIDE + off, value);
	return value;
}

void hosted_mmio_write(unsigned iommu, unsigned long off, unsigned size, unsigned long value)
{
	struct unit *u = hosted_unit_enter(iommu);

	if (!u)
		return;
	hosted_unit_leave();
	access_sync(u->door, OP_WRITE);
	hosted_unit_enter(iommu);
	u->h->ops->mmio_write(u->h, off, size, value);
	u->all->reads = 0;
	hosted_unit_leave();
	hosted_unit_kick(u);
}

/* --- polling --- */

void hosted_relax(void)
{
	struct hosted_hardware *hw = hosted_hardware_of(this_world());
	u64 ns;

	if (hw && hw->poll_progress != hw->progress) {
		hw->poll_progress = hw->progress;
		hw->polls = 0;
	}
	sched_yield_now();
	if (!hw || hw->polls++ < SPINS)
		return;
	ns = hw->polls - SPINS < 16 ? POLL_NS << (hw->polls - SPINS) : POLL_MAX_NS;
	ns = ns < POLL_MAX_NS ? ns : POLL_MAX_NS;
	sched_block("poll", NULL, -1, ns);
}
