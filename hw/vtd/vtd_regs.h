/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-d: where registers, fields and fault reasons are. Names and positions of
 * the Intel VT-d specification (rev. 4.x, chapters 5 to 11), nothing else; the
 * model and the driver share this file.
 */
#pragma once

#define VTD_BIT(n) (1ULL << (n))

/* Registers (11.4): offset. 8 bytes where the comment says so. */
#define VTD_VER 0x00
#define VTD_CAP 0x08 /* 8 */
#define VTD_ECAP 0x10 /* 8 */
#define VTD_GCMD 0x18
#define VTD_GSTS 0x1c
#define VTD_RTADDR 0x20 /* 8 */
#define VTD_CCMD 0x28 /* 8 */
#define VTD_FSTS 0x34
#define VTD_FECTL 0x38
#define VTD_FEDATA 0x3c
#define VTD_FEADDR 0x40
#define VTD_FEUADDR 0x44
#define VTD_AFLOG 0x58 /* 8 */
#define VTD_PMEN 0x64
#define VTD_IQH 0x80 /* 8 */
#define VTD_IQT 0x88 /* 8 */
#define VTD_IQA 0x90 /* 8 */
#define VTD_ICS 0x9c
#define VTD_IECTL 0xa0
#define VTD_IEDATA 0xa4
#define VTD_IEADDR 0xa8
#define VTD_IEUADDR 0xac
#define VTD_IQERCD 0xb0 /* 8 */
#define VTD_IRTA 0xb8 /* 8 */
#define VTD_PQH 0xc0 /* 8 */
#define VTD_PQT 0xc8 /* 8 */
#define VTD_PQA 0xd0 /* 8 */
#define VTD_PRS 0xdc
#define VTD_PECTL 0xe0
#define VTD_PEDATA 0xe4
#define VTD_PEADDR 0xe8
#define VTD_PEUADDR 0xec
/* These two are placed by ECAP.IRO and CAP.FRO; the model's places. */
#define VTD_IVA 0xf0 /* 8 */
#define VTD_IOTLB 0xf8 /* 8 */
#define VTD_FRCD 0x600 /* 16 each */
#define VTD_MMIO_SIZE 0x1000

/* CAP (11.4.2) */
#define VTD_CAP_ND_SHIFT 0
#define VTD_CAP_AFL VTD_BIT(3)
#define VTD_CAP_RWBF VTD_BIT(4)
#define VTD_CAP_PLMR VTD_BIT(5)
#define VTD_CAP_PHMR VTD_BIT(6)
#define VTD_CAP_CM VTD_BIT(7)
#define VTD_CAP_SAGAW_SHIFT 8
#define VTD_CAP_MGAW_SHIFT 16
#define VTD_CAP_ZLR VTD_BIT(22)
#define VTD_CAP_FRO_SHIFT 24
#define VTD_CAP_SSLPS_2M VTD_BIT(34)
#define VTD_CAP_SSLPS_1G VTD_BIT(35)
#define VTD_CAP_PSI VTD_BIT(39)
#define VTD_CAP_NFR_SHIFT 40
#define VTD_CAP_MAMV_SHIFT 48
#define VTD_CAP_DWD VTD_BIT(54)
#define VTD_CAP_DRD VTD_BIT(55)
#define VTD_CAP_FS1GP VTD_BIT(56)
#define VTD_CAP_PI VTD_BIT(59)
#define VTD_CAP_FS5LP VTD_BIT(60)
#define VTD_CAP_ECMDS VTD_BIT(61)
#define VTD_CAP_ESIRTPS VTD_BIT(62)
#define VTD_CAP_ESRTPS VTD_BIT(63)

