// SPDX-License-Identifier: GPL-2.0-only
#include "sim/base/text.h"

#include <string.h>

/* Bytes of the UTF-8 character at text and its code point; 0: broken. */
static size_t character(const unsigned char *text, size_t len, u32 *code)
{
	static const u32 least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = text[0];
	size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

	if (!n || n > len)
		return 0;
	*code = n == 1 ? c : c & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	return *code < least[n] || *code > 0x10ffff || *code >> 11 == 27 ? 0 : n;
}

static bool steers(u32 code)
{
	static const u32 range[][2] = {
		{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f},
		{0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
	};

	for (size_t i = 0; i < sizeof(range) / sizeof(*range); i++) {
		if (code >= range[i][0] && code <= range[i][1])
			return true;
	}
	return false;
}

size_t sim_text_plain(char *buf, size_t size, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *at = (const unsigned char *)text, *end = at + len;
	size_t used = 0;

	while (at < end) {
		u32 code;
		size_t n = character(at, (size_t)(end - at), &code);
		bool plain = n && !steers(code);
		size_t take = n ? n : 1, room = plain ? take : 4 * take;

		if (used + room >= size)
			break;
		if (plain)
			memcpy(buf + used, at, take);
		for (size_t i = 0; !plain && i < take; i++)
			memcpy(buf + used + 4 * i,
			       (const char[4]){'\\', 'x', hex[at[i] >> 4], hex[at[i] & 15]}, 4);
		used += room;
		at += take;
	}
	buf[used] = '\0';
	return used;
}
