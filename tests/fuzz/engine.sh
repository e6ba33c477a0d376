#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# The engines themselves, in the builds that have one: libFuzzer and AFL++ run
# the targets, see their coverage grow, and stop at the canary's bug.
. tests/fuzz/lib.sh

make_seeds yaml >"$work/said"

libfuzzer() {
	local target status

	for target in yaml recipe core_ops; do
		mkdir -p "$work/corpus/$target" "$work/seeds/$target"
		"$IOMMULAB_BUILD/fuzz_$target" -runs=3000 -seed=1 -error_exitcode=1 \
			-artifact_prefix="$work/" "$work/corpus/$target" "$work/seeds/$target" \
			>"$work/out" 2>&1 || die "fuzz_$target: $(tail -40 "$work/out")"
		[ "$(find "$work/corpus/$target" -type f | wc -l)" -ge 5 ] ||
			die "fuzz_$target kept nothing: is the code under test instrumented?"
	done
	status=0
	mkdir -p "$work/corpus/canary"
	make_seeds canary >"$work/said"
	"$IOMMULAB_BUILD/fuzz_canary" -runs=200000 -seed=1 -error_exitcode=1 \
		-artifact_prefix="$work/" "$work/corpus/canary" "$work/seeds/canary" \
		>"$work/out" 2>&1 || status=$?
	[ "$status" -eq 1 ] || die "the canary ended with $status, expected 1"
}

stat() {
	sed -n "s/^$1 *: //p" "$work/afl/default/fuzzer_stats"
}

afl() {
	rm -rf "$work/few" && mkdir "$work/few"
	cp "$(find "$work/seeds/yaml" -type f | sort | head -n 1)" "$work/few/"
	# So many runs, whatever time they take; none is slow, but the machine may be.
	AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 \
		afl-fuzz -s 1 -E 10000 -t 20000 -i "$work/few" -o "$work/afl" -- "$IOMMULAB_BUILD/fuzz_yaml" \
		>"$work/out" 2>&1 || die "afl-fuzz: $(tail -40 "$work/out")"
	[ "$(stat corpus_found)" -ge 5 ] || die "AFL++ found no new paths: $(cat "$work/out")"
	[ "$(stat saved_crashes)" -eq 0 ] || die "AFL++ crashed fuzz_yaml"
}

case $IOMMULAB_FLAVOUR in
fuzz) libfuzzer ;;
afl) afl ;;
*) exit 77 ;;
esac
