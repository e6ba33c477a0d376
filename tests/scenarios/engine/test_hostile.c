// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inputs made to hurt: bytes that are no text, nesting, alias bombs, sizes.
 */
#include "scenarios/engine/scenario.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scenario_error refuse(const char *text, size_t size)
{
	struct scenario_error err;
	struct scenario *s = scenario_parse("f", text, size, &err);

	cr_assert(!s);
	cr_assert(err.text[0]);
	cr_expect(!strpbrk(err.text, "\n\r\x1b"), "one clean line: %s", err.text);
	return err;
}

static void expect_at(struct scenario_error err, unsigned line, unsigned column, const char *part)
{
	cr_expect(err.line == line && err.column == column, "%u:%u, expected %u:%u", err.line,
		  err.column, line, column);
	cr_expect(strstr(err.text, part), "'%s', expected '%s'", err.text, part);
}

Test(hostile, nul_bytes_have_a_place)
{
	expect_at(refuse("ab\nc\0d", 6), 2, 2, "NUL byte");
}

Test(hostile, broken_utf8_has_a_place)
{
	expect_at(refuse("a\xff", 2), 1, 2, "byte 0xff is not UTF-8");
	expect_at(refuse("\xc0\x80", 2), 1, 1, "byte 0xc0 is not UTF-8");
	expect_at(refuse("\xed\xa0\x80", 3), 1, 1, "byte 0xed is not UTF-8");
	expect_at(refuse("x\n\xe2\x82", 4), 2, 1, "byte 0xe2 is not UTF-8");
	expect_at(refuse("\xf5\x80\x80\x80", 4), 1, 1, "not UTF-8");
}

Test(hostile, control_characters_are_refused_and_not_echoed)
{
	expect_at(refuse("a: \x1b[2J\n", 8), 1, 4, "control character 0x1b");
	refuse("\"\\e[2J\": 1\n", 11);
}

Test(hostile, deep_nesting_stops_early)
{
	static char text[1 << 20];

	memset(text, '[', sizeof(text));
	expect_at(refuse(text, sizeof(text)), 1, 17, "nested more than 16 deep");
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "- ", 2);
	expect_at(refuse(text, sizeof(text)), 1, 33, "nested more than 16 deep");
}

