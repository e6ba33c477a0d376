// SPDX-License-Identifier: GPL-2.0-only
/*
 * Translation requests and translated requests (4.2).
 */
#include "hw/vtd/vtd_priv.h"

/* Whether the device may use address translation services at all (9.3, 9.4). */
bool vtd_translated_check(struct vtd_walk *w)
{
	const struct hw_req *req = w->req;

	if (!w->cfg.dte) {
		w->reason = w->cfg.legacy ? VTD_FR_CONTEXT_BLOCKS : VTD_FR_S_DTE;
		return false;
	}
	if (req->kind != HW_TRANSLATED)
		return true;
	/* 4.2.4: a translated address is used as it is. */
	w->pa = req->addr;
	w->lg2 = 12;
	w->flags = VTD_F_ALL | VTD_F_DIRTY;
	w->cfg.mode = VTD_MODE_PASS;
	if (req->addr >> w->v->k.haw)
		w->reason = w->cfg.legacy ? VTD_FR_BEYOND_WIDTH : VTD_FR_S_WIDTH;
	return !w->reason;
}

/* 4.2.3: the fields of a translation completion. */
void vtd_ats_done(struct vtd_walk *w, struct hw_resp *resp)
{
	if (!(w->req->access & HW_EXEC))
		resp->access &= (u8)~HW_EXEC;
	/* Without D, or where no write was asked for, the device must come again to write. */
	if (!(w->flags & VTD_F_DIRTY))
		resp->access &= (u8)~HW_WRITE;
	if (!resp->access)
		resp->pa = 0;
	/* N: whether the device may leave out snooping. */
	resp->no_snoop = !(w->flags & VTD_F_SNP) && !w->cfg.pgsnp;
}

bool vtd_recoverable(u8 reason)
{
	static const u8 reasons[] = {
		VTD_FR_BEYOND_WIDTH,  VTD_FR_WRITE,	  VTD_FR_READ,
		VTD_FR_FS_P,	      VTD_FR_FS_NEST_WIDTH, VTD_FR_FS_NEST_ROOT_READ,
		VTD_FR_FS_NEST_READ,  VTD_FR_FS_NEST_WRITE, VTD_FR_S_SS_P,
		VTD_FR_S_CANONICAL,   VTD_FR_S_USER,	    VTD_FR_S_EXECUTE,
		VTD_FR_S_WIDTH,	      VTD_FR_S_NEST_WIDTH,  VTD_FR_S_WRITE,
		VTD_FR_S_READ,
	};

	return memchr(reasons, reason, sizeof(reasons)) != NULL;
}
