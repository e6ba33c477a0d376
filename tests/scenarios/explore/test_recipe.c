// SPDX-License-Identifier: GPL-2.0-only
#include "scenarios/explore/recipe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "iommulab1:0123abcd:dir/x.yaml@89ab4567:"

static struct recipe *parsed(const char *text)
{
	struct recipe *r = calloc(1, sizeof(*r));
	char err[512] = "";

	cr_assert(r && recipe_parse(text, strlen(text), r, err, sizeof(err)), "%s: %s", text, err);
	return r;
}

Test(recipe, what_is_printed_parses_to_the_same)
{
	static const char *const texts[] = {
		HEAD "rw:1:sc:",
		HEAD "rw(64):ffffffffffffffff:sc:",
		HEAD "mix(pct:3@7.19):2a:sc:nth=7",
		HEAD "list(T2@17>T1,T3%4>T2):0:sc:nth=3,drop=0,drop=5-9,drop=1023,poison=255",
		HEAD "list(T2@17>T1,T3!9.0,T3!9.1,T3%10>T2):0:sc:drop=2",
		HEAD "list:1:sc:oracle=kasan,oracle=leak",
		"iommulab1:0123abcd:a%20b%3A%40%2B%27.yaml@00000000:pos:1:sc:",
	};
	char again[1024];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct recipe *r = parsed(texts[i]);

		recipe_print(r, again, sizeof(again));
		cr_expect_str_eq(again, texts[i]);
		free(r);
	}
}

Test(recipe, the_parts_mean_what_they_say)
{
	struct recipe *r = parsed("iommulab1:0123abcd:a%20b.yaml@89ab4567:list(T2%4>T3):1f:sc:"
				  "nth=9,drop=2-3,poison=7,oracle=leak");

	cr_expect_str_eq(r->build, "0123abcd");
	cr_expect_str_eq(r->path, "a b.yaml");
	cr_expect_eq(r->content_hash, 0x89ab4567);
	cr_expect_str_eq(r->policy, "list");
	cr_expect_str_eq(r->arg, "T2%4>T3");
	cr_expect(r->seed == 0x1f && r->nth == 9 && r->poison == 7 && r->drop[0] == 12);
	cr_expect_str_eq(r->oracles, "leak");
	free(r);
}

static const struct {
	const char *text;
	unsigned column;
	const char *message;
} bad[] = {
	{"", 1, "no recipe"},
	{"iommulab2:0123abcd:", 1, "no recipe, expected iommulab1:"},
	{"iommulab1", 10, "the recipe ends, expected ':'"},
	{"iommulab1:0123:x", 11, "no build id, expected 8"},
	{"iommulab1:0123abcd", 19, "the recipe ends, expected ':' behind the build id"},
	{"iommulab1:0123abcd:@0:", 20, "no scenario"},
	{"iommulab1:0123abcd:x:", 21, "unexpected ':', expected '@'"},
	{"iommulab1:0123abcd:x%2:", 21, "bad escape"},
	{"iommulab1:0123abcd:x%00@", 21, "bad escape"},
	{"iommulab1:0123abcd:x@12:", 22, "content hash of 2 digits, expected 8"},
	{HEAD, 40, "no policy"},
	{HEAD "foo:1:sc:", 40, "unknown policy 'foo'"},
	{HEAD "poss:1:sc:", 40, "(did you mean 'pos'?)"},
	{HEAD "rw", 42, "the recipe ends, expected ':' behind the policy"},
	{HEAD "rw(3:1:sc:", 50, "the recipe ends in the policy's argument"},
	{HEAD "list(T2@17):1:sc:", 45, "no switch here"},
	{HEAD "list(T2@17>T1,):1:sc:", 53, "no switch here"},
	{HEAD "list(T2@17>T1,T99@1>T2):1:sc:", 54, "no switch here"},
	{HEAD "list(T2!17>T1):1:sc:", 45, "no switch here"},
	{HEAD "list(T2!17.):1:sc:", 45, "no switch here"},
	{HEAD "list(T2@17.1):1:sc:", 45, "no switch here"},
	{HEAD "rw:xyz:sc:", 43, "no seed, expected a hexadecimal number"},
	{HEAD "rw:11112222333344445:sc:", 43, "seed is too big"},
	{HEAD "rw:1:tso:", 45, "memory model 'tso' is not built yet, expected sc"},
	{HEAD "rw:1:sc", 47, "the recipe ends"},
	{HEAD "rw:1:sc:foo=1", 48, "unknown option 'foo'"},
	{HEAD "rw:1:sc:nth", 51, "the recipe ends, expected '='"},
	{HEAD "rw:1:sc:nth=x", 52, "no nth"},
	{HEAD "rw:1:sc:drop=1024", 53, "expected at most 1023"},
	{HEAD "rw:1:sc:poison=256", 55, "expected at most 255"},
	{HEAD "rw:1:sc:bug=nothing", 52, "unknown bug 'nothing'"},
	{HEAD "rw:1:sc:oracle=nobody", 55, "unknown oracle 'nobody'"},
	{HEAD "rw:1:sc:oracle=none,oracle=kasan", 67, "'kasan' beside another"},
	{HEAD "rw:1:sc:oracle=kasan,oracle=all", 68, "'all' beside another"},
	{HEAD "rw:1:sc:nth=1,", 54, "no option"},
	{HEAD "rw:1:sc:nth=1;", 53, "unexpected ';', expected ','"},
};

