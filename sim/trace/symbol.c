// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of code addresses, from the running program's own DWARF (libdw).
 *
 * A program counter that a stack walk yields is a return address: the call is
 * in the byte before it, and that byte is looked up. The compilation units'
 * address ranges are sorted once, since not every compiler writes
 * .debug_aranges. Results are kept for the life of the process; they are facts
 * about the program, the same in all its worlds.
 *
 * Without DWARF (a stripped program) a name from the symbol table, or the
 * module-relative offset, must do.
 */
#include "sim/trace/trace.h"

#include "sim/base/assert.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KNOWN_SLOTS 4096 /* a power of two */
#define NO_LINE_MAX 64 /* bytes of code */
#define FRAMES_MAX 12
#define MODULES_MAX 8
#define OWN_FILE "sim/trace/symbol.c"
#define BUILD_ID_DIGITS 16

struct range {
	u64 low, high; /* module addresses, high exclusive */
	u64 die;       /* offset of the unit's DIE */
};

struct known {
	u64 pc;
	u32 n;
	struct trace_frame *frame;
};

/* One object's debug information. */
struct module {
	Dwarf *dwarf;
	u64 bias; /* of the DWARF's addresses against the process's */
	u64 low, high; /* where the object lies, high exclusive */
	struct range *range;
	u32 n_ranges, ranges_max;
};

/* The process's symbol table; the program's is read on first use. */
static struct {
	bool opened;
	Dwfl *dwfl;
	Dwfl_Module *module;
	struct module program, added[MODULES_MAX];
	u32 n_added;
	char root[256]; /* prefix of absolute file names; "" = they are relative */
	struct known known[KNOWN_SLOTS];
	u32 n_known;
	char build_id[2 * 20 + 1];
	u64 base; /* load address of the program */
} table;

/* --- the program's headers --- */

static void read_notes(const struct dl_phdr_info *info, const ElfW(Phdr) *ph)
{
	const char *at = (const char *)(info->dlpi_addr + ph->p_vaddr);
	const char *end = at + ph->p_memsz;

	while (at + sizeof(ElfW(Nhdr)) <= end) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
		const u8 *id = (const u8 *)at + sizeof(*note) + ALIGN(note->n_namesz, 4);

		if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz >= BUILD_ID_DIGITS / 2) {
			for (u32 i = 0; i < BUILD_ID_DIGITS; i++) {
				u32 nibble = i & 1 ? id[i / 2] & 15 : id[i / 2] >> 4;

				table.build_id[i] = "0123456789abcdef"[nibble];
			}
			return;
		}
		at = (const char *)id + ALIGN(note->n_descsz, 4);
	}
}

/* The first module that is reported is the program itself. */
static int read_program(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	table.base = info->dlpi_addr;
	for (u32 i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_NOTE)
			read_notes(info, &info->dlpi_phdr[i]);
	}
	return 1;
}

static void read_headers(void)
{
	if (table.build_id[0])
		return;
	memset(table.build_id, '0', BUILD_ID_DIGITS);
	dl_iterate_phdr(read_program, NULL);
}

const char *trace_build_id(void)
{
	read_headers();
	return table.build_id;
}

u64 trace_site(u64 pc)
{
	read_headers();
	return pc > table.base ? pc - table.base : pc;
}

/* --- opening --- */

/* Never looks for separate debug files: neither on disk nor on the network. */
/* signature given */
static int no_debuginfo(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **out)
{
	(void)mod;
	(void)data;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)out;
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_linux_proc_find_elf,
	.find_debuginfo = no_debuginfo,
};

static void add_range(struct module *m, u64 low, u64 high, u64 die)
{
	if (low >= high)
		return;
	if (m->n_ranges == m->ranges_max) {
		m->ranges_max = m->ranges_max ? 2 * m->ranges_max : 256;
		m->range = realloc(m->range, m->ranges_max * sizeof(*m->range));
		sim_assert(m->range);
	}
	m->range[m->n_ranges++] = (struct range){low, high, die};
}

