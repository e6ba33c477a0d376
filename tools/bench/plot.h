/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rows of benchmarks as a picture.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* rows: as --json has them. Writes SVG to path; false: err says why not. */
bool bench_plot(struct json_object *rows, const char *path, char *err, size_t err_size);
