/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where things lie in the registers, tables, commands and records of an SMMUv3
 * (Arm IHI 0070). Positions only: what they mean is said twice, once by the
 * model and once by the driver, so that one misreading does not hide in both.
 */
#pragma once

/* --- registers: offsets; the queues' indexes of page 1 --- */
#define SMMU_IDR0 0x00
#define SMMU_IDR1 0x04
#define SMMU_IDR2 0x08
#define SMMU_IDR3 0x0c
#define SMMU_IDR4 0x10
#define SMMU_IDR5 0x14
#define SMMU_IIDR 0x18
#define SMMU_AIDR 0x1c
#define SMMU_CR0 0x20
#define SMMU_CR0ACK 0x24
#define SMMU_CR1 0x28
#define SMMU_CR2 0x2c
#define SMMU_STATUSR 0x40
#define SMMU_GBPA 0x44
#define SMMU_AGBPA 0x48
#define SMMU_IRQ_CTRL 0x50
#define SMMU_IRQ_CTRLACK 0x54
#define SMMU_GERROR 0x60
#define SMMU_GERRORN 0x64
#define SMMU_GERROR_IRQ_CFG0 0x68
#define SMMU_GERROR_IRQ_CFG1 0x70
#define SMMU_GERROR_IRQ_CFG2 0x74
#define SMMU_STRTAB_BASE 0x80
#define SMMU_STRTAB_BASE_CFG 0x88
#define SMMU_CMDQ_BASE 0x90
#define SMMU_CMDQ_PROD 0x98
#define SMMU_CMDQ_CONS 0x9c
#define SMMU_EVENTQ_BASE 0xa0
#define SMMU_EVENTQ_PROD 0xa8
#define SMMU_EVENTQ_CONS 0xac
#define SMMU_EVENTQ_IRQ_CFG0 0xb0
#define SMMU_EVENTQ_IRQ_CFG1 0xb8
#define SMMU_EVENTQ_IRQ_CFG2 0xbc
#define SMMU_PRIQ_BASE 0xc0
#define SMMU_PRIQ_PROD 0xc8
#define SMMU_PRIQ_CONS 0xcc
#define SMMU_PRIQ_IRQ_CFG0 0xd0
#define SMMU_PRIQ_IRQ_CFG1 0xd8
#define SMMU_PRIQ_IRQ_CFG2 0xdc
#define SMMU_GATOS_CTRL 0x100
#define SMMU_GATOS_SID 0x108
#define SMMU_GATOS_ADDR 0x110
#define SMMU_GATOS_PAR 0x118
#define SMMU_PAGE1 0x10000
#define SMMU_MMIO_SIZE 0x20000

