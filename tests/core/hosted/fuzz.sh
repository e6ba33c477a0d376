# SPDX-License-Identifier: GPL-2.0-only
# The fuzz target of a hosted tree: total decoding, the same seed gives the
# same inputs, and without a tree it says that it is skipped.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77
target=$IOMMULAB_BUILD/fuzz_hosted_ops

expect 0 '' hosted_build
expect 77 'skipped, expected IOMMULAB_KERNEL' "$target" -runs=1
expect 2 'is no hosted kernel' env IOMMULAB_KERNEL="$0" "$target" -runs=1
for i in 1 2; do
	expect 0 'clean' env IOMMULAB_KERNEL="$KERNEL" "$target" -runs=1500 -seed=3 \
		-artifact_prefix="$WORK/"
	cp "$WORK/said" "$WORK/out$i"
done
cmp "$WORK/out1" "$WORK/out2" || fail "two runs of one seed differ"
finish
