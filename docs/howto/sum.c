// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware of a device: adds the 512 words of a page and writes their sum to
 * another page, both at addresses that the driver gives as arguments. The
 * exit code is 1 when the device may not read or write there.
 */
#include <stdint.h>

#define REGISTER(offset) (*(volatile uint64_t *)(0xf0000000UL + (offset)))
#define DMA(iova) ((volatile uint64_t *)(0x400000000000UL + (iova)))

enum { FROM = 0x00, TO = 0x08, MAILBOX = 0x20, EXIT = 0x30, ABORTED = 0x38 };

static uint64_t add(volatile uint64_t *from, volatile uint64_t *to)
{
	uint64_t sum = 0;

	for (int i = 0; i < 512; i++) {
		sum += from[i];
		if (REGISTER(ABORTED))
			return 1;
	}
	*to = sum;
	REGISTER(MAILBOX) = sum;
	return REGISTER(ABORTED);
}

void _start(void)
{
	REGISTER(EXIT) = add(DMA(REGISTER(FROM)), DMA(REGISTER(TO)));
	for (;;)
		;
}
