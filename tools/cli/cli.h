/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program: one table of subcommands, one set of options they share.
 */
#pragma once

#include "scenarios/explore/explore.h"
#include "tools/output/output.h"

#include <popt.h>
#include <stdio.h>

/* Every option of every subcommand; each reads those it knows. */
struct cli_options {
	char *seed, *runs, *time, *jobs, *verify, *times, *seeds;
	char *policy, *memory, *kernel, *oracles, *json, *trace, *out, *threads, *against;
	char *generate;
	char *good, *bad;
	char *record, *tree, *machine, *known;
	char *bug_text; /* last --bug */
	struct bug_set bugs;
	int fail_nth, strict, keep_going, no_shrink, gdb, force, all, explore, printk, free_threads;
};

/* One command line being read. */
struct cli {
	const struct cli_command *command;
	struct cli_options o;
	const char **args; /* what is left, NULL at the end */
	int n_args;
	poptContext context;
};

struct cli_command {
	const char *name, *args, *help;
	const struct poptOption *options;
	int (*run)(struct cli *c);
	int (*raw)(int argc, char **argv); /* instead: gets the arguments unread */
};
extern const struct cli_command cli_commands[];

/* --- shared option tables (options.c) --- */
extern const struct poptOption cli_run_options[], cli_replay_options[], cli_shrink_options[],
	cli_hunt_options[], cli_diff_options[], cli_list_options[], cli_no_options[],
	cli_exec_options[], cli_bisect_options[];
/* Where popt stores what it reads; one command a process. */
extern struct cli_options cli_given;

/* A number in [min, max] with the option's name in the complaint; def if text is NULL. */
bool cli_number(const char *option, const char *text, u64 min, u64 max, u64 def, u64 *value);
/* Options that all exploring commands share, into explore_options; 0 or CLI_USAGE. */
int cli_explore_options(const struct cli *c, struct explore_options *o);
/* --memory and --kernel: what is not built yet is refused here; gives the kernel. */
int cli_check_world(const struct cli *c, const struct kernel **kernel);

/*
 * What a user calls a kernel: `model`, the file of an object, or the folder of a
 * tree, which is built first. CLI_USAGE after a complaint, which names option.
 */
int cli_kernel_open(const char *option, const char *text, const struct kernel **k);

/* --- subcommands --- */
int cli_run(struct cli *c);
int cli_replay(struct cli *c);
int cli_shrink(struct cli *c);
int cli_hunt(struct cli *c);
int cli_list(struct cli *c);
int cli_topo(struct cli *c);
int cli_diff(struct cli *c);
int cli_bisect(struct cli *c);
int cli_exec(struct cli *c);
int cli_fuzz(int argc, char **argv);
int cli_help(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_kernel(int argc, char **argv);
int cli_selftest(int argc, char **argv);
/* The folder that holds core/hosted/build, or NULL. */
const char *cli_hosted_root(char *root);

/* --- output (output.c) --- */
void cli_progress_begin(struct explore_options *o);
void cli_progress_end(void);

/* The JSON rows of `calls`. */
struct json_object *cli_calls_json(const struct scenario *s, const long *rets,
				   const struct call_results *values);
/* Puts a finding into --out; 0 or CLI_USAGE. */
int cli_publish(const struct explore_finding *f, const struct scenario *s, const char *dir);
/* What run and replay say of a finding in JSON. */
void cli_json_add_finding(struct json_object *doc, const struct explore_finding *f,
			  const struct scenario *s);

/* Texts of recipes, each of one run (or of runs joined by " + "). */
struct cli_recipes {
	char **text;
	u32 n;
};
/*
 * Those that an argument means: a recipe, a report file (text or JSON; of several
 * results each one's) or "-". CLI_USAGE after a complaint; cli_recipes_free() anyhow.
 */
int cli_find_recipes(const char *arg, struct cli_recipes *to);
void cli_recipes_free(struct cli_recipes *t);
/* Reads one, checks build and scenario; returns how many runs it is of, 0 after a complaint. */
u32 cli_read_recipe(const char *text, bool force, struct recipe *r, struct scenario **s);
