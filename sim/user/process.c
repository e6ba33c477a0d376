// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes: their birth, fork, end, limits and credentials. The end goes as
 * do_exit() goes: memory first, then files; it waits for the process's system
 * calls that are under way.
 */
#include "sim/user/user_priv.h"

#include "sim/base/assert.h"
#include "sim/kapi/slab.h"

#include <string.h>

#define CAP_FULL ((1ULL << 41) - 1)
#define NO_LIMIT ~0ULL
#define PID_FIRST 1000

struct process *current_process(void)
{
	return task_process(current_task);
}

struct mm_struct *current_mm(void)
{
	const struct process *p = current_process();

	return p ? p->mm : NULL;
}

struct user_struct *current_user(void)
{
	return &user_here()->user;
}

bool capable(int cap)
{
	const struct process *p = current_process();

	return !p || p->cap_effective >> cap & 1;
}

bool user_interrupted(void)
{
	return current_task->kapi_private[TASK_WORD_INTERRUPTED];
}

void process_get(struct process *p)
{
	refcount_inc(&p->count);
}

void process_put(struct process *p)
{
	if (refcount_dec_and_test(&p->count))
		kfree(p);
}

unsigned long process_rlimit(const struct process *p, u32 which)
{
	return p->rlim[which].cur;
}

/* --- birth --- */

static struct process *process_new(struct user *u)
{
	struct process *p;
	u32 id = 0;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return ERR_PTR(-ENOMEM);
	refcount_set(&p->count, 1);
	/* From here to where it is taken nobody else runs. */
	while (id < PROCESSES_MAX && u->process[id])
		id++;
	if (id == PROCESSES_MAX) {
		kfree(p);
		return ERR_PTR(-EAGAIN);
	}
	p->id = id;
	u->process[id] = p;
	u->n_numbers = max(u->n_numbers, id + 1);
	return p;
}

void user_boot(struct world *w, const struct user_node *nodes)
{
	struct user *u = kzalloc(sizeof(*u), GFP_KERNEL | __GFP_NOFAIL);
	struct process *p;

	w->user = u;
	w->user_copy = user_copy_current;
	u->nodes = nodes;
	p = process_new(u);
	sim_assert(!IS_ERR(p));
	for (u32 i = 0; i < RLIM_NLIMITS; i++)
		p->rlim[i] = (struct rlimit){NO_LIMIT, NO_LIMIT};
	p->rlim[RLIMIT_NOFILE] = (struct rlimit){1024, 4096};
	p->cap_effective = p->cap_permitted = CAP_FULL;
	p->mm = mm_alloc(0);
	sim_assert(p->mm);
}

static struct process *find(struct world *w, u32 id)
{
	return id < PROCESSES_MAX ? user_of(w)->process[id] : NULL;
}

struct mm_struct *process_mm_get(u32 process)
{
	struct process *p = find(this_world(), process);
	struct mm_struct *mm = p && !p->ends ? p->mm : NULL;

	return mm && mmget_not_zero(mm) ? mm : NULL;
}

static bool enter(struct world *w, u32 id)
{
	struct process *p = find(w, id);

	if (!p || p->ends)
		return false;
	task_act_for(current_task, p);
	p->active++;
	return true;
}

static void end(struct process *p)
{
	struct mm_struct *mm = p->mm;

	p->mm = NULL;
	mmput(mm);
	files_close(&p->files);
	task_act_for(current_task, NULL);
	user_here()->process[p->id] = NULL;
	process_put(p);
}

static void leave(struct process *p)
{
	if (!--p->active && p->ends)
		end(p);
	task_act_for(current_task, NULL);
	current_task->kapi_private[TASK_WORD_INTERRUPTED] = false;
}

long user_fork(struct world *w, u32 id)
{
	struct process *from, *p;
	u32 number;

	if (!enter(w, id))
		return -ESRCH;
	from = current_process();
	p = process_new(user_of(w));
	if (IS_ERR(p)) {
		leave(from);
		return PTR_ERR(p);
	}
	number = p->id;
	memcpy(p->rlim, from->rlim, sizeof(p->rlim));
	p->cap_effective = from->cap_effective;
	p->cap_permitted = from->cap_permitted;
	p->uid = from->uid;
	p->mm = mm_copy(from->mm, number);
	if (!p->mm || files_copy(&p->files, &from->files)) {
		if (p->mm)
			mmput(p->mm);
		user_of(w)->process[number] = NULL;
		process_put(p);
		leave(from);
		return -ENOMEM;
	}
	leave(from);
	return number;
}

/* --- the end --- */

void user_exit(struct world *w, u32 id)
{
	struct process *p;

	if (!enter(w, id))
		return;
	p = current_process();
	p->ends = true;
	/* Above these nobody has begun in this run. */
	for (u32 i = 0; i < w->sched->n_slots; i++) {
		struct task *t = &w->sched->task[i];

		if (task_process(t) == p && t != current_task)
			user_interrupt(w, t);
	}
	leave(p);
}

void user_interrupt(struct world *w, struct task *t)
{
	/* One of an earlier run may have been left within a call. */
	if (t->gen != w->sched->generation || !task_process(t))
		return;
	t->kapi_private[TASK_WORD_INTERRUPTED] = true;
	if (t->state == TASK_BLOCKED && t->wait.what && t->wait.bounded)
		sched_wake(t);
}

void user_shutdown(struct world *w)
{
	for (u32 i = user_of(w)->n_numbers; i--;) {
		if (user_of(w)->process[i])
			user_exit(w, i);
	}
}

/* --- calls from outside --- */

typedef long (*user_call)(const u64 *arg);

