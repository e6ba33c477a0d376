// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: processes: each has a leader task, an mm, a table of descriptors,
 * limits and credentials. Tasks of the floor act for whichever process they
 * are told to; fork(2) copies, the end goes as do_exit() goes: memory first,
 * then files.
 *
 * False: no parents, no signals but the one that ends sleeps of a process that
 * is told to exit; one user for all; credentials are user ids and capabilities.
 */
#include "core/hosted/custom/mm.h"
#include "core/hosted/custom/syscall.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/init_task.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#define PROCESSES_MAX 64

struct hosted_process {
	struct hosted_task leader;
	struct signal_struct signal;
	unsigned int id;
	unsigned int active; /* system calls under way */
	bool made;           /* it has memory and files: others may act for it */
	bool ends;
};

static struct hosted_process *hosted_processes[PROCESSES_MAX];
static unsigned int hosted_last_process; /* the number that was given last */
static unsigned int hosted_n_processes;
/* The kernel writes to them without locks, by design: not in the checked heap. */
static struct cred hosted_creds[PROCESSES_MAX] __hosted_keep;
static struct user_struct hosted_user;
static struct user_namespace hosted_user_ns;
static struct sighand_struct hosted_sighand;

static void give_number(unsigned int id, struct hosted_process *p)
{
	hosted_n_processes += p ? 1 : -1;
	hosted_processes[id] = p;
}

static struct hosted_process *process_of(unsigned int id)
{
	struct hosted_process *p = id < PROCESSES_MAX ? hosted_processes[id] : NULL;

	return p && p->made ? p : NULL;
}

/* --- credentials --- */

static struct cred *new_cred(unsigned int id, const struct cred *from)
{
	struct cred *cred = &hosted_creds[id];

	if (from) {
		*cred = *from;
	} else {
		memset(cred, 0, sizeof(*cred));
		cred->cap_effective = cred->cap_permitted = CAP_FULL_SET;
		cred->user = &hosted_user;
		cred->user_ns = &hosted_user_ns;
	}
	/* Files may hold it when the process is gone. */
	atomic_long_set(&cred->usage, 1000000);
	return cred;
}

/* The state was restored, process 0's credentials were not. */
void hosted_process_new_run(void)
{
	for (unsigned int i = 0, n = hosted_n_processes; n; i++) {
		if (!hosted_processes[i])
			continue;
		new_cred(i, NULL);
		n--;
	}
}

void __put_cred(struct cred *cred)
{
}

void free_uid(struct user_struct *user)
{
	if (user)
		refcount_dec(&user->__count);
}

bool capable(int cap)
{
	return cap_raised(current_cred()->cap_effective, cap);
}

bool ns_capable(struct user_namespace *ns, int cap)
{
	return capable(cap);
}

bool has_capability_noaudit(struct task_struct *p, int cap)
{
	return cap_raised(p->real_cred->cap_effective, cap);
}

/* --- birth --- */

static void init_leader(struct hosted_process *p, unsigned int id, const struct cred *cred)
{
	struct task_struct *t = &p->leader.t;

	p->id = id;
	p->leader.irq_on = 1;
#ifndef CONFIG_THREAD_INFO_IN_TASK
	p->leader.ti.task = t;
#endif
	t->stack = hosted_thread_info_of(&p->leader);
	t->pid = t->tgid = 1000 + id;
	t->group_leader = t;
	refcount_set(&t->usage, 1);
	refcount_set(&t->rcu_users, 1);
	t->signal = &p->signal;
	t->sighand = &hosted_sighand;
	RCU_INIT_POINTER(t->cred, new_cred(id, cred));
	RCU_INIT_POINTER(t->real_cred, &hosted_creds[id]);
	snprintf(t->comm, sizeof(t->comm), "process %u", id);
	raw_spin_lock_init(&t->pi_lock);
	spin_lock_init(&t->alloc_lock);
}

/* As pids, numbers come again late: whoever still has one does not act for a stranger. */
static unsigned int free_number(void)
{
	for (unsigned int i = 1; i <= PROCESSES_MAX; i++) {
		unsigned int id = (hosted_last_process + i) % PROCESSES_MAX;

		if (!hosted_processes[id])
			return id;
	}
	return PROCESSES_MAX;
}

/* Its number is taken at once; it is made when it has all that a process has. */
static struct hosted_process *new_process(const struct hosted_process *from)
{
	struct hosted_process *p = kzalloc(sizeof(*p), GFP_KERNEL);
	unsigned int id = from ? free_number() : 0;

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (id == PROCESSES_MAX) {
		kfree(p);
		return ERR_PTR(-EAGAIN);
	}
	hosted_last_process = id;
	give_number(id, p);
	if (from)
		memcpy(p->signal.rlim, from->signal.rlim, sizeof(p->signal.rlim));
	init_leader(p, id, from ? &hosted_creds[from->id] : NULL);
	return p;
}

/* Shared from the start, as by threads: fdget() must take references. */
static struct files_struct *copy_files(struct files_struct *from)
{
	struct files_struct *files = dup_fd(from, NULL);

