# SPDX-License-Identifier: GPL-2.0-only
# What docs/findings says of the tree is so, and so is its fix.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || exit 77
grep -q '^PATCHLEVEL = 12$' "$TREE/Makefile" || exit 77

NAME=docs/findings/iommufd-detach-stale-hwpt
QUIET=(--runs 10000 --oracles 'kasan,warn,leak,hang,deadlock')
expect 0 '' hosted_build
expect 1 'data-race in iommufd_device_do_replace / iommufd_hw_pagetable_detach' "$IOMMULAB" run \
	--kernel "$KERNEL" --runs 20000 $NAME.yaml
expect 1 'KASAN: ' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink "${QUIET[@]}" $NAME.yaml
python3 tools/kernel_edit.py --tree "$TREE" --diff $NAME.edit >"$WORK/fix.diff" || fail "no patch"
expect 0 '' "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" --flavour "$FLAVOUR" \
	--patch "$WORK/fix.diff" --out "$WORK/fixed.so"
expect 0 'clean, 10000 runs' "$IOMMULAB" run --kernel "$WORK/fixed.so" "${QUIET[@]}" $NAME.yaml

expect 1 'WARNING in mock_domain_iova_to_phys' "$IOMMULAB" run --kernel "$KERNEL" --runs 10 \
	docs/findings/iommufd-unpin-reads-unmapped.yaml
expect 1 'WARNING in get_area' "$IOMMULAB" run --kernel "$KERNEL" --runs 1 \
	docs/findings/vfio-ioeventfd-negative-bar.yaml
expect 1 'data-race in [a-z_]* / [a-z_]*' "$IOMMULAB" run --kernel "$KERNEL" --runs 200 --no-shrink \
	docs/findings/vfio-pci-unbind-bits.yaml
grep -q '^BUG: .*pci_num_vf' "$WORK/said" || fail "another race"
finish
