// SPDX-License-Identifier: GPL-2.0-only
/*
 * An AVL tree in the order of starts. Each node knows the greatest last of all below
 * it, and of its left subtree alone: a lookup decides by one node where it goes on, and
 * without a branch that nobody could predict. Its shape depends on nothing but the
 * sequence of calls.
 */
#include "sim/kapi/interval_tree.h"

#include "sim/kapi/kapi_priv.h"

typedef struct interval_tree_node node_t;

static inline void announce(const struct interval_tree_root *root, u32 flags, u64 pc)
{
	struct task *t = current_task;

	if (likely(t && kapi_is_alone(t))) {
		t->due++;
		return;
	}
	access_range(&root->node, sizeof(root->node), flags, pc);
}

enum { LEFT, RIGHT };

static inline unsigned long last_of(const node_t *n)
{
	return n ? n->subtree_last : 0;
}

static inline u32 side_of(const node_t *parent, const node_t *child)
{
	return parent->child[RIGHT] == child;
}

static inline void set_child(node_t *parent, u32 side, node_t *child)
{
	parent->child[side] = child;
	if (child)
		child->parent = parent;
}

static void replace(struct interval_tree_root *root, node_t *parent, const node_t *old, node_t *new)
{
	if (parent)
		parent->child[side_of(parent, old)] = new;
	else
		root->node = new;
	if (new)
		new->parent = parent;
}

static inline void update_last(node_t *n)
{
	n->subtree_last = max(max(n->last, n->left_last), last_of(n->child[RIGHT]));
}

/* One is there that ends at last: those above n hear of it. */
static void learn(node_t *n, unsigned long last)
{
	for (node_t *up = n->parent; up; n = up, up = up->parent) {
		if (side_of(up, n) == LEFT && up->left_last < last)
			up->left_last = last;
		if (up->subtree_last >= last)
			return;
		up->subtree_last = last;
	}
}

/* One that ended at last is no longer below n's child: n and those above, but for end. */
static void forget(node_t *n, u32 side, const node_t *end, unsigned long last)
{
	for (; n != end; n = n->parent) {
		if (side == LEFT)
			n->left_last = last_of(n->child[LEFT]);
		if (n->subtree_last > last)
			return;
		update_last(n);
		side = n->parent ? side_of(n->parent, n) : LEFT;
	}
}

/* child takes its parent's place, the parent becomes its child. */
static void rotate_up(struct interval_tree_root *root, node_t *child)
{
	node_t *parent = child->parent;
	u32 side = side_of(parent, child);

	replace(root, parent->parent, parent, child);
	set_child(parent, side, child->child[!side]);
	set_child(child, !side, parent);
	child->subtree_last = parent->subtree_last;
	if (side == LEFT)
		parent->left_last = last_of(parent->child[LEFT]);
	update_last(parent);
	if (side == RIGHT)
		child->left_last = parent->subtree_last;
}

/* Of n one subtree is two higher than the other: gives what takes n's place. */
static node_t *level(struct interval_tree_root *root, node_t *n)
{
	int heavy = n->balance > 0 ? 1 : -1;
	u32 side = heavy > 0 ? RIGHT : LEFT;
	node_t *child = n->child[side], *inner = child->child[!side];

	if (child->balance != -heavy) {
		rotate_up(root, child);
		n->balance = child->balance ? 0 : heavy;
		child->balance = child->balance ? 0 : -heavy;
		return child;
	}
	rotate_up(root, inner);
	rotate_up(root, inner);
	n->balance = inner->balance == heavy ? -heavy : 0;
	child->balance = inner->balance == -heavy ? heavy : 0;
	inner->balance = 0;
	return inner;
}

void interval_tree_insert(struct interval_tree_node *node, struct interval_tree_root *root)
{
	node_t **link = &root->node, *parent = NULL;

	announce(root, OP_WRITE, KAPI_CALLER);
	if (!current_task || !access_is_unseen())
		access_set_init(node, sizeof(*node));
	while (*link) {
		parent = *link;
		link = &parent->child[node->start >= parent->start];
	}
	*node = (node_t){.last = node->last, .start = node->start, .subtree_last = node->last,
			 .parent = parent};
	*link = node;
	learn(node, node->last);
	for (; parent; node = parent, parent = parent->parent) {
		parent->balance += side_of(parent, node) == RIGHT ? 1 : -1;
		if (parent->balance == 2 || parent->balance == -2)
			level(root, parent);
		else if (parent->balance)
			continue; /* it is higher than before */
		return;
	}
}

