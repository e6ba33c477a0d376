// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields of one byte, and the numbers worth trying: addresses as (area,
 * offset), so that a map, an unmap and a DMA often meet, and lengths around
 * the page sizes. Any other value takes eight bytes of the data stream.
 */
#include "fuzz/op/fuzzop_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

#define RAW 255

static const u64 areas[] = {
	0, 0x100000, 0x1000000, 0x8000000, 0x10000000,
	0x40000000, 0xc0000000, 0xfee00000, 0xfff00000, 0x100000000,
	BIT_ULL(39), BIT_ULL(47), BIT_ULL(48) - 0x200000, BIT_ULL(48), 0xffffffffffe00000,
};

static const u64 offsets[16] = {
	0, 0x1000, 0x2000, 0x3000, 0x4000, 0x8000, 0x10000, 0x100000,
	0x1ff000, 0x200000, 0x201000, 0x400000, 1, 0x800, 0xfff, 0x1001,
};

static const u64 sizes[] = {
	0x1000, 0x2000, 0x3000, 0x4000, 0x10000, 0x100000, 0x1ff000, 0x200000,
	0x201000, 0x400000, 0x40000000, 0, 1, 0xfff, 0x1001, BIT_ULL(39), BIT_ULL(63),
	0xfffffffffffff000, 0xffffffffffffffff,
};

static void cannot(struct fuzzop_codec *c, const char *what)
{
	if (!c->why)
		c->why = what;
}

static u8 read_byte(struct fuzzop_codec *c)
{
	size_t at = c->at++;

	return at < c->n ? c->in[at] : 0;
}

static void write_byte(struct fuzzop_codec *c, u8 b)
{
	if (c->at < c->n)
		c->out[c->at] = b;
	else
		cannot(c, "more bytes than there is room for");
	c->at++;
}

u32 fuzzop_code(struct fuzzop_codec *c, u32 v, u32 n, const char *what)
{
	sim_assert(n > 0 && n <= 256);
	if (!c->encode)
		return read_byte(c) % n;
	if (v >= n)
		cannot(c, what);
	write_byte(c, (u8)v);
	return v;
}

/* Eight bytes, little endian. */
static u64 code_word(struct fuzzop_codec *c, u64 v)
{
	u64 got = 0;

	for (u32 i = 0; i < 64; i += 8)
		got |= (u64)fuzzop_code(c, v >> i & 255, 256, "") << i;
	return got;
}

static u32 num_byte(u64 v)
{
	for (u32 i = 0; i < ARRAY_SIZE(areas) * 16; i++)
		if (areas[i >> 4] + offsets[i & 15] == v)
			return i;
	return RAW;
}

u64 fuzzop_code_num(struct fuzzop_codec *c, struct fuzzop_codec *data, u64 v)
{
	u32 b = fuzzop_code(c, c->encode ? num_byte(v) : 0, 256, "");

	if (b >= ARRAY_SIZE(areas) * 16)
		return code_word(data, v);
	return areas[b >> 4] + offsets[b & 15];
}

static u32 size_byte(u64 v)
{
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i] == v)
			return i;
	return RAW;
}

u64 fuzzop_code_size(struct fuzzop_codec *c, struct fuzzop_codec *data, u64 v)
{
	u32 b = fuzzop_code(c, c->encode ? size_byte(v) : 0, 256, "");

	return b == RAW ? code_word(data, v) : sizes[b % ARRAY_SIZE(sizes)];
}
