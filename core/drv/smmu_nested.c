// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's SMMU: nested domains, whose stage 1 is in the guest's context descriptors
 * (its stream table entry says where), on a stage 2 of ours; its commands; and what
 * becomes of its faults. Follows Linux's arm-smmu-v3-iommufd.c.
 *
 * A guest's commands come with its own ids: of streams, as vdevices say, and with any
 * VMID, for which its parent's is put. What hardware would refuse, or what is not the
 * guest's business, is refused here: the queue is everybody's.
 */
#include "core/drv/smmu_priv.h"

#define FIELD(hi, lo) (((1ULL << ((hi) - (lo)) << 1) - 1) << (lo))
#define STE_V 1ULL
/* What a guest may say in the first two words of an entry. */
#define STE0_GUESTS (STE_V | FIELD(3, 1) | FIELD(5, 4) | FIELD(51, 6) | FIELD(63, 59))
#define STE1_GUESTS (FIELD(7, 0) | BIT_ULL(STE1_S1STALLD) | STE1_EATS_MASK)
#define STE1_EATS_MASK FIELD(29, 28)

static struct smmu_vsmmu *to_vsmmu(struct iommufd_viommu *viommu)
{
	return container_of(viommu, struct smmu_vsmmu, core);
}

bool smmu_can_nest(const struct smmu_iommu *iommu)
{
	return iommu->idr0 & BIT(IDR0_S1P) && iommu->idr0 & BIT(IDR0_S2P);
}

/* --- nested domains --- */

/* w: the entry of the parent alone. Faults that repeat may be merged: the queue is everybody's. */
void smmu_make_nested_ste(const struct smmu_domain *sd, u64 w[8])
{
	w[0] = STE_V | SMMU_CFG_NESTED << STE0_CONFIG | (sd->ste[0] & ~FIELD(3, 1));
	w[1] |= sd->ste[1] | BIT_ULL(STE1_MEV);
}

/* dup: a device that is to be translated has a number; where nothing is it needs none. */
static int nested_attach(struct iommu_domain *domain, struct device *dev)
{
	struct smmu_domain *sd = to_smmu_domain(domain);
	struct smmu_master *m = dev_iommu_priv_get(dev);
	unsigned long vsid = 0;
	int ret;

	if (sd->iommu != m->iommu)
		return -EINVAL;
	if (m->n_pasids)
		return -EBUSY;
	ret = iommufd_viommu_get_vdev_id(&sd->vsmmu->core, dev, &vsid);
	/* custom: where a move has failed a device stays on it, though its vdevice has gone. */
	if (ret && smmu_ste_config(sd) == SMMU_CFG_S1)
		return m->domain == sd ? 0 : ret;
	/* Who cannot fault never asks: the same answer as Linux's. */
	if (domain->iopf_handler && m->n_sid != 1)
		return -EOPNOTSUPP;
	smmu_master_attach(m, sd);
	smmu_master_tell(m, ret ? NULL : sd->vsmmu, vsid);
	return 0;
}

static void nested_free(struct iommu_domain *domain)
{
	kfree(to_smmu_domain(domain));
}

static const struct iommu_domain_ops nested_ops = {
	.attach_dev = nested_attach,
	.free = nested_free,
};

/* -EIO: not what a guest may say. An entry that is not valid is one that aborts. */
static int check_ste(u64 ste[2])
{
	u64 config = ste[0] >> STE0_CONFIG & 7;

	if (!(ste[0] & STE_V)) {
		ste[0] = ste[1] = 0;
		return 0;
	}
	if (ste[0] & ~STE0_GUESTS || ste[1] & ~STE1_GUESTS)
		return -EIO;
	if (config != SMMU_CFG_ABORT && config != SMMU_CFG_BYPASS && config != SMMU_CFG_S1)
		return -EIO;
	/* None, or full ATS. */
	return (ste[1] & STE1_EATS_MASK) >> STE1_EATS > 1 ? -EIO : 0;
}

static struct iommu_domain *alloc_nested(struct iommufd_viommu *viommu, u32 flags,
					 const struct iommu_user_data *data)
{
	struct smmu_vsmmu *v = to_vsmmu(viommu);
	struct iommu_hwpt_arm_smmuv3 arg;
	struct smmu_domain *sd;
	int ret;

	if (flags)
		return ERR_PTR(-EOPNOTSUPP);
	ret = iommu_copy_user_data(&arg, sizeof(arg), data, IOMMU_HWPT_DATA_ARM_SMMUV3);
	ret = ret ? ret : check_ste(arg.ste);
	if (ret)
		return ERR_PTR(ret);
	sd = kzalloc(sizeof(*sd), GFP_KERNEL);
	if (!sd)
		return ERR_PTR(-ENOMEM);
	sd->iommu = v->iommu;
	sd->vsmmu = v;
	sd->ste[0] = arg.ste[0];
	sd->ste[1] = arg.ste[1] & ~STE1_EATS_MASK;
	sd->ste_ats = arg.ste[1] & STE1_EATS_MASK;
	iommu_domain_init(&sd->domain, IOMMU_DOMAIN_NESTED, v->iommu->iommu.ops, &nested_ops, 0);
	return &sd->domain;
}