/* ECAP (11.4.3) */
#define VTD_ECAP_C VTD_BIT(0)
#define VTD_ECAP_QI VTD_BIT(1)
#define VTD_ECAP_DT VTD_BIT(2)
#define VTD_ECAP_IR VTD_BIT(3)
#define VTD_ECAP_EIM VTD_BIT(4)
#define VTD_ECAP_PT VTD_BIT(6)
#define VTD_ECAP_SC VTD_BIT(7)
#define VTD_ECAP_IRO_SHIFT 8
#define VTD_ECAP_MHMV_SHIFT 20
#define VTD_ECAP_MTS VTD_BIT(25)
#define VTD_ECAP_NEST VTD_BIT(26)
#define VTD_ECAP_PRS VTD_BIT(29)
#define VTD_ECAP_ERS VTD_BIT(30)
#define VTD_ECAP_SRS VTD_BIT(31)
#define VTD_ECAP_NWFS VTD_BIT(33)
#define VTD_ECAP_EAFS VTD_BIT(34)
#define VTD_ECAP_PSS_SHIFT 35
#define VTD_ECAP_PASID VTD_BIT(40)
#define VTD_ECAP_DIT VTD_BIT(41)
#define VTD_ECAP_PDS VTD_BIT(42)
#define VTD_ECAP_SMTS VTD_BIT(43)
#define VTD_ECAP_VCS VTD_BIT(44)
#define VTD_ECAP_SSADS VTD_BIT(45)
#define VTD_ECAP_SSTS VTD_BIT(46)
#define VTD_ECAP_FSTS VTD_BIT(47)
#define VTD_ECAP_SMPWCS VTD_BIT(48)
#define VTD_ECAP_RPS VTD_BIT(49)
#define VTD_ECAP_PMS VTD_BIT(51)
#define VTD_ECAP_ADMS VTD_BIT(52)
#define VTD_ECAP_RPRIVS VTD_BIT(53)

/* GCMD and GSTS (11.4.4): a bit has the same place in both. */
#define VTD_G_TE VTD_BIT(31)
#define VTD_G_SRTP VTD_BIT(30)
#define VTD_G_SFL VTD_BIT(29)
#define VTD_G_EAFL VTD_BIT(28)
#define VTD_G_WBF VTD_BIT(27)
#define VTD_G_QIE VTD_BIT(26)
#define VTD_G_IRE VTD_BIT(25)
#define VTD_G_SIRTP VTD_BIT(24)
#define VTD_G_CFI VTD_BIT(23)

/* RTADDR.TTM (11.4.5) */
#define VTD_RTADDR_TTM_SHIFT 10
#define VTD_TTM_LEGACY 0
#define VTD_TTM_SCALABLE 1
#define VTD_TTM_ABORT 3

/* CCMD (11.4.6.1) and IOTLB (11.4.6.2) */
#define VTD_CCMD_ICC VTD_BIT(63)
#define VTD_CCMD_CIRG_SHIFT 61
#define VTD_CCMD_CAIG_SHIFT 59
#define VTD_CCMD_FM_SHIFT 32
#define VTD_CCMD_SID_SHIFT 16
#define VTD_IOTLB_IVT VTD_BIT(63)
#define VTD_IOTLB_IIRG_SHIFT 60
#define VTD_IOTLB_IAIG_SHIFT 57
#define VTD_IOTLB_DR VTD_BIT(49)
#define VTD_IOTLB_DW VTD_BIT(48)
#define VTD_IOTLB_DID_SHIFT 32
#define VTD_IVA_AM 0x3fULL
#define VTD_IVA_IH VTD_BIT(6)

/* FSTS (11.4.7) */
#define VTD_FSTS_PFO VTD_BIT(0)
#define VTD_FSTS_PPF VTD_BIT(1)
#define VTD_FSTS_IQE VTD_BIT(4)
#define VTD_FSTS_ICE VTD_BIT(5)
#define VTD_FSTS_ITE VTD_BIT(6)
#define VTD_FSTS_FRI_SHIFT 8

/* FECTL, IECTL, PECTL */
#define VTD_ECTL_IM VTD_BIT(31)
#define VTD_ECTL_IP VTD_BIT(30)

/* FRCD, second word (11.4.11) */
#define VTD_FRCD_F VTD_BIT(63)
#define VTD_FRCD_T1 VTD_BIT(62)
#define VTD_FRCD_AT_SHIFT 60
#define VTD_FRCD_PV_SHIFT 40
#define VTD_FRCD_FR_SHIFT 32
#define VTD_FRCD_PP VTD_BIT(31)
#define VTD_FRCD_EXE VTD_BIT(30)
#define VTD_FRCD_PRIV VTD_BIT(29)
#define VTD_FRCD_T2 VTD_BIT(28)
#define VTD_FRCD_IR_INDEX_SHIFT 48 /* first word, interrupt faults */

/* IQA, IQERCD (11.4.9) */
#define VTD_IQA_QS 0x7ULL
#define VTD_IQA_DW VTD_BIT(11)
#define VTD_ICS_IWC VTD_BIT(0)
#define VTD_IQERCD_ITESID_SHIFT 32
#define VTD_IQERCD_ICESID_SHIFT 48
#define VTD_IQEI_TAIL 1
#define VTD_IQEI_FETCH 2
#define VTD_IQEI_TYPE 3
#define VTD_IQEI_RESERVED 4
#define VTD_IQEI_WIDTH 5
#define VTD_IQEI_ALIGN 6
#define VTD_IQEI_TTM 7

