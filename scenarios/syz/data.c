// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data of program text: '...' with escapes, "hex", "$base64 of a zlib stream".
 */
#include "scenarios/syz/syz_priv.h"
#include "sim/base/assert.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static u64 decode_hex(struct syz *s, const struct node *d, u8 *to)
{
	const char *from = s->text + d->text;
	u64 n = 0;

	if (d->text_n % 2) {
		syz_fail(s, d->text, "%u hexadecimal digits, expected an even number", d->text_n);
		return 0;
	}
	for (u32 i = 0; i < d->text_n; i += 2) {
		int high = hex(from[i]), low = hex(from[i + 1]);

		if (high < 0 || low < 0) {
			syz_fail(s, d->text + i, "expected hexadecimal digits");
			return 0;
		}
		to[n++] = (u8)(high << 4 | low);
	}
	return n;
}

static u64 decode_ascii(struct syz *s, const struct node *d, u8 *to)
{
	static const char letters[] = "abfnrtv'\"\\", values[] = "\a\b\f\n\r\t\v'\"\\";
	const char *from = s->text + d->text;
	u64 n = 0;

	for (u32 i = 0; i < d->text_n; i++) {
		const char *letter;

		if (from[i] != '\\') {
			to[n++] = (u8)from[i];
			continue;
		}
		if (++i == d->text_n)
			break;
		if (from[i] == 'x' && i + 2 < d->text_n && hex(from[i + 1]) >= 0 &&
		    hex(from[i + 2]) >= 0) {
			to[n++] = (u8)(hex(from[i + 1]) << 4 | hex(from[i + 2]));
			i += 2;
			continue;
		}
		letter = from[i] ? strchr(letters, from[i]) : NULL;
		if (!letter) {
			syz_fail(s, d->text + i,
				 "unknown escape, expected \\xHH, \\a, \\b, \\f, \\n, "
				 "\\r, \\t, \\v, \\', \\\" or \\\\");
			return 0;
		}
		to[n++] = (u8)values[letter - letters];
	}
	return n;
}

static int base64(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static u64 decode_base64(struct syz *s, const struct node *d, u8 *to)
{
	u32 length = d->text_n, bits = 0, n_bits = 0;
	u64 n = 0;

	while (length && s->text[d->text + length - 1] == '=')
		length--;
	for (u32 i = 0; i < length; i++) {
		int digit = base64(s->text[d->text + i]);

		if (digit < 0) {
			syz_fail(s, d->text + i, "expected base64");
			return 0;
		}
		bits = bits << 6 | (u32)digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			to[n++] = (u8)(bits >> n_bits);
		}
	}
	return n;
}

/* A bomb stops at the size of the region. */
static u8 *inflate_all(struct syz *s, const struct node *d, u8 *from, u64 n, u64 *got)
{
	z_stream z = {.next_in = from, .avail_in = (uInt)n};
	u64 size = 0;
	u8 *to = NULL;
	int status = inflateInit(&z);

	sim_assert(status == Z_OK);
	while (status == Z_OK && z.total_out < SYZ_REGION) {
		size = size ? size * 2 : 4096;
		size = size < SYZ_REGION ? size : SYZ_REGION;
		to = realloc(to, size);
		sim_assert(to);
		z.next_out = to + z.total_out;
		z.avail_out = (uInt)(size - z.total_out);
		status = inflate(&z, Z_NO_FLUSH);
		if (status == Z_OK && !z.avail_in && z.avail_out)
			break;
	}
	*got = z.total_out;
	inflateEnd(&z);
	if (status != Z_STREAM_END)
		syz_fail(s, d->text,
			 z.total_out >= SYZ_REGION ? "compressed data of more than 16 MiB"
						   : "expected a zlib stream in base64");
	return to;
}

u8 *syz_decode(struct syz *s, const struct node *d, u64 *n)
{
	static u64 (*const decode[])(struct syz * s, const struct node *d, u8 *to) = {
		[DATA_ASCII] = decode_ascii,
		[DATA_HEX] = decode_hex,
		[DATA_BASE64] = decode_base64,
	};
	u8 *to = malloc((size_t)d->text_n + 1), *packed;

	sim_assert(to);
	*n = decode[d->data](s, d, to);
	if (d->data == DATA_BASE64 && !s->failed) {
		packed = to;
		to = inflate_all(s, d, packed, *n, n);
		free(packed);
	}
	if (s->failed || !*n) {
		free(to);
		*n = 0;
		return NULL;
	}
	return to;
}
