// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client's memory as the server sees it: which parts the hosted kernel made,
 * and the rest (stack, data, libc's heap), which is reached through the host
 * and page by page becomes the hosted kernel's when it is pinned.
 */
#include "tools/exec/exec.h"
#include "tools/exec/record.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* --- areas --- */

void exec_area_add(struct exec_process *p, struct exec_area area)
{
	u32 i = p->n_areas;

	if (p->n_areas == p->areas_max) {
		p->areas_max = p->areas_max ? 2 * p->areas_max : 16;
		p->area = realloc(p->area, p->areas_max * sizeof(*p->area));
		sim_assert(p->area);
	}
	for (; i && p->area[i - 1].addr > area.addr; i--)
		p->area[i] = p->area[i - 1];
	p->area[i] = area;
	p->n_areas++;
}

void exec_area_cut(struct exec_process *p, u64 addr, u64 end)
{
	u32 n = p->n_areas;

	for (u32 i = 0, k = 0; k < n; k++) {
		struct exec_area a = p->area[i], rest = a;

		if (a.end <= addr || a.addr >= end) {
			i++;
			continue;
		}
		memmove(&p->area[i], &p->area[i + 1], (p->n_areas - i - 1) * sizeof(a));
		p->n_areas--;
		if (a.addr < addr) {
			a.end = addr;
			exec_area_add(p, a);
			i++;
		}
		if (rest.end > end) {
			rest.addr = end;
			exec_area_add(p, rest);
			i++;
		}
	}
}

void exec_area_copy(struct exec_process *to, const struct exec_process *from)
{
	to->n_areas = 0;
	for (u32 i = 0; i < from->n_areas; i++)
		exec_area_add(to, from->area[i]);
}

/* --- runs --- */

static void send_some(struct exec_thread *t, struct exec_reply *r)
{
	r->kind = EXEC_RUNS;
	if (r->n_runs && t->sock >= 0)
		send(t->sock, r, EXEC_REPLY_HEAD + r->n_runs * sizeof(r->run[0]), MSG_NOSIGNAL);
	r->n_runs = 0;
}

static void add_page(struct exec_thread *t, struct exec_reply *r, u64 at, u64 frame, u32 prot)
{
	struct exec_run *last = &r->run[r->n_runs ? r->n_runs - 1 : 0];

	if (r->n_runs && last->addr + last->n * EXEC_PAGE == at && last->frame + last->n == frame &&
	    last->prot == prot) {
		last->n++;
		return;
	}
	if (r->n_runs == EXEC_RUNS_MAX)
		send_some(t, r);
	r->run[r->n_runs++] = (struct exec_run){at, frame, 1, prot};
}

void exec_send_runs(struct exec_thread *t, u64 addr, u64 end, bool private_only)
{
	struct exec_process *p = t->process;
	struct exec_reply r = {.n_runs = 0};

	for (u32 i = 0; i < p->n_areas; i++) {
		const struct exec_area a = p->area[i];

		if (a.prot == PROT_NONE || (private_only && a.shared))
			continue;
		for (u64 at = max(a.addr, addr); at < min(a.end, end); at += EXEC_PAGE) {
			long frame = p->session->kernel->frame(p->session->world, p->number, at,
							       a.prot & PROT_WRITE);

			if (frame >= 0)
				add_page(t, &r, at, (u64)frame, a.prot);
		}
	}
	send_some(t, &r);
}

/* --- the rest --- */

static struct exec_process *process_of(u32 number)
{
	struct exec_worker *w = exec_worker_here();

	for (u32 i = 0; w && i < EXEC_PROCESSES_MAX; i++) {
		struct exec_process *p = &w->session->process[i];

		if (p->used && !p->dying && p->pid && p->number == number)
			return p;
	}
	return NULL;
}

/* By whom its memory is reached: the caller, for the first thread may have ended before others. */
static pid_t alive(const struct exec_process *p)
{
	const struct exec_worker *w = exec_worker_here();

	return w && w->thread && w->thread->process == p ? w->thread->tid : p->pid;
}

static u64 client_copy(u32 process, void *buf, u64 addr, u64 size, bool to_user)
{
	const struct exec_process *p = process_of(process);
	struct iovec local = {buf, size}, remote = {(void *)(uintptr_t)addr, size};
	ssize_t n;

	if (!p)
		return size;
	n = to_user ? process_vm_writev(alive(p), &local, 1, &remote, 1, 0) :
		      process_vm_readv(alive(p), &local, 1, &remote, 1, 0);
	return size - (u64)max(n, 0L);
}

/* Whether the client can write the page, or at least read it; 0: it has none there. */
static u32 client_prot(const struct exec_process *p, u64 addr)
{
	u8 byte;
	struct iovec local = {&byte, 1}, remote = {(void *)(uintptr_t)addr, 1};

	if (process_vm_readv(alive(p), &local, 1, &remote, 1, 0) != 1)
		return 0;
	if (process_vm_writev(alive(p), &local, 1, &remote, 1, 0) == 1)
		return PROT_READ | PROT_WRITE;
	return PROT_READ | PROT_EXEC;
}

/* The client waits for us: it copies the page and maps the frame in its place. */
static int client_adopt(u32 process, u64 addr, u64 frame, bool write)
{
	struct exec_worker *w = exec_worker_here();
	struct exec_process *p = process_of(process);
	struct exec_reply r = {.kind = EXEC_ADOPT, .n_runs = 1};
	struct exec_call answer;
	u32 prot;

	if (!p || w->thread->process != p || w->thread->sock < 0)
		return -EFAULT;
	prot = client_prot(p, addr);
	if (!prot || (write && !(prot & PROT_WRITE)))
		return -EFAULT;
	r.run[0] = (struct exec_run){addr, frame, 1, prot};
	if (send(w->thread->sock, &r, EXEC_REPLY_HEAD + sizeof(r.run[0]), MSG_NOSIGNAL) < 0 ||
	    recv(w->thread->sock, &answer, sizeof(answer), 0) != (ssize_t)sizeof(answer) ||
	    answer.kind != EXEC_ADOPTED || answer.nr)
		return -EFAULT;
	exec_area_cut(p, addr, addr + EXEC_PAGE);
	exec_area_add(p, (struct exec_area){addr, addr + EXEC_PAGE, prot, false});
	return 0;
}

static void client_seen(u32 process, u64 addr, const void *buf, u64 size)
{
	struct exec_worker *w = exec_worker_here();

	if (w && w->thread && w->thread->process->number == process)
		exec_record_seen(w, addr, buf, size);
}

const struct user_client exec_client = {
	.copy = client_copy,
	.adopt = client_adopt,
	.seen = client_seen,
};
