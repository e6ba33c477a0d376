# SPDX-License-Identifier: GPL-2.0-only
# Two kernels answer the same program: what differs is named, and nothing else.
. "$(dirname "$0")/lib.sh"
[ "$FLAVOUR" = lab ] || [ "$FLAVOUR" = bench ] || exit 77

expect 0 '' hosted_build
expect 0 ' 0 differences' "$IOMMULAB" diff --kernel "$KERNEL" --against "$KERNEL" \
	tests/core/hosted/verbs.yaml
expect 0 ' 0 differences' "$IOMMULAB" diff --kernel "$KERNEL" tests/core/hosted/verbs.yaml \
	tests/core/hosted/one_task.yaml \
	scenarios/hosted/*.yaml scenarios/program/*.syz
for file in tests/conformance/uapi/*.yaml; do
	[[ $file == *_7.3.yaml || $file == *_own.yaml ]] ||
		expect 0 'clean, 1 runs' "$IOMMULAB" run --runs 1 --kernel "$KERNEL" "$file"
done
expect 2 'expected --kernel and --against' "$IOMMULAB" diff tests/core/hosted/verbs.yaml
finish
