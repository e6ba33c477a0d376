/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The uAPI of /dev/iommu and of its selftest driver as C structs: names, places
 * and numbers of linux/iommufd.h, of linux/vfio.h (container) and of
 * iommufd_test.h. core/uapi has the same as tables, which are checked against
 * every hosted tree.
 */
#pragma once

#include "sim/base/types.h"

#define IOMMUFD_TYPE ';'
#define IOMMUFD_IO(nr) ((u32)IOMMUFD_TYPE << 8 | (nr))
#define IOMMUFD_CMD_BASE 0x80u
#define IOMMUFD_TEST_NR 0xa0u

enum iommufd_nr {
	IOMMUFD_CMD_DESTROY = 0x80,
	IOMMUFD_CMD_IOAS_ALLOC,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS,
	IOMMUFD_CMD_IOAS_COPY,
	IOMMUFD_CMD_IOAS_IOVA_RANGES,
	IOMMUFD_CMD_IOAS_MAP,
	IOMMUFD_CMD_IOAS_UNMAP,
	IOMMUFD_CMD_OPTION,
	IOMMUFD_CMD_VFIO_IOAS,
	IOMMUFD_CMD_HWPT_ALLOC,
	IOMMUFD_CMD_GET_HW_INFO,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP,
	IOMMUFD_CMD_HWPT_INVALIDATE,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC,
	IOMMUFD_CMD_IOAS_MAP_FILE,
	IOMMUFD_CMD_VIOMMU_ALLOC,
	IOMMUFD_CMD_VDEVICE_ALLOC,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS,
	IOMMUFD_CMD_VEVENTQ_ALLOC,
	IOMMUFD_CMD_HW_QUEUE_ALLOC,
	IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA,
};

struct iommu_destroy { u32 size, id; };
struct iommu_ioas_alloc { u32 size, flags, out_ioas_id; };
struct iommu_iova_range { u64 start, last; };
struct iommu_ioas_iova_ranges {
	u32 size, ioas_id, num_iovas, __reserved;
	u64 allowed_iovas, out_iova_alignment;
};
struct iommu_ioas_allow_iovas { u32 size, ioas_id, num_iovas, __reserved; u64 allowed_iovas; };

#define IOMMU_IOAS_MAP_FIXED_IOVA 1u
#define IOMMU_IOAS_MAP_WRITEABLE 2u
#define IOMMU_IOAS_MAP_READABLE 4u
struct iommu_ioas_map { u32 size, flags, ioas_id, __reserved; u64 user_va, length, iova; };
struct iommu_ioas_map_file { u32 size, flags, ioas_id; s32 fd; u64 start, length, iova; };
struct iommu_ioas_copy {
	u32 size, flags, dst_ioas_id, src_ioas_id;
	u64 length, dst_iova, src_iova;
};
struct iommu_ioas_unmap { u32 size, ioas_id; u64 iova, length; };
struct iommu_ioas_change_process { u32 size, __reserved; };

#define IOMMU_OPTION_RLIMIT_MODE 0u
#define IOMMU_OPTION_HUGE_PAGES 1u
#define IOMMU_OPTION_OP_SET 0u
#define IOMMU_OPTION_OP_GET 1u
struct iommu_option { u32 size, option_id; u16 op, __reserved; u32 object_id; u64 val64; };

#define IOMMU_VFIO_IOAS_GET 0u
#define IOMMU_VFIO_IOAS_SET 1u
#define IOMMU_VFIO_IOAS_CLEAR 2u
struct iommu_vfio_ioas { u32 size, ioas_id; u16 op, __reserved; };

#define IOMMU_HWPT_ALLOC_NEST_PARENT 1u
#define IOMMU_HWPT_ALLOC_DIRTY_TRACKING 2u
#define IOMMU_HWPT_FAULT_ID_VALID 4u
#define IOMMU_HWPT_ALLOC_PASID 8u
#define IOMMU_HWPT_DATA_NONE 0u
struct iommu_hwpt_alloc {
	u32 size, flags, dev_id, pt_id, out_hwpt_id, __reserved, data_type, data_len;
	u64 data_uptr;
	u32 fault_id, __reserved2;
};

#define IOMMU_HW_INFO_TYPE_NONE 0u
#define IOMMU_HW_INFO_TYPE_DEFAULT 0u
#define IOMMU_HW_INFO_FLAG_INPUT_TYPE 1u
#define IOMMU_HW_CAP_DIRTY_TRACKING 1u
#define IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED 8u
struct iommu_hw_info {
	u32 size, flags, dev_id, data_len;
	u64 data_uptr;
	u32 data_type; /* in and out */
	u8 out_max_pasid_log2, __reserved[3];
	u64 out_capabilities;
};

