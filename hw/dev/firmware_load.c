// SPDX-License-Identifier: GPL-2.0-only
/*
 * Firmware files: ELF64 little endian, or raw bytes. Every field is untrusted.
 */
#include "hw/dev/firmware_priv.h"

#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/host/host.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	u16 machine;
} archs[FW_ARCHS] = {
	[FW_X86_64] = {"x86-64", EM_X86_64},
	[FW_AARCH64] = {"aarch64", EM_AARCH64},
	[FW_RISCV64] = {"riscv64", EM_RISCV},
};

static bool load_segment(struct fw_image *i, const u8 *data, size_t size, const Elf64_Phdr *p,
			 char *err, size_t err_size)
{
	u64 at = p->p_paddr - FW_SRAM_BASE;

	if (p->p_paddr < FW_SRAM_BASE || at > FW_SRAM_SIZE || p->p_memsz > FW_SRAM_SIZE - at) {
		snprintf(err, err_size, "segment at %#llx of %#llx bytes, expected it within "
			 "[%#llx, %#llx)", (unsigned long long)p->p_paddr,
			 (unsigned long long)p->p_memsz, FW_SRAM_BASE,
			 FW_SRAM_BASE + FW_SRAM_SIZE);
		return false;
	}
	if (p->p_filesz > p->p_memsz || p->p_offset > size || p->p_filesz > size - p->p_offset) {
		snprintf(err, err_size, "a segment's data lies outside of the file, expected a whole "
			 "ELF");
		return false;
	}
	memcpy(i->sram + at, data + p->p_offset, p->p_filesz);
	i->end = max(i->end, (u32)(at + p->p_memsz));
	return true;
}

static bool parse_elf(struct fw_image *i, const u8 *data, size_t size, const char *arch, char *err,
		      size_t err_size)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;

	if (size < sizeof(h) || data[EI_CLASS] != ELFCLASS64 || data[EI_DATA] != ELFDATA2LSB) {
		snprintf(err, err_size, "no ELF of 64 bits, little endian, expected one");
		return false;
	}
	memcpy(&h, data, sizeof(h));
	for (i->arch = 0; i->arch < FW_ARCHS && archs[i->arch].machine != h.e_machine;)
		i->arch++;
	if (i->arch == FW_ARCHS) {
		snprintf(err, err_size, "an ELF for machine %u, expected x86-64, AArch64 or RISC-V",
			 h.e_machine);
		return false;
	}
	if (arch[0] && strcmp(archs[i->arch].name, arch) != 0) {
		snprintf(err, err_size, "an ELF for %s, expected one for 'arch', %s",
			 archs[i->arch].name, arch);
		return false;
	}
	if (!h.e_phnum || h.e_phentsize != sizeof(p)) {
		snprintf(err, err_size, "an ELF without program headers, expected one that is linked");
		return false;
	}
	for (u32 k = 0; k < h.e_phnum; k++) {
		u64 at = h.e_phoff + (u64)k * sizeof(p);

		if (h.e_phoff > size || at > size - sizeof(p)) {
			snprintf(err, err_size, "its program headers lie outside of the file, "
				 "expected a whole ELF");
			return false;
		}
		memcpy(&p, data + at, sizeof(p));
		if (p.p_type == PT_LOAD && p.p_memsz &&
		    !load_segment(i, data, size, &p, err, err_size))
			return false;
	}
	i->entry = h.e_entry;
	if (!i->end)
		snprintf(err, err_size, "no segment to load, expected at least one");
	return i->end;
}

bool fw_parse(struct fw_image *i, const u8 *data, size_t size, const char *arch, char *err,
	      size_t err_size)
{
	memset(i, 0, sizeof(*i));
	if (size >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0)
		return parse_elf(i, data, size, arch, err, err_size);
	for (i->arch = 0; i->arch < FW_ARCHS && strcmp(archs[i->arch].name, arch);)
		i->arch++;
	if (i->arch == FW_ARCHS) {
		snprintf(err, err_size, "neither an ELF nor raw with 'arch' beside it, expected arch: "
			 "x86-64, aarch64 or riscv64");
		return false;
	}
	if (!size || size > FW_SRAM_SIZE) {
		snprintf(err, err_size, "raw firmware of %zu bytes, expected 1 to %u", size,
			 FW_SRAM_SIZE);
		return false;
	}
	memcpy(i->sram, data, size);
	i->end = (u32)size;
	i->entry = FW_SRAM_BASE;
	return true;
}

/* The file itself, or one of the examples beside the program (or in its share). */
static void find(const char *name, char path[HOST_PATH_MAX])
{
	static const char *const places[] = {"firmware", "../share/iommulab/firmware"};
	const char *program = host_program_path(), *slash = strrchr(program, '/');

	snprintf(path, HOST_PATH_MAX, "%s", name);
	if (host_file_exists(name) || strchr(name, '/') || !slash)
		return;
	for (u32 k = 0; k < 2 * ARRAY_SIZE(places); k++) {
		/* A test's program lies one folder deeper. */
		int n = snprintf(path, HOST_PATH_MAX, "%.*s/%s%s/%s", (int)(slash - program),
				 program, k & 1 ? "../" : "", places[k / 2], name);

		if (n < HOST_PATH_MAX && host_file_exists(path))
			return;
	}
	snprintf(path, HOST_PATH_MAX, "%s", name);
}

bool fw_load(struct fw_image *i, const char *name, const char *arch, char *err, size_t err_size)
{
	char path[HOST_PATH_MAX], why[128], *data;
	size_t size;
	bool ok;

	find(name, path);
	if (strcmp(name, "-") == 0) {
		snprintf(err, err_size, "firmware '-', expected a file's path");
		return false;
	}
	if (!host_file_read(path, FW_FILE_MAX, &data, &size, why, sizeof(why))) {
		snprintf(err, err_size, "firmware '%s' %s", name, why);
		return false;
	}
	ok = fw_parse(i, (const u8 *)data, size, arch, why, sizeof(why));
	if (!ok)
		snprintf(err, err_size, "firmware '%s': %s", name, why);
	hw_free(data);
	return ok;
}

bool dev_firmware_check(const struct machine_device *m, u64 *hash, char *err, size_t err_size)
{
	struct fw_image *i = hw_malloc(sizeof(*i));
	bool ok;

	sim_assert(i);
	if (!m->firmware[0])
		snprintf(err, err_size, "no 'firmware', expected the path of an ELF or raw file");
	ok = m->firmware[0] && fw_load(i, m->firmware, m->arch, err, err_size);
	if (ok)
		*hash = (*hash ^ i->entry) * 0x100000001b3ULL;
	for (u32 k = 0; ok && k < i->end; k++)
		*hash = (*hash ^ i->sram[k]) * 0x100000001b3ULL + i->arch + 1;
	hw_free(i);
	return ok;
}
