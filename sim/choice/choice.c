// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator is splitmix64: one word of state a stream, every seed good,
 * two multiplications a draw. Streams start from the seed and their number.
 */
#include "sim/choice/choice.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"

static u64 splitmix(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void choice_seed(struct choice *c, u64 seed)
{
	u64 s = seed;

	c->seed = seed;
	for (unsigned i = 0; i < CHOICE_N; i++)
		c->stream[i] = (struct choice_source){.state = splitmix(&s)};
}

void choice_give(struct choice *c, enum choice_stream s, const u8 *bytes, size_t n)
{
	sim_assert(s < CHOICE_N);
	c->stream[s].bytes = bytes;
	c->stream[s].n_bytes = n;
	c->stream[s].at = 0;
}

/* Up to n given bytes, little endian; false when fewer than n are left. */
static bool take_bytes(struct choice_source *src, unsigned n, u64 *value)
{
	u64 v = 0;

	if (likely(src->n_bytes - src->at < n))
		return false;
	for (unsigned i = 0; i < n; i++)
		v |= (u64)src->bytes[src->at + i] << (8 * i);
	src->at += n;
	*value = v;
	return true;
}

u64 choice_word(struct choice *c, enum choice_stream s)
{
	struct choice_source *src = &c->stream[s];
	u64 v;

	if (take_bytes(src, 8, &v))
		return v;
	return splitmix(&src->state);
}

u32 choice_below(struct choice *c, enum choice_stream s, u32 n)
{
	struct choice_source *src = &c->stream[s];
	unsigned width = n <= 256 ? 1 : 4;
	u64 v;

	sim_assert(n > 0);
	if (n == 1)
		return 0;
	if (take_bytes(src, width, &v))
		return (u32)((v * n) >> (8 * width));
	return (u32)(((splitmix(&src->state) >> 32) * n) >> 32);
}

/*
 * -ln(1 - (i + 0.5) / 16) in 1/64ths: the exponential's quantiles. The last
 * sixteenth is refined by drawing again with the tail added.
 */
static const u8 quantile_64ths[16] = {2,  6,  11, 16, 21, 27,  33,  40,
				      48, 57, 68, 81, 97, 118, 149, 221};

u32 choice_distance(struct choice *c, enum choice_stream s, u32 mean)
{
	u32 q, jitter;
	u64 d;

	if (mean <= 1)
		return 1;
	q = choice_below(c, s, 256);
	jitter = q & 15;
	d = (u64)mean * quantile_64ths[q >> 4] / 64;
	d += (u64)mean * jitter / 256;
	return d < 1 ? 1 : d > 0x7fffffff ? 0x7fffffff : (u32)d;
}
