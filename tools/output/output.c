// SPDX-License-Identifier: GPL-2.0-only
/*
 * Complaints, scenarios that are read with them, and documents.
 */
#include "tools/output/output.h"

#include "sim/base/assert.h"
#include "sim/base/text.h"
#include "sim/host/host.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const char *fmt, ...)
{
	char text[2048], plain[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sim_text_plain(plain, sizeof(plain), text, strlen(text));
	fflush(stdout);
	fprintf(stderr, "iommulab: %s\n", plain);
	return CLI_USAGE;
}

/* Kept until the file has been read: an error is one line, and all that is said. */
static void keep_note(void *self, const char *file, u32 line, const char *text)
{
	fprintf(self, "iommulab: %s:%u: %s\n", strcmp(file, "-") ? file : "standard input", line,
		text);
}

struct scenario *cli_read_scenario(const char *path, struct scenario_how how)
{
	struct scenario_error err;
	struct scenario *s;
	char text[1024], *notes = NULL;
	size_t size;

	how.note = keep_note;
	how.self = open_memstream(&notes, &size);
	sim_assert(how.self);
	s = scenario_read_how(path, &how, &err);
	fclose(how.self);
	if (s) {
		fputs(notes, stderr);
	} else {
		scenario_error_print(&err, text, sizeof(text));
		cli_fail("%s", text);
	}
	free(notes);
	return s;
}

struct json_object *cli_json_new(const char *command)
{
	struct json_object *doc = json_object_new_object();

	json_object_object_add(doc, "schema", json_object_new_int(CLI_SCHEMA));
	json_object_object_add(doc, "command", json_object_new_string(command));
	return doc;
}

struct json_object *cli_json_decimal(u64 value, u64 unit)
{
	char text[48];

	sim_assert(unit == 1000 || unit == 1000000);
	snprintf(text, sizeof(text), unit == 1000 ? "%llu.%03llu" : "%llu.%06llu",
		 (unsigned long long)(value / unit), (unsigned long long)(value % unit));
	return json_object_new_double_s((double)value / (double)unit, text);
}

int cli_json_write(struct json_object *doc, const char *path)
{
	const char *text = json_object_to_json_string_ext(
		doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t size = strlen(text);
	char err[160], *line = malloc(size + 2);
	bool ok;

	sim_assert(line);
	memcpy(line, text, size);
	memcpy(line + size, "\n", 2);
	ok = host_file_write(path, line, size + 1, err, sizeof(err));
	free(line);
	json_object_put(doc);
	return ok ? CLI_OK : cli_fail("--json: %s: %s", path, err);
}