/* A subtree of n has become lower. */
static void lower(struct interval_tree_root *root, node_t *n, u32 side)
{
	while (n) {
		node_t *up;

		n->balance += side == LEFT ? 1 : -1;
		if (n->balance == 2 || n->balance == -2)
			n = level(root, n);
		if (n->balance)
			return; /* as high as before */
		up = n->parent;
		side = up ? side_of(up, n) : LEFT;
		n = up;
	}
}

/* next, which follows node, takes its place. Gives where a subtree is lower now, and which. */
static node_t *take_place(struct interval_tree_root *root, node_t *node, node_t *next, u32 *side)
{
	node_t *from = next->parent;

	if (from == node) {
		*side = RIGHT;
		from = next;
	} else {
		*side = LEFT;
		replace(root, from, next, next->child[RIGHT]);
		set_child(next, RIGHT, node->child[RIGHT]);
	}
	replace(root, node->parent, node, next);
	set_child(next, LEFT, node->child[LEFT]);
	next->balance = node->balance;
	next->left_last = node->left_last;
	next->subtree_last = node->subtree_last;
	forget(from, *side, next, next->last);
	forget(next, RIGHT, NULL, node->last);
	return from;
}

void interval_tree_remove(struct interval_tree_node *node, struct interval_tree_root *root)
{
	node_t *from = node->parent, *next;
	u32 side = from ? side_of(from, node) : LEFT;

	announce(root, OP_WRITE, KAPI_CALLER);
	if (node->child[LEFT] && node->child[RIGHT]) {
		for (next = node->child[RIGHT]; next->child[LEFT];)
			next = next->child[LEFT];
		from = take_place(root, node, next, &side);
	} else {
		replace(root, from, node, node->child[node->child[LEFT] ? LEFT : RIGHT]);
		forget(from, side, NULL, node->last);
	}
	lower(root, from, side);
	node->child[LEFT] = node->child[RIGHT] = node->parent = NULL;
}

/*
 * The first below n, or n itself, that meets the range; n's subtree_last is at least
 * start. Which way it goes is no branch: nobody could foretell it.
 */
static inline node_t *first_below(node_t *n, unsigned long start, unsigned long last)
{
	for (;;) {
		u32 side = (u32)(n->left_last < start) | (u32)!n->child[LEFT];

		if (side > (u32)(n->last < start))
			return n->start <= last ? n : NULL;
		n = n->child[side]; /* to the right there is one, if not here */
	}
}

struct interval_tree_node *interval_tree_iter_first(struct interval_tree_root *root,
						    unsigned long start, unsigned long last)
{
	announce(root, OP_READ, KAPI_CALLER);
	if (!root->node || root->node->subtree_last < start)
		return NULL;
	return first_below(root->node, start, last);
}

struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last)
{
	node_t *n = node;

	if (n->child[RIGHT] && n->child[RIGHT]->subtree_last >= start)
		return first_below(n->child[RIGHT], start, last);
	for (;;) {
		node_t *from = n;

		n = n->parent;
		if (!n || n->start > last)
			return NULL;
		if (side_of(n, from) == RIGHT)
			continue;
		if (n->last >= start)
			return n;
		if (n->child[RIGHT] && n->child[RIGHT]->subtree_last >= start)
			return first_below(n->child[RIGHT], start, last);
	}
}

bool interval_tree_empty(const struct interval_tree_root *root)
{
	announce(root, OP_READ, KAPI_CALLER);
	return !root->node;
}

bool interval_tree_hole(struct interval_tree_root *root, unsigned long start, unsigned long last,
			unsigned long *hole, unsigned long *hole_last)
{
	node_t *n;

	announce(root, OP_READ, KAPI_CALLER);
	n = root->node && root->node->subtree_last >= start ? first_below(root->node, start, last)
							      : NULL;
	while (n && n->start <= start) {
		if (n->last >= last)
			return false;
		if (n->last >= start)
			start = n->last + 1;
		n = interval_tree_iter_next(n, start, last);
	}
	*hole = start;
	*hole_last = n ? n->start - 1 : last;
	return true;
}
