// SPDX-License-Identifier: GPL-2.0-only
/*
 * The `machine:` section. Names are collected first, so that a reference may
 * stand before what it names; then each entry is read by table; last come the
 * checks on the whole: cycles, one address for two devices.
 */
#include "scenarios/engine/read_priv.h"

#include "hw/board/board.h"
#include "hw/dev/dev.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS(name, ...)                                         \
	static const char *const name##_list[] = {__VA_ARGS__};  \
	static const struct words name = {name##_list, ARRAY_SIZE(name##_list)}

WORDS(model_words, "mock", "mock-smmu", "vtd", "smmuv3");
WORDS(atc_words, "prompt", "late", "never");
WORDS(arch_words, "x86-64", "aarch64", "riscv64");
WORDS(kind_words, "pci", "platform");
WORDS(firmware_words, "of", "acpi");
WORDS(domain_words, "dma", "identity", "blocked");
WORDS(resv_words, "direct", "direct-relaxable", "reserved", "msi", "sw-msi");

/* --- one entry's fields --- */

static void read_model(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	int i = read_word(r, v, &model_words, "IOMMU model");

	(void)aux;
	if (i >= 0)
		snprintf(member, MACHINE_NAME_LEN, "%s", model_words.word[i]);
}

/* "key=value,key=value": what they mean is the model's affair (check_hardware). */
static void read_text(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	(void)aux;
	if (!read_kind(r, v, YAML_TEXT, "a text"))
		return;
	if (v->len >= MACHINE_TEXT_LEN)
		read_error(r, v, "a text of %u bytes, expected at most %d", v->len,
			   MACHINE_TEXT_LEN - 1);
	else
		memcpy(member, v->text, v->len + 1);
}

/* A relative name of a file that lies beside the one that is read; false: none does. */
static bool beside(const struct reader *r, const char *name, char path[HOST_PATH_MAX])
{
	const char *slash = strrchr(r->file, '/');
	int n;

	if (!slash || name[0] == '/' || !name[0])
		return false;
	n = snprintf(path, HOST_PATH_MAX, "%.*s/%s", (int)(slash - r->file), r->file, name);
	return n < HOST_PATH_MAX && host_file_exists(path);
}

/* As a path that can be opened: beside this file, else as it is (an example's name, too). */
static void read_firmware(struct reader *r, const struct yaml_node *v, void *member,
			  const void *aux)
{
	char path[HOST_PATH_MAX];

	read_text(r, v, member, aux);
	if (r->err->text[0] || !beside(r, member, path))
		return;
	if (strlen(path) >= MACHINE_TEXT_LEN)
		read_error(r, v, "a file whose path has %zu bytes, expected at most %d",
			   strlen(path), MACHINE_TEXT_LEN - 1);
	else
		strcpy(member, path);
}

static void read_arch(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	int i = read_word(r, v, &arch_words, "architecture");

	(void)aux;
	if (i >= 0)
		snprintf(member, MACHINE_NAME_LEN, "%s", arch_words.word[i]);
}

static void read_device_model(struct reader *r, const struct yaml_node *v, void *member,
			      const void *aux)
{
	const char *names[8];
	struct words w = {names, 0};
	int i;

	(void)aux;
	while (dev_model_name(w.n) && w.n < ARRAY_SIZE(names)) {
		names[w.n] = dev_model_name(w.n);
		w.n++;
	}
	i = read_word(r, v, &w, "device model");
	if (i >= 0)
		snprintf(member, MACHINE_NAME_LEN, "%s", names[i]);
}

static void read_pgsizes(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	u64 *bitmap = member;

	(void)aux;
	if (!read_kind(r, v, YAML_LIST, "a list of page sizes"))
		return;
	*bitmap = 0;
	for (const struct yaml_link *l = v->first; l; l = l->next) {
		u64 size = 0;

		if (!read_number(r, l->value, 4096, 1ULL << 63, &size))
			return;
		if (size & (size - 1))
			read_error(r, l->value, "page size %s, expected a power of two",
				   scenario_quote(l->value->text, l->value->len).text);
		*bitmap |= size;
	}
	if (!*bitmap)
		read_error(r, v, "no page size, expected at least one");
}

static void read_aperture(struct reader *r, const struct yaml_node *v, void *member,
			  const void *aux)
{
	u64 lg2;

	(void)aux;
	if (read_number(r, v, 20, 57, &lg2))
		*(u32 *)member = (u32)lg2;
}

static void read_iommu_member(struct reader *r, const struct yaml_node *v, void *member,
			      const void *aux)
{
	(void)aux;
	*(u32 *)member = read_iommu_ref(r, v);
}

static void read_bus_member(struct reader *r, const struct yaml_node *v, void *member,
			    const void *aux)
{
	(void)aux;
	*(u32 *)member = read_bus_ref(r, v);
}

static void read_device_member(struct reader *r, const struct yaml_node *v, void *member,
			       const void *aux)
{
	(void)aux;
	*(u32 *)member = read_device_ref(r, v);
}

static bool hex_field(const char **p, u32 digits, u32 max, u32 *value)
{
	*value = 0;
	for (u32 i = 0; i < digits; i++, (*p)++) {
		char c = **p;
		u32 digit = c >= '0' && c <= '9' ? (u32)(c - '0') :
			    c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 :
			    c >= 'A' && c <= 'F' ? (u32)(c - 'A') + 10 : 99;

		if (digit == 99)
			return false;
		*value = *value << 4 | digit;
	}
	return *value <= max;
}

static void read_bdf(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	const char *p = v->text;
	u32 bus, dev, fn;

	(void)aux;
	if (!read_kind(r, v, YAML_TEXT, "a PCI address \"00:01.0\""))
		return;
	if (hex_field(&p, 2, 0xff, &bus) && *p++ == ':' && hex_field(&p, 2, 0x1f, &dev) &&
	    *p++ == '.' && hex_field(&p, 1, 7, &fn) && !*p)
		*(u32 *)member = bus << 8 | dev << 3 | fn;
	else
		read_error(r, v, "'%s' is no PCI address, expected \"00:01.0\" (bus:device.function)",
			   scenario_quote(v->text, v->len).text);
}

static void read_sid(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	u64 sid;

	(void)aux;
	if (read_number(r, v, 0, 0xffffffff, &sid))
		*(u32 *)member = (u32)sid;
}

static void read_driver(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	struct words w = {kernel_driver_names, KERNEL_DRIVERS_N};
	int i = read_word(r, v, &w, "driver");

	(void)aux;
	if (i >= 0)
		snprintf(member, MACHINE_NAME_LEN, "%s", kernel_driver_names[i]);
}

/* A list of 1 to max entries, each given to one(). */
static void read_short_list(struct reader *r, const struct yaml_node *v, u32 max, u32 *n,
			    void (*one)(struct reader *r, const struct yaml_node *v, u32 *to),
			    u32 *to)
{
	if (!read_kind(r, v, YAML_LIST, "a list"))
		return;
	if (!v->n || v->n > max) {
		read_error(r, v, "%u entries, expected 1 to %u", v->n, max);
		return;
	}
	*n = 0;
	for (const struct yaml_link *l = v->first; l; l = l->next)
		one(r, l->value, &to[(*n)++]);
}

static void one_iommu(struct reader *r, const struct yaml_node *v, u32 *to)
{
	*to = read_iommu_ref(r, v);
}

static void one_id(struct reader *r, const struct yaml_node *v, u32 *to)
{
	read_sid(r, v, to, NULL);
}

static void read_iommus_of(struct reader *r, const struct yaml_node *v, void *member,
			   const void *aux)
{
	struct machine_device *d = member;

	(void)aux;
	read_short_list(r, v, MACHINE_DEVICE_IOMMUS_MAX, &d->n_iommus, one_iommu, d->iommus);
}

static void read_ids_of(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	struct machine_device *d = member;

	(void)aux;
	read_short_list(r, v, MACHINE_DEVICE_IDS_MAX, &d->n_ids, one_id, d->ids);
}

static void read_u64_any(struct reader *r, const struct yaml_node *v, void *member,
			 const void *aux)
{
	(void)aux;
	read_number(r, v, 0, ~0ULL, member);
}

#define FIELD(type, key, fn, member, aux, required) \
	{key, fn, offsetof(struct machine_##type, member), aux, required}

static const struct field iommu_fields[] = {
	FIELD(iommu, "model", read_model, model, NULL, true),
	FIELD(iommu, "options", read_text, options, NULL, false),
	FIELD(iommu, "pgsizes", read_pgsizes, pgsize_bitmap, NULL, false),
	FIELD(iommu, "aperture", read_aperture, aperture_lg2, NULL, false),
	FIELD(iommu, "default_domain", read_enum, default_domain, &domain_words, false),
	FIELD(iommu, "deferred_attach", read_bool, deferred_attach, NULL, false),
	FIELD(iommu, "no_blocking", read_bool, no_blocking, NULL, false),
	FIELD(iommu, "at_boot", read_bool, at_boot, NULL, false),
	FIELD(iommu, "fail_probe", read_bool, fail_probe, NULL, false),
};

static const struct field bus_fields[] = {
	FIELD(bus, "kind", read_enum, kind, &kind_words, true),
	FIELD(bus, "iommu", read_iommu_member, iommu, NULL, false),
	FIELD(bus, "parent", read_bus_member, parent, NULL, false),
	FIELD(bus, "acs", read_bool, acs, NULL, false),
	FIELD(bus, "alias", read_bool, alias, NULL, false),
	FIELD(bus, "firmware", read_enum, firmware, &firmware_words, false),
};

static const struct field device_fields[] = {
	FIELD(device, "bus", read_bus_member, bus, NULL, true),
	FIELD(device, "bdf", read_bdf, bdf, NULL, false),
	FIELD(device, "sid", read_sid, bdf, NULL, false),
	FIELD(device, "model", read_device_model, model, NULL, false),
	FIELD(device, "firmware", read_firmware, firmware, NULL, false),
	FIELD(device, "arch", read_arch, arch, NULL, false),
	FIELD(device, "ats", read_bool, ats, NULL, false),
	FIELD(device, "pri", read_bool, pri, NULL, false),
	FIELD(device, "pasid", read_bool, pasid, NULL, false),
	FIELD(device, "atc", read_enum, atc, &atc_words, false),
	FIELD(device, "driver", read_driver, driver, NULL, false),
	{"iommus", read_iommus_of, 0, NULL, false},
	{"ids", read_ids_of, 0, NULL, false},
	FIELD(device, "alias_of", read_device_member, alias_of, NULL, false),
	FIELD(device, "physfn", read_device_member, physfn, NULL, false),
	FIELD(device, "migration", read_bool, migration, NULL, false),
	FIELD(device, "memory", read_bool, memory, NULL, false),
	FIELD(device, "pm", read_bool, pm, NULL, false),
	FIELD(device, "aer", read_bool, aer, NULL, false),
	FIELD(device, "vpd", read_bool, vpd, NULL, false),
	FIELD(device, "rom", read_bool, rom, NULL, false),
	FIELD(device, "bridge", read_bool, bridge, NULL, false),
	FIELD(device, "untrusted", read_bool, untrusted, NULL, false),
	FIELD(device, "absent", read_bool, absent, NULL, false),
	FIELD(device, "bound", read_bool, bound, NULL, false),
};

static const struct field resv_fields[] = {
	FIELD(resv, "device", read_device_member, device, NULL, true),
	FIELD(resv, "start", read_u64_any, start, NULL, true),
	FIELD(resv, "length", read_u64_any, length, NULL, true),
	FIELD(resv, "type", read_enum, type, &resv_words, true),
};

/* --- the sections --- */

/* A table of named entries: where they lie, how many, how one is read. */
struct section {
	const char *key, *what;
	size_t array, count, size;
	u32 max;
	const struct field *field;
	u32 n_fields;
	void (*init)(void *entry);
};

static void init_iommu(void *entry)
{
	machine_iommu_init(entry);
}

static void init_bus(void *entry)
{
	machine_bus_init(entry);
}

static void init_device(void *entry)
{
	machine_device_init(entry);
}

#define SECTION(key, what, array, count, type, max)                                   \
	{key, what, offsetof(struct machine, array), offsetof(struct machine, count), \
	 sizeof(struct machine_##type), max, type##_fields, ARRAY_SIZE(type##_fields), init_##type}

static const struct section sections[] = {
	SECTION("iommus", "an IOMMU", iommu, n_iommus, iommu, MACHINE_IOMMUS_MAX),
	SECTION("buses", "a bus", bus, n_buses, bus, MACHINE_BUSES_MAX),
	SECTION("devices", "a device", device, n_devices, device, MACHINE_DEVICES_MAX),
};

static const struct yaml_node *value_of(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_link *l = map->first; l; l = l->next) {
		if (strcmp(l->key->text, key) == 0)
			return l->value;
	}
	return NULL;
}

/* First pass: the names. The name is the first member of each entry. */
static void collect_names(struct reader *r, const struct yaml_node *map, const struct section *sec)
{
	const struct yaml_node *v = value_of(map, sec->key);
	char *machine = (char *)&r->s->machine;
	u32 *n = (u32 *)(machine + sec->count);

	*n = 0;
	if (!v || !read_kind(r, v, YAML_MAP, "a mapping of names"))
		return;
	for (const struct yaml_link *l = v->first; l; l = l->next) {
		char *entry = machine + sec->array + *n * sec->size;

		if (*n == sec->max) {
			read_error(r, l->key, "more than %u %s, expected fewer", sec->max, sec->key);
			return;
		}
		sec->init(entry);
		if (!read_name(r, l->key, "a name", entry))
			return;
		(*n)++;
	}
}

/* Second pass: the entries. */
static void read_section(struct reader *r, const struct yaml_node *map, const struct section *sec)
{
	const struct yaml_node *v = value_of(map, sec->key);
	char *machine = (char *)&r->s->machine;
	u32 i = 0;

	if (!v || r->err->text[0])
		return;
	for (const struct yaml_link *l = v->first; l; l = l->next, i++)
		read_fields(r, l->value, sec->field, sec->n_fields,
			    machine + sec->array + i * sec->size, sec->what);
}

static void read_reserved(struct reader *r, const struct yaml_node *map)
{
	const struct yaml_node *v = value_of(map, "reserved");
	struct machine *m = &r->s->machine;

	m->n_resv = 0;
	if (!v || !read_kind(r, v, YAML_LIST, "a list of regions"))
		return;
	for (const struct yaml_link *l = v->first; l && !r->err->text[0]; l = l->next) {
		struct machine_resv *resv = &m->resv[m->n_resv];

		if (m->n_resv == MACHINE_RESV_MAX) {
			read_error(r, l->value, "more than %d reserved regions, expected fewer",
				   MACHINE_RESV_MAX);
			return;
		}
		memset(resv, 0, sizeof(*resv));
		read_fields(r, l->value, resv_fields, ARRAY_SIZE(resv_fields), resv,
			    "a reserved region");
		if (!r->err->text[0] &&
		    resv->length && resv->start + (resv->length - 1) < resv->start)
			read_error(r, l->value, "a wrapping region, expected start + length "
				   "within 64 bits");
		m->n_resv++;
	}
}

/* --- checks on the whole --- */

static const struct yaml_node *entry_key(const struct yaml_node *map, const char *section, u32 i,
					 const char *key)
{
	const struct yaml_node *v = value_of(map, section);
	const struct yaml_link *l = v->first;
	const struct yaml_node *at;

	while (i--)
		l = l->next;
	at = value_of(l->value, key);
	return at ? at : l->key;
}

static u32 bus_up(const struct machine *m, u32 i)
{
	return m->bus[i].parent;
}

static u32 device_up(const struct machine *m, u32 i)
{
	return m->device[i].alias_of;
}

static u32 device_physfn(const struct machine *m, u32 i)
{
	return m->device[i].physfn;
}

/* Whether following up() from i comes back to i. */
static bool in_cycle(const struct machine *m, u32 i, u32 n,
		     u32 (*up)(const struct machine *m, u32 i))
{
	u32 at = up(m, i);

	for (u32 steps = 0; steps < n && at != MACHINE_NONE; steps++) {
		if (at == i)
			return true;
		at = up(m, at);
	}
	return false;
}

static void check_cycles(struct reader *r, const struct yaml_node *map)
{
	const struct machine *m = &r->s->machine;

	for (u32 i = 0; i < m->n_buses; i++) {
		if (in_cycle(m, i, m->n_buses, bus_up))
			read_error(r, entry_key(map, "buses", i, "parent"),
				   "bus '%s' is its own ancestor, expected no cycle", m->bus[i].name);
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		if (in_cycle(m, i, m->n_devices, device_physfn))
			read_error(r, entry_key(map, "devices", i, "physfn"),
				   "device '%s' is its own virtual function, expected no cycle",
				   m->device[i].name);
		if (in_cycle(m, i, m->n_devices, device_up))
			read_error(r, entry_key(map, "devices", i, "alias_of"),
				   "device '%s' is an alias of itself, expected no cycle",
				   m->device[i].name);
	}
}

/* Bus kind decides which address a device must have; defaults come from the bus. */
static void settle_device(struct reader *r, const struct yaml_node *map, u32 i)
{
	struct machine *m = &r->s->machine;
	struct machine_device *d = &m->device[i];
	const struct machine_bus *b = &m->bus[d->bus];
	bool pci = b->kind == MACHINE_BUS_PCI;
	const struct yaml_node *self = entry_key(map, "devices", i, "bus");
	const char *want = pci ? "bdf" : "sid", *other = pci ? "sid" : "bdf";
	const struct yaml_node *entry = entry_key(map, "devices", i, other);

	if (entry != entry_key(map, "devices", i, ""))
		read_error(r, entry, "'%s' on a %s bus, expected '%s'", other,
			   pci ? "PCI" : "platform", want);
	if (entry_key(map, "devices", i, want) == entry_key(map, "devices", i, ""))
		read_error(r, self, "device '%s' on a %s bus has no '%s', expected one", d->name,
			   pci ? "PCI" : "platform", want);
	for (u32 k = 0; k < i; k++) {
		if (m->device[k].bus == d->bus && m->device[k].bdf == d->bdf)
			read_error(r, entry_key(map, "devices", i, want),
				   "device '%s' has the address of '%s', expected one of its own",
				   d->name, m->device[k].name);
	}
	if (!d->n_iommus && b->iommu != MACHINE_NONE)
		d->iommus[d->n_iommus++] = b->iommu;
}

/* Keys of what only plain functions have (hw/function), where they would do nothing. */
static void check_plain(struct reader *r, const struct yaml_node *map, u32 i)
{
	const struct machine *m = &r->s->machine;
	const struct machine_device *d = &m->device[i];
	const struct {
		const char *key;
		bool set;
	} keys[] = {{"pm", d->pm},   {"vpd", d->vpd},		  {"aer", d->aer},
		    {"rom", d->rom}, {"migration", d->migration}, {"memory", d->memory}};

	if (m->bus[d->bus].kind == MACHINE_BUS_PCI && !board_has_hardware(m))
		return;
	for (u32 k = 0; k < ARRAY_SIZE(keys); k++) {
		if (keys[k].set)
			read_error(r, entry_key(map, "devices", i, keys[k].key),
				   "'%s' of device '%s', expected it of PCI functions only, on a "
				   "machine without models of hardware", keys[k].key, d->name);
	}
}

static bool is_given(const struct yaml_node *map, const char *section, u32 i, const char *key)
{
	return entry_key(map, section, i, key) != entry_key(map, section, i, "");
}

/* Keys that would do nothing where they stand: whoever writes them expects something. */
static void check_idle_keys(struct reader *r, const struct yaml_node *map)
{
	static const char *const of_pci[] = {"ats", "pri", "atc", "physfn"};
	static const char *const of_pci_bus[] = {"acs", "alias"};
	const struct machine *m = &r->s->machine;

	for (u32 i = 0; i < m->n_buses * ARRAY_SIZE(of_pci_bus); i++) {
		u32 bus = i / ARRAY_SIZE(of_pci_bus);
		const char *key = of_pci_bus[i % ARRAY_SIZE(of_pci_bus)];

		if (m->bus[bus].kind != MACHINE_BUS_PCI && is_given(map, "buses", bus, key))
			read_error(r, entry_key(map, "buses", bus, key),
				   "'%s' of a platform bus, expected it of PCI buses only", key);
	}
	for (u32 i = 0; i < m->n_devices * ARRAY_SIZE(of_pci); i++) {
		u32 device = i / ARRAY_SIZE(of_pci);
		const char *key = of_pci[i % ARRAY_SIZE(of_pci)];

		if (m->bus[m->device[device].bus].kind != MACHINE_BUS_PCI &&
		    is_given(map, "devices", device, key))
			read_error(r, entry_key(map, "devices", device, key),
				   "'%s' of a platform device, expected it of PCI functions only", key);
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		if (is_given(map, "devices", i, "atc") && !m->device[i].ats)
			read_error(r, entry_key(map, "devices", i, "atc"),
				   "'atc' without 'ats: true', expected both");
		if (is_given(map, "devices", i, "arch") && !m->device[i].firmware[0])
			read_error(r, entry_key(map, "devices", i, "arch"),
				   "'arch' without 'firmware', expected both");
	}
}

/* What only the models can judge: their options, firmware files. */
static void check_hardware(struct reader *r, const struct yaml_node *map)
{
	struct machine *m = &r->s->machine;
	struct board_check c;

	for (u32 i = 0; i < m->n_iommus; i++) {
		if (m->iommu[i].options[0] && strncmp(m->iommu[i].model, "mock", 4) == 0)
			read_error(r, entry_key(map, "iommus", i, "options"), "options of a %s, "
				   "expected none", m->iommu[i].model);
	}
	for (u32 i = 0; i < m->n_devices; i++) {
		if (m->device[i].firmware[0] && strcmp(m->device[i].model, "firmware"))
			read_error(r, entry_key(map, "devices", i, "firmware"), "firmware without "
				   "'model: firmware', expected both");
		check_plain(r, map, i);
	}
	check_idle_keys(r, map);
	if (r->err->text[0])
		return;
	if (board_check(m, &c)) {
		u64 *hash = &r->s->content_hash;

		if (c.hash)
			*hash = scenario_hash(*hash, (const char *)&c.hash, sizeof(c.hash));
		return;
	}
	if (c.iommu != MACHINE_NONE)
		read_error(r, entry_key(map, "iommus", c.iommu, "options"), "IOMMU '%s': %s",
			   m->iommu[c.iommu].name, c.text);
	else
		read_error(r, entry_key(map, "devices", c.device, "firmware"), "%s", c.text);
}

static void nothing(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	(void)r;
	(void)v;
	(void)member;
	(void)aux;
}

static void read_mapping(struct reader *r, const struct yaml_node *map)
{
	/* Only for the keys; the sections are read below, names before entries. */
	static const struct field keys[] = {
		{"iommus", nothing, 0, NULL, false},
		{"buses", nothing, 0, NULL, true},
		{"devices", nothing, 0, NULL, true},
		{"reserved", nothing, 0, NULL, false},
	};
	struct machine *m = &r->s->machine;

	memset(m, 0, sizeof(*m));
	read_fields(r, map, keys, ARRAY_SIZE(keys), NULL, "machine");
	if (map->kind != YAML_MAP)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(sections); i++)
		collect_names(r, map, &sections[i]);
	for (u32 i = 0; i < ARRAY_SIZE(sections); i++)
		read_section(r, map, &sections[i]);
	if (r->err->text[0])
		return;
	read_reserved(r, map);
	check_cycles(r, map);
	for (u32 i = 0; i < m->n_devices && !r->err->text[0]; i++)
		settle_device(r, map, i);
	if (!r->err->text[0])
		check_hardware(r, map);
}

/* Reads text[0..size) of the machine file. */
static void read_machine_text(struct reader *r, const char *text, size_t size)
{
	struct yaml_doc doc;

	if (scenario_yaml_read(&doc, text, size, r->err))
		read_mapping(r, doc.root);
	scenario_yaml_free(&doc);
}

/* Reads the file that `machine: NAME` means; its errors name that file. */
static void read_machine_file(struct reader *r, const struct yaml_node *v)
{
	char path[HOST_PATH_MAX], why[128];
	const char *file = r->file;
	char *text;
	size_t size;

	if (!scenario_find(v->text, "machine", path, sizeof(path)) && !beside(r, v->text, path)) {
		read_error(r, v, "no machine '%s', expected a mapping, a path, or a name of "
			   "`iommulab list machines`", scenario_quote(v->text, v->len).text);
		return;
	}
	if (!host_file_read(path, SCENARIO_FILE_MAX, &text, &size, why, sizeof(why))) {
		read_error(r, v, "machine file '%s' %s", scenario_quote(path, strlen(path)).text, why);
		return;
	}
	r->s->content_hash = scenario_hash(r->s->content_hash, text, size);
	if (!r->err->text[0]) {
		r->file = path;
		read_machine_text(r, text, size);
		r->file = file;
		if (r->err->text[0])
			snprintf(r->err->file, sizeof(r->err->file), "%.255s", path);
	}
	free(text);
}

void read_machine(struct reader *r, const struct yaml_node *v, void *member, const void *aux)
{
	(void)member;
	(void)aux;
	if (v->kind == YAML_TEXT && v->len && !read_is_null(v))
		read_machine_file(r, v);
	else if (read_kind(r, v, YAML_MAP, "a mapping or the name of a machine"))
		read_mapping(r, v);
}
