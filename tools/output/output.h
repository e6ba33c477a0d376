/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every command says alike: exit codes, complaints of one line, documents
 * of JSON (docs/json.md).
 *
 * Exit codes: 0 as expected, 1 a finding or a missed expectation, 2 bad usage
 * or bad input (one line on standard error), 77 skipped.
 */
#pragma once

#include "scenarios/engine/scenario.h"

enum { CLI_OK = 0, CLI_FINDING = 1, CLI_USAGE = 2, CLI_SKIPPED = 77 };

#define CLI_SCHEMA 1

struct json_object;

/* One line on standard error, "iommulab: ..."; returns CLI_USAGE. */
int cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The scenario of a file, read as --threads and --strict say (how->note is set
 * here: what was skipped goes to standard error); NULL after a complaint.
 */
struct scenario *cli_read_scenario(const char *path, struct scenario_how how);

/* A document with "schema" and "command". */
struct json_object *cli_json_new(const char *command);
/* value / unit (1,000 or 1,000,000), as a number with its noughts' digits. */
struct json_object *cli_json_decimal(u64 value, u64 unit);
/* Writes the document where --json says; 0 or CLI_USAGE. Takes it over. */
int cli_json_write(struct json_object *doc, const char *path);
