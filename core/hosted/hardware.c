// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's IOMMUs that have a model, for a hosted tree's own drivers: the
 * doors are struct floor's. Each model works in a task of hardware, a step at a
 * time; what it finds in memory are the hosted kernel's frames.
 *
 * What boot leaves in the models is kept, as the heap is: all of their state
 * lies in an arena, which goes back to that when a run first touches hardware.
 */
#include "core/hosted/hosted_priv.h"

#include "hw/iommu/hw.h"
#include "hw/machine/machine.h"
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

#define ARENA_SIZE (64UL << 20)
#define MMIO_BASE 0x100000000UL /* above all frames */
#define MMIO_STRIDE 0x100000UL
#define MSI_FIRST 0xfee00000UL
#define MSI_LAST 0xfeefffffUL
#define STALLS_MAX 64
#define SPINS 16            /* polls without progress that take no time */
#define POLL_NS 1000UL      /* the first that takes some; doubles up to */
#define POLL_MAX_NS 10000000UL
#define PATIENCE_NS 5000000UL /* without an answer: a model's own time-outs begin to count */
#define TRIES_MAX 100000

struct unit {
	struct hw_env env; /* first */
	struct hosted_hardware *all;
	struct hw_iommu *h;
	struct task *worker;
	void *door; /* in the world's heap: what sim/ orders accesses to the hardware by */
	u32 index;
};

struct stall {
	struct unit *unit; /* NULL: free */
	u16 tag;
	bool over, retry;
	struct task *task;
};

struct hosted_hardware {
	struct world *world;
	const struct hosted_kernel *kernel;
	struct hw_arena *arena;
	u32 n;
	struct unit *unit[MACHINE_IOMMUS_MAX];
	u32 boot_gen, gen; /* sim/sched's number of the boot, and of the run that was last here */
	u64 progress;      /* steps of all models in this run */
	u64 poll_progress, poll_ns;
	u32 polls;         /* without progress */
	int busy;          /* operations of software under way */
	struct stall stall[STALLS_MAX];
};

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

/* Others may have used hardware meanwhile. */
static void back(struct unit *u)
{
	hw_arena_use(u->all->arena);
}

static void env_point(struct hw_env *e, const char *why)
{
	(void)why;
	if (!current_task->world->sched->setup)
		access_sync(unit_of(e)->door, OP_READ);
	back(unit_of(e));
}

static u32 env_choose(struct hw_env *e, u32 n)
{
	return n > 1 ? choice_below(unit_of(e)->all->world->choice, CHOICE_DATA, n) : 0;
}

static void env_msi(struct hw_env *e, u64 addr, u32 data)
{
	hw_arena_use(NULL);
	unit_of(e)->all->kernel->message(addr, data);
	back(unit_of(e));
}

static void env_wire(struct hw_env *e, u32 n, bool level)
{
	hw_arena_use(NULL);
	unit_of(e)->all->kernel->wire(unit_of(e)->index, n, level);
	back(unit_of(e));
}

/* Endpoints answer at once: what they cache is nothing. */
static void env_send(struct hw_env *e, const struct hw_msg *m)
{
	struct unit *u = unit_of(e);

	if (m->kind == HW_MSG_ATC_INV)
		u->h->ops->atc_done(u->h, m->itag);
}

static struct stall *find_stall(struct unit *u, u16 tag)
{
	for (u32 i = 0; i < STALLS_MAX; i++) {
		struct stall *s = &u->all->stall[i];

		if (s->unit == u && s->tag == tag && !s->over)
			return s;
	}
	return NULL;
}

static void env_resume(struct hw_env *e, u16 tag, bool retry)
{
	struct stall *s = find_stall(unit_of(e), tag);

	if (!s)
		return;
	s->over = true;
	s->retry = retry;
	access_release(s->unit->door);
	sched_wake(s->task);
}

