# SPDX-License-Identifier: GPL-2.0-only
# A container's share of the processors is looked for in both kinds of control groups.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"
ALL=$(nproc)
[ "$ALL" -gt 1 ] || exit 77
mkdir -p "$WORK/proc/self" "$WORK/cg/box" "$WORK/cg/cpu/box"

# finds N: with what is in "$WORK" now.
finds() {
	expect_one_line 0 "^$1\$" python3 -B "$IOMMULAB_SOURCE/core/hosted/build/processors.py" \
		"$WORK/proc" "$WORK/cg"
}

finds "$ALL"
echo '0::/box' >"$WORK/proc/self/cgroup"
finds "$ALL"
echo 'max 100000' >"$WORK/cg/box/cpu.max"
finds "$ALL"
echo '50000 100000' >"$WORK/cg/box/cpu.max"
finds 1
echo '120000 100000' >"$WORK/cg/box/cpu.max"
finds 2
echo '999900000 100000' >"$WORK/cg/box/cpu.max"
finds "$ALL"
echo 'nonsense' >"$WORK/cg/box/cpu.max"
finds "$ALL"
# The name is the host's, the mount the container's.
echo '0::/docker/1234' >"$WORK/proc/self/cgroup"
echo '100000 100000' >"$WORK/cg/cpu.max"
finds 1
rm "$WORK/cg/cpu.max"

printf '5:cpu,cpuacct:/box\n0::/\n' >"$WORK/proc/self/cgroup"
echo 100000 >"$WORK/cg/cpu/box/cpu.cfs_period_us"
echo -1 >"$WORK/cg/cpu/box/cpu.cfs_quota_us"
finds "$ALL"
echo 20000 >"$WORK/cg/cpu/box/cpu.cfs_quota_us"
finds 1
finish
