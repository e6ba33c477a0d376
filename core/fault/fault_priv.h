/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "core/fault/fault.h"

/* Whose memory a domain of a process is. It stays while the domain is attached. */
struct mm_struct *iommu_sva_mm(const struct iommu_domain *domain);
