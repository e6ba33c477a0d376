// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of recipe lines: any bytes give a recipe or one line that says
 * what is wrong; a recipe that was read prints as one that reads the same.
 */
#include "scenarios/explore/recipe.h"
#include "sim/base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_again(const struct recipe *a)
{
	static char text[RECIPE_TEXT_MAX], twice[RECIPE_TEXT_MAX];
	static struct recipe b;
	char err[256];

	recipe_print(a, text, sizeof(text));
	if (!recipe_parse(text, strlen(text), &b, err, sizeof(err)))
		sim_fatal("own recipe refused: %s\n%s", err, text);
	recipe_print(&b, twice, sizeof(twice));
	if (strcmp(text, twice))
		sim_fatal("read back as another recipe:\n%s\n%s", text, twice);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct recipe recipe[RECIPES_MAX];
	char err[256] = "";
	u32 n = recipe_parse_all((const char *)data, size, recipe, err, sizeof(err));

	sim_assert(n <= RECIPES_MAX);
	for (u32 i = 0; i < n; i++)
		check_again(&recipe[i]);
	if (!n)
		sim_assert(err[0] && !strchr(err, '\n'));
	return 0;
}
