// SPDX-License-Identifier: GPL-2.0-only
/*
 * A treap: ordered by start, a heap by priority. The priority is a hash of how
 * many nodes the tree has had, so that its shape depends on nothing but the
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

static void update(node_t *n)
{
	unsigned long last = n->last;

	if (n->left)
		last = max(last, n->left->subtree_last);
	if (n->right)
		last = max(last, n->right->subtree_last);
	n->subtree_last = last;
}

static void replace(struct interval_tree_root *root, node_t *parent, node_t *old, node_t *new)
{
	if (!parent)
		root->node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new)
		new->parent = parent;
}

/* child takes its parent's place, the parent becomes its child. */
static void rotate_up(struct interval_tree_root *root, node_t *child)
{
	node_t *parent = child->parent, *moved;

	replace(root, parent->parent, parent, child);
	if (parent->left == child) {
		moved = child->right;
		parent->left = moved;
		child->right = parent;
	} else {
		moved = child->left;
		parent->right = moved;
		child->left = parent;
	}
	if (moved)
		moved->parent = parent;
	parent->parent = child;
	update(parent);
	update(child);
}

void interval_tree_insert(struct interval_tree_node *node, struct interval_tree_root *root)
{
	node_t **link = &root->node, *parent = NULL;

	announce(root, OP_WRITE, KAPI_CALLER);
	if (!current_task || !access_is_unseen())
		access_set_init(node, sizeof(*node));
	while (*link) {
		parent = *link;
		parent->subtree_last = max(parent->subtree_last, node->last);
		link = node->start < parent->start ? &parent->left : &parent->right;
	}
	node->left = node->right = NULL;
	node->parent = parent;
	node->subtree_last = node->last;
	node->priority = (u32)hash_mix(0x5bd1e995, ++root->seq);
	*link = node;
	while (node->parent && node->priority > node->parent->priority)
		rotate_up(root, node);
}

void interval_tree_remove(struct interval_tree_node *node, struct interval_tree_root *root)
{
	node_t *up;

	announce(root, OP_WRITE, KAPI_CALLER);
	while (node->left && node->right)
		rotate_up(root, node->left->priority > node->right->priority ? node->left
									       : node->right);
	up = node->parent;
	replace(root, up, node, node->left ? node->left : node->right);
	for (; up; up = up->parent)
		update(up);
	node->left = node->right = node->parent = NULL;
}

/* The first below n that meets the range; n's subtree_last is at least start. */
static node_t *first_below(node_t *n, unsigned long start, unsigned long last)
{
	while (n) {
		if (n->left && n->left->subtree_last >= start)
			n = n->left;
		else if (n->start > last)
			return NULL;
		else if (n->last >= start)
			return n;
		else if (n->right && n->right->subtree_last >= start)
			n = n->right;
		else
			return NULL;
	}
	return NULL;
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

	if (n->right && n->right->subtree_last >= start)
		return first_below(n->right, start, last);
	for (;;) {
		node_t *from = n;

		n = n->parent;
		if (!n || n->start > last)
			return NULL;
		if (n->left != from)
			continue;
		if (n->last >= start)
			return n;
		if (n->right && n->right->subtree_last >= start)
			return first_below(n->right, start, last);
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
