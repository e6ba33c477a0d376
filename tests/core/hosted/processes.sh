# SPDX-License-Identifier: GPL-2.0-only
# The cases of tests/core/hosted/test_*.c, on an object of the tree.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

expect 0 '' hosted_build
for test in "$IOMMULAB_BUILD"/tests/test.core.hosted.*; do
	HOSTED_KERNEL=$KERNEL expect 0 '' "$test" --jobs 1
done
finish
