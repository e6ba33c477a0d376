#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# tools/profile.py keeps what training reached, leaves out what it did not, gives the
# same twice, and leaves a file alone that would become the same.
set -eu
: "${IOMMULAB_SOURCE:?root of the source}"
[ "$IOMMULAB_FLAVOUR" = lab ] || exit 77
command -v clang-19 >/dev/null && command -v llvm-profdata-19 >/dev/null || exit 77
cd "$IOMMULAB_SOURCE"

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
	echo "profile: $*"
	exit 1
}
# Counts what it is told to do; the address of a variable changes what it does where
# addresses are not always the same.
cat >"$dir/trained.c" <<'END'
#include <stdint.h>
#include <stdlib.h>
static int place;
__attribute__((noinline)) int reached_always(int n) { return n + 1; }
__attribute__((noinline)) int reached_never(int n) { return n + 2; }
int main(int argc, char **argv)
{
	int n = 0;

	for (uintptr_t i = 0; i < ((uintptr_t)&place >> 12 & 1023); i++)
		n = reached_always(n);
	for (int i = 0; i < argc; i++)
		n = reached_always(n);
	if (argc > 100)
		n = reached_never(n);
	return getenv("FAIL") ? 2 : n < 0 || !argv;
}
END
clang-19 -O1 -fPIE -pie -fprofile-generate -o "$dir/trained" "$dir/trained.c"
make_profile() { python3 tools/profile.py "$dir/trained" llvm-profdata-19 "$dir/out.profdata"; }

make_profile
llvm-profdata-19 show --all-functions "$dir/out.profdata" >"$dir/text"
grep -q reached_always "$dir/text" || fail "what was reached is not in it"
! grep -q reached_never "$dir/text" || fail "what was not reached is in it"
cp "$dir/out.profdata" "$dir/first.profdata"
touch -d 2000-01-01 "$dir/out.profdata"
make_profile
cmp "$dir/first.profdata" "$dir/out.profdata" || fail "another one from the same program"
[ "$(stat -c %Y "$dir/out.profdata")" -lt 1000000000 ] || fail "written although the same"

# A program that cannot be run as asked is no training.
if FAIL=1 make_profile >"$dir/said" 2>&1; then
	fail "a run that ended with 2 passed for training"
fi
grep -q 'exit code 2' "$dir/said" || fail "not told: $(cat "$dir/said")"
[ "$(find "$dir" -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 0 ] || fail "a folder is left"
