# SPDX-License-Identifier: GPL-2.0-only
# What was written for hosted kernels runs on our own core, with all oracles,
# under many schedules; so do random programs.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

for file in scenarios/program/*.syz scenarios/hosted/*.yaml tests/core/hosted/verbs.yaml \
	tests/core/iommufd/viommu.syz; do
	expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 "$file"
done
# What only a later Linux has; an older one answers as if the flags were unknown.
expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel model-7.3 --runs 1000 tests/core/iommufd/pasid.syz
expect 0 'clean' "$IOMMULAB" run --kernel model-7.3 --fail-nth tests/core/iommufd/pasid.syz
expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 tests/core/iommufd/pasid.syz
expect 0 'clean, 300 runs' "$IOMMULAB" run --runs 300 --threads all scenarios/program/ioas-map-unmap.syz

# A fault that is not survived is a leak or worse: the n-th failure of each program.
for file in scenarios/program/*.syz tests/core/iommufd/viommu.syz; do
	expect 0 'clean' "$IOMMULAB" run --fail-nth "$file"
done

if [ -x "$IOMMULAB_BUILD/fuzz_hosted_ops" ]; then
	expect 0 'clean' env IOMMULAB_KERNEL=model "$IOMMULAB_BUILD/fuzz_hosted_ops" -runs=4000 \
		-artifact_prefix="$WORK/"
fi
expect 0 'clean, 3000 runs' "$IOMMULAB" run --runs 3000 tests/core/iommufd/exit_beside.yaml
expect 0 'clean, 2000 runs' "$IOMMULAB" run --runs 2000 tests/core/iommufd/change_process.yaml
expect 0 'clean' "$IOMMULAB" run --fail-nth tests/core/iommufd/change_process.yaml
finish
