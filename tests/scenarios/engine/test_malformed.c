// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each kind of wrong input, with the place and the words of its complaint.
 * A row's text is a whole file; rows that only change one line of a good file
 * are written with the pieces below.
 */
#include "scenarios/engine/scenario.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE                                                \
	"machine:\n"                                           \
	"  iommus: {smmu0: {model: mock}}\n"                   \
	"  buses: {pci0: {kind: pci, iommu: smmu0}}\n"         \
	"  devices: {nic0: {bus: pci0, bdf: \"00:01.0\"}}\n"
#define TASKS "tasks:\n  t: [{probe: nic0}]\n"
/* One operation, in line 6 from column 7 on. */
#define OPERATION(op) MACHINE "tasks:\n  t: [" op "]\n"
/* Machines with one entry of their own. */
#define IOMMU(fields)                                        \
	"machine:\n  iommus: {smmu0: {" fields "}}\n"        \
	"  buses: {pci0: {kind: pci, iommu: smmu0}}\n"       \
	"  devices: {nic0: {bus: pci0, bdf: \"00:01.0\"}}\n" TASKS
#define BUS(fields)                                                                       \
	"machine:\n  iommus: {smmu0: {model: mock}}\n  buses: {pci0: {" fields "}}\n"     \
	"  devices: {nic0: {bus: pci0, bdf: \"00:01.0\"}}\n" TASKS
#define DEVICE(fields)                                                                    \
	"machine:\n  iommus: {smmu0: {model: mock}}\n"                                    \
	"  buses: {pci0: {kind: pci, iommu: smmu0}, plat: {kind: platform}}\n"            \
	"  devices: {nic0: {" fields "}}\n" TASKS
#define RESERVED(fields) MACHINE "  reserved:\n  - {" fields "}\n" TASKS

struct row {
	const char *text;
	unsigned line, column;
	const char *message; /* part of it */
};

