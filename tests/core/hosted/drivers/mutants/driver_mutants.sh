# SPDX-License-Identifier: GPL-2.0-only
# Flushes that the tree's own IOMMU drivers would forget: our hardware notices each.
. "$(dirname "$0")/../../lib.sh"
[ "$FLAVOUR" = lab ] || exit 77

KERNEL=$IOMMULAB_BUILD/hosted-6.12-drivers.so
expect 0 '' hosted_build --drivers
hunt_table --drivers --clean-runs 100 tests/core/hosted/drivers/mutants/table

# Of a line that was never flushed it says so with others at work, too.
cat >"$WORK/never.edit" <<-'EOF'
	file drivers/iommu/intel/iommu.c
	function pfn_to_dma_pte
	delete call domain_flush_cache 1/2
EOF
python3 tools/kernel_edit.py --tree "$TREE" --diff "$WORK/never.edit" >"$WORK/never.diff" ||
	fail "never.edit does not fit"
KERNEL=$WORK/never.so
expect 0 '' hosted_build --drivers --patch "$WORK/never.diff"
expect 1 'a line never written back since its page was allocated' "$IOMMULAB" run --kernel "$KERNEL" \
	--runs 100 --no-shrink tests/core/hosted/drivers/vtd_incoherent.yaml
grep -q '^BUG: missing cache flush' "$WORK/said" || fail "another title"
finish