	if (!IS_ERR_OR_NULL(files))
		atomic_inc(&files->count);
	return files ?: ERR_PTR(-ENOMEM);
}

void hosted_process_boot(void)
{
	struct hosted_process *p;

	refcount_set(&hosted_user.__count, 1000);
	spin_lock_init(&hosted_sighand.siglock);
	p = new_process(NULL);
	BUG_ON(IS_ERR(p));
	for (int i = 0; i < RLIM_NLIMITS; i++)
		p->signal.rlim[i] = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	p->signal.rlim[RLIMIT_NOFILE] = (struct rlimit){1024, 4096};
	p->leader.t.mm = hosted_mm_alloc();
	p->leader.t.files = copy_files(&init_files);
	BUG_ON(!p->leader.t.mm || IS_ERR(p->leader.t.files));
	p->made = true;
	hosted_process_join(current, 0);
}

void __put_task_struct(struct task_struct *t)
{
	struct hosted_task *h = hosted_task_of(t);

	if (h->task) {
		hosted_finding(HOSTED_CALLER, "BUG: task reference count underflow in %F", "%s",
			       t->comm);
		return;
	}
	if (h->kthread) {
		hosted_kthread_free(t);
		return;
	}
	kfree(container_of(h, struct hosted_process, leader));
}

/* The task acts for a process from now on; false: there is none. */
bool hosted_process_join(struct task_struct *t, unsigned int id)
{
	struct hosted_process *p = process_of(id);

	if (!p || p->ends)
		return false;
	if (likely(t->signal == &p->signal && t->mm == p->leader.t.mm &&
		   t->files == p->leader.t.files && hosted_task_of(t)->process == id))
		return true;
	t->mm = p->leader.t.mm;
	t->active_mm = t->mm;
	t->files = p->leader.t.files;
	t->signal = &p->signal;
	t->tgid = p->leader.t.tgid;
	t->group_leader = &p->leader.t;
	RCU_INIT_POINTER(t->cred, &hosted_creds[id]);
	RCU_INIT_POINTER(t->real_cred, &hosted_creds[id]);
	hosted_task_of(t)->process = id;
	return true;
}

/* What a task has that acts for nobody: a kernel thread's. */
void hosted_process_none(struct task_struct *t)
{
	static struct signal_struct signal;

	t->mm = NULL;
	t->files = &init_files;
	t->signal = &signal;
	t->sighand = &hosted_sighand;
	t->group_leader = t;
	RCU_INIT_POINTER(t->cred, &hosted_creds[0]);
	RCU_INIT_POINTER(t->real_cred, &hosted_creds[0]);
}

void hosted_each_mm(void (*fn)(struct mm_struct *mm, void *arg), void *arg)
{
	for (unsigned int i = 0; i < PROCESSES_MAX; i++) {
		if (hosted_processes[i] && hosted_processes[i]->leader.t.mm)
			fn(hosted_processes[i]->leader.t.mm, arg);
	}
}

/* Whose memory it is; ~0: nobody's any more. */
unsigned int hosted_mm_process(const struct mm_struct *mm)
{
	for (unsigned int i = 0; i < PROCESSES_MAX; i++) {
		if (hosted_processes[i] && hosted_processes[i]->leader.t.mm == mm)
			return i;
	}
	return ~0U;
}

static long copy_of(struct hosted_process *from)
{
	struct hosted_process *p = new_process(from);

	if (IS_ERR(p))
		return PTR_ERR(p);
	p->leader.t.mm = hosted_mm_copy(from->leader.t.mm);
	p->leader.t.files = copy_files(from->leader.t.files);
	if (p->leader.t.mm && !IS_ERR(p->leader.t.files)) {
		p->made = true;
		return p->id;
	}
	if (p->leader.t.mm)
		mmput(p->leader.t.mm);
	if (!IS_ERR(p->leader.t.files)) {
		atomic_dec(&p->leader.t.files->count);
		put_files_struct(p->leader.t.files);
	}
	give_number(p->id, NULL);
	put_task_struct(&p->leader.t);
	return -ENOMEM;
}

long hosted_fork(unsigned int id)
{
	long ret;

	if (!hosted_process_enter(id))
		return -ESRCH;
	ret = copy_of(process_of(id));
	hosted_process_leave(id);
	return ret;
}

/* --- the end --- */

static void end(struct hosted_process *p)
{
	struct task_struct *leader = &p->leader.t;
	struct mm_struct *mm = leader->mm;

	task_lock(leader);
	leader->mm = NULL;
	task_unlock(leader);
	current->mm = NULL;
	mmput(mm);
	atomic_dec(&leader->files->count);
	exit_files(leader);
	hosted_process_none(current);
	hosted_syscall_exit();
	give_number(p->id, NULL);
	put_task_struct(leader);
}

bool hosted_process_enter(unsigned int id)
{
	struct hosted_process *p = process_of(id);

	if (!hosted_process_join(current, id))
		return false;
	p->active++;
	return true;
}

