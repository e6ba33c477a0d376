// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a hosted kernel: ELF as build/hosted.lds lays it out, and no
 * other. A file is input: whatever is wrong with it is one line, and all
 * offsets are checked before they are used.
 */
#include "core/hosted/hosted_priv.h"

#include "sim/base/bits.h"
#include "sim/base/region.h"
#include "sim/host/host.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FILE_MAX (512UL << 20)
#define PAGE 4096UL
#define NOTE_NAME "iommulab"
#define NOTE_FACTS 1

struct complaint {
	const char *path;
	char *text;
	size_t size;
};

static bool bad(const struct complaint *c, const char *what)
{
	snprintf(c->text, c->size, "%s: %s", c->path, what);
	return false;
}

static bool inside(u64 at, u64 size, u64 end)
{
	return at <= end && size <= end - at;
}

/* A segment in its place: the state, which is the last, in the heap. */
static bool add_segment(struct hosted_image *image, const Elf64_Phdr *ph)
{
	struct hosted_segment *s = &image->segment[image->n_segments];
	bool state = ph->p_vaddr >= IMAGE_BELOW;
	u64 low = state ? IMAGE_BELOW + PAGE : PAGE;
	u64 high = state ? IMAGE_BELOW + IMAGE_SLOT : IMAGE_SLOT;

	if (image->n_segments == HOSTED_SEGMENTS_MAX || ph->p_filesz > ph->p_memsz ||
	    ph->p_vaddr < low || !inside(ph->p_vaddr, ph->p_memsz, high) ||
	    !inside(ph->p_offset, ph->p_filesz, image->size) ||
	    (ph->p_vaddr ^ ph->p_offset) % PAGE)
		return false;
	for (u32 i = 0; i < image->n_segments; i++) {
		const struct hosted_segment *o = &image->segment[i];

		if (ph->p_vaddr < ALIGN(o->vaddr + o->size, PAGE))
			return false;
	}
	s->vaddr = ph->p_vaddr;
	s->offset = ph->p_offset;
	s->file_size = ph->p_filesz;
	s->size = ph->p_memsz;
	s->prot = (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
		  (ph->p_flags & PF_X ? PROT_EXEC : 0);
	image->n_segments++;
	image->state = state ? s : image->state;
	return true;
}

static bool read_fact(struct hosted_facts *f, const char *line, size_t n)
{
	const struct {
		const char *key;
		char *text;
		size_t size;
	} rows[] = {
		{"version ", f->version, sizeof(f->version)},
		{"flavour ", f->flavour, sizeof(f->flavour)},
		{"compiler ", f->compiler, sizeof(f->compiler)},
		{"floor ", f->floor, sizeof(f->floor)},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t key = strlen(rows[i].key);

		if (n > key && n - key < rows[i].size && !strncmp(line, rows[i].key, key)) {
			memcpy(rows[i].text, line + key, n - key);
			rows[i].text[n - key] = '\0';
			return true;
		}
	}
	return false;
}

/* The linker's hash of all that it put in. */
static void read_build_id(struct hosted_image *image, const Elf64_Nhdr *n, const char *name)
{
	const u8 *id = (const u8 *)name + ALIGN((u64)n->n_namesz, 4);

	if (n->n_type != NT_GNU_BUILD_ID || n->n_namesz != sizeof(ELF_NOTE_GNU) ||
	    n->n_descsz < 4 || memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) != 0)
		return;
	snprintf(image->build, sizeof(image->build), "%02x%02x%02x%02x", id[0], id[1], id[2],
		 id[3]);
}

/* The note `iommulab`: lines of "key value". */
static bool read_notes(struct hosted_image *image, u64 offset, u64 size)
{
	const char *at = image->file + offset, *end = at + size;

	while (end - at >= (long)sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *n = (const Elf64_Nhdr *)at;
		const char *name = at + sizeof(*n);
		u64 room = (u64)(end - name);
		const char *line;

		if (n->n_namesz > room || n->n_descsz > room ||
		    ALIGN((u64)n->n_namesz, 4) + ALIGN((u64)n->n_descsz, 4) > room)
			return false;
		line = name + ALIGN((u64)n->n_namesz, 4);
		at = line + ALIGN((u64)n->n_descsz, 4);
		read_build_id(image, n, name);
		if (n->n_type != NOTE_FACTS || n->n_namesz != sizeof(NOTE_NAME) ||
		    memcmp(name, NOTE_NAME, sizeof(NOTE_NAME)) != 0)
			continue;
		for (const char *stop = line + n->n_descsz; line < stop;) {
			const char *eol = memchr(line, '\n', (size_t)(stop - line));

			if (!eol)
				break;
			if (!read_fact(&image->facts, line, (size_t)(eol - line)))
				return false;
			line = eol + 1;
		}
	}
	return image->facts.floor[0] && image->facts.version[0] && image->build[0];
}

