/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Findings that a user knows of already, by their titles: a campaign goes on past
 * them, and they are no result of it.
 */
#pragma once

#include "sim/world/world.h"

/*
 * A text with a pattern a line, `*`, `?` and `[...]` as in a shell's names of files; blank
 * lines and what begins with # are passed over. A title matches as a report has it, or
 * without its "BUG: ", as syzbot writes it.
 */
struct explore_known;

/* NULL, and one line in err: the file cannot be read, or a line of it makes no sense. */
struct explore_known *explore_known_read(const char *path, char *err, size_t err_size);
void explore_known_free(struct explore_known *k);

/* The pattern that the title matches, or NULL. k may be NULL. */
const char *explore_known_title(const struct explore_known *k, const char *title);
/*
 * Whether its title may come to match. Of a race one side has no name before the run has been
 * made again with a record.
 */
bool explore_known_maybe(const struct explore_known *k, const struct finding *f);
