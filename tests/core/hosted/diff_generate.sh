# SPDX-License-Identifier: GPL-2.0-only
# Random programs on our own core and on the tree: each result, error number, field that
# the kernel wrote, page that is pinned, and byte of memory. DIFF_PROGRAMS: how many.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

hosted_build >/dev/null || fail "the tree is not built"
n=${DIFF_PROGRAMS:-2000}
expect 0 "^$n programs, .* 0 differences" "$IOMMULAB" diff --kernel "$KERNEL" --generate "$n" \
	--seed "${DIFF_SEED:-1}"
# It would see one: two kernels of different versions are told apart, by rows of a table.
expect 0 '^[1-9][0-9]* known differences' "$IOMMULAB" diff --kernel model-7.3 \
	--against "$KERNEL" --generate 200 --json "$WORK/delta.json"
expect 0 'since 7.3: ' cat "$WORK/delta.json"
finish