/* IRTA (11.4.10), PQA, PRS (11.4.12) */
#define VTD_IRTA_S 0xfULL
#define VTD_IRTA_EIME VTD_BIT(11)
#define VTD_PRS_PPR VTD_BIT(0)
#define VTD_PRS_PRO VTD_BIT(1)

/* Root and context entries (9.1 to 9.4); words of 8 bytes. */
#define VTD_P VTD_BIT(0)
#define VTD_FPD VTD_BIT(1)
#define VTD_CTX_TT_SHIFT 2
#define VTD_CTX_AW 0x7ULL /* second word */
#define VTD_CTX_DID_SHIFT 8
#define VTD_TT_UNTRANSLATED 0
#define VTD_TT_DEVICE 1
#define VTD_TT_PASS 2
#define VTD_SCTX_DTE VTD_BIT(2)
#define VTD_SCTX_PASIDE VTD_BIT(3)
#define VTD_SCTX_PRE VTD_BIT(4)
#define VTD_SCTX_PDTS_SHIFT 9
#define VTD_SCTX_RID_PASID 0xfffffULL /* second word */
#define VTD_SCTX_RID_PRIV VTD_BIT(20)

/* PASID table entry (9.6): words 0, 1, 2. */
#define VTD_PE0_AW_SHIFT 2
#define VTD_PE0_PGTT_SHIFT 6
#define VTD_PE0_SSADE VTD_BIT(9)
#define VTD_PE1_DID 0xffffULL
#define VTD_PE1_PWSNP VTD_BIT(23)
#define VTD_PE1_PGSNP VTD_BIT(24)
#define VTD_PE2_SRE VTD_BIT(0)
#define VTD_PE2_ERE VTD_BIT(1)
#define VTD_PE2_FSPM_SHIFT 2
#define VTD_PE2_WPE VTD_BIT(4)
#define VTD_PE2_NXE VTD_BIT(5)
#define VTD_PE2_SMEP VTD_BIT(6)
#define VTD_PE2_EAFE VTD_BIT(7)
#define VTD_PGTT_FS 1
#define VTD_PGTT_SS 2
#define VTD_PGTT_NESTED 3
#define VTD_PGTT_PASS 4

/* Second-stage paging entries (9.8) */
#define VTD_SS_R VTD_BIT(0)
#define VTD_SS_W VTD_BIT(1)
#define VTD_SS_PS VTD_BIT(7)
#define VTD_SS_A VTD_BIT(8)
#define VTD_SS_D VTD_BIT(9)
#define VTD_SS_SNP VTD_BIT(11)
#define VTD_SS_TM VTD_BIT(62)

/* First-stage paging entries (9.7) */
#define VTD_FS_P VTD_BIT(0)
#define VTD_FS_RW VTD_BIT(1)
#define VTD_FS_US VTD_BIT(2)
#define VTD_FS_A VTD_BIT(5)
#define VTD_FS_D VTD_BIT(6)
#define VTD_FS_PS VTD_BIT(7)
#define VTD_FS_EA VTD_BIT(10)
#define VTD_FS_XD VTD_BIT(63)

/* Invalidation descriptors (6.5.2): type is bits 3:0 and 11:9. */
#define VTD_INV_CONTEXT 0x1
#define VTD_INV_IOTLB 0x2
#define VTD_INV_DEVTLB 0x3
#define VTD_INV_IEC 0x4
#define VTD_INV_WAIT 0x5
#define VTD_INV_PASID_IOTLB 0x6
#define VTD_INV_PASID_CACHE 0x7
#define VTD_INV_PASID_DEVTLB 0x8
#define VTD_INV_PAGE_RESPONSE 0x9
#define VTD_WAIT_IF VTD_BIT(4)
#define VTD_WAIT_SW VTD_BIT(5)
#define VTD_WAIT_FN VTD_BIT(6)
#define VTD_WAIT_PD VTD_BIT(7)

/* Interrupt-remapping table entry (9.9, 9.10) and posted descriptor (9.11) */
#define VTD_IRTE_IM VTD_BIT(15)
#define VTD_IRTE_URG VTD_BIT(14)
#define VTD_PID_ON VTD_BIT(0) /* word 4 */
#define VTD_PID_SN VTD_BIT(1)
#define VTD_INTERRUPT_BASE 0xfee00000ULL
#define VTD_INTERRUPT_LAST 0xfeefffffULL

