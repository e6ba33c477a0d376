// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator is splitmix64: one word of state a stream, every seed good,
 * two multiplications a draw. Streams start from the seed and their number.
 */
#include "sim/choice/choice.h"

#include "sim/base/assert.h"

void choice_seed(struct choice *c, u64 seed)
{
	u64 s = seed;

	c->seed = seed;
	for (unsigned i = 0; i < CHOICE_N; i++)
		c->stream[i] = (struct choice_source){.state = choice_step(&s)};
}

void choice_give(struct choice *c, enum choice_stream s, const u8 *bytes, size_t n)
{
	sim_assert(s < CHOICE_N);
	c->stream[s].bytes = bytes;
	c->stream[s].n_bytes = n;
	c->stream[s].at = 0;
}

bool choice_take(struct choice_source *src, unsigned n, u64 *value)
{
	u64 v = 0;

	if (src->n_bytes - src->at < n)
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

	if (choice_take(src, 8, &v))
		return v;
	return choice_step(&src->state);
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
