// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our own loop around a fuzz target, for every build that has no engine.
 *
 *	fuzz_X [-runs=N] [-seed=N] [-max_len=N] [-max_total_time=S]
 *	       [-error_exitcode=N] [-artifact_prefix=P] [FILE|DIR...]
 *
 * Inputs are run once each; with -runs (or without inputs) mutants of them
 * follow, made from the seed alone: two calls with the same arguments do the
 * same. What reaches a new counter (__libfuzzer_extra_counters) is kept and
 * mutated further. The wall clock only ever stops the loop.
 *
 * The target runs in a child process, which leaves the present input in shared
 * memory: a crash of any kind becomes the file <prefix>crash-<hash> and the
 * exit code for errors. Exit codes: 0 clean, that one (default 1), 2 usage.
 */
#include "sim/base/assert.h"
#include "sim/base/bits.h"
#include "sim/choice/choice.h"
#include "sim/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536
#define CORPUS_MAX 512u
#define RUNS_DEFAULT 10000
#define NEW_EVERY 16 /* one input in so many is random from its first byte */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max,
						     unsigned seed);
extern __attribute__((weak)) u8 __start___libfuzzer_extra_counters[];
extern __attribute__((weak)) u8 __stop___libfuzzer_extra_counters[];

/* What the parent must know when the child is gone. */
struct shared {
	u64 runs, digest;
	u32 kept;
	size_t size;
	u8 input[INPUT_MAX];
};

struct input {
	size_t size;
	u8 *bytes;
};

struct loop {
	u64 runs, seed, max_len, seconds, error_code;
	bool runs_given;
	const char *prefix;
	char **path;
	int n_paths;
	struct shared *shared;
	struct choice choice;
	struct input corpus[CORPUS_MAX];
	u32 n_corpus;
	u8 *seen; /* counters that any input has reached */
	u64 stop_us;
};

static struct loop loop = {
	.runs = RUNS_DEFAULT, .seed = 1, .max_len = 4096, .error_code = 1, .prefix = "./",
};

/* --- one input --- */

static size_t n_counters(void)
{
	if (!__start___libfuzzer_extra_counters)
		return 0;
	return (size_t)(__stop___libfuzzer_extra_counters - __start___libfuzzer_extra_counters);
}

/* Whether the last run reached a counter that none had; clears them. */
static bool is_new(struct loop *l)
{
	u8 *counter = __start___libfuzzer_extra_counters;
	size_t n = n_counters();
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		found |= (counter[i] & ~l->seen[i]) != 0;
		l->seen[i] |= counter[i];
	}
	if (n)
		memset(counter, 0, n);
	return found;
}

static void keep(struct loop *l, const u8 *bytes, size_t size)
{
	struct input *in = &l->corpus[l->n_corpus % CORPUS_MAX];

	free(in->bytes);
	in->bytes = malloc(size + 1);
	sim_assert(in->bytes);
	memcpy(in->bytes, bytes, size);
	in->size = size;
	l->n_corpus++;
	l->shared->kept++;
}

static void run(struct loop *l, const u8 *bytes, size_t size)
{
	struct shared *sh = l->shared;

	if (bytes != sh->input)
		memcpy(sh->input, bytes, size);
	sh->size = size;
	sh->runs++;
	for (size_t i = 0; i < size; i++)
		sh->digest = hash_mix(sh->digest, sh->input[i] + 1);
	LLVMFuzzerTestOneInput(sh->input, size);
	if (is_new(l))
		keep(l, sh->input, size);
}

/* --- inputs that were given --- */

static bool run_file(struct loop *l, const char *path, char *err, size_t err_size)
{
	size_t size;
	char *data;

	if (!host_file_read(path, INPUT_MAX, &data, &size, err, err_size))
		return false;
	run(l, (u8 *)data, size);
	keep(l, (u8 *)data, size);
	free(data);
	return true;
}

struct in_dir {
	struct loop *l;
	const char *dir;
};

static void run_entry(void *arg, const char *name)
{
	const struct in_dir *in = arg;
	char path[HOST_PATH_MAX], err[256];

	snprintf(path, sizeof(path), "%s/%s", in->dir, name);
	if (!run_file(in->l, path, err, sizeof(err)))
		fprintf(stderr, "%s: %s\n", path, err);
}

static void run_path(struct loop *l, const char *path)
{
	struct in_dir in = {l, path};
	u64 before = l->shared->runs;
	char err[256];

	if (run_file(l, path, err, sizeof(err)))
		return;
	host_dir_each(path, "", run_entry, &in);
	if (l->shared->runs == before)
		fprintf(stderr, "%s: %s, or a folder without files\n", path, err);
}

/* --- inputs made up --- */

static u32 below(struct loop *l, size_t n)
{
	return choice_below(&l->choice, CHOICE_DATA, (u32)n);
}

