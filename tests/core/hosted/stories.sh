# SPDX-License-Identifier: GPL-2.0-only
# The operations of our own core on the tree's driver core and IOMMU core. The
# race oracle is off: Linux publishes a device's group by a plain store.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

expect 0 '' hosted_build
for story in tests/core/hosted/ownership.yaml scenarios/story/domains.yaml; do
	expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 1000 --verify 200 \
		--oracles=atomic,deadlock,hang,kasan,leak,lockorder,warn "$story"
done
finish
