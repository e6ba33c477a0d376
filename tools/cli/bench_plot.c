// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows as a picture: one bar for each row that has a comparator, as long as the
 * logarithm of its ratio, from 1 to the left (faster) or to the right (slower);
 * a mark where the ratio must be. Plain SVG.
 */
#include "tools/cli/bench_plot.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define ROW 20
#define LEFT 430
#define WIDTH 560
#define DECADES_LEFT 6.0  /* 1e-6 */
#define DECADES_RIGHT 2.0 /* 100 */

/* The decimal logarithm: by tens, then bit by bit of squares. */
static double decades(double x)
{
	double sum = 0;

	if (x < 1e-9)
		return -9;
	for (; x >= 10; sum++)
		x /= 10;
	for (; x < 1; sum--)
		x *= 10;
	for (double bit = 0.5; bit > 1e-5; bit /= 2) {
		x *= x;
		if (x < 10)
			continue;
		x /= 10;
		sum += bit;
	}
	return sum;
}

static double x_of(double ratio)
{
	double at = decades(ratio);

	at = at < -DECADES_LEFT ? -DECADES_LEFT : at > DECADES_RIGHT ? DECADES_RIGHT : at;
	return LEFT + (at + DECADES_LEFT) / (DECADES_LEFT + DECADES_RIGHT) * WIDTH;
}

static void text_out(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

static const char *string_of(struct json_object *row, const char *key)
{
	struct json_object *o = json_object_object_get(row, key);

	return o ? json_object_get_string(o) : "";
}

static double number_of(struct json_object *row, const char *key)
{
	return json_object_get_double(json_object_object_get(row, key));
}

static void scale_out(FILE *f, int height)
{
	double ratio = 1e-6;

	for (int d = -(int)DECADES_LEFT; d <= (int)DECADES_RIGHT; d++, ratio *= 10) {
		double x = x_of(ratio);

		fprintf(f, "<line x1=\"%.1f\" y1=\"30\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\"/>\n", x, x,
			height - 10, d ? "#ddd" : "#333");
		fprintf(f, "<text x=\"%.1f\" y=\"24\" text-anchor=\"middle\">1e%d</text>\n", x, d);
	}
}

static void row_out(FILE *f, struct json_object *row, int y)
{
	static const char *const colour[] = {"#888", "#3a7", "#c33"};
	double ratio = number_of(row, "ratio"), one = x_of(1), x = x_of(ratio), must = 0;
	const char *text = string_of(row, "must");
	bool gated = sscanf(text, "ratio <= %lf", &must) == 1 && must > 0;
	u32 state = !gated ? 0 : ratio <= must ? 1 : 2;

	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + 13);
	text_out(f, string_of(row, "name"));
	fprintf(f, "</text>\n<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\">",
		x < one ? x : one, y + 3, x < one ? one - x : x - one, ROW - 6, colour[state]);
	fputs("<title>", f);
	fprintf(f, "%s %s, ratio %s, ", string_of(row, "value"), string_of(row, "unit"),
		string_of(row, "ratio"));
	text_out(f, string_of(row, "against"));
	fputs("</title></rect>\n", f);
	if (gated)
		fprintf(f, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"black\" "
			   "stroke-width=\"2\"/>\n",
			x_of(must), y + 1, x_of(must), y + ROW - 1);
	fprintf(f, "<text x=\"%d\" y=\"%d\">%s</text>\n", LEFT + WIDTH + 8, y + 13,
		string_of(row, "ratio"));
}

static void plot_out(struct json_object *rows, FILE *f)
{
	size_t n = json_object_array_length(rows), shown = 0;
	int y = 34, height;

	for (size_t i = 0; i < n; i++)
		shown += number_of(json_object_array_get_idx(rows, i), "ratio") > 0;
	height = (int)shown * ROW + 50;
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		   "font-family=\"sans-serif\" font-size=\"11\">\n"
		   "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		LEFT + WIDTH + 80, height);
	fprintf(f, "<text x=\"8\" y=\"12\">ratio to the comparator; mark: what it must be</text>\n");
	scale_out(f, height);
	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (number_of(row, "ratio") <= 0)
			continue;
		row_out(f, row, y);
		y += ROW;
	}
	fputs("</svg>\n", f);
}

bool bench_plot(struct json_object *rows, const char *path, char *err, size_t err_size)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	bool ok;

	sim_assert(f);
	plot_out(rows, f);
	fclose(f);
	ok = host_file_write(path, text, size, err, err_size);
	free(text);
	return ok;
}
