// SPDX-License-Identifier: GPL-2.0-only
/* Against memcpy(), with what lies beside. */
#include "sim/base/copy.h"

#include <criterion/criterion.h>

#define SIZE_MAX_TRIED 200
#define BESIDE 80

Test(copy, of_any_size_it_is_memcpy_and_leaves_alone_what_lies_beside)
{
	unsigned char from[SIZE_MAX_TRIED], to[SIZE_MAX_TRIED + 2 * BESIDE], twin[sizeof(to)];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7 + 1);
	for (size_t n = 0; n <= SIZE_MAX_TRIED; n++) {
		memset(to, 0xee, sizeof(to));
		memset(twin, 0xee, sizeof(twin));
		copy_small(to + BESIDE, from, n);
		memcpy(twin + BESIDE, from, n);
		cr_assert_arr_eq(to, twin, sizeof(to), "%zu bytes", n);
	}
}