/* --- commands --- */

/* The fields of ranges, dup: what is reserved without them, or with them. */
static int check_range(const u64 w[2])
{
	bool range = w[0] & (FIELD(16, 12) | FIELD(25, 20));
	u64 ttl = w[1] >> CMD1_TTL & 3, tg = w[1] >> CMD1_TG & 3;

	if (!tg)
		return range || ttl ? -EIO : 0;
	/* Level 1 of 16K tables has no leaves; one granule needs its level. */
	if ((tg == 2 && ttl == 1) || (!range && !ttl))
		return -EIO;
	return 0;
}

/* What a command has beside its number. */
enum field { F_ASID = 1, F_VMID = 2, F_VA = 4, F_SID = 8, F_CD = 16, F_ATC = 32 };
static const struct { u8 op, fields; } commands[] = {
	{CMD_TLBI_NSNH_ALL, 0},
	{CMD_TLBI_NH_ALL, F_VMID},
	{CMD_TLBI_NH_ASID, F_VMID | F_ASID},
	{CMD_TLBI_NH_VA, F_VMID | F_ASID | F_VA},
	{CMD_TLBI_NH_VAA, F_VMID | F_VA},
	{CMD_CFGI_CD, F_SID | F_CD},
	{CMD_CFGI_CD_ALL, F_SID},
	{CMD_ATC_INV, F_SID | F_ATC},
};

/* Its row's fields; -EIO: a guest has no such command. */
static int fields_of(u64 op)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].op == op)
			return commands[i].fields;
	return -EIO;
}

static int check_command(const struct smmu_iommu *iommu, const u64 w[2], u32 fields)
{
	bool ranges = iommu->idr3 & BIT(IDR3_RIL), ssids = iommu->idr1 >> IDR1_SSIDSIZE & 0x1f;
	u64 ok[2] = {0xff, 0};

	if (fields & F_VA && ranges) {
		if (check_range(w))
			return -EIO;
		ok[0] |= FIELD(16, 12) | FIELD(24, 20);
		ok[1] |= FIELD(11, 8);
	}
	if (fields & F_VA)
		ok[1] |= FIELD(63, 12) | BIT_ULL(CMD1_LEAF);
	if (fields & F_ASID)
		ok[0] |= iommu->idr0 & BIT(IDR0_ASID16) ? FIELD(63, 48) : FIELD(55, 48);
	if (fields & F_VMID)
		ok[0] |= FIELD(47, 32);
	if (fields & F_SID)
		ok[0] |= FIELD(63, 32);
	if (fields & F_CD) {
		ok[0] |= ssids ? FIELD(31, 12) : 0;
		ok[1] |= BIT_ULL(CMD1_LEAF);
	}
	if (fields & F_ATC) {
		/* SIZE beyond "all" is illegal. */
		if (!(iommu->idr0 & BIT(IDR0_ATS)) || (w[1] & 0x3f) > 52)
			return -EIO;
		ok[0] |= ssids ? FIELD(31, 12) | BIT_ULL(CMD0_SSV) | BIT_ULL(CMD0_G) : 0;
		ok[1] |= FIELD(5, 0) | FIELD(63, 12);
	}
	return w[0] & ~ok[0] || w[1] & ~ok[1] ? -EIO : 0;
}

/* The stream that the guest means; -EIO: nobody has that number. */
static int stream_of(struct smmu_vsmmu *v, u64 vsid, u64 *sid)
{
	struct device *dev;

	xa_lock(&v->core.vdevs);
	dev = iommufd_viommu_find_dev(&v->core, vsid);
	if (dev) {
		const struct smmu_master *m = dev_iommu_priv_get(dev);

		*sid = m->sid[0];
	}
	xa_unlock(&v->core.vdevs);
	return dev ? 0 : -EIO;
}

