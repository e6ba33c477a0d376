// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices behind the IOMMUs of a hosted world that answer invalidations of their own
 * translations late, or never (`atc` in the machine). Who answers late has a task of
 * hardware, which lets others go first as often as choice has it. Who never answers keeps
 * what it has, and half a second of virtual time later its IOMMU gives up what it sent.
 *
 * At boot they answer at once: no driver waits there for what a story says of a device.
 */
#include "core/hosted/hardware.h"

#include "sim/access/access.h"
#include "sim/base/bits.h"
#include "sim/choice/choice.h"
#include "sim/sched/sched.h"

#include <string.h>

#define LATE_NS 500000000ULL /* hw/bus waits as long */
#define BUSES_PER_ROOT 32    /* custom/pci_host.c numbers buses so */

/* --- who they are --- */

static u32 root_of(const struct machine *m, u32 bus)
{
	for (u32 i = 0; i < m->n_buses && m->bus[bus].parent != MACHINE_NONE; i++)
		bus = m->bus[bus].parent;
	return bus;
}

static u32 number_of(const struct machine *m, u32 bus)
{
	u32 roots = 0;

	for (u32 i = 0; i < root_of(m, bus); i++)
		roots += m->bus[i].kind == MACHINE_BUS_PCI && m->bus[i].parent == MACHINE_NONE;
	for (u32 i = 0; i < m->n_devices && m->bus[bus].parent != MACHINE_NONE; i++) {
		if (m->device[i].bus == bus)
			return (roots * BUSES_PER_ROOT & 0xff) +
			       (m->device[i].bdf >> 8 & (BUSES_PER_ROOT - 1));
	}
	return roots * BUSES_PER_ROOT & 0xff;
}

/* As hosted_requester() of the object, which is not there yet. */
static u32 requester_of(const struct machine *m, const struct machine_device *d)
{
	if (m->bus[d->bus].alias)
		return number_of(m, d->bus) << 8;
	if (d->alias_of < m->n_devices)
		d = &m->device[d->alias_of];
	return number_of(m, d->bus) << 8 | (d->bdf & 0xff);
}

void hosted_late_make(struct hosted_hardware *hw, const struct machine *m)
{
	for (u32 i = 0; i < m->n_devices; i++) {
		const struct machine_device *d = &m->device[i];
		u32 iommu = d->n_iommus ? d->iommus[0] : MACHINE_NONE;
		struct late_device *to = &hw->late[hw->n_late];

		if (d->atc == MACHINE_ATC_PROMPT || iommu >= hw->n || !hw->unit[iommu])
			continue;
		hw->n_late++;
		to->unit = hw->unit[iommu];
		to->never = d->atc == MACHINE_ATC_NEVER;
		memcpy(to->name, d->name, sizeof(to->name));
		to->n_sids = d->n_ids ? d->n_ids : 1;
		to->sid[0] = requester_of(m, d);
		for (u32 k = 0; k < d->n_ids; k++)
			to->sid[k] = d->ids[k];
	}
}

static struct late_device *find(struct unit *u, u32 sid)
{
	for (u32 i = 0; i < u->all->n_late; i++) {
		struct late_device *d = &u->all->late[i];

		for (u32 k = 0; d->unit == u && k < d->n_sids; k++) {
			if (d->sid[k] == sid)
				return d;
		}
	}
	return NULL;
}

/* --- answers --- */

static void rest(struct late_device *d)
{
	current_task->flags |= TASK_DAEMON;
	sched_block("hardware", d->unit->door, -1, 0);
	current_task->flags &= ~TASK_DAEMON;
}

/* Accesses that use what it drops may be under way: the IOMMU's own task waits for them. */
static void answer_one(struct late_device *d)
{
	struct unit *u = d->unit;
	struct hw_msg m = d->inbox[0];

	d->n_inbox--;
	memmove(&d->inbox[0], &d->inbox[1], d->n_inbox * sizeof(m));
	access_acquire(u->door);
	hosted_unit_back(u);
	hosted_endpoint_drop(u, &m);
	/* Nobody waits for what was given up; its tag may be another's by now. */
	if (d->given_up)
		d->given_up--;
	else
		u->h->ops->atc_done(u->h, m.itag);
	u->all->progress++;
	hosted_unit_leave();
	hosted_unit_kick(u);
}

static void answer(void *arg)
{
	struct late_device *d = arg;

	for (;;) {
		if (!d->n_inbox) {
			rest(d);
			continue;
		}
		access_sync(d->unit->door, OP_WRITE);
		/* Others come first, as often as choice has it. */
		if (choice_below(this_world()->choice, CHOICE_HW, 4))
			continue;
		answer_one(d);
	}
}

static void kick(struct late_device *d)
{
	access_release(d->unit->door);
	if (d->task)
		sched_wake(d->task);
	else
		d->task = sched_spawn(this_world()->sched, d->name, answer, d, 0);
}

bool hosted_late_send(struct unit *u, const struct hw_msg *m)
{
	bool setup = current_task->world->sched->setup;
	struct late_device *d = setup ? NULL : find(u, m->sid);
	bool room;

	if (!d)
		return false;
	hosted_unit_leave();
	room = d->n_inbox < HOSTED_INBOX_MAX;
	if (room)
		d->inbox[d->n_inbox++] = *m;
	if (!d->never && room)
		kick(d);
	else if (!clock_timer_pending(&u->too_late))
		clock_timer_arm(this_world()->clock, &u->too_late, LATE_NS);
	hosted_unit_back(u);
	return true;
}

bool hosted_late_waits(const struct unit *u)
{
	for (u32 i = 0; i < u->all->n_late; i++) {
		if (u->all->late[i].unit == u && u->all->late[i].n_inbox)
			return true;
	}
	return false;
}

/* --- no answer --- */

/* In the unit's task, which looks whether it has happened. */
static void too_late(struct clock_timer *t)
{
	struct unit *u = container_of(t, struct unit, too_late);

	u->gives_up = true;
	hosted_unit_wake(u);
}

void hosted_late_give_up(struct unit *u)
{
	u->gives_up = false;
	for (u32 i = 0; i < u->all->n_late; i++) {
		struct late_device *d = &u->all->late[i];

		if (d->unit != u)
			continue;
		if (d->never)
			d->n_inbox = 0;
		else
			d->given_up = d->n_inbox;
	}
	u->h->ops->timeout(u->h);
}

void hosted_late_reset(struct hosted_hardware *hw)
{
	for (u32 i = 0; i < hw->n_late; i++) {
		hw->late[i].n_inbox = hw->late[i].given_up = 0;
		hw->late[i].task = NULL;
	}
	for (u32 i = 0; i < hw->n && hw->n_late; i++) {
		if (!hw->unit[i])
			continue;
		hw->unit[i]->gives_up = false;
		clock_timer_init(&hw->unit[i]->too_late, too_late);
	}
}