static const struct row rows[] = {
	/* no mapping at all */
	{"", 1, 1, "empty, expected a scenario"},
	{"# nothing\n", 1, 1, "empty, expected a scenario"},
	{"- 1\n", 1, 1, "a list, expected a mapping"},
	{"hello\n", 1, 1, "a value, expected a mapping"},
	{"{}\n", 1, 1, "no 'tasks' in a scenario"},
	{MACHINE, 1, 1, "no 'tasks' in a scenario"},
	/* operations that wait for each other */
	{OPERATION("{wait: a}"), 6, 7, "'wait: a' of what nobody signals, expected a 'signal' of that name"},
	{OPERATION("{wait: a}, {signal: a}"), 6, 7, "'wait: a' never ends: its signal comes after it"},
	{OPERATION("{wait: a}, {signal: b}") "  u: [{wait: b}, {signal: a}]\n", 6, 7, "'wait: a' never ends"},
	{OPERATION("{signal: a}, {wait: a}, {wait: b}") "  u: [{probe: nic0}]\n", 6, 31,
	 "'wait: b' of what nobody signals"},
	/* not YAML */
	{"machine: [\n", 2, 1, "not YAML"},
	{"machine: {a: b\ntasks: {}\n", 2, 6, "not YAML"},
	{"a: b: c\n", 1, 5, "not YAML"},
	{"\tmachine: 1\n", 1, 1, "not YAML"},
	{"a: 'b\n", 2, 1, "not YAML"},
	{"a: @b\n", 1, 4, "not YAML"},
	{"a: !!int 3\n", 1, 4, "a tag, expected plain YAML"},
	{"a: !x [1]\n", 1, 4, "a tag, expected plain YAML"},
	{MACHINE TASKS "---\nmachine: x\n", 7, 1, "a second document"},
	{"? [a, b]\n: c\n", 1, 3, "a list or mapping as key"},
	{"a: *b\n", 1, 4, "alias '*b' has no anchor"},
	{"a: &b [*b]\n", 1, 8, "alias inside its own anchor"},
	{"a: \"x\\0y\"\n", 1, 4, "NUL in a string"},
	/* keys */
	{"machin: 1\n", 1, 1, "unknown key 'machin' in a scenario, expected about, machine, tasks, "
			      "bugs, expect or explore (did you mean 'machine'?)"},
	{MACHINE TASKS "zzzzzzzz: 1\n", 7, 1, "unknown key 'zzzzzzzz'"},
	{MACHINE TASKS TASKS, 7, 1, "'tasks' is here twice, expected it once (first in line 5)"},
	{MACHINE TASKS "about: [x]\n", 7, 8, "a list, expected a text"},
	{MACHINE TASKS "about:\n", 7, 7, "nothing, expected a text"},
	/* machine */
	{"machine: 5x/\n" TASKS, 1, 10, "no machine '5x/'"},
	{"machine: no-such\n" TASKS, 1, 10, "no machine 'no-such'"},
	{"machine: [1]\n" TASKS, 1, 10, "a list, expected a mapping or the name of a machine"},
	{"machine:\n" TASKS, 1, 9, "nothing, expected a mapping or the name of a machine"},
	{"machine: {}\n" TASKS, 1, 10, "no 'buses' in machine"},
	{"machine: {bus: {}}\n" TASKS, 1, 11, "unknown key 'bus' in machine"},
	{"machine: {buses: [], devices: {}}\n" TASKS, 1, 18, "a list, expected a mapping of names"},
	{"machine: {buses: {9a: {kind: pci}}, devices: {}}\n" TASKS, 1, 19, "'9a' is no name"},
	{"machine: {buses: {a: {kind: pci}, a: {kind: pci}}, devices: {}}\n" TASKS, 1, 35,
	 "'a' is here twice"},
	{"machine: {buses: {aaaaaaaaaabbbbbbbbbbccccccccccdd: {kind: pci}}, devices: {}}\n" TASKS, 1,
	 19, "name of 32 letters, expected at most 31"},
	/* an IOMMU */
	{IOMMU("model: smmuv9"), 2, 27, "unknown IOMMU model 'smmuv9', expected mock"},
	{IOMMU(""), 2, 19, "no 'model' in an IOMMU"},
	{IOMMU("model: mock, modle: 1"), 2, 33, "(did you mean 'model'?)"},
	{IOMMU("model: mock, pgsizes: 4096"), 2, 42, "a value, expected a list of page sizes"},
	{IOMMU("model: mock, pgsizes: [5000]"), 2, 43, "page size 5000, expected a power of two"},
	{IOMMU("model: mock, pgsizes: [1]"), 2, 43, "1 is out of range, expected 4096 to"},
	{IOMMU("model: mock, pgsizes: []"), 2, 42, "no page size"},
	{IOMMU("model: mock, aperture: 99"), 2, 43, "99 is out of range, expected 20 to 57"},
	{IOMMU("model: mock, aperture: -1"), 2, 43, "'-1' is no number"},
	{IOMMU("model: mock, aperture: 048"), 2, 43, "'048' is no number"},
	{IOMMU("model: mock, default_domain: dmaa"), 2, 49, "(did you mean 'dma'?)"},
	{IOMMU("model: mock, deferred_attach: yes"), 2, 50, "expected false or true"},
	/* a bus */
	{BUS("kind: pcie"), 3, 24, "unknown word 'pcie', expected pci or platform"},
	{BUS("iommu: smmu0"), 3, 17, "no 'kind' in a bus"},
	{BUS("kind: pci, iommu: smmu1"), 3, 36, "unknown IOMMU 'smmu1', expected smmu0 (did you "
						"mean 'smmu0'?)"},
	{BUS("kind: pci, parent: pci0"), 3, 37, "bus 'pci0' is its own ancestor, expected no cycle"},
	{BUS("kind: pci, parent: nowhere"), 3, 37, "unknown bus 'nowhere'"},
	{BUS("kind: pci, firmware: dt"), 3, 39, "unknown word 'dt', expected of or acpi"},
	/* a device */
	{DEVICE("bdf: \"00:01.0\""), 4, 19, "no 'bus' in a device"},
	{DEVICE("bus: pci9, bdf: \"00:01.0\""), 4, 25, "unknown bus 'pci9'"},
	{DEVICE("bus: pci0"), 4, 25, "on a PCI bus has no 'bdf'"},
	{DEVICE("bus: plat"), 4, 25, "on a platform bus has no 'sid'"},
	{DEVICE("bus: plat, bdf: \"00:01.0\""), 4, 36, "'bdf' on a platform bus, expected 'sid'"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\", sid: 3"), 4, 52, "'sid' on a PCI bus"},
	{DEVICE("bus: pci0, bdf: \"00:20.0\""), 4, 36, "'00:20.0' is no PCI address"},
	{DEVICE("bus: pci0, bdf: 1"), 4, 36, "'1' is no PCI address"},
	{DEVICE("bus: plat, sid: 4294967296"), 4, 36, "out of range"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\", driver: demo-nik"), 4, 55, "(did you mean 'demo-nic'?)"},
	/* what only plain functions have, where it would do nothing */
	{DEVICE("bus: plat, sid: 1, rom: true"), 4, 44, "'rom' of device 'nic0', expected it of PCI "
	 "functions only"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\", model: copy-engine, pm: true"), 4, 71,
	 "'pm' of device 'nic0', expected it of PCI functions only, on a machine without models"},
	{"machine:\n  iommus: {smmu0: {model: vtd}}\n  buses: {pci0: {kind: pci, iommu: smmu0}}\n"
	 "  devices: {nic0: {bus: pci0, bdf: \"00:01.0\", migration: true}}\n" TASKS, 4, 58,
	 "'migration' of device 'nic0'"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\", alias_of: nic0"), 4, 57, "is an alias of itself"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\", iommus: []"), 4, 55, "0 entries, expected 1 to 4"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\", ids: [1, 2, 3, 4, 5]"), 4, 52, "5 entries"},
	{DEVICE("bus: pci0, bdf: \"00:01.0\"}, b: {bus: pci0, bdf: \"00:01.0\""), 4, 68,
	 "device 'b' has the address of 'nic0'"},
	/* reserved regions */
	{RESERVED("device: nic0, start: 0xffffffffffffffff, length: 2, type: msi"), 6, 5,
	 "a wrapping region"},
	{RESERVED("device: nic1, start: 0, length: 4K, type: msi"), 6, 14, "unknown device 'nic1'"},
	{RESERVED("device: nic0, start: 0, length: 4K"), 6, 5, "no 'type' in a reserved region"},
	{RESERVED("device: nic0, start: 0, length: 4K, type: foo"), 6, 48, "unknown word 'foo'"},
	{RESERVED("device: nic0, start: 18446744073709551616, length: 1, type: msi"), 6, 27,
	 "is no number"},
	{RESERVED("device: nic0, start: 16777216T, length: 1, type: msi"), 6, 27, "is no number"},
	/* tasks and operations */
	{MACHINE "tasks: []\n", 5, 8, "a list, expected a mapping of tasks"},
	{MACHINE "tasks: {}\n", 5, 8, "no task, expected at least one"},
	{MACHINE "tasks: {t: []}\n", 5, 12, "an empty task"},
	{MACHINE "tasks: {t: {probe: nic0}}\n", 5, 12, "a mapping, expected a list of operations"},
	{MACHINE "tasks: {a-name-that-is-too-long-: [{probe: nic0}]}\n", 5, 9,
	 "task name of 24 letters, expected at most 23"},
	{OPERATION("{prob: nic0}"), 6, 8, "unknown operation 'prob'"},
	{OPERATION("{prob: nic0}"), 6, 8, "(did you mean 'probe'?)"},
	{OPERATION("{}"), 6, 7, "no operation in this entry"},
	{OPERATION("{ret: 0}"), 6, 7, "no operation in this entry"},
	{OPERATION("[probe, nic0]"), 6, 7, "a list, expected an operation"},
	{OPERATION("probe"), 6, 7, "no 'device' for probe"},
	{OPERATION("{probe: nic0, unbind: nic0}"), 6, 21, "second operation 'unbind' in one entry"},
	{OPERATION("{probe: nic7}"), 6, 15, "unknown device 'nic7', expected nic0"},
	{OPERATION("{probe: [nic0]}"), 6, 15, "a list, expected the name of one device"},
	{OPERATION("{probe: {dev: nic0}}"), 6, 16, "unknown key 'dev' in probe, expected device or ret"},
	{OPERATION("{claim: nic0}"), 6, 8, "no 'owner' for claim"},
	{OPERATION("{claim: {device: nic0, owner: [x]}}"), 6, 37, "a list, expected a name"},
	{OPERATION("{probe: nic0, ret: EBUSSY}"), 6, 26, "unknown error 'EBUSSY'"},
	{OPERATION("{probe: {device: nic0, ret: 0}, ret: 0}"), 6, 44, "'ret' is here twice"},
	{OPERATION("{probe: nic0, repeat: 0}"), 6, 29, "0 is out of range, expected 1 to 1024"},
	{OPERATION("{probe: nic0, repeat: 1000000000}"), 6, 29, "out of range"},
	{OPERATION("{probe: nic0, repeat: 1024}, {probe: nic0}"), 6, 36, "more than 1024 operations"},
	{OPERATION("{deferred: 1}"), 6, 18, "an argument, expected none"},
	{OPERATION("{bind: {device: nic0, driver: none}}"), 6, 37, "unknown driver 'none'"},
	{OPERATION("{map: {domain: d, iova: x, size: 4K}}"), 6, 31, "'x' is no number"},
	{OPERATION("{set_type: {device: nic0, type: dmafq}}"), 6, 39, "(did you mean 'dma-fq'?)"},
	/* the rest */
	{MACHINE TASKS "bugs: x\n", 7, 7, "a value, expected a list of bugs"},
	{MACHINE TASKS "bugs: [no-such-bug]\n", 7, 8, "unknown bug 'no-such-bug'"},
	{MACHINE TASKS "bugs: [iopf-lost-return, iopf-lost-return]\n", 7, 26,
	 "'iopf-lost-return' is here twice"},
	{MACHINE TASKS "expect: {}\n", 7, 9, "no 'finding' in expect"},
	{MACHINE TASKS "expect: {finding: [x]}\n", 7, 19, "a list, expected a part of the finding's title"},
	{MACHINE TASKS "explore: {runs: 0}\n", 7, 17, "0 is out of range"},
	{MACHINE TASKS "explore: {runs: 1e9}\n", 7, 17, "'1e9' is no number"},
	{MACHINE TASKS "explore: {policy: foo}\n", 7, 19, "unknown policy 'foo'"},
	{MACHINE TASKS "explore: {policy: posx}\n", 7, 19, "(did you mean 'pos'?)"},
	{MACHINE TASKS "explore: {oracles: [kasam]}\n", 7, 21, "(did you mean 'kasan'?)"},
	{MACHINE TASKS "explore: {run: 5}\n", 7, 11, "(did you mean 'runs'?)"},
};