void hosted_process_leave(unsigned int id)
{
	struct hosted_process *p = process_of(id);

	/* As each thread's last put of what they share; process 0 ends when all is at rest. */
	if (id)
		hosted_floor->release(p);
	if (--p->active || !p->ends)
		return;
	hosted_floor->acquire(p);
	end(p);
}

void hosted_exit(unsigned int id)
{
	struct hosted_process *p = process_of(id);

	if (!p || p->ends || !hosted_process_enter(id))
		return;
	p->ends = true;
	hosted_task_interrupt(id);
	hosted_process_leave(id);
}

void hosted_process_shutdown(void)
{
	for (unsigned int i = PROCESSES_MAX; i--;) {
		if (hosted_processes[i])
			hosted_exit(i);
	}
}

/* --- system calls --- */

static bool may_raise(void)
{
	return capable(CAP_SYS_RESOURCE);
}

static long set_limit(unsigned int which, const struct rlimit *new)
{
	struct rlimit *limit = &current->signal->rlim[which];

	if (new->rlim_cur > new->rlim_max)
		return -EINVAL;
	if (new->rlim_max > limit->rlim_max && !may_raise())
		return -EPERM;
	*limit = *new;
	return 0;
}

/* prlimit64(pid, resource, new, old): of the calling process only. */
long hosted_sys_prlimit(const unsigned long *arg)
{
	struct rlimit new, old;
	long ret = 0;

	if (arg[0] && arg[0] != current->tgid)
		return -ESRCH;
	if (arg[1] >= RLIM_NLIMITS)
		return -EINVAL;
	if (arg[2] && hosted_user_copy(&new, arg[2], sizeof(new), false))
		return -EFAULT;
	old = current->signal->rlim[arg[1]];
	if (arg[2])
		ret = set_limit(arg[1], &new);
	if (!ret && arg[3] && hosted_user_copy(&old, arg[3], sizeof(old), true))
		ret = -EFAULT;
	return ret;
}

long hosted_sys_setrlimit(const unsigned long *arg)
{
	return arg[1] ? hosted_sys_prlimit((unsigned long[]){0, arg[0], arg[1], 0}) : -EFAULT;
}

long hosted_sys_getrlimit(const unsigned long *arg)
{
	return arg[1] ? hosted_sys_prlimit((unsigned long[]){0, arg[0], 0, arg[1]}) : -EFAULT;
}

struct cap_header { u32 version; s32 pid; };
struct cap_data { u32 effective, permitted, inheritable; };

static long get_header(unsigned long addr, struct cap_header *h)
{
	if (hosted_user_copy(h, addr, sizeof(*h), false))
		return -EFAULT;
	if (h->version != _LINUX_CAPABILITY_VERSION_3)
		return -EINVAL;
	return h->pid && h->pid != current->tgid ? -ESRCH : 0;
}

long hosted_sys_capget(const unsigned long *arg)
{
	const struct cred *cred = current_cred();
	struct cap_header h;
	long ret = get_header(arg[0], &h);
	struct cap_data d[2] = {
		{cred->cap_effective.val, cred->cap_permitted.val, cred->cap_inheritable.val},
		{cred->cap_effective.val >> 32, cred->cap_permitted.val >> 32,
		 cred->cap_inheritable.val >> 32},
	};

	if (ret)
		return ret;
	return hosted_user_copy(d, arg[1], sizeof(d), true) ? -EFAULT : 0;
}

long hosted_sys_capset(const unsigned long *arg)
{
	struct cred *cred = &hosted_creds[hosted_task_of(current)->process];
	u64 effective, permitted;
	struct cap_header h;
	struct cap_data d[2];
	long ret = get_header(arg[0], &h);

	if (ret)
		return ret;
	if (hosted_user_copy(d, arg[1], sizeof(d), false))
		return -EFAULT;
	effective = d[0].effective | (u64)d[1].effective << 32;
	permitted = d[0].permitted | (u64)d[1].permitted << 32;
	if (permitted & ~cred->cap_permitted.val || effective & ~permitted)
		return -EPERM;
	cred->cap_effective.val = effective & CAP_VALID_MASK;
	cred->cap_permitted.val = permitted & CAP_VALID_MASK;
	return 0;
}

long hosted_sys_getuid(const unsigned long *arg)
{
	return __kuid_val(current_cred()->uid);
}

/* Who is root and becomes another loses its capabilities. */
long hosted_sys_setuid(const unsigned long *arg)
{
	struct cred *cred = &hosted_creds[hosted_task_of(current)->process];
	kuid_t uid = KUIDT_INIT(arg[0]);

	if (!uid_eq(cred->uid, uid) && !capable(CAP_SETUID))
		return -EPERM;
	cred->uid = cred->euid = cred->suid = cred->fsuid = uid;
	if (__kuid_val(uid))
		cred->cap_effective = cred->cap_permitted = CAP_EMPTY_SET;
	return 0;
}

long hosted_sys_getpid(const unsigned long *arg)
{
	return current->tgid;
}

long hosted_sys_gettid(const unsigned long *arg)
{
	return current->pid;
}