#define IOMMU_HWPT_DIRTY_TRACKING_ENABLE 1u
struct iommu_hwpt_set_dirty_tracking { u32 size, flags, hwpt_id, __reserved; };
#define IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR 1u
struct iommu_hwpt_get_dirty_bitmap {
	u32 size, hwpt_id, flags, __reserved;
	u64 iova, length, page_size, data;
};
struct iommu_hwpt_invalidate {
	u32 size, hwpt_id;
	u64 data_uptr;
	u32 data_type, entry_len, entry_num, __reserved;
};

struct iommu_fault_alloc { u32 size, flags, out_fault_id, out_fault_fd; };
struct iommu_hwpt_pgfault {
	u32 flags, dev_id, pasid, grpid, perm, __reserved;
	u64 addr;
	u32 length, cookie;
};
struct iommu_hwpt_page_response { u32 cookie, code; };

struct iommu_viommu_alloc {
	u32 size, flags, type, dev_id, hwpt_id, out_viommu_id, data_len, __reserved;
	u64 data_uptr;
};
struct iommu_vdevice_alloc { u32 size, viommu_id, dev_id, out_vdevice_id; u64 virt_id; };
struct iommufd_vevent_header { u32 flags, sequence; };
struct iommu_veventq_alloc {
	u32 size, flags, viommu_id, type, veventq_depth, out_veventq_id, out_veventq_fd, __reserved;
};

struct iommu_hw_queue_alloc {
	u32 size, flags, viommu_id, type, index, out_hw_queue_id;
	u64 nesting_parent_iova, length;
};
struct iommu_ioas_noiommu_get_pa {
	u32 size, flags, ioas_id, __reserved;
	u64 iova, length, out_phys;
};

/* --- linux/vfio.h: containers --- */

#define VFIO_API_VERSION 0
#define VFIO_IO(nr) IOMMUFD_IO(100u + (nr))
#define VFIO_GET_API_VERSION VFIO_IO(0)
#define VFIO_CHECK_EXTENSION VFIO_IO(1)
#define VFIO_SET_IOMMU VFIO_IO(2)
#define VFIO_IOMMU_GET_INFO VFIO_IO(12)
#define VFIO_IOMMU_MAP_DMA VFIO_IO(13)
#define VFIO_IOMMU_UNMAP_DMA VFIO_IO(14)

enum vfio_extension {
	VFIO_TYPE1_IOMMU = 1,
	VFIO_TYPE1v2_IOMMU = 3,
	VFIO_DMA_CC_IOMMU = 4,
	VFIO_NOIOMMU_IOMMU = 8,
	VFIO_UNMAP_ALL = 9,
};

#define VFIO_DMA_MAP_FLAG_READ 1u
#define VFIO_DMA_MAP_FLAG_WRITE 2u
#define VFIO_DMA_UNMAP_FLAG_ALL 2u
#define VFIO_IOMMU_INFO_PGSIZES 1u
#define VFIO_IOMMU_INFO_CAPS 2u
#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1u
#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL 3u
struct vfio_iommu_type1_dma_map { u32 argsz, flags; u64 vaddr, iova, size; };
struct vfio_iommu_type1_dma_unmap { u32 argsz, flags; u64 iova, size; };
struct vfio_iommu_type1_info { u32 argsz, flags; u64 iova_pgsizes; u32 cap_offset, pad; };
struct vfio_info_cap_header { u16 id, version; u32 next; };
struct vfio_iommu_type1_info_cap_iova_range {
	struct vfio_info_cap_header header;
	u32 nr_iovas, reserved;
};
struct vfio_iommu_type1_info_dma_avail { struct vfio_info_cap_header header; u32 avail; };

/* --- iommufd_test.h --- */

enum iommu_test_op {
	IOMMU_TEST_OP_ADD_RESERVED = 1,
	IOMMU_TEST_OP_MOCK_DOMAIN,
	IOMMU_TEST_OP_MD_CHECK_MAP,
	IOMMU_TEST_OP_MD_CHECK_REFS,
	IOMMU_TEST_OP_CREATE_ACCESS,
	IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_PAGES,
	IOMMU_TEST_OP_ACCESS_RW,
	IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
	IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
	IOMMU_TEST_OP_ACCESS_REPLACE_IOAS,
	IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
	IOMMU_TEST_OP_DIRTY,
	IOMMU_TEST_OP_MD_CHECK_IOTLB,
	IOMMU_TEST_OP_TRIGGER_IOPF,
	IOMMU_TEST_OP_DEV_CHECK_CACHE,
	IOMMU_TEST_OP_TRIGGER_VEVENT,
	IOMMU_TEST_OP_PASID_ATTACH,
	IOMMU_TEST_OP_PASID_REPLACE,
	IOMMU_TEST_OP_PASID_DETACH,
	IOMMU_TEST_OP_PASID_CHECK_HWPT,
	IOMMU_TEST_OP_DMABUF_GET,
	IOMMU_TEST_OP_DMABUF_REVOKE,
	IOMMU_TEST_OPS,
};

