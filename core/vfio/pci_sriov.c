// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions. Who uses one and who uses its physical function show each other
 * that they belong together: with a token, which the latter sets.
 *
 * custom: virtual functions come by hot-plug, one by one, when their physical function
 * has its driver already. When that goes they lose theirs; Linux removes them.
 */
#include "core/vfio/pci.h"

#include <string.h>

#define UUID_TEXT 36u

/* Of a physical function. All by lock. */
struct vfio_pci_vf_token {
	struct mutex lock;
	bool known; /* nobody has set one: none is right. custom: Linux draws one */
	u8 uuid[VFIO_UUID_LEN];
	u32 users; /* virtual functions that are open */
};

static bool hex_digit(char c, u8 *value)
{
	if (c >= '0' && c <= '9')
		*value = (u8)(c - '0');
	else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		*value = (u8)((c | 0x20) - 'a' + 10);
	else
		return false;
	return true;
}

/* 8-4-4-4-12 digits, and whatever follows. */
static bool parse_uuid(const char *text, u8 uuid[VFIO_UUID_LEN])
{
	u32 n = 0;

	for (u32 i = 0; i < UUID_TEXT; i++) {
		u8 value;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (!hex_digit(text[i], &value))
			return false;
		uuid[n / 2] = (u8)(uuid[n / 2] << 4 | value);
		n++;
	}
	return true;
}

int vfio_pci_read_options(const char *text, u8 uuid[VFIO_UUID_LEN], bool *token)
{
	static const char arg[] = "vf_token=";

	*token = false;
	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		if (*token || strncmp(text, arg, sizeof(arg) - 1) != 0)
			return -EINVAL;
		text += sizeof(arg) - 1;
		if (strlen(text) < UUID_TEXT || !parse_uuid(text, uuid))
			return -EINVAL;
		*token = true;
		text += UUID_TEXT;
	}
	return 0;
}

static bool fits(const struct vfio_pci_vf_token *t, const u8 *uuid)
{
	return uuid && t->known && !memcmp(uuid, t->uuid, VFIO_UUID_LEN);
}

static int match_physical(struct vfio_pci_vf_token *t, const u8 *uuid)
{
	int ret = 0;

	mutex_lock(&t->lock);
	if (t->users) {
		ret = fits(t, uuid) ? 0 : -EACCES;
	} else if (uuid) {
		memcpy(t->uuid, uuid, VFIO_UUID_LEN);
		t->known = true;
	}
	mutex_unlock(&t->lock);
	return ret;
}

/*
 * dup: -EACCES: a token is missing or another one; -EINVAL: one is given where none is
 * asked. One that is given for a physical function without users is its token then.
 */
int vfio_pci_match_token(struct vfio_pci *p, const u8 *uuid)
{
	struct vfio_pci_vf_token *t;
	int ret;

	if (p->pf) {
		t = p->pf->vf_token;
		mutex_lock(&t->lock);
		ret = fits(t, uuid) ? 0 : -EACCES;
		mutex_unlock(&t->lock);
		return ret;
	}
	if (p->vf_token && !p->is_virtfn)
		return match_physical(p->vf_token, uuid);
	return uuid ? -EINVAL : 0;
}

int vfio_pci_feature_token(struct vfio_pci *p, u32 flags, u64 arg, size_t argsz)
{
	u8 uuid[VFIO_UUID_LEN];
	int ret;

	if (!p->vf_token)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, sizeof(uuid));
	if (ret != 1)
		return ret;
	if (copy_from_user(uuid, vfio_ptr(arg), sizeof(uuid)))
		return -EFAULT;
	mutex_lock(&p->vf_token->lock);
	memcpy(p->vf_token->uuid, uuid, sizeof(uuid));
	p->vf_token->known = true;
	mutex_unlock(&p->vf_token->lock);
	return 0;
}

/* A virtual function was opened, or closed. */
void vfio_pci_vf_used(struct vfio_pci *p, bool open)
{
	struct vfio_pci_vf_token *t;

	if (!p->pf)
		return;
	t = p->pf->vf_token;
	mutex_lock(&t->lock);
	WARN_ON(!open && !t->users);
	t->users += open ? 1 : ~0u;
	mutex_unlock(&t->lock);
}

/* --- binding --- */

static bool has_virtual(const struct device *dev)
{
	const struct machine *m = iommu_core()->machine;

	for (u32 i = 0; i < m->n_devices; i++) {
		if (m->device[i].physfn == dev->index)
			return true;
	}
	return false;
}

struct find_vf {
	u32 physfn;
	struct device *found; /* referenced */
	bool bound;           /* only such as have a driver */
};

static int is_vf(struct device *dev, void *data)
{
	struct find_vf *f = data;

	if (dev_fw(dev)->physfn != f->physfn || (f->bound && !READ_ONCE(dev->driver)))
		return 0;
	f->found = get_device(dev);
	return 1;
}

static struct device *find_vf(struct device *pf, bool bound)
{
	struct find_vf f = {.physfn = pf->index, .bound = bound};

	bus_for_each_dev(pf->bus, NULL, &f, is_vf);
	return f.found;
}

/* dup: -EBUSY: it has virtual functions that somebody else has made. */
int vfio_pci_sriov_init(struct vfio_pci *p)
{
	struct vfio_state *v = vfio_here();
	const struct machine_device *d = dev_fw(p->vdev.dev);
	struct device *vf;

	if (d->physfn != MACHINE_NONE) {
		p->is_virtfn = true;
		mutex_lock(&v->sriov_lock);
		p->pf = v->pf[d->physfn];
		/* Historic: one that has another driver of ours is taken for a stranger's. */
		if (bug_on(BUG_VFIO_VF_TOKEN_BYPASS) && p->pf &&
		    p->pf->vdev.dev->driver != p->vdev.dev->driver)
			p->pf = NULL;
		mutex_unlock(&v->sriov_lock);
		return 0;
	}
	if (!has_virtual(p->vdev.dev))
		return 0;
	vf = find_vf(p->vdev.dev, false);
	if (vf) {
		put_device(vf);
		return -EBUSY;
	}
	p->vf_token = kzalloc(sizeof(*p->vf_token), GFP_KERNEL);
	if (!p->vf_token)
		return -ENOMEM;
	mutex_init(&p->vf_token->lock);
	mutex_lock(&v->sriov_lock);
	v->pf[p->vdev.dev->index] = p;
	mutex_unlock(&v->sriov_lock);
	return 0;
}

/* Its driver goes: virtual functions lose theirs, which waits for their users. */
void vfio_pci_sriov_disable(struct vfio_pci *p)
{
	struct vfio_state *v = vfio_here();
	struct device *vf;

	if (!p->vf_token)
		return;
	mutex_lock(&v->sriov_lock);
	v->pf[p->vdev.dev->index] = NULL;
	mutex_unlock(&v->sriov_lock);
	while ((vf = find_vf(p->vdev.dev, true))) {
		device_release_driver_below(vf);
		put_device(vf);
	}
}

void vfio_pci_sriov_fini(struct vfio_pci *p)
{
	if (!p->vf_token)
		return;
	mutex_destroy(&p->vf_token->lock);
	kfree(p->vf_token);
	p->vf_token = NULL;
}