Test(hostile, an_alias_bomb_is_no_bomb)
{
	static char text[8192];
	int n = sprintf(text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");

	for (int i = 1; i < 12; i++) {
		n += sprintf(text + n, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			n += sprintf(text + n, "%s*a%d", k ? "," : "", i - 1);
		n += sprintf(text + n, "]\n");
	}
	expect_at(refuse(text, (size_t)n), 5, 42, "aliases stand for more than 65536 nodes");
}

Test(hostile, too_many_anchors_are_refused)
{
	static char text[8192];
	int n = 0;

	for (int i = 0; i < 65; i++)
		n += sprintf(text + n, "k%d: &a%d x\n", i, i);
	expect_at(refuse(text, (size_t)n), 65, 6, "more than 64 anchors");
}

Test(hostile, anchors_and_aliases_within_bounds_work)
{
	static const char text[] =
		"machine:\n"
		"  iommus: {a: &m {model: mock}, b: *m}\n"
		"  buses: {pci0: {kind: pci, iommu: b}}\n"
		"  devices: {nic0: {bus: pci0, bdf: \"00:01.0\"}}\n"
		"tasks: {x: &ops [{probe: nic0}], y: *ops}\n";
	struct scenario_error err;
	struct scenario *s = scenario_parse("f", text, sizeof(text) - 1, &err);

	cr_assert(s, "%s", err.text);
	cr_expect(s->machine.n_iommus == 2 && s->n_tasks == 2 && s->n_ops == 2);
	scenario_free(s);
}

Test(hostile, a_thousand_million_devices_are_refused)
{
	static char text[1 << 20];
	int n = sprintf(text, "machine:\n  buses: {p: {kind: pci}}\n  devices:\n");

	for (int i = 0; i < 65; i++)
		n += sprintf(text + n, "    d%d: {bus: p, bdf: \"%02x:00.0\"}\n", i, i);
	n += sprintf(text + n, "tasks: {t: [deferred]}\n");
	expect_at(refuse(text, (size_t)n), 68, 5, "more than 64 devices");
	n = 0;
	for (int i = 0; i < 1100; i++)
		n += sprintf(text + n, "k%d: 1\n", i);
	expect_at(refuse(text, (size_t)n), 1025, 8, "more than 1024 entries");
}

Test(hostile, too_many_nodes_are_refused)
{
	static char text[1 << 20];
	int n = 0;

	for (int i = 0; i < 100; i++) {
		n += sprintf(text + n, "k%d: [", i);
		for (int k = 0; k < 1000; k++)
			n += sprintf(text + n, "1,");
		n += sprintf(text + n, "]\n");
	}
	cr_expect(strstr(refuse(text, (size_t)n).text, "more than 65536"));
}

Test(hostile, a_file_of_more_than_a_mebibyte_is_refused)
{
	size_t size = SCENARIO_FILE_MAX + 1;
	char *text = malloc(size);

	cr_assert(text);
	memset(text, '#', size);
	cr_expect(strstr(refuse(text, size).text, "expected at most 1048576"));
	free(text);
}

/* Every prefix of a good file, and every file with one byte changed: no crash. */
Test(hostile, prefixes_and_changed_bytes_never_crash)
{
	static const char good[] =
		"about: x\nmachine:\n  iommus: {s: {model: mock, pgsizes: [4K]}}\n"
		"  buses: {p: {kind: pci, iommu: s}, q: {kind: pci, parent: p}}\n"
		"  devices: {n: {bus: q, bdf: \"00:01.0\", driver: demo-nic}}\n"
		"  reserved: [{device: n, start: 1M, length: 4K, type: direct}]\n"
		"tasks: {t: [{claim: {device: n, owner: v}}, {probe: n, ret: EBUSY}]}\n"
		"expect: {finding: none}\nexplore: {runs: 3, policy: pos}\n";
	static const char changes[] = "\0\n:{[&*!'\"-\xff";
	char text[sizeof(good)];
	unsigned taken = 0;

	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		struct scenario_error err;
		struct scenario *s = scenario_parse("f", good, i, &err);

		taken += s != NULL;
		scenario_free(s);
		for (size_t k = 0; k < sizeof(changes) - 1; k++) {
			memcpy(text, good, sizeof(good));
			text[i] = changes[k];
			s = scenario_parse("f", text, sizeof(good) - 1, &err);
			cr_expect(s || err.text[0]);
			scenario_free(s);
		}
	}
	cr_expect(taken > 0 && taken < 200, "%u prefixes were taken", taken);
}

static struct scenario_error refuse_path(const char *path)
{
	struct scenario_error err;

	cr_assert(!scenario_read(path, &err));
	cr_expect_eq(err.line, 0);
	return err;
}

Test(hostile, paths_that_are_no_files)
{
	char dir[] = "/tmp/iommulab-hostile-XXXXXX", path[64];
	FILE *f;

	cr_assert(mkdtemp(dir));
	cr_expect(strstr(refuse_path(dir).text, "is a directory, expected a file"));
	cr_expect(strstr(refuse_path("/no/such/file.yaml").text, "No such file"));
	cr_expect(strstr(refuse_path("/dev/zero").text, "is too big"));
	snprintf(path, sizeof(path), "%s/secret.yaml", dir);
	f = fopen(path, "w");
	cr_assert(f);
	fputs("machine: x\n", f);
	fclose(f);
	cr_assert(chmod(path, 0) == 0);
	if (geteuid() != 0)
		cr_expect(strstr(refuse_path(path).text, "Permission denied"));
	unlink(path);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	cr_assert(mkfifo(path, 0600) == 0);
	{
		struct scenario_error err;

		cr_expect(!scenario_read(path, &err), "a FIFO without writer does not block");
	}
	unlink(path);
	rmdir(dir);
}

Test(hostile, an_error_in_a_machine_file_names_that_file)
{
	char path[] = "/tmp/iommulab-machine-XXXXXX";
	int fd = mkstemp(path);
	char text[256], line[1024];
	struct scenario_error err;

	cr_assert(fd >= 0);
	cr_assert(write(fd, "buses: {}\ndevises: {}\n", 22) == 22);
	close(fd);
	snprintf(text, sizeof(text), "machine: %s\ntasks: {t: [deferred]}\n", path);
	cr_assert(!scenario_parse("f.yaml", text, strlen(text), &err));
	unlink(path);
	scenario_error_print(&err, line, sizeof(line));
	cr_expect(strncmp(line, path, strlen(path)) == 0, "%s", line);
	cr_expect(strstr(line, ":2:1: unknown key 'devises' in machine"), "%s", line);
}