/* Only R_X86_64_RELATIVE: an object without undefined symbols has no other. */
static bool read_relocations(struct hosted_image *image, u64 offset, u64 size)
{
	const Elf64_Dyn *d = (const Elf64_Dyn *)(image->file + offset);
	u64 vaddr = 0, bytes = 0;

	for (u64 i = 0; i < size / sizeof(*d) && d[i].d_tag != DT_NULL; i++) {
		vaddr = d[i].d_tag == DT_RELA ? d[i].d_un.d_ptr : vaddr;
		bytes = d[i].d_tag == DT_RELASZ ? d[i].d_un.d_val : bytes;
		if (d[i].d_tag == DT_NEEDED || d[i].d_tag == DT_JMPREL)
			return false;
	}
	for (u32 i = 0; i < image->n_segments; i++) {
		const struct hosted_segment *s = &image->segment[i];

		if (vaddr < s->vaddr || !inside(vaddr - s->vaddr, bytes, s->file_size))
			continue;
		image->rela = s->offset + vaddr - s->vaddr;
		image->n_rela = bytes / sizeof(Elf64_Rela);
	}
	return image->rela && image->rela % 8 == 0;
}

static bool relocations_fit(const struct hosted_image *image)
{
	const Elf64_Rela *r = (const Elf64_Rela *)(image->file + image->rela);

	for (u64 i = 0; i < image->n_rela; i++) {
		bool found = false;

		if (ELF64_R_TYPE(r[i].r_info) != R_X86_64_RELATIVE)
			return false;
		for (u32 k = 0; k < image->n_segments; k++) {
			const struct hosted_segment *s = &image->segment[k];

			found |= s->prot && r[i].r_offset >= s->vaddr &&
				 inside(r[i].r_offset - s->vaddr, 8, s->file_size);
		}
		if (!found)
			return false;
	}
	return true;
}

static bool read_headers(struct hosted_image *image)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)image->file;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(image->file + eh->e_phoff);
	bool notes = false, dynamic = false;

	if (eh->e_type != ET_DYN || eh->e_machine != EM_X86_64 || eh->e_phoff % 8 ||
	    eh->e_phentsize != sizeof(*ph) ||
	    !inside(eh->e_phoff, (u64)eh->e_phnum * sizeof(*ph), image->size) ||
	    !inside(eh->e_shoff, (u64)eh->e_shnum * eh->e_shentsize, image->size))
		return false; /* the sections' table comes last: a file that was cut has none */
	for (u32 i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !add_segment(image, &ph[i]))
			return false;
		if (!inside(ph[i].p_offset, ph[i].p_filesz, image->size) || ph[i].p_offset % 4)
			return false;
		if (ph[i].p_type == PT_NOTE) {
			image->mark = ph[i].p_vaddr;
			image->mark_size = ph[i].p_filesz;
			notes = read_notes(image, ph[i].p_offset, ph[i].p_filesz);
		}
		if (ph[i].p_type == PT_DYNAMIC && ph[i].p_offset % 8 == 0)
			dynamic = read_relocations(image, ph[i].p_offset, ph[i].p_filesz);
	}
	image->entry = eh->e_entry;
	return notes && dynamic && relocations_fit(image) &&
	       image->state == &image->segment[image->n_segments - 1] &&
	       image->mark >= image->segment[0].vaddr &&
	       inside(image->mark - image->segment[0].vaddr, image->mark_size,
		      image->segment[0].file_size);
}

/* The entry lies in what comes from the file, whole. */
static bool entry_fits(const struct hosted_image *image)
{
	for (u32 i = 0; i < image->n_segments; i++) {
		const struct hosted_segment *s = &image->segment[i];

		if (image->entry >= s->vaddr && image->entry % 8 == 0 &&
		    inside(image->entry - s->vaddr, sizeof(struct hosted_kernel), s->file_size))
			return true;
	}
	return false;
}

const char *hosted_flavour(void)
{
	static const char *const same[][2] = {{"cov", "lab"}, {"afl", "fuzz"}};

	for (u32 i = 0; i < ARRAY_SIZE(same); i++) {
		if (strcmp(IOMMULAB_FLAVOUR, same[i][0]) == 0)
			return same[i][1];
	}
	return IOMMULAB_FLAVOUR;
}

bool hosted_image_read(struct hosted_image *image, const char *path, char *err, size_t err_size)
{
	const struct complaint c = {path, err, err_size};
	char why[256];

	if (!host_file_read(path, FILE_MAX, &image->file, &image->size, why, sizeof(why)))
		return bad(&c, why);
	if (image->size < sizeof(Elf64_Ehdr) || memcmp(image->file, ELFMAG, SELFMAG) != 0)
		return bad(&c, "is no hosted kernel, expected what `iommulab kernel build` made");
	if (!read_headers(image) || !entry_fits(image))
		return bad(&c, "is no hosted kernel, or damaged: build it again");
	if (strcmp(image->facts.floor, HOSTED_FLOOR_HASH) != 0)
		return bad(&c, "was built for another version of iommulab: build it again");
	if (strcmp(image->facts.flavour, hosted_flavour()) != 0) {
		snprintf(why, sizeof(why), "is of flavour %s, this program needs %s",
			 image->facts.flavour, hosted_flavour());
		return bad(&c, why);
	}
	return true;
}
