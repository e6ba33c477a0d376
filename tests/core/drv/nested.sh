# SPDX-License-Identifier: GPL-2.0-only
# Nesting, and IOMMUs that go, behind our own drivers of modelled hardware: what user space is
# answered, and what devices reach; by many schedules, and with each allocation failing in turn.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

for file in tests/core/drv/*.yaml; do
	expect 0 'clean, 50 runs' "$IOMMULAB" run --runs 50 "$file"
done
for file in tests/core/drv/unregister_*.yaml; do
	sed 's/smmuv3/vtd/' "$file" >"$WORK/${file##*/}"
	expect 0 'clean, 50 runs' "$IOMMULAB" run --runs 50 "$WORK/${file##*/}"
done
# What fails is answered otherwise.
for file in tests/core/drv/*.yaml scenarios/story/*-nested.yaml; do
	sed -E 's/,? *ret: -?[A-Za-z0-9]+//' "$file" >"$WORK/${file##*/}"
	expect 0 'clean' "$IOMMULAB" run --fail-nth "$WORK/${file##*/}"
done
for file in tests/core/drv/73/*.yaml; do
	expect 0 'clean, 300 runs' "$IOMMULAB" run --kernel model-7.3 --runs 300 "$file"
done
finish