/* --- register fields: lowest bit, or the bit itself --- */
#define IDR0_S2P 0
#define IDR0_S1P 1
#define IDR0_TTF 2
#define IDR0_COHACC 4
#define IDR0_BTM 5
#define IDR0_HTTU 6
#define IDR0_HYP 9
#define IDR0_ATS 10
#define IDR0_NS1ATS 11
#define IDR0_ASID16 12
#define IDR0_MSI 13
#define IDR0_SEV 14
#define IDR0_ATOS 15
#define IDR0_PRI 16
#define IDR0_VMW 17
#define IDR0_VMID16 18
#define IDR0_CD2L 19
#define IDR0_TTENDIAN 21
#define IDR0_ATSRECERR 23
#define IDR0_STALL_MODEL 24
#define IDR0_TERM_MODEL 26
#define IDR0_ST_LEVEL 27
#define IDR1_SIDSIZE 0
#define IDR1_SSIDSIZE 6
#define IDR1_PRIQS 11
#define IDR1_EVENTQS 16
#define IDR1_CMDQS 21
#define IDR1_ATTR_PERMS_OVR 26
#define IDR3_HAD 2
#define IDR3_XNX 4
#define IDR3_RIL 10
#define IDR3_BBML 11
#define IDR5_OAS 0
#define IDR5_GRAN4K 4
#define IDR5_GRAN16K 5
#define IDR5_GRAN64K 6
#define IDR5_VAX 10
#define IDR5_STALL_MAX 16
#define CR0_SMMUEN 0x1u
#define CR0_PRIQEN 0x2u
#define CR0_EVENTQEN 0x4u
#define CR0_CMDQEN 0x8u
#define CR0_ATSCHK 0x10u
#define CR0_VMW 6 /* 3 bits */
#define CR2_E2H 0x1u
#define CR2_RECINVSID 0x2u
#define CR2_PTM 0x4u
#define CR2_REC_CFG_ATS 0x8u
#define GBPA_ABORT (1u << 20)
#define GBPA_UPDATE (1u << 31)
#define IRQ_GERROR 0x1u
#define IRQ_PRIQ 0x2u
#define IRQ_EVENTQ 0x4u
#define GERROR_CMDQ 0x1u
#define GERROR_EVENTQ_ABT 0x4u
#define GERROR_PRIQ_ABT 0x8u
#define GERROR_MSI_CMDQ_ABT 0x10u
#define GERROR_MSI_EVENTQ_ABT 0x20u
#define GERROR_MSI_PRIQ_ABT 0x40u
#define GERROR_MSI_GERROR_ABT 0x80u
#define PRIQ_IRQ_CFG2_LO (1u << 31)
#define STRTAB_CFG_SPLIT 6 /* 5 bits */
#define STRTAB_CFG_FMT 16  /* 2 bits */
#define Q_OVERFLOW (1u << 31)
#define CMDQ_CONS_ERR 24 /* 7 bits */
#define ATOS_RUN 0x1u
#define ATOS_SID_SSV 52
#define ATOS_ADDR_HTTUI 6
#define ATOS_ADDR_IND 7
#define ATOS_ADDR_RNW 8
#define ATOS_ADDR_PNU 9
#define ATOS_ADDR_TYPE 10 /* 2 bits */
#define ATOS_PAR_REASON 1
#define ATOS_PAR_FAULTCODE 4
#define ATOS_PAR_SH 8
#define ATOS_PAR_SIZE 11
#define ATOS_PAR_ATTR 56

/* --- stream table: bits of word 0 to 3 --- */
#define L1STD_SPAN 0 /* 5 bits */
#define STE0_V 0
#define STE0_CONFIG 1
#define STE0_S1FMT 4
#define STE0_S1CDMAX 59
#define STE1_S1DSS 0
#define STE1_PPAR 18
#define STE1_MEV 19
#define STE1_S1STALLD 27
#define STE1_EATS 28
#define STE1_STRW 30
#define STE1_MEMATTR 32
#define STE1_MTCFG 36
#define STE1_ALLOCCFG 37
#define STE1_SHCFG 44
#define STE1_PRIVCFG 48
#define STE1_INSTCFG 50
#define STE2_S2VMID 0
#define STE2_S2T0SZ 32
#define STE2_S2SL0 38
#define STE2_S2TG 46
#define STE2_S2PS 48
#define STE2_S2AA64 51
#define STE2_S2ENDI 52
#define STE2_S2AFFD 53
#define STE2_S2PTW 54
#define STE2_S2HD 55
#define STE2_S2HA 56
#define STE2_S2S 57
#define STE2_S2R 58

/* --- context descriptor: bits of word 0 to 3 --- */
#define L1CD_V 0
#define CD0_T0SZ 0
#define CD0_TG0 6
#define CD0_EPD0 14
#define CD0_ENDI 15
#define CD0_T1SZ 16
#define CD0_TG1 22
#define CD0_EPD1 30
#define CD0_V 31
#define CD0_IPS 32
#define CD0_AFFD 35
#define CD0_WXN 36
#define CD0_TBI0 38
#define CD0_TBI1 39
#define CD0_PAN 40
#define CD0_AA64 41
#define CD0_HD 42
#define CD0_HA 43
#define CD0_S 44
#define CD0_R 45
#define CD0_A 46
#define CD0_ASET 47
#define CD0_ASID 48
#define CD1_HAD 1