Test(recipe, malformed_ones_are_refused_with_their_column)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct recipe *r = calloc(1, sizeof(*r));
		char err[512] = "", want[32];

		cr_assert(r);
		cr_expect(!recipe_parse(bad[i].text, strlen(bad[i].text), r, err, sizeof(err)),
			  "row %zu was taken", i);
		snprintf(want, sizeof(want), "column %u:", bad[i].column);
		cr_expect(strncmp(err, want, strlen(want)) == 0, "row %zu: '%s', expected %s", i, err,
			  want);
		cr_expect(strstr(err, bad[i].message), "row %zu: '%s', expected '%s'", i, err,
			  bad[i].message);
		free(r);
	}
}

Test(recipe, every_prefix_and_changed_byte_is_survived)
{
	static const char good[] = HEAD "list(T2@17>T1,T3%4>T2):1f:sc:nth=3,drop=5-9,poison=7";
	struct recipe *r = calloc(1, sizeof(*r));
	char text[sizeof(good)], err[512];

	cr_assert(r);
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		recipe_parse(good, i, r, err, sizeof(err));
		for (int c = 0; c < 256; c++) {
			memcpy(text, good, sizeof(good));
			text[i] = (char)c;
			recipe_parse(text, sizeof(good) - 1, r, err, sizeof(err));
		}
	}
	cr_expect(recipe_parse(good, sizeof(good) - 1, r, err, sizeof(err)));
	free(r);
}

Test(recipe, joined_ones_are_split_and_columns_count_from_the_line)
{
	static const char text[] = " " HEAD "rw:1:sc: + " HEAD "pos:2:sc:\n";
	static const char wrong[] = HEAD "rw:1:sc: + " HEAD "foo:2:sc:";
	struct recipe *r = calloc(RECIPES_MAX, sizeof(*r));
	char err[512];

	cr_assert(r);
	cr_expect_eq(recipe_parse_all(text, sizeof(text) - 1, r, err, sizeof(err)), 2);
	cr_expect_str_eq(r[1].policy, "pos");
	cr_expect_eq(recipe_parse_all(wrong, sizeof(wrong) - 1, r, err, sizeof(err)), 0);
	cr_expect(strncmp(err, "column 90: unknown policy", 25) == 0, "%s", err);
	cr_expect_eq(recipe_parse_all("x", 1, r, err, sizeof(err)), 0);
	cr_expect_eq(recipe_parse_all("", 0, r, err, sizeof(err)), 0);
	free(r);
}

Test(recipe, points_survive_print_and_parse)
{
	static const struct switch_point p[] = {
		{.task = 0, .op = 0, .to = 3, .why = WHY_BLOCK},
		{.task = 2, .op = 17, .to = 1, .why = WHY_PREEMPT},
		{.task = 63, .op = 123456789, .to = 2, .why = WHY_BLOCK},
		{.task = 63, .op = 123456790, .to = 100, .why = WHY_CHANCE},
	};
	struct switch_point q[5];
	char text[128];
	size_t bad_at;

	cr_assert(recipe_points_print(p, 4, text, sizeof(text)));
	cr_expect_str_eq(text, "T0%0>T3,T2@17>T1,T63%123456789>T2,T63!123456790.100");
	cr_expect_eq(recipe_points_parse(text, strlen(text), q, 5, &bad_at), 4);
	cr_expect_eq(memcmp(p, q, sizeof(p)), 0);
	cr_expect(!recipe_points_print(p, 3, text, 20), "what does not fit is said");
}