Test(malformed, each_is_refused_at_its_place_with_its_reason)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct scenario_error err;
		struct scenario *s = scenario_parse("f.yaml", rows[i].text, strlen(rows[i].text), &err);

		cr_expect(!s, "row %zu was taken: %s", i, rows[i].text);
		cr_expect(err.line == rows[i].line && err.column == rows[i].column,
			  "row %zu at %u:%u, expected %u:%u: %s\n%s", i, err.line, err.column,
			  rows[i].line, rows[i].column, err.text, rows[i].text);
		cr_expect(strstr(err.text, rows[i].message), "row %zu says '%s', expected '%s'", i,
			  err.text, rows[i].message);
		cr_expect(!strchr(err.text, '\n'), "row %zu takes more than one line", i);
		scenario_free(s);
	}
	cr_expect(sizeof(rows) / sizeof(*rows) >= 60);
}

Test(malformed, the_good_parts_of_the_rows_are_good)
{
	static const char *const good[] = {
		MACHINE TASKS,
		IOMMU("model: mock, pgsizes: [4K, 2M, 1G], aperture: 39"),
		BUS("kind: pci, iommu: smmu0, firmware: acpi"),
		DEVICE("bus: plat, sid: 0x10, ids: [1, 2]"),
		RESERVED("device: nic0, start: 0x8000000, length: 1M, type: sw-msi"),
		OPERATION("{probe: nic0, ret: ENODEV, repeat: 2}"),
		OPERATION("deferred, {deferred: }, {deferred: {}}"),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct scenario_error err;
		struct scenario *s = scenario_parse("f.yaml", good[i], strlen(good[i]), &err);

		cr_expect(s, "row %zu: %u:%u: %s", i, err.line, err.column, err.text);
		scenario_free(s);
	}
}

Test(malformed, the_line_names_file_line_column_and_what_was_expected)
{
	struct scenario_error err;
	char line[1024];

	cr_assert(!scenario_parse("dir/f.yaml", "- 1\n", 4, &err));
	scenario_error_print(&err, line, sizeof(line));
	cr_expect_str_eq(line, "dir/f.yaml:1:1: a list, expected a mapping with 'machine' and 'tasks'");
}
