# SPDX-License-Identifier: GPL-2.0-only
# Faults of modelled hardware in user space: read from a fault queue, answered, left.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

for file in tests/core/fault/*.yaml; do
	expect 0 'clean, 500 runs' "$IOMMULAB" run --kernel model-7.3 "$file"
	# Whatever fails, nothing is left over, and nobody waits for ever.
	sed '/wait: done/d; s/, ret: [^}]*}/}/; s/timeout: -1/timeout: 10/' "$file" >"$WORK/failing.yaml"
	expect 0 'clean' "$IOMMULAB" run --kernel model-7.3 --fail-nth "$WORK/failing.yaml"
done
finish