/* This file's own unit tells what the names of all begin with. */
static void learn_root(Dwarf_Die *unit)
{
	const char *name = dwarf_diename(unit), *folder;
	size_t len = name ? strlen(name) : 0, own = strlen(OWN_FILE);
	Dwarf_Attribute attr;

	if (len < own || strcmp(name + len - own, OWN_FILE))
		return;
	if (len > own && len - own < sizeof(table.root)) {
		memcpy(table.root, name, len - own);
		return;
	}
	folder = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
	if (folder && strlen(folder) + 1 < sizeof(table.root))
		snprintf(table.root, sizeof(table.root), "%s/", folder);
}

static void add_unit(struct module *m, Dwarf_Die *unit)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(unit, at, &base, &low, &high)) > 0)
		add_range(m, low, high, dwarf_dieoffset(unit));
	learn_root(unit);
}

static int by_address(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

static void read_units(struct module *m)
{
	Dwarf_Off at = 0, next;
	size_t header;

	while (!dwarf_nextcu(m->dwarf, at, &next, &header, NULL, NULL, NULL)) {
		Dwarf_Die unit;

		if (dwarf_offdie(m->dwarf, at + header, &unit))
			add_unit(m, &unit);
		at = next;
	}
	if (m->n_ranges)
		qsort(m->range, m->n_ranges, sizeof(*m->range), by_address);
}

static void open_table(void)
{
	Dwarf_Addr bias = 0;

	table.opened = true;
	read_headers();
	table.dwfl = dwfl_begin(&callbacks);
	if (!table.dwfl)
		return;
	dwfl_report_begin(table.dwfl);
	dwfl_linux_proc_report(table.dwfl, getpid());
	dwfl_report_end(table.dwfl, NULL, NULL);
	table.module = dwfl_addrmodule(table.dwfl, (Dwarf_Addr)(uintptr_t)open_table);
	if (!table.module)
		return;
	table.program.dwarf = dwfl_module_getdwarf(table.module, &bias);
	table.program.bias = bias;
	if (table.program.dwarf)
		read_units(&table.program);
}

static void forget_known(void)
{
	for (u32 i = 0; i < KNOWN_SLOTS; i++)
		free(table.known[i].frame);
	memset(table.known, 0, sizeof(table.known));
	table.n_known = 0;
}

void trace_module_add(const char *path, u64 base, u64 size)
{
	struct module *m = NULL;
	int fd;

	for (u32 i = 0; i < table.n_added; i++) {
		if (table.added[i].low == base)
			m = &table.added[i];
	}
	if (!m && table.n_added == MODULES_MAX)
		return;
	if (!m)
		m = &table.added[table.n_added++];
	if (m->dwarf)
		dwarf_end(m->dwarf);
	m->dwarf = NULL;
	m->n_ranges = 0;
	m->low = base;
	m->high = base + size;
	m->bias = base;
	forget_known();
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	m->dwarf = dwarf_begin(fd, DWARF_C_READ);
	if (m->dwarf)
		read_units(m);
	close(fd);
}

static void load_lines(const struct module *m)
{
	Dwarf_Lines *lines;
	Dwarf_Die unit;
	size_t n;

	for (u32 i = 0; i < m->n_ranges; i++) {
		if (dwarf_offdie(m->dwarf, m->range[i].die, &unit))
			dwarf_getsrclines(&unit, &lines, &n);
	}
}

void trace_names_load(void)
{
	if (!table.opened)
		open_table();
	load_lines(&table.program);
	for (u32 i = 0; i < table.n_added; i++)
		load_lines(&table.added[i]);
}

/* --- one address --- */

static bool find_unit(const struct module *m, u64 addr, Dwarf_Die *unit)
{
	u32 low = 0, high = m->n_ranges;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (m->range[mid].low <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && addr < m->range[low - 1].high &&
	       dwarf_offdie(m->dwarf, m->range[low - 1].die, unit);
}

static void copy(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

static void set_file(struct trace_frame *f, const char *path)
{
	size_t root = strlen(table.root);

	if (!path)
		path = "?";
	if (root && !strncmp(path, table.root, root))
		path += root;
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	copy(f->file, sizeof(f->file), path);
}

static void set_function(struct trace_frame *f, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	copy(f->function, sizeof(f->function), name ? name : "?");
}

/* Where the inlined function `die` was called from: the next frame's place. */
static void set_call_site(struct trace_frame *f, Dwarf_Die *die, Dwarf_Die *unit)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	Dwarf_Files *files;
	size_t n;

	set_file(f, NULL);
	f->line = 0;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &value))
		f->line = (u32)value;
	if (!dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &value) &&
	    !dwarf_getsrcfiles(unit, &files, &n) && value < n)
		set_file(f, dwarf_filesrc(files, value, NULL, NULL));
}

