// SPDX-License-Identifier: GPL-2.0-only
/*
 * custom: /dev as a table: what the driver core would tell devtmpfs to create.
 */
#include "core/hosted/runtime.h"

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/slab.h>

/* Of drivers/base, which keeps it to itself. */
const char *device_get_devnode(const struct device *dev, umode_t *mode, kuid_t *uid, kgid_t *gid,
			       const char **tmp);

#define NODES_MAX 64
#define NODE_NAME_MAX 48

static struct devnode {
	char name[NODE_NAME_MAX];
	dev_t devt;
	struct inode inode;
} hosted_nodes[NODES_MAX];

int devtmpfs_create_node(struct device *dev)
{
	const char *tmp = NULL, *name;
	umode_t mode = 0;
	kuid_t uid = GLOBAL_ROOT_UID;
	kgid_t gid = GLOBAL_ROOT_GID;

	name = device_get_devnode(dev, &mode, &uid, &gid, &tmp);
	for (int i = 0; name && i < NODES_MAX; i++) {
		struct devnode *n = &hosted_nodes[i];

		if (n->devt)
			continue;
		strscpy(n->name, name, sizeof(n->name));
		n->devt = dev->devt;
		memset(&n->inode, 0, sizeof(n->inode));
		n->inode.i_mode = S_IFCHR | 0600;
		n->inode.i_rdev = dev->devt;
		n->inode.i_mapping = &n->inode.i_data;
		atomic_set(&n->inode.i_count, 1000);
		INIT_LIST_HEAD(&n->inode.i_devices);
		spin_lock_init(&n->inode.i_lock);
		break;
	}
	kfree(tmp);
	return 0;
}

int devtmpfs_delete_node(struct device *dev)
{
	for (int i = 0; i < NODES_MAX; i++) {
		if (hosted_nodes[i].devt == dev->devt)
			hosted_nodes[i].devt = 0;
	}
	return 0;
}

int devtmpfs_init(void)
{
	return 0;
}

dev_t hosted_devnode(const char *path)
{
	if (strncmp(path, "/dev/", 5))
		return 0;
	for (int i = 0; i < NODES_MAX; i++) {
		if (hosted_nodes[i].devt && !strcmp(hosted_nodes[i].name, path + 5))
			return hosted_nodes[i].devt;
	}
	return 0;
}

struct inode *hosted_devnode_inode(dev_t devt)
{
	for (int i = 0; i < NODES_MAX; i++) {
		if (hosted_nodes[i].devt == devt)
			return &hosted_nodes[i].inode;
	}
	return NULL;
}
