# SPDX-License-Identifier: GPL-2.0-only
# Shared by the tests of hosted kernels: the tree, and the object made of it
# once per build directory.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

# Compiling a tree takes minutes, so whoever wants it names one.
TREE=${IOMMULAB_TREE:-}
if [ -z "$TREE" ]; then
	echo "no tree to host: set IOMMULAB_TREE to an unpacked Linux 6.12"
	exit 77
fi
[ -d "$TREE/drivers/iommu/iommufd" ] || fail "$TREE is no tree with iommufd"
for tool in flex bison bc clang-19 ld.lld-19 git; do
	command -v $tool >/dev/null || {
		echo "$tool is missing"
		exit 77
	}
done
KERNEL=$IOMMULAB_BUILD/hosted-6.12.so
# What other builds compiled serves here: it is found by content.
CACHE=$(dirname "$IOMMULAB_BUILD")/hosted
FLAVOUR=$IOMMULAB_FLAVOUR
case $FLAVOUR in
cov) FLAVOUR=lab ;;
afl) FLAVOUR=fuzz ;;
esac

# Two tests may run at once: one builds, the other waits.
hosted_build() {
	flock "$IOMMULAB_BUILD/hosted.lock" "$IOMMULAB" kernel build --tree "$TREE" --work "$CACHE" \
		--flavour "$FLAVOUR" --out "$KERNEL" "$@"
}

# hunt_table TABLE [ID...]: each of its bugs is found.
hunt_table() {
	python3 tools/kernel_hunt.py --iommulab "$IOMMULAB" --tree "$TREE" --kernel "$KERNEL" \
		--work "$CACHE" --out "$IOMMULAB_BUILD/hosted-edits" "$@" ||
		fail "$1: not all are found"
}

# hosted_patch FILE SED: the patch that an edit of a file of the tree makes.
hosted_patch() {
	sed "$2" "$TREE/$1" | diff -u --label "a/$1" --label "b/$1" "$TREE/$1" -
	[ "${PIPESTATUS[1]}" = 1 ] || fail "'$2' changes nothing in $1"
}

# hosted_story FILE: a story of our own core, for a tree, whose machine is there when it begins.
hosted_story() {
	sed -E '/\{(register_iommu|probe):/d
		s/model: (vtd|smmuv3)\}/model: \1, at_boot: true}/
		s/driver: vfio-pci(, bound: true)?/driver: vfio-pci, bound: true/' "$1"
}

# hosted_atc OPTION...: stories of devices that answer invalidations late, or never. Late ones are
# waited for whenever they answer, which is a choice of the run; who never answers makes the
# models' time-outs come, and the drivers' own ways out of them.
hosted_atc() {
	local story
	for story in tests/core/hosted/drivers/atc/*_late.yaml; do
		expect 0 "clean, $RUNS runs" "$IOMMULAB" run --kernel "$KERNEL" --runs "$RUNS" \
			--verify 50 "$@" "$story"
		tail -1 "$WORK/said"
		# A run that is shown has a task in which the device answers.
		sed '0,/ret: EFAULT/s//ret: 0/' "$story" >"$WORK/late.yaml"
		expect 1 'T[0-9]+ nic0' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink "$@" \
			"$WORK/late.yaml"
		expect 1 '100 of 100 replays identical' "$IOMMULAB" replay --times 100 \
			"$(sed -n "s/^replay: iommulab replay '\(.*\)'/\1/p" "$WORK/said")"
		sed -i 's/, atc: late//' "$WORK/late.yaml"
		expect 1 'expectation failed' "$IOMMULAB" run --kernel "$KERNEL" --no-shrink "$@" \
			"$WORK/late.yaml"
		grep -qE 'T[0-9]+ nic0' "$WORK/said" && fail "$story: nic0 has a task without atc"
	done
	# The one asks for ever, the other goes on as if it had been answered.
	for story in vtd smmuv3; do
		expect 0 'expected-finding' "$IOMMULAB" run --kernel "$KERNEL" "$@" \
			"tests/core/hosted/drivers/atc/${story}_never.yaml"
		tail -1 "$WORK/said"
	done
	expect 0 'Invalidation Time-out Error \(ITE\) cleared' "$IOMMULAB" run --kernel "$KERNEL" \
		--printk --runs 1 "$@" tests/core/hosted/drivers/atc/vtd_never.yaml
	expect 0 'CMDQ error \(cons 0x[0-9a-f]+\): ATC invalidate timeout' "$IOMMULAB" run \
		--kernel "$KERNEL" --printk --runs 1 "$@" tests/core/hosted/drivers/atc/smmuv3_never.yaml
}