static void env_deliver(struct hw_env *e, u32 dest, u32 vector)
{
	(void)dest;
	env_msi(e, MSI_FIRST, vector);
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
		.send = env_send,
		.resume = env_resume,
		.deliver = env_deliver,
	};
	u->all = hw;
	u->index = index;
	u->door = mem_alloc(hw->world->mem, 16, MEM_ZERO | MEM_NOFAIL, "hardware",
			    (u64)(uintptr_t)__builtin_return_address(0));
	u->h = ops->create(&u->env, *m->options ? m->options : NULL, err, sizeof(err));
	if (!u->h)
		sim_fatal("%s: %s", m->name, err);
	u->h->ops->reset(u->h);
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
	memset(hw->stall, 0, sizeof(hw->stall));
	hw->progress = hw->poll_progress = hw->poll_ns = hw->polls = 0;
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

/* The unit, for an operation on it; NULL: there is none of that number. */
static struct unit *enter(unsigned index)
{
	struct hosted_hardware *hw = hosted_hardware_of(this_world());

	if (!hw || index >= hw->n || !hw->unit[index])
		return NULL;
	begin_run(hw);
	hw_arena_use(hw->arena);
	return hw->unit[index];
}

static void leave(void)
{
	hw_arena_use(NULL);
}

static void work(void *arg)
{
	struct unit *u = arg;

	for (;;) {
		bool did;

		access_acquire(u->door);
		back(u);
		did = u->h->ops->work(u->h);
		leave();
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

/* Something may be pending now. */
static void kick(struct unit *u)
{
	const struct hw_iommu_ops *ops = u->h->ops;

	if (ops->pending && !ops->pending(u->h))
		return;
	access_release(u->door);
	if (u->worker)
		sched_wake(u->worker);
	else
		u->worker = sched_spawn(this_world()->sched, u->index ? "iommu1" : "iommu0", work,
					u, 0);
}

unsigned long hosted_mmio_read(unsigned iommu, unsigned long off, unsigned size)
{
	struct unit *u = enter(iommu);
	u64 value;

	if (!u)
		return ~0UL;
	leave();
	access_sync(u->door, OP_READ);
	enter(iommu);
	access_acquire(u->door);
	value = u->h->ops->mmio_read(u->h, off, size);
	leave();
	return value;
}

void hosted_mmio_write(unsigned iommu, unsigned long off, unsigned size, unsigned long value)
{
	struct unit *u = enter(iommu);

	if (!u)
		return;
	leave();
	access_sync(u->door, OP_WRITE);
	enter(iommu);
	u->h->ops->mmio_write(u->h, off, size, value);
	leave();
	kick(u);
}

/* --- what no driver may let happen --- */

static void accuse(struct unit *u, const char *title, const struct hw_req *req,
		   const struct hw_resp *got, const struct hw_resp *want)
{
	struct finding *f = oracle_finding(this_world(), "warn", "%s", title);

	if (!f)
		return;
	finding_printf(f, "%s: requester %#x, address %#llx: ", u->h->ops->name, req->sid,
		       (unsigned long long)req->addr);
	if (got->status == HW_OK)
		finding_printf(f, "reached %#llx%s", (unsigned long long)got->pa,
			       got->entry ? " by what a cache holds" : "");
	else
		finding_printf(f, "was refused");
	if (!want)
		finding_printf(f, ", a page that is nobody's\n");
	else if (want->status == HW_OK)
		finding_printf(f, "; the tables in memory say %#llx\n",
			       (unsigned long long)want->pa);
	else
		finding_printf(f, "; the tables in memory refuse it\n");
	finding_here(f, "device's access", (u64)(uintptr_t)__builtin_return_address(0));
	oracle_report(this_world(), f);
}

/*
 * The twin: while no software changes anything, and no work is left to the
 * hardware, what it answers is what a walk of memory gives, caches or not. And
 * what a device reaches belongs to somebody, at all times.
 */
static bool at_rest(const struct unit *u)
{
	const struct hw_iommu_ops *ops = u->h->ops;

	if (u->all->busy > 1)
		return false;
	if (ops->pending)
		return !ops->pending(u->h);
	return !u->worker || u->worker->flags & TASK_DAEMON;
}

static void watch(struct unit *u, const struct hw_req *req, const struct hw_resp *got)
{
	const struct hw_iommu_ops *ops = u->h->ops;
	struct hw_resp want = {0};

	if (got->status != HW_OK && got->status != HW_ABORT)
		return;
	if (at_rest(u)) {
		back(u);
		ops->walk(u->h, req, &want);
		leave();
		if ((want.status == HW_OK || want.status == HW_ABORT) &&
		    (want.status != got->status ||
		     (want.status == HW_OK && want.pa != got->pa)))
			accuse(u, "BUG: stale translation", req, got, &want);
	}
	if (got->status == HW_OK && got->pa < u->env.ram_size &&
	    !u->all->kernel->frame_used(got->pa >> FRAME_LG2))
		accuse(u, "BUG: DMA to a freed page", req, got, NULL);
}

/* --- DMA --- */

/* Until the stalled transaction ends: whether it is to be tried again. */
static bool wait_stalled(struct unit *u, u16 tag)
{
	struct stall *s = u->all->stall;

	while (s < u->all->stall + STALLS_MAX && s->unit)
		s++;
	if (s == u->all->stall + STALLS_MAX)
		return false;
	*s = (struct stall){.unit = u, .tag = tag, .task = current_task};
	kick(u);
	while (!s->over)
		sched_block("stalled transaction", u->door, -1, 0);
	access_acquire(u->door);
	s->unit = NULL;
	return s->retry;
}

static int transfer(struct unit *u, const struct floor_dma *d, u64 pa)
{
	u32 data = 0;

	if (d->write && pa >= MSI_FIRST && pa <= MSI_LAST && d->size == sizeof(data)) {
		memcpy(&data, d->buf, sizeof(data));
		u->all->kernel->message(pa, data);
		return 0;
	}
	if (pa >= u->env.ram_size || d->size > u->env.ram_size - pa)
		return -EFAULT;
	if (d->write)
		memcpy(u->env.ram + pa, d->buf, d->size);
	else
		memcpy(d->buf, u->env.ram + pa, d->size);
	return 0;
}

int hosted_dma(const struct floor_dma *d)
{
	struct hw_req req = {.addr = d->addr, .sid = d->sid, .pasid = d->pasid,
			     .access = d->write ? HW_WRITE : HW_READ, .kind = HW_UNTRANSLATED};

	for (u32 i = 0; i < TRIES_MAX; i++) {
		struct unit *u = enter(d->iommu);
		struct hw_resp resp = {0};

		if (!u)
			return -EFAULT;
		leave();
		access_sync(u->door, OP_READ);
		enter(d->iommu);
		u->h->ops->translate(u->h, &req, &resp);
		leave();
		watch(u, &req, &resp);
		if (resp.status == HW_OK)
			return transfer(u, d, resp.pa);
		kick(u);
		if (resp.status == HW_INTERRUPT)
			return 0;
		if (resp.status == HW_AGAIN)
			hosted_relax();
		else if (resp.status != HW_STALLED || !wait_stalled(u, resp.tag))
			return -EFAULT;
	}
	return -EFAULT;
}

/* --- polling --- */

/* Nothing happens any more: what models wait for does not come. */
static void time_out(struct hosted_hardware *hw)
{
	hw->poll_ns = 0;
	for (u32 i = 0; i < hw->n; i++) {
		struct unit *u = enter(i);

		if (!u)
			continue;
		u->h->ops->timeout(u->h);
		leave();
		kick(u);
	}
}

void hosted_relax(void)
{
	struct hosted_hardware *hw = hosted_hardware_of(this_world());
	u64 ns;

	if (hw && hw->poll_progress != hw->progress) {
		hw->poll_progress = hw->progress;
		hw->polls = 0;
		hw->poll_ns = 0;
	}
	sched_yield_now();
	if (!hw || hw->polls++ < SPINS)
		return;
	ns = hw->polls - SPINS < 16 ? POLL_NS << (hw->polls - SPINS) : POLL_MAX_NS;
	ns = ns < POLL_MAX_NS ? ns : POLL_MAX_NS;
	sched_block("poll", NULL, -1, ns);
	hw->poll_ns += ns;
	if (hw->poll_ns >= PATIENCE_NS)
		time_out(hw);
}