static size_t random_input(struct loop *l, u8 *bytes)
{
	size_t n = below(l, min(l->max_len, 256ULL) + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (u8)below(l, 256);
	return n;
}

static size_t change_byte(struct loop *l, u8 *bytes, size_t n)
{
	if (n)
		bytes[below(l, n)] = (u8)below(l, 256);
	return n;
}

static size_t flip_bit(struct loop *l, u8 *bytes, size_t n)
{
	if (n)
		bytes[below(l, n)] ^= (u8)(1u << below(l, 8));
	return n;
}

static size_t cut_out(struct loop *l, u8 *bytes, size_t n)
{
	size_t at, len;

	if (!n)
		return 0;
	at = below(l, n);
	len = 1 + below(l, min(n - at, (size_t)32));
	memmove(bytes + at, bytes + at + len, n - at - len);
	return n - len;
}

/* A piece of some input, or of this one, put in. */
static size_t put_in(struct loop *l, u8 *bytes, size_t n)
{
	const struct input *from;
	size_t at = below(l, n + 1), len, start;

	if (!l->n_corpus || n >= l->max_len)
		return n;
	from = &l->corpus[below(l, min(l->n_corpus, CORPUS_MAX))];
	if (!from->size)
		return n;
	start = below(l, from->size);
	len = 1 + below(l, min(from->size - start, (size_t)64));
	len = min(len, (size_t)l->max_len - n);
	memmove(bytes + at + len, bytes + at, n - at);
	memcpy(bytes + at, from->bytes + start, len);
	return n + len;
}

static size_t (*const changes[])(struct loop *l, u8 *bytes, size_t n) = {
	change_byte, flip_bit, cut_out, put_in, put_in,
};

static size_t mutate(struct loop *l, u8 *bytes, size_t n)
{
	if (LLVMFuzzerCustomMutator && below(l, 8))
		return LLVMFuzzerCustomMutator(bytes, n, l->max_len, below(l, 0x7fffffff));
	for (u32 i = 1 + below(l, 6); i; i--)
		n = changes[below(l, ARRAY_SIZE(changes))](l, bytes, n);
	return n;
}

static void run_mutant(struct loop *l)
{
	u8 *bytes = l->shared->input;
	const struct input *from;
	size_t n;

	if (!l->n_corpus || !below(l, NEW_EVERY)) {
		n = LLVMFuzzerCustomMutator && below(l, 8) ? 0 : random_input(l, bytes);
	} else {
		from = &l->corpus[below(l, min(l->n_corpus, CORPUS_MAX))];
		n = min(from->size, (size_t)l->max_len);
		memcpy(bytes, from->bytes, n);
	}
	run(l, bytes, l->n_corpus || LLVMFuzzerCustomMutator ? mutate(l, bytes, n) : n);
}

static void campaign(void *arg, u32 i)
{
	struct loop *l = arg;

	(void)i;
	choice_seed(&l->choice, l->seed);
	l->seen = calloc(1, n_counters() + 1);
	sim_assert(l->seen);
	for (int k = 0; k < l->n_paths; k++)
		run_path(l, l->path[k]);
	if (l->n_paths && !l->runs_given)
		return;
	for (u64 k = 0; k < l->runs && !(l->stop_us && host_now_us() >= l->stop_us); k++)
		run_mutant(l);
}

/* --- the program --- */

static bool number_flag(const char *arg, const char *name, u64 *value)
{
	size_t n = strlen(name);
	char *end;

	if (strncmp(arg, name, n) || arg[n] != '=' || arg[n + 1] < '0' || arg[n + 1] > '9')
		return false;
	*value = strtoull(arg + n + 1, &end, 10);
	return !*end;
}

static bool parse_flag(struct loop *l, const char *arg)
{
	static const char prefix[] = "-artifact_prefix=";

	if (!strncmp(arg, prefix, sizeof(prefix) - 1)) {
		l->prefix = arg + sizeof(prefix) - 1;
		return true;
	}
	if (number_flag(arg, "-runs", &l->runs))
		return l->runs_given = true;
	if (number_flag(arg, "-max_total_time", &l->seconds)) {
		l->runs = l->seconds ? ~0ULL : l->runs;
		return l->runs_given = true;
	}
	return number_flag(arg, "-seed", &l->seed) || number_flag(arg, "-max_len", &l->max_len) ||
	       number_flag(arg, "-error_exitcode", &l->error_code);
}

static bool parse(struct loop *l, int argc, char **argv)
{
	l->path = argv;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			l->path[l->n_paths++] = argv[i];
		} else if (!parse_flag(l, argv[i])) {
			fprintf(stderr, "fuzz_%s: unknown flag '%s', expected -runs=N, -seed=N, "
				"-max_len=N, -max_total_time=S, -error_exitcode=N or "
				"-artifact_prefix=P\n", FUZZ_TARGET, argv[i]);
			return false;
		}
	}
	if (l->max_len >= 1 && l->max_len <= INPUT_MAX)
		return true;
	fprintf(stderr, "fuzz_%s: -max_len is 1 to %d\n", FUZZ_TARGET, INPUT_MAX);
	return false;
}

static void save_crash(const struct loop *l)
{
	const struct shared *sh = l->shared;
	char path[HOST_PATH_MAX], err[256];
	u64 hash = 0;

	for (size_t i = 0; i < sh->size; i++)
		hash = hash_mix(hash, sh->input[i] + 1);
	snprintf(path, sizeof(path), "%scrash-%016llx", l->prefix, (unsigned long long)hash);
	if (host_file_write(path, (const char *)sh->input, sh->size, err, sizeof(err)))
		printf("input: %s (%zu bytes)\n", path, sh->size);
	else
		printf("input: cannot write %s: %s\n", path, err);
}

int main(int argc, char **argv)
{
	struct loop *l = &loop;
	struct host_workers worker = {campaign, NULL, l, ""};
	bool crashed;

	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	if (!parse(l, argc, argv))
		return 2;
	l->shared = host_shared_alloc(sizeof(*l->shared));
	if (l->seconds)
		l->stop_us = host_now_us() + l->seconds * 1000000;
	crashed = host_workers_run(1, &worker) > 0;
	if (crashed)
		save_crash(l);
	printf("fuzz_%s: %llu runs, %u kept, digest %016llx, %s\n", FUZZ_TARGET,
	       (unsigned long long)l->shared->runs, l->shared->kept,
	       (unsigned long long)l->shared->digest, crashed ? "crashed" : "clean");
	return crashed ? (int)l->error_code : 0;
}
