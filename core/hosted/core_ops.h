/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of core/uapi/ops.def that are no system calls and that a hosted
 * kernel performs (custom/core_ops.c): X(name, what its first arguments are, drivers
 * do it, which wait for the IOMMU). Others are refused before a story is run.
 */
#pragma once

#define HOSTED_CORE_OPS(X)                                                                         \
	X(register_iommu, ON_IOMMU, false)                                                         \
	X(unregister_iommu, ON_IOMMU, false)                                                       \
	X(add, ON_PLUG, false)                                                                     \
	X(remove, ON_PLUG, false)                                                                  \
	X(probe, ON_DEVICE, false)                                                                 \
	X(bind, ON_DEVICE, false)                                                                  \
	X(unbind, ON_DEVICE, false)                                                                \
	X(deferred, ON_NOTHING, false)                                                             \
	X(claim, ON_DEVICE, true)                                                                  \
	X(release, ON_DEVICE, false)                                                               \
	X(claim_group, ON_DEVICE, true)                                                            \
	X(release_group, ON_DEVICE, true)                                                          \
	X(alloc_domain, ON_DOMAIN_DEVICE, true)                                                    \
	X(free_domain, ON_DOMAIN, false)                                                           \
	X(attach, ON_DEVICE_DOMAIN, true)                                                          \
	X(detach, ON_DEVICE_DOMAIN, false)                                                         \
	X(attach_group, ON_DEVICE_DOMAIN, true)                                                    \
	X(detach_group, ON_DEVICE_DOMAIN, true)                                                    \
	X(replace, ON_DEVICE_DOMAIN, true)                                                         \
	X(map, ON_DOMAIN, false)                                                                   \
	X(unmap, ON_DOMAIN, false)                                                                 \
	X(resv, ON_DEVICE, true)                                                                   \
	X(dma, ON_DEVICE, false)                                                                   \
	X(dma_read, ON_DEVICE, false)                                                              \
	X(dma_write, ON_DEVICE, false)                                                             \
	X(page_request, ON_DEVICE, false)                                                          \
	X(sva_bind, ON_DEVICE, true)                                                               \
	X(sva_unbind, ON_DEVICE, true)                                                             \
	X(attach_pasid, ON_DEVICE_DOMAIN, true)                                                    \
	X(detach_pasid, ON_DEVICE_DOMAIN, true)
