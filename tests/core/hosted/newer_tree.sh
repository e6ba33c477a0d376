# SPDX-License-Identifier: GPL-2.0-only
# A tree ten releases newer hosts on the same runtime: it links, says what is
# absent, the stories run clean in it and VFIO's program passes.
. "$(dirname "$0")/lib_newer.sh"
[ "$FLAVOUR" = lab ] || exit 77
RUNS=${CLEAN_RUNS:-2000}

expect 0 'Linux [7-9][.0-9]*, lab, 1[0-9][0-9] files of the tree' hosted_build
for story in one_task two_tasks three_tasks mutants/destroy_while_mapping; do
	expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" \
		"tests/core/hosted/$story.yaml"
done
for file in tests/conformance/uapi/{hw_queue,iommufd,vfio,vfio_noiommu}_7.3.yaml; do
	expect 0 'clean, 1 runs' "$IOMMULAB" run --runs 1 --kernel "$KERNEL" "$file"
done
# The howto, on this tree; its own selftests, and what of them cannot pass.
BROKEN=$WORK/broken.so
python3 tools/kernel_edit.py --tree "$TREE" --diff tests/core/hosted/mutants/destroy-no-wait-7.edit \
	>"$WORK/broken.diff" || fail "no patch"
expect 0 'patched: drivers/iommu/iommufd/main.c' "$IOMMULAB" kernel build --tree "$TREE" \
	--work "$CACHE" --flavour "$FLAVOUR" --patch "$WORK/broken.diff" --out "$BROKEN"
expect 1 'slab-use-after-free in iommufd_' "$IOMMULAB" run --kernel "$BROKEN" --runs 20000 \
	docs/howto/map-and-destroy.syz
cp "$WORK/said" "$WORK/report.txt"
expect 1 '100 of 100 replays identical' "$IOMMULAB" replay --times 100 "$WORK/report.txt"
expect 0 'shown by bad' "$IOMMULAB" bisect --bad "$BROKEN" --good "$KERNEL" --runs 1000 \
	"$WORK/report.txt"
gcc -o "$WORK/repro" docs/howto/map-and-destroy.c -pthread || fail "map-and-destroy.c"
expect 1 'KASAN: slab-use-after-free' "$IOMMULAB" exec --kernel "$BROKEN" \
	--record "$WORK/repro.syz" --explore --threads all --runs 20000 -- "$WORK/repro"
expect 0 '[0-9]+ cases: 2[3-9][0-9] pass, [0-9]+ fail \(11 explained\)' timeout 900 "$IOMMULAB" \
	kernel selftest --tree "$TREE" --kernel "$KERNEL" --work "$WORK/selftest"
# More locks of a class at once than a task lists.
expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 --kernel "$KERNEL" \
	tests/core/iommufd/change_process.yaml
expect 0 '88 calls, 0 differences' "$IOMMULAB" diff --kernel model-7.3 --against "$KERNEL" \
	tests/conformance/uapi/vfio_noiommu_7.3.yaml
HOSTED_KERNEL=$KERNEL expect 0 'Passing: 9 . Failing: 0' \
	"$IOMMULAB_BUILD/tests/test.core.hosted.vfio" --jobs 1
finish
