/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The uAPI of VFIO as C structs: names, places and numbers of linux/vfio.h, 6.12.
 * core/uapi has the same as tables, which are checked against every hosted tree.
 */
#pragma once

#include "sim/base/types.h"

#define VFIO_IO(nr) ((u32)';' << 8 | (100u + (nr)))

enum vfio_nr {
	VFIO_GET_API_VERSION = 0x3b64,
	VFIO_CHECK_EXTENSION,
	VFIO_SET_IOMMU,
	VFIO_GROUP_GET_STATUS,
	VFIO_GROUP_SET_CONTAINER,
	VFIO_GROUP_UNSET_CONTAINER,
	VFIO_GROUP_GET_DEVICE_FD,
	VFIO_DEVICE_GET_INFO,
	VFIO_DEVICE_GET_REGION_INFO,
	VFIO_DEVICE_GET_IRQ_INFO,
	VFIO_DEVICE_SET_IRQS,
	VFIO_DEVICE_RESET,
	VFIO_IOMMU_GET_INFO,
	VFIO_IOMMU_MAP_DMA,
	VFIO_IOMMU_UNMAP_DMA,
	VFIO_IOMMU_DIRTY_PAGES = 0x3b75,
	VFIO_DEVICE_BIND_IOMMUFD,
	VFIO_DEVICE_ATTACH_IOMMUFD_PT,
	VFIO_DEVICE_DETACH_IOMMUFD_PT,
	VFIO_MIG_GET_PRECOPY_INFO,
	/* On a device's file these numbers mean something else. */
	VFIO_DEVICE_GET_PCI_HOT_RESET_INFO = 0x3b70,
	VFIO_DEVICE_PCI_HOT_RESET,
	VFIO_DEVICE_IOEVENTFD = 0x3b74,
	VFIO_DEVICE_FEATURE,
};

#define VFIO_API_VERSION 0

enum vfio_extension {
	VFIO_TYPE1_IOMMU = 1,
	VFIO_TYPE1v2_IOMMU = 3,
	VFIO_DMA_CC_IOMMU = 4,
	VFIO_TYPE1_NESTING_IOMMU = 6,
	VFIO_NOIOMMU_IOMMU = 8,
	VFIO_UNMAP_ALL = 9,
	VFIO_UPDATE_VADDR = 10,
};

struct vfio_info_cap_header { u16 id, version; u32 next; };

/* --- group --- */
#define VFIO_GROUP_FLAGS_VIABLE 1u
#define VFIO_GROUP_FLAGS_CONTAINER_SET 2u
struct vfio_group_status { u32 argsz, flags; };

/* --- container --- */
#define VFIO_IOMMU_INFO_PGSIZES 1u
#define VFIO_IOMMU_INFO_CAPS 2u
struct vfio_iommu_type1_info { u32 argsz, flags; u64 iova_pgsizes; u32 cap_offset, pad; };
struct vfio_iova_range { u64 start, end; };
#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1
#define VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION 2
#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL 3
struct vfio_iommu_type1_info_cap_iova_range {
	struct vfio_info_cap_header header;
	u32 nr_iovas, reserved;
	struct vfio_iova_range iova_ranges[];
};
struct vfio_iommu_type1_info_cap_migration {
	struct vfio_info_cap_header header;
	u32 flags;
	u64 pgsize_bitmap, max_dirty_bitmap_size;
};
struct vfio_iommu_type1_info_dma_avail { struct vfio_info_cap_header header; u32 avail; };

#define VFIO_DMA_MAP_FLAG_READ 1u
#define VFIO_DMA_MAP_FLAG_WRITE 2u
#define VFIO_DMA_MAP_FLAG_VADDR 4u
struct vfio_iommu_type1_dma_map { u32 argsz, flags; u64 vaddr, iova, size; };

#define VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP 1u
#define VFIO_DMA_UNMAP_FLAG_ALL 2u
#define VFIO_DMA_UNMAP_FLAG_VADDR 4u
struct vfio_iommu_type1_dma_unmap { u32 argsz, flags; u64 iova, size; };
struct vfio_bitmap { u64 pgsize, size, data; };

#define VFIO_IOMMU_DIRTY_PAGES_FLAG_START 1u
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP 2u
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP 4u
struct vfio_iommu_type1_dirty_bitmap { u32 argsz, flags; };
struct vfio_iommu_type1_dirty_bitmap_get { u64 iova, size; struct vfio_bitmap bitmap; };

/* --- device --- */
#define VFIO_DEVICE_BIND_FLAG_TOKEN 1u
#define VFIO_DEVICE_ATTACH_PASID 1u
#define VFIO_DEVICE_DETACH_PASID 1u
/* What begins with token_uuid_ptr and pasid is of 7.3. */
struct vfio_device_bind_iommufd {
	u32 argsz, flags;
	s32 iommufd;
	u32 out_devid;
	u64 token_uuid_ptr;
};
struct vfio_device_attach_iommufd_pt { u32 argsz, flags, pt_id, pasid; };
struct vfio_device_detach_iommufd_pt { u32 argsz, flags, pasid; };

#define VFIO_DEVICE_FLAGS_RESET 1u
#define VFIO_DEVICE_FLAGS_PCI 2u
#define VFIO_DEVICE_FLAGS_PLATFORM 4u
struct vfio_device_info { u32 argsz, flags, num_regions, num_irqs, cap_offset, pad; };

