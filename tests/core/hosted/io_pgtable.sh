# SPDX-License-Identifier: GPL-2.0-only
# The self tests inside the tree's page tables: run when asked, not at each boot.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

selftest() {
	"$IOMMULAB" kernel selftest --io-pgtable "$@"
}

expect 0 '' hosted_build
expect 0 'self tests of io-pgtable, 0 failed' selftest --kernel "$KERNEL"
grep -E 'PASS|self test ok' "$WORK/said" || fail "the kernel says nothing of its tests"
# From 6.19 on the LPAE tests are KUnit's.
if grep -q LPAE_SELFTEST "$TREE/drivers/iommu/Kconfig"; then
	grep -q 'completed with 18 PASS 0 FAIL' "$WORK/said" || fail "not 18 LPAE tests"
fi
grep -q 'v7s io-pgtable: self test ok' "$WORK/said" || fail "no v7s test"
hosted_patch drivers/iommu/io-pgtable-arm-v7s.c \
	'/^static phys_addr_t arm_v7s_iova_to_phys/,/^}/s/return iopte_to_paddr(.*/return 0;/' \
	>"$WORK/broken.diff"
KERNEL=$WORK/broken.so expect 0 '' hosted_build --patch "$WORK/broken.diff"
expect 1 'selftest: test failed' selftest --kernel "$WORK/broken.so"
expect_one_line 2 'needs --kernel' selftest
expect_one_line 2 'goes with --kernel only' selftest --kernel "$KERNEL" --tree "$TREE"
expect_one_line 2 'is no hosted kernel' selftest --kernel model
finish
