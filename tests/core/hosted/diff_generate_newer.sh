# SPDX-License-Identifier: GPL-2.0-only
# Random programs on our own core and on a newer tree, as diff_generate does for 6.12.
# DIFF_PROGRAMS: how many; DIFF_SEED: of the first.
. "$(dirname "$0")/lib_newer.sh"
[ "$FLAVOUR" = lab ] || exit 77

hosted_build >/dev/null || fail "the tree is not built"
n=${DIFF_PROGRAMS:-2000}
expect 0 "^$n programs, .* 0 differences" "$IOMMULAB" diff --kernel model-7.3 \
	--against "$KERNEL" --generate "$n" --seed "${DIFF_SEED:-1}"
finish
