/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the place of the tree's: firmware is the runtime, and says no more than
 * its tables.
 */
#pragma once

#define acpi_disabled 0
#define acpi_noirq 1
#define acpi_pci_disabled 1
