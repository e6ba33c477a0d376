// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runner of vectors: what is malformed is said with its place, and nothing of
 * the file is run; an expectation that does not hold fails its vector alone.
 */
#include "tests/kit/vectors.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct vectors_report run(const char *text)
{
	struct vectors_report r = {0};

	vectors_run_text(&hw_vtd_ops, "f", text, strlen(text), &r);
	return r;
}

static const struct {
	const char *text, *complaint;
} bad[] = {
	{"vector \"a\" spec \"1\"\nend\n", "f:1:1: the first statement has to be model"},
	{"model smmu\n", "f:1:1: expected model vtd"},
	{"model vtd\nvektor\n", "f:2:1: 'vektor': expected model, options"},
	{"model vtd\nvector \"a\"\nend\n", "f:2:1: expected \"title\" spec"},
	{"model vtd\nvector \"a\" spec \"\"\nend\n", "f:2:1: expected \"title\" spec"},
	{"model vtd\nvector \"a\" spec \"1\"\n", "f:2:1: it has no end"},
	{"model vtd\nvector \"a\" spec \"1\"\n  jump\nend\n", "f:3:3: \"a\": 'jump': no such"},
	{"model vtd\nvector \"a\" spec \"1\"\n  r32 0\nend\n", "f:3:7: \"a\": expected a value"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w16 0 0x10000\nend\n", "f:3:9: \"a\": '0x10000' is wider"},
	{"model vtd\nvector \"a\" spec \"1\"\n  r8 0 0x100\nend\n", "f:3:8: \"a\": '0x100' is wider"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w24 0 0\nend\n", "f:3:3: \"a\": 'w24': no such"},
	{"model vtd\nvector \"a\" spec \"1\"\n  mem 0x4 1\nend\n", "f:3:3: \"a\": 0x4: expected a mult"},
	{"model vtd\nvector \"a\" spec \"1\"\n  mem 16M 1\nend\n", "f:3:3: \"a\": 0x1000000: expected"},
	{"model vtd\nvector \"a\" spec \"1\"\n  fill 0 1<<40 0 0\nend\n", "f:3:3: \"a\": more words"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w32 x 1\nend\n", "f:3:7: \"a\": 'x': expected a number"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w32 1<<64 1\nend\n", "f:3:7: \"a\": a shift"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w64 0 0x10000000000000000\nend\n",
	 "f:3:9: \"a\": '0x10000000000000000': a number of more than 64 bits"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w64 0 0x40000000000000K\nend\n",
	 "a number of more than 64 bits"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w32 0 1\n  work\nend\n", "it expects nothing"},
	{"model vtd\ntable t x\n  w32 0 $x\nend\nrow t \"a\" spec \"1\" 1\n", "it expects nothing"},
	{"model vtd\nvector \"a\" spec \"1\"\n  dma read 0 0\nend\n", "f:3:14: \"a\": expected => "},
	{"model vtd\nvector \"a\" spec \"1\"\n  dma run 0 0 => abort\nend\n", "f:3:7: \"a\": 'run': exp"},
	{"model vtd\nvector \"a\" spec \"1\"\n  dma read 0 0 => maybe\nend\n", "f:3:19: \"a\": 'maybe'"},
	{"model vtd\nvector \"a\" spec \"1\"\n  dma read 0 0 => ok 0 x=1\nend\n", "f:3:24: \"a\": 'x=1'"},
	{"model vtd\nvector \"a\" spec \"1\"\n  at 0 work\nend\n", "f:3:3: \"a\": at N STATEMENT"},
	{"model vtd\nvector \"a\" spec \"1\"\n  at 1 jump\nend\n", "\"a\": 'jump': no such"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w32 \"0 1\nend\n", "f:3:7: the quote does not"},
	{"model vtd\nvector \"a\" spec \"1\"\n  w32 $x 1\nend\n", "f:3:7: \"a\": no parameter '$x'"},
	{"model vtd\nvector \"a\" spec \"1\"\n  use b\nend\n", "f:3:3: \"a\": use: expected a block"},
	{"model vtd\nblock b x\nend\nvector \"a\" spec \"1\"\n  use b\nend\n", "b needs x="},
	{"model vtd\nblock b\n  use b\nend\nvector \"a\" spec \"1\"\n  use b\nend\n", "deeper than 8"},
	{"model vtd\nblock b\nend\nblock b\nend\n", "f:4:7: 'b' is there already"},
	{"model vtd\nrow t \"a\" spec \"1\"\n", "f:2:1: row: expected a table's name"},
	{"model vtd\ntable t x\nend\nrow t \"a\" spec \"1\"\n", "f:4:1: t needs a value for x"},
	{"model vtd\ntable t x\nend\nrow t \"a\" spec \"1\" 1 2\n", "f:4:22: t has 1 values"},
	{"model vtd\nram 65M\n", "f:2:5: expected 4K to 64M"},
	{"model vtd\nconst A\n", "f:2:1: expected const NAME NUMBER"},
	{"model vtd\nvector \"a\" spec \"1\"\n  idle\n  options \"cm=1\"\nend\n", "before all other"},
	{"model vtd\n\x01\n", "f:2:1: byte 0x01: expected printable"},
};

Test(vectors, malformed_text_is_answered_with_its_place_and_nothing_runs)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct vectors_report r = run(bad[i].text);

		cr_expect(r.bad, "%zu: taken: %s", i, bad[i].text);
		cr_expect(strstr(r.text, bad[i].complaint), "%zu: '%s' is not in '%s'", i,
			  bad[i].complaint, r.text);
		cr_expect_eq(r.vectors, 0);
	}
}