#define VFIO_REGION_INFO_FLAG_READ 1u
#define VFIO_REGION_INFO_FLAG_WRITE 2u
#define VFIO_REGION_INFO_FLAG_MMAP 4u
#define VFIO_REGION_INFO_FLAG_CAPS 8u
#define VFIO_REGION_INFO_CAP_TYPE 2
#define VFIO_REGION_INFO_CAP_MSIX_MAPPABLE 3
struct vfio_region_info_cap_type { struct vfio_info_cap_header header; u32 type, subtype; };
struct vfio_region_info { u32 argsz, flags, index, cap_offset; u64 size, offset; };

#define VFIO_IRQ_INFO_EVENTFD 1u
#define VFIO_IRQ_INFO_MASKABLE 2u
#define VFIO_IRQ_INFO_AUTOMASKED 4u
#define VFIO_IRQ_INFO_NORESIZE 8u
struct vfio_irq_info { u32 argsz, flags, index, count; };

#define VFIO_IRQ_SET_DATA_NONE 1u
#define VFIO_IRQ_SET_DATA_BOOL 2u
#define VFIO_IRQ_SET_DATA_EVENTFD 4u
#define VFIO_IRQ_SET_ACTION_MASK 8u
#define VFIO_IRQ_SET_ACTION_UNMASK 16u
#define VFIO_IRQ_SET_ACTION_TRIGGER 32u
#define VFIO_IRQ_SET_DATA_TYPES 7u
#define VFIO_IRQ_SET_ACTION_TYPES 0x38u
struct vfio_irq_set { u32 argsz, flags, index, start, count; };

enum vfio_pci_region {
	VFIO_PCI_BAR0_REGION_INDEX,
	VFIO_PCI_BAR5_REGION_INDEX = 5,
	VFIO_PCI_ROM_REGION_INDEX,
	VFIO_PCI_CONFIG_REGION_INDEX,
	VFIO_PCI_VGA_REGION_INDEX,
	VFIO_PCI_NUM_REGIONS,
};

enum vfio_pci_irq {
	VFIO_PCI_INTX_IRQ_INDEX,
	VFIO_PCI_MSI_IRQ_INDEX,
	VFIO_PCI_MSIX_IRQ_INDEX,
	VFIO_PCI_ERR_IRQ_INDEX,
	VFIO_PCI_REQ_IRQ_INDEX,
	VFIO_PCI_NUM_IRQS,
};

#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID 1u
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED 2u
#define VFIO_PCI_DEVID_OWNED 0
#define VFIO_PCI_DEVID_NOT_OWNED (-1)
struct vfio_pci_dependent_device { u32 id; u16 segment; u8 bus, devfn; };
struct vfio_pci_hot_reset_info { u32 argsz, flags, count; };
struct vfio_pci_hot_reset { u32 argsz, flags, count; };
struct vfio_device_ioeventfd { u32 argsz, flags; u64 offset, data; s32 fd; u32 reserved; };

#define VFIO_DEVICE_FEATURE_MASK 0xffffu
#define VFIO_DEVICE_FEATURE_GET 0x10000u
#define VFIO_DEVICE_FEATURE_SET 0x20000u
#define VFIO_DEVICE_FEATURE_PROBE 0x40000u
enum vfio_feature {
	VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	VFIO_DEVICE_FEATURE_MIGRATION,
	VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
	VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
	VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
	VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
	VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
	VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
	VFIO_DEVICE_FEATURE_BUS_MASTER,
	VFIO_DEVICE_FEATURE_DMA_BUF,
	VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2,
	VFIO_DEVICE_FEATURES,
};
struct vfio_device_feature { u32 argsz, flags; };
struct vfio_device_feature_migration { u64 flags; };
struct vfio_device_feature_mig_state { u32 device_state; s32 data_fd; };
struct vfio_device_low_power_entry_with_wakeup { s32 wakeup_eventfd; u32 reserved; };
struct vfio_device_feature_dma_logging_range { u64 iova, length; };
struct vfio_device_feature_dma_logging_control {
	u64 page_size;
	u32 num_ranges, reserved;
	u64 ranges;
};
struct vfio_device_feature_dma_logging_report { u64 iova, length, page_size, bitmap; };
struct vfio_device_feature_mig_data_size { u64 stop_copy_length; };
struct vfio_device_feature_bus_master { u32 op; };
struct vfio_region_dma_range { u64 offset, length; };
/* Ranges follow. */
struct vfio_device_feature_dma_buf { u32 region_index, open_flags, flags, nr_ranges; };
#define VFIO_DEVICE_FEATURE_CLEAR_MASTER 0u
#define VFIO_DEVICE_FEATURE_SET_MASTER 1u
struct vfio_precopy_info { u32 argsz, flags; u64 initial_bytes, dirty_bytes; };

#define VFIO_MIGRATION_STOP_COPY 1u
#define VFIO_MIGRATION_P2P 2u
#define VFIO_MIGRATION_PRE_COPY 4u
enum vfio_device_mig_state {
	VFIO_DEVICE_STATE_ERROR,
	VFIO_DEVICE_STATE_STOP,
	VFIO_DEVICE_STATE_RUNNING,
	VFIO_DEVICE_STATE_STOP_COPY,
	VFIO_DEVICE_STATE_RESUMING,
	VFIO_DEVICE_STATE_RUNNING_P2P,
	VFIO_DEVICE_STATE_PRE_COPY,
	VFIO_DEVICE_STATE_PRE_COPY_P2P,
	VFIO_DEVICE_NUM_STATES,
};
