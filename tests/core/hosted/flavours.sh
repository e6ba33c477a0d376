# SPDX-License-Identifier: GPL-2.0-only
# An object of this program's flavour builds, loads and runs the stories; one
# of another flavour is refused.
. "$(dirname "$0")/lib.sh"

expect 0 '' hosted_build
for story in one_task two_tasks mutants/destroy_while_mapping; do
	expect 0 'clean, 200 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 200 \
		"tests/core/hosted/$story.yaml"
done
case $FLAVOUR in
lab) other=bench ;;
*) other=lab ;;
esac
[ ! -f "$IOMMULAB_BUILD/../$other/hosted-6.12.so" ] ||
	expect_one_line 2 "is of flavour $other, this program needs $FLAVOUR" "$IOMMULAB" run \
		--kernel "$IOMMULAB_BUILD/../$other/hosted-6.12.so" tests/core/hosted/one_task.yaml
finish
