# SPDX-License-Identifier: GPL-2.0-only
# RCU, SRCU, timers and notifiers as a hosted kernel uses them: code of ours in a copy of the tree
# that is right, which is clean under all schedules, and wrong in one word, which is found.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

MAIN=drivers/iommu/iommufd/main.c
cat >"$WORK/paths.c" <<'EOF'

#include <linux/mmu_notifier.h>
#include <linux/srcu.h>
#include <linux/timer.h>

struct lab_thing {
	unsigned long word;
	struct timer_list timer;
	struct mmu_notifier notifier;
	unsigned long ranges;
};

static struct lab_thing __rcu *lab_thing;
static DEFINE_MUTEX(lab_mutex);
static DEFINE_SPINLOCK(lab_lock);
DEFINE_STATIC_SRCU(lab_srcu);
static unsigned long lab_sum, lab_seen;

static void __maybe_unused lab_read(void)
{
	struct lab_thing *p = rcu_dereference_raw(lab_thing);

	if (p)
		WRITE_ONCE(lab_sum, READ_ONCE(lab_sum) + p->word);
}

static struct lab_thing *lab_replace(struct lab_thing *p)
{
	struct lab_thing *old;

	mutex_lock(&lab_mutex);
	old = rcu_dereference_raw(lab_thing);
	rcu_assign_pointer(lab_thing, p);
	mutex_unlock(&lab_mutex);
	return old;
}

static void lab_fires(struct timer_list *t)
{
	struct lab_thing *p = container_of(t, struct lab_thing, timer);

	p->word++;
	p->word++;
}

static int lab_range(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct lab_thing *p = container_of(mn, struct lab_thing, notifier);

	WRITE_ONCE(p->ranges, READ_ONCE(p->ranges) + 1);
	WRITE_ONCE(lab_seen, READ_ONCE(lab_seen) + 1);
	return 0;
}

static const struct mmu_notifier_ops lab_ops = {.invalidate_range_start = lab_range};

/* What open and close of /dev/iommu do first, by the flags of the file; WRONG waits for nobody. */
enum { WRONG = O_APPEND, RCU = 0, SRCU = O_NONBLOCK, TIMER = O_DSYNC, LISTEN = SRCU | TIMER };

static void lab_let_go(unsigned int kind, bool wrong, struct lab_thing *p)
{
	if (!p)
		return;
	if (kind == RCU && !wrong)
		synchronize_rcu();
	else if (kind == SRCU && wrong)
		synchronize_rcu();
	else if (kind == SRCU)
		synchronize_srcu(&lab_srcu);
	else if (kind == TIMER && wrong)
		timer_delete(&p->timer);
	else if (kind == TIMER)
		timer_delete_sync(&p->timer);
	else if (kind == LISTEN && !wrong)
		mmu_notifier_unregister(&p->notifier, p->notifier.mm);
	kfree(p);
}

void lab_open(struct file *filp)
{
	unsigned int kind = filp->f_flags & LISTEN;
	struct lab_thing *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return;
	p->word = 1;
	timer_setup(&p->timer, lab_fires, 0);
	p->notifier.ops = &lab_ops;
	if (kind == LISTEN && mmu_notifier_register(&p->notifier, current->mm)) {
		kfree(p);
		return;
	}
	if (kind == TIMER)
		mod_timer(&p->timer, jiffies + 1);
	if (kind == RCU) {
		spin_lock(&lab_lock);
		lab_read();
		spin_unlock(&lab_lock);
	}
	lab_let_go(kind, filp->f_flags & WRONG, lab_replace(p));
}

void lab_close(struct file *filp)
{
	unsigned int kind = filp->f_flags & LISTEN;
	int i = srcu_read_lock(&lab_srcu);

	if (kind == SRCU)
		lab_read();
	srcu_read_unlock(&lab_srcu, i);
	if (kind == RCU) {
		preempt_disable();
		lab_read();
		preempt_enable();
	}
	lab_let_go(kind, filp->f_flags & WRONG, lab_replace(NULL));
	WARN_ON(filp->f_flags & O_NOATIME && READ_ONCE(lab_seen));
}
EOF
sed '/^static int iommufd_fops_open/i \
void lab_open(struct file *filp);\nvoid lab_close(struct file *filp);
/^static int iommufd_fops_open/,/^}/ s/^{$/{\n\tlab_open(filp);/
/^static int iommufd_fops_release/,/^}/ s/^{$/{\n\tlab_close(filp);/' "$TREE/$MAIN" >"$WORK/new.c"
cat "$WORK/paths.c" >>"$WORK/new.c"
diff -u --label "a/$MAIN" --label "b/$MAIN" "$TREE/$MAIN" "$WORK/new.c" >"$WORK/paths.diff"
KERNEL=$WORK/paths.so expect 0 'patched: drivers' hosted_build --patch "$WORK/paths.diff"

# runs N FLAGS: two open /dev/iommu with these flags, then close; one also unmaps memory.
OPEN="openat\$iommufd(0xffffffffffffff9c, &(0x7f0000000000)='/dev/iommu\x00'"
ORACLES=all
runs() {
	cat >"$WORK/two.syz" <<-EOF
	mmap(&(0x7f0000000000/0x4000)=nil, 0x4000, 0x3, 0x32, 0xffffffffffffffff, 0x0)
	r0 = $OPEN, $2, 0x0)
	r1 = $OPEN, $2, 0x0)
	munmap(&(0x7f0000002000/0x1000)=nil, 0x1000)
	close(r0)
	close(r1)
	EOF
	"$IOMMULAB" run --kernel "$WORK/paths.so" --runs "$1" --threads all --no-shrink \
		--oracles $ORACLES "$WORK/two.syz"
}

# A section without preemption is a reader: a spinlock's, and one by hand.
expect 0 'clean, 4000 runs' runs 4000 0x2
expect 1 'KASAN: slab-use-after-free in lab_read' runs 20000 0x402
# SRCU's readers are not RCU's.
expect 0 'clean, 4000 runs' runs 4000 0x802
expect 1 'KASAN: slab-use-after-free in lab_read' runs 20000 0xc02
# A timer that runs is waited for, or not.
expect 0 'clean, 4000 runs' runs 4000 0x1002
expect 1 'KASAN: slab-use-after-free in lab_fires' runs 20000 0x1402
# munmap() calls who has subscribed to a process's memory; who leaves waits for such calls. The tree
# reads its list's links plainly outside the lock (hlist_unhashed()): no race oracle.
ORACLES=kasan,warn,leak,hang,deadlock
expect 0 'clean, 4000 runs' runs 4000 0x1802
expect 1 'KASAN: slab-use-after-free' runs 20000 0x1c02
expect 1 'WARNING in lab_close' runs 4000 0x41802
finish