/* Fault reasons (7.2.3): legacy mode. */
#define VTD_FR_ROOT_P 0x01        /* LRT.2 */
#define VTD_FR_CONTEXT_P 0x02     /* LCT.2 */
#define VTD_FR_CONTEXT_INVALID 0x03 /* LCT.4 */
#define VTD_FR_BEYOND_WIDTH 0x04  /* LGN.1 */
#define VTD_FR_WRITE 0x05         /* LGN.2 */
#define VTD_FR_READ 0x06          /* LGN.3 */
#define VTD_FR_SS_ACCESS 0x07     /* LSS.1 */
#define VTD_FR_ROOT_ACCESS 0x08   /* LRT.1 */
#define VTD_FR_CONTEXT_ACCESS 0x09 /* LCT.1 */
#define VTD_FR_ROOT_RESERVED 0x0a /* LRT.3 */
#define VTD_FR_CONTEXT_RESERVED 0x0b /* LCT.3 */
#define VTD_FR_SS_RESERVED 0x0c   /* LSS.2 */
#define VTD_FR_CONTEXT_BLOCKS 0x0d /* LCT.5 */
#define VTD_FR_INTERRUPT_ADDR 0x0e /* LGN.4 */
/* Interrupt remapping. */
#define VTD_FR_IR_REQUEST 0x20
#define VTD_FR_IR_INDEX 0x21
#define VTD_FR_IR_P 0x22
#define VTD_FR_IR_ACCESS 0x23
#define VTD_FR_IR_RESERVED 0x24
#define VTD_FR_IR_COMPAT 0x25
#define VTD_FR_IR_SID 0x26
#define VTD_FR_IR_PID_ACCESS 0x27
#define VTD_FR_IR_PID_RESERVED 0x28
/* Scalable mode. */
#define VTD_FR_TTM 0x30           /* SRTA.1 */
#define VTD_FR_TTM_PASID 0x31     /* SRTA.2 */
#define VTD_FR_TTM_PAGE 0x32      /* SRTA.3 */
#define VTD_FR_S_ROOT_ACCESS 0x38
#define VTD_FR_S_ROOT_P 0x39
#define VTD_FR_S_ROOT_RESERVED 0x3a
#define VTD_FR_S_CTX_ACCESS 0x40
#define VTD_FR_S_CTX_P 0x41
#define VTD_FR_S_CTX_RESERVED 0x42
#define VTD_FR_S_CTX_INVALID 0x43
#define VTD_FR_S_DTE 0x44
#define VTD_FR_S_PASIDE 0x45
#define VTD_FR_S_PASID_RANGE 0x46
#define VTD_FR_S_PRE 0x47
#define VTD_FR_S_RID_PASID 0x48
#define VTD_FR_S_DIR_ACCESS 0x50
#define VTD_FR_S_DIR_P 0x51
#define VTD_FR_S_DIR_RESERVED 0x52
#define VTD_FR_S_PE_ACCESS 0x58
#define VTD_FR_S_PE_P 0x59
#define VTD_FR_S_PE_RESERVED 0x5a
#define VTD_FR_S_PE_INVALID 0x5b
#define VTD_FR_S_ERE 0x5c
#define VTD_FR_S_SRE 0x5d
#define VTD_FR_FS_ACCESS 0x70     /* SFS.1 */
#define VTD_FR_FS_P 0x71
#define VTD_FR_FS_RESERVED 0x72
#define VTD_FR_FS_ROOT_ACCESS 0x73
#define VTD_FR_FS_NEST_WIDTH 0x74
#define VTD_FR_FS_NEST_ROOT_READ 0x75
#define VTD_FR_FS_NEST_READ 0x76
#define VTD_FR_FS_NEST_WRITE 0x77
#define VTD_FR_S_SS_ACCESS 0x78   /* SSS.1 */
#define VTD_FR_S_SS_P 0x79
#define VTD_FR_S_SS_RESERVED 0x7a
#define VTD_FR_S_SS_ROOT 0x7b
#define VTD_FR_S_SS_AD 0x7c
#define VTD_FR_S_CANONICAL 0x80   /* SGN.1 */
#define VTD_FR_S_USER 0x81
#define VTD_FR_S_EXECUTE 0x82
#define VTD_FR_S_WIDTH 0x83
#define VTD_FR_S_NEST_WIDTH 0x84
#define VTD_FR_S_WRITE 0x85
#define VTD_FR_S_READ 0x86
#define VTD_FR_S_INTERRUPT 0x87
#define VTD_FR_FS_AD 0x90         /* SFS.9 */
#define VTD_FR_FS_AD_UPDATE 0x91  /* SFS.10 */
