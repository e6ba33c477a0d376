# SPDX-License-Identifier: GPL-2.0-only
# `kernel build`: an object of an unmodified tree, again in seconds, and one
# clear line for whatever cannot be built.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

touch "$WORK/before"
expect 0 'Linux 6\.12\..*files of the tree' hosted_build
grep -q 'facts of the uAPI table are not in this tree (--verbose' "$WORK/said" ||
	fail "it does not say how to list what the tree does not have"
expect 0 'not in$|not in this tree: ' hosted_build --verbose
grep -q 'iommu_ioas_map_file' "$WORK/said" || fail "--verbose lists nothing"
[ -z "$(find "$TREE" -newer "$WORK/before" -print -quit)" ] ||
	fail "the tree was written into"

expect_one_line 2 'tree is missing' "$IOMMULAB" kernel build
expect_one_line 2 'not a kernel tree' "$IOMMULAB" kernel build --tree "$WORK" --work "$WORK/w"
expect_one_line 2 "no-such: not a kernel tree" "$IOMMULAB" kernel build --tree "$WORK/no-such" \
	--work "$WORK/w"
expect_one_line 2 "--config: 'arm'" "$IOMMULAB" kernel build --tree "$TREE" --config arm
expect_one_line 2 'unknown option' "$IOMMULAB" kernel build --three "$TREE"
expect_one_line 2 "expected .iommulab kernel build" "$IOMMULAB" kernel
mkdir "$WORK/old" && (cd "$WORK/old" && mkdir -p include/linux drivers/iommu/iommufd arch/um &&
	printf 'VERSION = 5\nPATCHLEVEL = 4\nSUBLEVEL = 1\n' >Makefile && touch Kconfig)
expect_one_line 2 'Linux 5.4 is too old' "$IOMMULAB" kernel build --tree "$WORK/old" --work "$WORK/w"

# Objects that are none, or not whole.
expect_one_line 2 'is no hosted kernel' "$IOMMULAB" run --kernel tests/core/hosted/one_task.yaml \
	tests/core/hosted/one_task.yaml
for size in 10 64 5000 100000; do
	head -c $size "$KERNEL" >"$WORK/cut.so"
	expect_one_line 2 'is no hosted kernel' "$IOMMULAB" run --kernel "$WORK/cut.so" \
		tests/core/hosted/one_task.yaml
done
expect_one_line 2 'kernel: .*no-such' "$IOMMULAB" run --kernel "$WORK/no-such" \
	tests/core/hosted/one_task.yaml
touch "$WORK/file"
expect_one_line 2 'out: .*file is a file, expected a folder' "$IOMMULAB" run --kernel "$KERNEL" \
	--out "$WORK/file" tests/core/hosted/one_task.yaml
expect_one_line 2 'bench: .*is no hosted kernel' "$IOMMULAB" bench --kernel "$WORK/cut.so" \
	hosted-20 hosted-3x10
finish