/* --- commands --- */
#define CMD_PREFETCH_CONFIG 0x01
#define CMD_PREFETCH_ADDR 0x02
#define CMD_CFGI_STE 0x03
#define CMD_CFGI_STE_RANGE 0x04
#define CMD_CFGI_CD 0x05
#define CMD_CFGI_CD_ALL 0x06
#define CMD_TLBI_NH_ALL 0x10
#define CMD_TLBI_NH_ASID 0x11
#define CMD_TLBI_NH_VA 0x12
#define CMD_TLBI_NH_VAA 0x13
#define CMD_TLBI_EL2_ALL 0x20
#define CMD_TLBI_EL2_ASID 0x21
#define CMD_TLBI_EL2_VA 0x22
#define CMD_TLBI_EL2_VAA 0x23
#define CMD_TLBI_S12_VMALL 0x28
#define CMD_TLBI_S2_IPA 0x2a
#define CMD_TLBI_NSNH_ALL 0x30
#define CMD_ATC_INV 0x40
#define CMD_PRI_RESP 0x41
#define CMD_RESUME 0x44
#define CMD_STALL_TERM 0x45
#define CMD_SYNC 0x46
#define CMD0_G 9
#define CMD0_SSEC 10
#define CMD0_SSV 11
#define CMD0_SSID 12 /* 20 bits */
#define CMD0_SID 32
#define CMD0_NUM 12   /* 5 bits */
#define CMD0_SCALE 20 /* 5 bits */
#define CMD0_VMID 32
#define CMD0_ASID 48
#define CMD0_RESUME_AC 12
#define CMD0_RESUME_AB 13
#define CMD0_SYNC_CS 12 /* 2 bits */
#define CMD0_SYNC_DATA 32
#define CMD1_LEAF 0
#define CMD1_RANGE 0 /* 5 bits */
#define CMD1_SIZE 0  /* 6 bits */
#define CMD1_TTL 8
#define CMD1_TG 10
#define CMD1_STAG 0 /* 16 bits */
#define CMD1_PRI_GROUP 0 /* 9 bits */
#define CMD1_PRI_RESP 12 /* 2 bits */
#define CERROR_NONE 0
#define CERROR_ILL 1
#define CERROR_ABT 2
#define CERROR_ATC_INV_SYNC 3

/* --- event records --- */
#define F_UUT 0x01
#define C_BAD_STREAMID 0x02
#define F_STE_FETCH 0x03
#define C_BAD_STE 0x04
#define F_BAD_ATS_TREQ 0x05
#define F_STREAM_DISABLED 0x06
#define F_TRANSL_FORBIDDEN 0x07
#define C_BAD_SUBSTREAMID 0x08
#define F_CD_FETCH 0x09
#define C_BAD_CD 0x0a
#define F_WALK_EABT 0x0b
#define F_TRANSLATION 0x10
#define F_ADDR_SIZE 0x11
#define F_ACCESS 0x12
#define F_PERMISSION 0x13
#define EVT0_SSV 11
#define EVT0_SSID 12
#define EVT0_SID 32
#define EVT1_STAG 0
#define EVT1_STALL 31
#define EVT1_PNU 33
#define EVT1_IND 34
#define EVT1_RNW 35
#define EVT1_S2 39
#define EVT1_CLASS 40
#define EVT1_TTRNW 44

/* --- page requests --- */
#define PRIQ0_SSID 32
#define PRIQ0_PRIV 58
#define PRIQ0_EXEC 59
#define PRIQ0_READ 60
#define PRIQ0_WRITE 61
#define PRIQ0_LAST 62
#define PRIQ0_SSV 63
#define PRIQ1_GROUP 0
