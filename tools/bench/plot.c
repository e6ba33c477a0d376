// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows as a picture: one bar for each row that has a comparator, as long as the
 * logarithm of its ratio, from 1 to the left (faster) or to the right (slower);
 * a mark where the ratio must be. Below, a panel for each series: what a row costs
 * (logarithm) over how many there were already (logarithm), ours and the
 * comparator's. Plain SVG.
 */
#include "tools/bench/plot.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* --- series --- */

#define PANEL 220 /* height, with its title */
#define PANEL_TOP 30
#define PANEL_LOW 30

/* A logarithmic axis over whole decades. */
struct axis {
	int first, last; /* decades */
	double begin, end; /* pixels */
};

static double on_axis(const struct axis *a, double value)
{
	return a->begin + (decades(value) - a->first) / (a->last - a->first) * (a->end - a->begin);
}

/* Makes room for value; an axis begins with first > last. */
static void axis_widen(struct axis *a, double value)
{
	double at = decades(value);
	int low = (int)at - (at < (int)at), high = low + (at > low);

	a->first = low < a->first ? low : a->first;
	a->last = high > a->last ? high : a->last;
	a->last = a->last > a->first ? a->last : a->first + 1;
}

static bool is_of(struct json_object *row, const char *series)
{
	return !strcmp(string_of(row, "series"), series);
}

static void line_out(FILE *f, struct json_object *rows, const char *series, const char *key,
		     const struct axis axes[2])
{
	bool ours = !strcmp(key, "value");
	size_t n = json_object_array_length(rows);

	fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\"%s points=\"",
		ours ? "#36c" : "#888", ours ? "" : " stroke-dasharray=\"5 4\"");
	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		double value = number_of(row, key);

		if (is_of(row, series) && value > 0)
			fprintf(f, "%.1f,%.1f ", on_axis(&axes[0], number_of(row, "among")),
				on_axis(&axes[1], value));
	}
	fputs("\"/>\n", f);
}

static void grid_out(FILE *f, const struct axis axes[2])
{
	const struct axis *x = &axes[0], *y = &axes[1];

	for (int d = x->first; d <= x->last; d++) {
		double at = x->begin + (d - x->first) * (x->end - x->begin) / (x->last - x->first);

		fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
			at, y->begin, at, y->end);
		fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">1e%d</text>\n", at,
			y->begin + 14, d);
	}
	for (int d = y->first; d <= y->last; d++) {
		double at = y->begin + (d - y->first) * (y->end - y->begin) / (y->last - y->first);

		fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n",
			x->begin, at, x->end, at);
		fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">1e%d</text>\n",
			x->begin - 6, at + 4, d);
	}
}

/* The series that begins with row i, below y. */
static void panel_out(FILE *f, struct json_object *rows, size_t i, int y)
{
	struct json_object *first = json_object_array_get_idx(rows, i);
	const char *series = string_of(first, "series");
	struct axis axes[2] = {
		{99, -99, LEFT, LEFT + WIDTH},
		{99, -99, y + PANEL - PANEL_LOW, y + PANEL_TOP}};

	for (; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!is_of(row, series))
			continue;
		axis_widen(&axes[0], number_of(row, "among"));
		axis_widen(&axes[1], number_of(row, "value"));
		if (number_of(row, "baseline") > 0)
			axis_widen(&axes[1], number_of(row, "baseline"));
	}
	fprintf(f, "<text x=\"8\" y=\"%d\">", y + 18);
	text_out(f, series);
	fprintf(f, ": %s over how many there are</text>\n", string_of(first, "unit"));
	fprintf(f, "<text x=\"8\" y=\"%d\">solid: ours; dashed: ", y + 34);
	text_out(f, string_of(first, "against"));
	fputs("</text>\n", f);
	grid_out(f, axes);
	line_out(f, rows, series, "value", axes);
	line_out(f, rows, series, "baseline", axes);
}

/* Is row i the first of a series? */
static bool begins_series(struct json_object *rows, size_t i)
{
	const char *series = string_of(json_object_array_get_idx(rows, i), "series");

	if (!*series)
		return false;
	for (size_t k = 0; k < i; k++) {
		if (is_of(json_object_array_get_idx(rows, k), series))
			return false;
	}
	return true;
}

static void plot_out(struct json_object *rows, FILE *f)
{
	size_t n = json_object_array_length(rows), shown = 0, panels = 0;
	int y = 34, height;

	for (size_t i = 0; i < n; i++) {
		shown += number_of(json_object_array_get_idx(rows, i), "ratio") > 0;
		panels += begins_series(rows, i);
	}
	height = (int)shown * ROW + 50;
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		   "font-family=\"sans-serif\" font-size=\"11\">\n"
		   "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		LEFT + WIDTH + 80, height + (int)panels * PANEL);
	fprintf(f, "<text x=\"8\" y=\"12\">ratio to the comparator; mark: what it must be</text>\n");
	scale_out(f, height);
	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (number_of(row, "ratio") <= 0)
			continue;
		row_out(f, row, y);
		y += ROW;
	}
	for (size_t i = 0; i < n; i++) {
		if (!begins_series(rows, i))
			continue;
		panel_out(f, rows, i, height);
		height += PANEL;
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