/* In place, from the guest's to hardware's. */
static int convert(struct smmu_vsmmu *v, u64 w[2])
{
	int fields = fields_of(w[0] & 0xff);
	u64 sid = 0;

	if (fields < 0 || check_command(v->iommu, w, (u32)fields))
		return -EIO;
	if ((w[0] & 0xff) == CMD_TLBI_NSNH_ALL) {
		/* Of all guests: of this one. */
		w[0] = CMD_TLBI_NH_ALL;
		fields = F_VMID;
	}
	if (fields & F_VMID)
		w[0] = (w[0] & ~FIELD(47, 32)) | (u64)v->s2->tag << CMD0_VMID;
	if (fields & F_SID) {
		if (stream_of(v, w[0] >> CMD0_SID, &sid))
			return -EIO;
		w[0] = (w[0] & ~FIELD(63, 32)) | sid << CMD0_SID;
	}
	return 0;
}

/* dup: entries that are shorter end in zeros, and there is at least one. */
static int copy_commands(struct smmu_cmd *cmd, const struct iommu_user_data_array *from)
{
	int ret = 0;

	if (from->type != IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 || !from->entry_num)
		return -EINVAL;
	if (from->entry_len == sizeof(*cmd))
		return copy_from_user(cmd, u64_to_user_ptr(from->uptr),
				      (u64)from->entry_num * sizeof(*cmd))
			       ? -EFAULT
			       : 0;
	for (u32 i = 0; i < from->entry_num && !ret; i++)
		ret = copy_struct_from_user(&cmd[i], sizeof(*cmd),
					    u64_to_user_ptr(from->uptr +
							    (u64)i * from->entry_len),
					    from->entry_len);
	return ret;
}

/*
 * custom: what stands before a command that is refused is done, and told as done. Linux
 * tells so, too, but has not handed the last of them to hardware.
 */
static int invalidate(struct iommufd_viommu *viommu, struct iommu_user_data_array *array)
{
	struct smmu_vsmmu *v = to_vsmmu(viommu);
	u32 n = array->entry_num, done = 0, batch = 1u << min(v->iommu->cmdq.lg2 - 1, 5u);
	struct smmu_cmd *cmd = kvcalloc(max(n, 1u), sizeof(*cmd), GFP_KERNEL);
	int ret;

	if (!cmd)
		return -ENOMEM;
	ret = copy_commands(cmd, array);
	while (!ret && done < n) {
		u32 k = 0;

		while (!ret && k < batch && done + k < n) {
			ret = convert(v, cmd[done + k].w);
			k += !ret;
		}
		if (k)
			smmu_cmdq_issue(v->iommu, &cmd[done], k);
		done += k;
	}
	kvfree(cmd);
	array->entry_num = done;
	return ret;
}

/* --- faults --- */

bool smmu_vsmmu_report(struct smmu_master *m, const u64 *record)
{
	struct iommu_vevent_arm_smmuv3 event;

	for (u32 i = 0; i < ARRAY_SIZE(event.evt); i++)
		event.evt[i] = record[i];
	event.evt[0] = (event.evt[0] & ~FIELD(63, 32)) | (u64)m->vsid << EVT0_SID;
	return !iommufd_viommu_report_event(&m->vsmmu->core, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3, &event,
					    sizeof(event));
}

void smmu_master_tell(struct smmu_master *m, struct smmu_vsmmu *vsmmu, unsigned long vsid)
{
	/* Only attaches change it, one at a time. */
	if (!m->vsmmu && !vsmmu)
		return;
	mutex_lock(&iommu_core()->report_lock);
	m->vsmmu = vsmmu;
	m->vsid = vsid;
	mutex_unlock(&iommu_core()->report_lock);
}

/* --- the vIOMMU --- */

/* dup: a number stands for one stream. */
static int vdevice_init(struct iommufd_viommu *viommu, struct device *dev)
{
	const struct smmu_master *m = dev_iommu_priv_get(dev);

	(void)viommu;
	return m->n_sid == 1 ? 0 : -EOPNOTSUPP;
}

static const struct iommufd_viommu_ops vsmmu_ops = {
	.alloc_domain_nested = alloc_nested,
	.cache_invalidate = invalidate,
	.vdevice_init = vdevice_init,
};

size_t smmu_viommu_size(struct device *dev, u32 type)
{
	const struct smmu_master *m = dev_iommu_priv_get(dev);

	if (!smmu_can_nest(m->iommu) || type != IOMMU_VIOMMU_TYPE_ARM_SMMUV3)
		return 0;
	return sizeof(struct smmu_vsmmu);
}

int smmu_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent,
		     const struct iommu_user_data *data)
{
	struct smmu_vsmmu *v = to_vsmmu(viommu);

	(void)data;
	v->iommu = container_of(viommu->iommu_dev, struct smmu_iommu, iommu);
	if (parent->owner != v->iommu->iommu.ops || to_smmu_domain(parent)->iommu != v->iommu)
		return -EINVAL;
	v->s2 = to_smmu_domain(parent);
	viommu->ops = &vsmmu_ops;
	return 0;
}
