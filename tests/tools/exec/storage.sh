#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Drivers in user space on our own core: registers that are mapped, what is below /sys,
# DMA to and from their memory, behind either model of hardware.
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../cli/lib.sh"
# A /sys of ours alone: other sessions may run beside.
export TMPDIR=$WORK

on_machine() {
	timeout 600 "$IOMMULAB" exec --machine "$MACHINE" -- "$@"
}

for name in storage registers; do
	gcc -O1 -w -pthread -o "$WORK/$name" "$HERE/$name.c" || fail "$name.c"
done
sed 's/dmar0/smmu0/g; s/model: vtd/model: smmuv3/' "$HERE/storage.yaml" >"$WORK/smmuv3.yaml"

cat >"$WORK/want" <<'END'
driver pci-stub
group /dev/vfio/0
interrupt 1
version 10400, capabilities 20010100ff
model iommulab storage
128 blocks written and read, 0 differ
beyond the last block: status 80
parts agree, mask 6, ready
to memory that is not mapped: status 4
after it: status 0
END
# storage_on MACHINE [poll]: what it prints is as it should be, twice.
storage_on() {
	MACHINE=$1
	for i in 1 2; do
		on_machine "$WORK/storage" $2 >"$WORK/got" 2>&1 || fail "exit $?: storage on $*"
		diff "$WORK/want" "$WORK/got" || fail "storage on $*, time $i"
	done
}
storage_on "$HERE/storage.yaml"
# Behind an SMMU messages go through a window in the user's addresses.
storage_on "$WORK/smmuv3.yaml"
sed -i /interrupt/d "$WORK/want"
storage_on "$HERE/storage.yaml" poll
storage_on "$WORK/smmuv3.yaml" poll

# Other programs see the machine, too; what is not written to is not changed.
MACHINE=$HERE/storage.yaml
expect 0 '^0x010802$' on_machine sh -c 'cat /sys/bus/pci/devices/0000:00:03.0/class'
expect 0 '^0000:00:03.0$' on_machine ls /sys/kernel/iommu_groups/0/devices
expect 0 '^vfio0$' on_machine sh -c 'D=/sys/bus/pci/devices/0000:00:03.0
	echo 0000:00:03.0 >$D/driver/unbind; echo vfio-pci >$D/driver_override
	echo 0000:00:03.0 >/sys/bus/pci/drivers_probe; ls /dev/vfio/devices'
# The group's file goes with its last driver of VFIO.
cat >"$WORK/group.sh" <<'END'
D=/sys/bus/pci/devices/0000:00:03.0
echo 0000:00:03.0 >$D/driver/unbind; echo vfio-pci >$D/driver_override
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe; ls -x /dev/vfio
echo 0000:00:03.0 >$D/driver/unbind; ls -x /dev/vfio
END
expect 0 '^0  *devices  *vfio$' on_machine dash "$WORK/group.sh"
grep -q '^devices  *vfio$' "$WORK/said" || fail "its file is still there: $(cat "$WORK/said")"
expect 1 'I/O error' on_machine dash -c \
	'echo 0000:00:03.0 >/sys/bus/pci/drivers/demo-nic/unbind'
# A shell that writes by stdio.
expect 0 '^0000:00:03.0$' on_machine bash -c 'B=/sys/bus/pci/drivers
	echo 0000:00:03.0 >$B/pci-stub/unbind;
	echo vfio-pci >/sys/bus/pci/devices/0000:00:03.0/driver_override
	echo 0000:00:03.0 >$B/vfio-pci/bind; ls $B/vfio-pci | grep 0000'
expect 0 '^/sys/devices/pci0000:00/0000:00:03.0$' on_machine \
	realpath /sys/bus/pci/devices/0000:00:03.0
# From within, too; and the host's own is never written to, root or not.
expect 0 '^/sys/devices/pci0000:00/0000:00:03.0 vfio-pci$' on_machine sh -c 'cd /sys/bus/pci/devices
	cd 0000:00:03.0; echo 0000:00:03.0 >driver/unbind; echo vfio-pci >driver_override
	cd ..; echo 0000:00:03.0 >../drivers_probe; cd ./0000:00:03.0
	echo $(/bin/pwd) $(basename $(readlink driver))'