static const user_call calls[] = {
#define X(nr, name) [nr] = user_sys_##name,
	USER_CALLS(X)
#undef X
};

#define ENOIOCTLCMD_KERNEL 515

/* What Linux restarts or its user would see as an interrupted call. */
static long user_result(long ret)
{
	if (ret == -ENOIOCTLCMD_KERNEL)
		return -ENOTTY;
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

long user_syscall(struct world *w, u32 process, long nr, const u64 arg[6])
{
	user_call call = nr >= 0 && nr < (long)ARRAY_SIZE(calls) ? calls[nr] : NULL;
	struct process *p;
	long ret;

	if (!call)
		return -ENOSYS;
	if (!enter(w, process))
		return -ESRCH;
	p = current_process();
	ret = user_result(call(arg));
	leave(p);
	return ret;
}

static u64 access_of(struct world *w, u32 id, void *buf, u64 addr, u64 size, bool to_user)
{
	struct process *p = find(w, id);
	u64 left;

	if (!p || p->ends)
		return size;
	p->active++; /* its memory stays until the copy is over */
	left = mm_access(p->mm, buf, addr, size, to_user);
	if (!--p->active && p->ends)
		end(p);
	return left;
}

u64 user_peek(struct world *w, u32 process, void *buf, u64 addr, u64 size)
{
	return access_of(w, process, buf, addr, size, false);
}

u64 user_poke(struct world *w, u32 process, u64 addr, const void *buf, u64 size)
{
	return access_of(w, process, (void *)(uintptr_t)buf, addr, size, true);
}

long user_frame(struct world *w, u32 process, u64 addr, bool write)
{
	const struct process *p = find(w, process);

	return p && p->mm ? mm_frame(p->mm, addr, write) : -EFAULT;
}

/* --- limits and credentials --- */

static long set_limit(u32 which, const struct rlimit *new)
{
	struct rlimit *limit = &current_process()->rlim[which];

	if (new->cur > new->max)
		return -EINVAL;
	if (new->max > limit->max && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	*limit = *new;
	return 0;
}

/* prlimit64(pid, resource, new, old): of the calling process only. */
long user_sys_prlimit(const u64 *arg)
{
	struct rlimit new, old;
	long ret = 0;

	if (arg[0] && arg[0] != current_process()->id + PID_FIRST)
		return -ESRCH;
	if (arg[1] >= RLIM_NLIMITS)
		return -EINVAL;
	if (arg[2] && user_copy_in(&new, arg[2], sizeof(new)))
		return -EFAULT;
	old = current_process()->rlim[arg[1]];
	if (arg[2])
		ret = set_limit((u32)arg[1], &new);
	if (!ret && arg[3] && user_copy_out(arg[3], &old, sizeof(old)))
		ret = -EFAULT;
	return ret;
}

long user_sys_setrlimit(const u64 *arg)
{
	return arg[1] ? user_sys_prlimit((u64[]){0, arg[0], arg[1], 0}) : -EFAULT;
}

long user_sys_getrlimit(const u64 *arg)
{
	return arg[1] ? user_sys_prlimit((u64[]){0, arg[0], 0, arg[1]}) : -EFAULT;
}

#define CAPABILITY_VERSION_3 0x20080522U

struct cap_header {
	u32 version;
	s32 pid;
};

struct cap_data {
	u32 effective, permitted, inheritable;
};

static long get_header(u64 addr)
{
	struct cap_header h;

	if (user_copy_in(&h, addr, sizeof(h)))
		return -EFAULT;
	if (h.version != CAPABILITY_VERSION_3)
		return -EINVAL;
	return h.pid && h.pid != (s32)current_process()->id + PID_FIRST ? -ESRCH : 0;
}

long user_sys_capget(const u64 *arg)
{
	const struct process *p = current_process();
	long ret = get_header(arg[0]);
	struct cap_data d[2] = {
		{(u32)p->cap_effective, (u32)p->cap_permitted, 0},
		{(u32)(p->cap_effective >> 32), (u32)(p->cap_permitted >> 32), 0},
	};

	return ret ? ret : user_copy_out(arg[1], d, sizeof(d));
}

long user_sys_capset(const u64 *arg)
{
	struct process *p = current_process();
	long ret = get_header(arg[0]);
	u64 effective, permitted;
	struct cap_data d[2];

	if (ret)
		return ret;
	if (user_copy_in(d, arg[1], sizeof(d)))
		return -EFAULT;
	effective = d[0].effective | (u64)d[1].effective << 32;
	permitted = d[0].permitted | (u64)d[1].permitted << 32;
	if (permitted & ~p->cap_permitted || effective & ~permitted)
		return -EPERM;
	p->cap_effective = effective & CAP_FULL;
	p->cap_permitted = permitted & CAP_FULL;
	return 0;
}

long user_sys_getuid(const u64 *arg)
{
	(void)arg;
	return current_process()->uid;
}

/* Who is root and becomes another loses its capabilities. */
long user_sys_setuid(const u64 *arg)
{
	struct process *p = current_process();

	if (p->uid != (u32)arg[0] && !capable(CAP_SETUID))
		return -EPERM;
	p->uid = (u32)arg[0];
	if (p->uid)
		p->cap_effective = p->cap_permitted = 0;
	return 0;
}

long user_sys_getpid(const u64 *arg)
{
	(void)arg;
	return (long)current_process()->id + PID_FIRST;
}

long user_sys_gettid(const u64 *arg)
{
	(void)arg;
	return (long)current_process()->id + PID_FIRST;
}

long user_sys_zero(const u64 *arg)
{
	(void)arg;
	return 0;
}

long user_sys_yield(const u64 *arg)
{
	(void)arg;
	sched_yield_now();
	return 0;
}
