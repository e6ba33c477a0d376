# SPDX-License-Identifier: GPL-2.0-only
# VFIO of our own core: each program under many schedules, and with its n-th failure.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

for file in tests/core/vfio/*.yaml tests/core/vfio/own/*.yaml \
	tests/core/hosted/stories/vfio_cdev.yaml; do
	expect 0 ', 100 runs|expected-finding' "$IOMMULAB" run --runs 100 "$file"
done
sed 's/model: vtd/model: smmuv3/' tests/core/vfio/own/fabric.yaml >"$WORK/smmuv3.yaml"
expect 0 'clean, 100 runs' "$IOMMULAB" run --runs 100 "$WORK/smmuv3.yaml"
for file in tests/core/vfio/*.yaml tests/core/vfio/own/noiommu.yaml \
	tests/core/hosted/stories/vfio_cdev.yaml; do
	expect 0 'clean' "$IOMMULAB" run --fail-nth "$file"
done
for file in tests/core/vfio/73/*.yaml; do
	expect 0 'clean, 100 runs' "$IOMMULAB" run --kernel model-7.3 --runs 100 "$file"
done
expect 0 'clean' "$IOMMULAB" run --kernel model-7.3 --fail-nth tests/core/vfio/73/noiommu.yaml
# Registers that others map, taken back: by an older Linux there are none.
expect 0 'clean, 1000 runs' "$IOMMULAB" run --kernel model-7.3 --runs 1000 scenarios/story/dmabuf-revoke.yaml
expect 0 'clean' "$IOMMULAB" run --kernel model-7.3 --fail-nth scenarios/story/dmabuf-revoke.yaml
finish