#define MOCK_APERTURE_START (1UL << 24)
#define MOCK_APERTURE_LAST ((1UL << 31) - 1)
#define MOCK_FLAGS_ACCESS_WRITE 1u
#define MOCK_FLAGS_ACCESS_SYZ (1u << 16)
#define MOCK_ACCESS_RW_WRITE 1u
#define MOCK_ACCESS_RW_SLOW_PATH 4u
#define MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES 1u
#define MOCK_FLAGS_DEVICE_NO_DIRTY 1u
#define MOCK_FLAGS_DEVICE_HUGE_IOVA 2u
#define MOCK_FLAGS_DEVICE_PASID 4u
#define MOCK_PASID_WIDTH 20
#define IOMMU_TEST_PASID_RESERVED 1024u
#define MOCK_NESTED_DOMAIN_IOTLB_NUM 4u

struct iommu_test_cmd {
	u32 size, op, id, __reserved;
	union {
		struct { u64 start, length; } add_reserved;
		struct { u32 out_stdev_id, out_hwpt_id, out_idev_id, dev_flags; } mock_domain;
		struct { u32 pt_id; } mock_domain_replace;
		struct { u64 iova, length, uptr; } check_map;
		struct { u64 length, uptr; u32 refs; } check_refs;
		struct { u32 out_access_fd, flags; } create_access;
		struct { u32 access_pages_id; } destroy_access_pages;
		struct {
			u32 flags, out_access_pages_id;
			u64 iova, length, uptr;
		} access_pages;
		struct { u64 iova, length, uptr; u32 flags; } access_rw;
		struct { u32 limit; } memory_limit;
		struct { u32 ioas_id; } access_replace_ioas;
		struct { u32 flags, pad; u64 iova, length, page_size, uptr, out_nr_dirty; } dirty;
		struct { u32 id, iotlb; } check_iotlb;
		struct { u32 dev_id, pasid, grpid, perm; u64 addr; } trigger_iopf;
		struct { u32 id, cache; } check_dev_cache;
		struct { u32 dev_id; } trigger_vevent;
		struct { u32 pasid, pt_id; } pasid_attach; /* and replace; id: a selftest device */
		struct { u32 pasid; } pasid_detach;
		struct { u32 pasid, hwpt_id; } pasid_check;
		struct { u32 length, open_flags; } dmabuf_get;
		struct { s32 dmabuf_fd; u32 revoked; } dmabuf_revoke;
	};
	u32 last;
};

#define IOMMU_HW_INFO_TYPE_SELFTEST 0xfeedbeefu
#define IOMMU_HW_INFO_SELFTEST_REGVAL 0xdeadbeefu
struct iommu_test_hw_info { u32 flags, test_reg; };
#define IOMMU_HWPT_DATA_SELFTEST 0xdeadu
struct iommu_hwpt_selftest { u32 iotlb, pagetable_type; };
#define MOCK_IOMMUPT_DEFAULT 0u
#define MOCK_IOMMUPT_HUGE 1u
#define IOMMU_HWPT_INVALIDATE_DATA_SELFTEST 0xdeadbeefu
#define IOMMU_TEST_INVALIDATE_FLAG_ALL 1u
struct iommu_hwpt_invalidate_selftest { u32 flags, iotlb_id; };
#define IOMMU_VIOMMU_TYPE_SELFTEST 0xdeadbeefu
#define IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST 0xdeadbeefu
#define IOMMU_HW_QUEUE_TYPE_SELFTEST 0xdeadbeefu
struct iommu_viommu_selftest { u32 in_data, out_data; u64 out_mmap_offset, out_mmap_length; };
struct iommu_viommu_invalidate_selftest { u32 flags, vdev_id, cache_id; };
#define IOMMU_VEVENTQ_TYPE_SELFTEST 0xbeefbeefu
struct iommu_viommu_event_selftest { u32 virt_id; };
#define IOMMU_TEST_DEV_CACHE_DEFAULT 0xbaddadu
#define MOCK_DEV_CACHE_NUM 4u
