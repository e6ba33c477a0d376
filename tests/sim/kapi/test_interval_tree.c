// SPDX-License-Identifier: GPL-2.0-only
/*
 * Against a twin: an array of all intervals.
 */
#include "sim/kapi/interval_tree.h"

#include "sim/choice/choice.h"
#include "tests/kit/program.h"

#define N 96
#define SPACE 512

static struct {
	struct interval_tree_root root;
	struct interval_tree_node node[N];
	bool in[N];
	u32 n_hits;
} t;

static u32 draw(u32 n)
{
	return (u32)choice_below(this_world()->choice, CHOICE_DATA, n);
}

static bool meets(u32 i, unsigned long start, unsigned long last)
{
	return t.in[i] && t.node[i].start <= last && t.node[i].last >= start;
}

/* Every interval that meets the range comes once, in the order of starts. */
static void check_iteration(unsigned long start, unsigned long last)
{
	struct interval_tree_node *n = interval_tree_iter_first(&t.root, start, last);
	unsigned long before = 0;
	u32 want = 0, got = 0;

	for (u32 i = 0; i < N; i++)
		want += meets(i, start, last);
	for (; n; n = interval_tree_iter_next(n, start, last)) {
		cr_assert(meets((u32)(n - t.node), start, last));
		cr_assert_geq(n->start, before);
		before = n->start;
		got++;
	}
	cr_assert_eq(got, want);
	t.n_hits += got;
}

static void check_hole(unsigned long start, unsigned long last)
{
	unsigned long want = start, end, hole, hole_last;
	bool taken = true, found = interval_tree_hole(&t.root, start, last, &hole, &hole_last);

	for (; want <= last && taken; want++) {
		taken = false;
		for (u32 i = 0; i < N; i++)
			taken |= meets(i, want, want);
		if (!taken)
			break;
	}
	cr_assert_eq(found, want <= last);
	if (!found)
		return;
	cr_assert_eq(hole, want);
	for (end = want; end < last; end++) {
		for (u32 i = 0; i < N; i++)
			taken |= meets(i, end + 1, end + 1);
		if (taken)
			break;
	}
	cr_assert_eq(hole_last, end);
}

/* The height of a subtree; whatever its nodes say of it must be so. */
static int check_below(const struct interval_tree_node *n, const struct interval_tree_node *parent)
{
	unsigned long left_last, last;
	int left, right;

	if (!n)
		return 0;
	cr_assert_eq(n->parent, parent);
	left = check_below(n->child[0], n);
	right = check_below(n->child[1], n);
	cr_assert_eq(n->balance, right - left);
	cr_assert(n->balance >= -1 && n->balance <= 1);
	left_last = n->child[0] ? n->child[0]->subtree_last : 0;
	cr_assert_eq(n->left_last, left_last);
	last = max(n->last, left_last);
	if (n->child[1])
		last = max(last, n->child[1]->subtree_last);
	cr_assert_eq(n->subtree_last, last);
	return max(left, right) + 1;
}

static void random_changes(void *arg)
{
	(void)arg;
	for (u32 step = 0; step < 600; step++) {
		unsigned long start = draw(SPACE), last = start + draw(SPACE / 4);
		u32 i = draw(N);

		if (t.in[i]) {
			interval_tree_remove(&t.node[i], &t.root);
		} else {
			t.node[i].start = draw(SPACE);
			t.node[i].last = t.node[i].start + draw(24);
			interval_tree_insert(&t.node[i], &t.root);
		}
		t.in[i] = !t.in[i];
		check_below(t.root.node, NULL);
		check_iteration(start, last);
		check_hole(start, last);
		check_iteration(0, ~0UL);
	}
}

static void begin(void)
{
	t = (__typeof__(t)){.n_hits = 0};
}

Test(interval_tree, agrees_with_an_array)
{
	load(.begin = begin, .task = {random_changes});
	run_clean(20);
	cr_assert_gt(t.n_hits, 1000);
}

static void extremes(void *arg)
{
	unsigned long hole, last;

	(void)arg;
	t.node[0].start = 0;
	t.node[0].last = ~0UL;
	interval_tree_insert(&t.node[0], &t.root);
	cr_assert(!interval_tree_hole(&t.root, 0, ~0UL, &hole, &last));
	cr_assert_eq(interval_tree_iter_first(&t.root, ~0UL, ~0UL), &t.node[0]);
	interval_tree_remove(&t.node[0], &t.root);
	cr_assert(interval_tree_empty(&t.root));
	cr_assert(interval_tree_hole(&t.root, 5, ~0UL, &hole, &last));
	cr_assert(hole == 5 && last == ~0UL);
}

Test(interval_tree, knows_the_ends_of_the_space)
{
	load(.begin = begin, .task = {extremes});
	run_clean(1);
}

#define MANY 4096

static struct interval_tree_node many[MANY];

/* As areas lie: none meets another; from below, from above, and those between the others. */
static u64 place_of(u32 order, u64 i)
{
	static const u64 step[] = {1, MANY - 1, MANY / 2 + 1, 1001};

	return i * step[order] % MANY * 8;
}

static void in_order(void *arg)
{
	const u32 n_left = 64;

	(void)arg;
	for (u32 order = 0; order < 4; order++) {
		t.root.node = NULL;
		for (u32 i = 0; i < MANY; i++) {
			many[i].start = place_of(order, i);
			many[i].last = many[i].start + 3;
			interval_tree_insert(&many[i], &t.root);
		}
		/* An AVL tree of so many is at most 17 high: 1.44 times the logarithm. */
		cr_assert_leq(check_below(t.root.node, NULL), 17);
		for (u32 i = 0; i < MANY; i++) {
			struct interval_tree_node *n = &many[i];

			cr_assert_eq(interval_tree_iter_first(&t.root, n->last, n->last + 1), n);
			cr_assert_null(interval_tree_iter_first(&t.root, n->last + 1, n->last + 4));
		}
		for (u32 i = 0; i < MANY - n_left; i++)
			interval_tree_remove(&many[i], &t.root);
		cr_assert_leq(check_below(t.root.node, NULL), 8);
	}
}

Test(interval_tree, is_balanced_whatever_the_order)
{
	load(.begin = begin, .task = {in_order});
	run_clean(1);
}