/*
 * The place of addr. Code that a compiler attributes to no line (number 0, as
 * where calls were merged) belongs to what comes before it.
 */
static void set_place(struct trace_frame *f, Dwarf_Die *unit, u64 addr)
{
	for (u64 back = 0; back < NO_LINE_MAX && back < addr; back++) {
		Dwarf_Line *line = dwarf_getsrc_die(unit, addr - back);
		int number;

		if (!line || dwarf_lineno(line, &number) || !number)
			continue;
		set_file(f, dwarf_linesrc(line, NULL, NULL));
		f->line = (u32)number;
		return;
	}
	set_file(f, NULL);
}

static u32 frames_from_dwarf(const struct module *m, u64 addr, struct trace_frame *frames)
{
	Dwarf_Die unit, *around = NULL, *scopes = NULL;
	u32 n = 0;
	int n_scopes;

	if (!find_unit(m, addr, &unit))
		return 0;
	memset(frames, 0, sizeof(*frames));
	set_place(&frames[0], &unit, addr);
	/* The scopes around an inlined call continue where its text is written; these do not. */
	n_scopes = dwarf_getscopes(&unit, addr, &around);
	if (n_scopes > 0)
		n_scopes = dwarf_getscopes_die(&around[0], &scopes);
	for (int i = 0; i < n_scopes && n < FRAMES_MAX; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		set_function(&frames[n++], &scopes[i]);
		if (tag == DW_TAG_subprogram || n == FRAMES_MAX)
			break;
		frames[n - 1].inlined = true;
		memset(&frames[n], 0, sizeof(frames[n]));
		set_call_site(&frames[n], &scopes[i], &unit);
	}
	free(scopes);
	free(around);
	return n;
}

static u32 frames_from_symbols(u64 pc, struct trace_frame *frames)
{
	const char *name = NULL;
	GElf_Off offset;
	GElf_Sym sym;

	if (table.module)
		name = dwfl_module_addrinfo(table.module, pc, &offset, &sym, NULL, NULL, NULL);
	/* The nearest symbol is not the one that pc lies in if it ends before. */
	if (name && offset >= max(sym.st_size, (GElf_Xword)1))
		name = NULL;
	memset(frames, 0, sizeof(*frames));
	copy(frames->function, sizeof(frames->function), name ? name : "?");
	copy(frames->file, sizeof(frames->file), "?");
	return 1;
}

static u32 look_up(u64 pc, struct trace_frame *frames)
{
	const struct module *m = &table.program;
	u32 n = 0;

	if (!table.opened)
		open_table();
	for (u32 i = 0; i < table.n_added; i++) {
		if (pc >= table.added[i].low && pc < table.added[i].high)
			m = &table.added[i];
	}
	if (m->dwarf && pc > m->bias)
		n = frames_from_dwarf(m, pc - m->bias, frames);
	return n ? n : frames_from_symbols(pc, frames);
}

static struct known *slot_of(u64 pc)
{
	u32 i = (u32)hash_mix(0, pc) & (KNOWN_SLOTS - 1);

	while (table.known[i].frame && table.known[i].pc != pc)
		i = (i + 1) & (KNOWN_SLOTS - 1);
	return &table.known[i];
}