# A function behind no IOMMU: once the module's parameter says so.
cat >"$WORK/noiommu.sh" <<'END'
P=/sys/module/vfio/parameters/enable_unsafe_noiommu_mode D=/sys/bus/pci/devices/0000:00:03.0
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe; ls /dev/vfio; cat $P; echo Y >$P; cat $P
echo 0000:00:03.0 >/sys/bus/pci/drivers_probe; ls /dev/vfio /dev/vfio/devices
cat $D/iommu_group/name; ls $D/vfio-dev
echo 0000:00:03.0 >$D/driver/unbind; ls /dev/vfio /dev/vfio/devices
END
MACHINE=$HERE/noiommu.yaml
for kernel in model model-7.3; do
	own=vfio0 file=
	[ $kernel = model ] || own=noiommu-vfio0 file=noiommu-vfio0
	timeout 600 "$IOMMULAB" exec --kernel $kernel --machine "$MACHINE" -- \
		dash "$WORK/noiommu.sh" 2>/dev/null | tr '\n' ' ' >"$WORK/got"
	want="devices vfio N Y /dev/vfio: devices noiommu-0 vfio /dev/vfio/devices:${file:+ $file}"
	want+=" vfio-noiommu $own /dev/vfio: devices vfio /dev/vfio/devices: "
	[ "$(tr -s ' ' <"$WORK/got")" = "$want" ] ||
		fail "$kernel without an IOMMU: $(cat "$WORK/got")"
done
MACHINE=$HERE/storage.yaml
on_machine ls -lR /sys/bus/pci /dev/vfio >"$WORK/got" 2>&1 || fail "ls: $(cat "$WORK/got")"
grep '^ls: ' "$WORK/got" && fail "ls sees files that are not there"
expect 2 . on_machine sh -c 'cd /sys/devices/virtual/mem/null && echo add >uevent'
[ -z "$(find "$WORK" -maxdepth 1 -name 'iommulab-sys-*')" ] ||
	fail "a machine's /sys is left behind"

# What a session that was killed has left goes with the next; what is in use stays.
dead=$(sh -c 'echo $$')
SYS=$WORK/iommulab-sys
mkdir -p "$SYS-$dead-left01/sys/bus" "$SYS-$$-alive1" "$SYS-$dead-inuse"
exec 9<"$SYS-$dead-inuse"
flock 9
expect 0 '^0x010802$' on_machine cat /sys/bus/pci/devices/0000:00:03.0/class
[ ! -e "$SYS-$dead-left01" ] || fail "what a killed session left is still there"
[ -d "$SYS-$$-alive1" ] && [ -d "$SYS-$dead-inuse" ] || fail "a folder in use is gone"
exec 9<&-
rmdir "$SYS-$$-alive1" "$SYS-$dead-inuse"

# Instructions, registers that do not answer, the client's own handlers.
sed 's/pci-stub/vfio-pci/' "$HERE/storage.yaml" >"$WORK/bound.yaml"
MACHINE=$WORK/bound.yaml
expect 0 '^decoding off: SIGBUS at \+8$' on_machine "$WORK/registers"
grep -q WRONG "$WORK/said" && cat "$WORK/said" && fail "an instruction does something else"
[ "$(grep -c 'as written$' "$WORK/said")" = 10 ] || fail "not all instructions were tried"
for line in 'on again: version 10400' 'its own fault: SIGSEGV at 1000' 'its handler: its own' \
	'unmapped: SIGSEGV'; do
	grep -qx "$line" "$WORK/said" || fail "no '$line'"
done
expect 139 'is none that can be done here' on_machine "$WORK/registers" avx

# Machines that cannot be: one line each.
expect_one_line 2 'no-such.yaml' "$IOMMULAB" exec --machine no-such.yaml -- true
printf 'tasks: {main: [{open: /dev/iommu}]}\n' >"$WORK/calls.yaml"
expect_one_line 2 'calls.yaml:1:[0-9]+: a system call, expected' \
	"$IOMMULAB" exec --machine "$WORK/calls.yaml" -- true
sed 's/probe: disk0/unbind: disk0/' "$HERE/storage.yaml" >"$WORK/fails.yaml"
expect_one_line 2 'fails.yaml:[0-9]+:[0-9]+: unbind.*gave -ENODEV' \
	"$IOMMULAB" exec --machine "$WORK/fails.yaml" -- true
expect_one_line 2 'know no --machine' "$IOMMULAB" exec --machine "$HERE/storage.yaml" --explore -- true
finish