static const struct {
	const char *body, *complaint;
} wrong[] = {
	{"r32 0 1", "the register is 0x60"},
	{"is 0 1", "the word is 0"},
	{"dma read 0 0x1000 => ok 0x2000", "got ok 0x1000"},
	{"dma read 0 0x1000 => abort or ok 0x1000 lg2=13", "lg2=12"},
	{"msi 0 0", "there was none"},
	{"at 5 work", "scheduling point 5 never came"},
	{"dma write 0 0xfee00000 => irq", "nothing took a deliver"},
	{"w32 0x18 1<<26\n w64 0x88 16\n idle", "work() had something to do"},
	{"refuse \"cm=1\" \"x\"", "the model was made"},
	{"refuse \"cm=2\" \"frob\"", "refused with: vtd: cm=2"},
};

Test(vectors, an_expectation_that_does_not_hold_fails_its_vector)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[512];
		struct vectors_report r;

		snprintf(text, sizeof(text),
			 "model vtd\nvector \"a\" spec \"1\"\n %s\nend\nvector \"b\" spec \"1\"\n r32 0 0x60\nend\n",
			 wrong[i].body);
		r = run(text);
		cr_expect(!r.bad && r.vectors == 2 && r.failed == 1, "%zu: %u of %u: %s", i, r.failed,
			  r.vectors, r.text);
		cr_expect(strstr(r.text, wrong[i].complaint), "%zu: '%s' is not in '%s'", i,
			  wrong[i].complaint, r.text);
	}
}

/* Every prefix, and every byte replaced: an answer, and no more than that. */
Test(vectors, broken_text_never_breaks_the_runner)
{
	const char *text = "model vtd\nconst A 3\nblock b x=1\n mem 8*$x 1\nend\n"
			   "table t p q=2\n use b x=$p\n w32 0x38 $q\n at 1 w32 0 0\nend\n"
			   "row t \"r\" spec \"1\" 1|A\nvector \"v\" spec \"2\"\n options \"cm=1\"\n"
			   " dma ats-read 1:2 0x10 nw => abort or ok 0 lg2=1\n is 8 1/3 or 2\nend\n";
	size_t len = strlen(text);
	char *copy = malloc(len + 1);

	for (size_t i = 0; i < len; i++) {
		static const char bytes[] = "\0\n\"$#=9a";
		struct vectors_report r = {0};

		vectors_run_text(&hw_vtd_ops, "f", text, i, &r);
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			memcpy(copy, text, len);
			copy[i] = bytes[b];
			memset(&r, 0, sizeof(r));
			vectors_run_text(&hw_vtd_ops, "f", copy, len, &r);
			cr_expect(r.bad ? r.text_len > 0 : r.vectors <= 2);
		}
	}
	free(copy);
}