static void remember(struct known *k, u64 pc, const struct trace_frame *frames, u32 n)
{
	if (table.n_known >= KNOWN_SLOTS / 4 * 3)
		return;
	k->frame = malloc(n * sizeof(*frames));
	sim_assert(k->frame);
	memcpy(k->frame, frames, n * sizeof(*frames));
	k->pc = pc;
	k->n = n;
	table.n_known++;
}

u32 trace_frames(u64 pc, struct trace_frame *frames, u32 max)
{
	struct trace_frame found[FRAMES_MAX];
	const struct trace_frame *from = found;
	struct known *k = slot_of(pc);
	u32 n;

	sim_assert(max);
	if (k->frame) {
		from = k->frame;
		n = k->n;
	} else {
		n = look_up(pc - 1, found);
		remember(k, pc, found, n);
	}
	n = min(n, max);
	memcpy(frames, from, n * sizeof(*frames));
	return n;
}

/* What hardware does by itself says less than who made it do so. */
static bool is_model(const char *file)
{
	static const char *const rooms[] = {"hw/bus/", "hw/iommu/", "hw/vtd/", "hw/smmuv3/"};

	for (u32 i = 0; i < ARRAY_SIZE(rooms); i++)
		if (!strncmp(file, rooms[i], strlen(rooms[i])))
			return true;
	return false;
}

/* Whose functions a reader of a report passes over: ours, and the runtime's. */
static bool is_runtime(const struct trace_frame *f)
{
	return !strncmp(f->file, "sim/", 4) || f->file[0] == '?' || is_model(f->file) ||
	       !strncmp(f->file, "core/hosted/", 12);
}

/*
 * Functions around one access or one counter, which say nothing about who makes it: a kernel
 * developer, and syzbot, call a report by their caller.
 */
static bool is_wrapper(const struct trace_frame *f)
{
	static const char *const files[] = {
		"include/linux/instrumented.h", "include/linux/refcount.h", "include/linux/kref.h",
		"include/linux/atomic", "include/asm-generic/bitops/", "include/asm-generic/atomic",
		"include/linux/bitops.h", "lib/refcount.c",
	};
	const char *file = f->file, *include = strstr(file, "/include/asm/");

	if (!strncmp(file, "arch/", 5) && include &&
	    (!strncmp(include + 13, "atomic", 6) || !strncmp(include + 13, "bitops", 6)))
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		if (!strncmp(file, files[i], strlen(files[i])))
			return true;
	}
	return false;
}

/* How much a frame says of who did it: the first of those that say most names a report. */
enum says {
	SAYS_NOTHING,
	SAYS_RUNTIME,
	SAYS_HARDWARE, /* of its own accord, in a task of its own */
	SAYS_WRAPPER,
	SAYS_CODE,
};

static enum says says(const struct trace_frame *f)
{
	size_t len = strlen(f->file);

	if (is_wrapper(f))
		return SAYS_WRAPPER;
	if (!is_runtime(f))
		return SAYS_CODE;
	if (!f->line)
		return SAYS_NOTHING;
	/* Not what all its parts publish by, nor the bus. */
	return is_model(f->file) && strncmp(f->file, "hw/bus/", 7) && f->file[len - 1] == 'c' ?
		       SAYS_HARDWARE : SAYS_RUNTIME;
}

bool trace_first_frame(const u64 *pcs, u32 n, struct trace_frame *frame)
{
	struct trace_frame frames[FRAMES_MAX];
	enum says most = SAYS_NOTHING;

	memset(frame, 0, sizeof(*frame));
	for (u32 i = 0; i < n && most < SAYS_CODE; i++) {
		u32 depth = trace_frames(pcs[i], frames, FRAMES_MAX);

		for (u32 j = 0; j < depth; j++) {
			enum says it = says(&frames[j]);

			if (it > most || !frame->file[0])
				*frame = frames[j];
			most = max(most, it);
		}
	}
	return most >= SAYS_WRAPPER;
}
