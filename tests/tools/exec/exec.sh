# SPDX-License-Identifier: GPL-2.0-only
# Unmodified reproducers of syzkaller's shape as clients; clients that die.
. "$(dirname "$0")/lib.sh"

for name in repro_repeat repro_threads repro_fault die vfio bar keeps busy waits stalls; do
	client $name
done

served 0 'iteration 2: seen 7' repro_repeat
export REPRO_HANG=1
served 0 'iteration 2: killed 9' repro_repeat
unset REPRO_HANG
served 0 'alloc 0, read 8 of 5, map 0, write 8, close 0' repro_threads
served 0 'some points failed, then none: yes' repro_fault
# A thread that calls without end lets others wake up, after as many calls each time.
served 0 '^slept three times$' busy
served 0 '^alone: 0$' busy alone
"$IOMMULAB" exec --kernel "$KERNEL" --record "$WORK/busy1.syz" -- "$WORK/busy" 2>/dev/null
"$IOMMULAB" exec --kernel "$KERNEL" --record "$WORK/busy2.syz" -- "$WORK/busy" 2>/dev/null
[ -s "$WORK/busy1.syz" ] && cmp -s "$WORK/busy1.syz" "$WORK/busy2.syz" ||
	fail "two recordings of a busy client differ"
# What tries the others' patience is a thread's own work, and no machine that has much to do.
served 0 '^went on: [1-9]' stalls
! grep -q 'sessions may differ' "$WORK/said" || fail "a thread that did no work has taken too long"
served 0 '^went on: [1-9]' stalls works
grep -q 'computed for 5 s without a call: .* sessions may differ' "$WORK/said" || fail "endless patience"
# Who waits in the host for a child's end goes on before those who sleep, whenever it wakes.
cd "$WORK" || exit 1
for i in 1 2 3 4 5 6 7 8; do
	timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" -- "$WORK/waits" >"$WORK/waits$i"
	cmp -s "$WORK/waits1" "$WORK/waits$i" || fail "two sessions with a child's end differ"
done
grep -q '^parent 6$' "$WORK/waits1" || fail "a sleeper is before who waits for a child's end"
served 7 'killed in read, then alloc 0' die
grep -q 'killed at birth, failed 0' "$WORK/said" || fail "clients that die at once stay for ever"
grep -q 'executed another, then alloc 0' "$WORK/said" || fail "a client executes another program"
grep -q 'aborted, then alloc 0' "$WORK/said" || fail "a client aborts"

# VFIO: a group in a container of type 1 and in an iommufd, and a device's own file.
served 0 '^/dev/vfio/vfio: map 0, the device sees 1122334455667788, unmap 0 of 4, then 0$' vfio
grep -q '^/dev/iommu: map 0, the device sees 1122334455667788, unmap 0 of 4, then 0$' "$WORK/said" ||
	fail "an iommufd is no container"
grep -q '^cdev: attach 0, again 0, detach 0$' "$WORK/said" || fail "a device's own file"

# What a kernel keeps until a device's driver goes is not left behind by the client.
served 0 '^messages: on 0, off 0$' keeps
grep -qx 'groups: 100' "$WORK/said" || fail "many groups"

# Registers that a client maps are the device's, on either kernel.
served 0 '^stored 12345678, in the file 12345678, loaded 1122$' bar
cp "$WORK/said" "$WORK/bar.hosted"
[ "$(grep -cx 'longer: EFAULT' "$WORK/said")" = 2 ] && grep -qx 'as long: yes, loaded 55667788' "$WORK/said" ||
	{ cat "$WORK/said"; fail "registers that mremap() makes longer"; }
expect 0 '^after a reset: 0$' "$IOMMULAB" exec -- "$WORK/bar"
cmp -s "$WORK/said" "$WORK/bar.hosted" || { cat "$WORK/bar.hosted"; fail "mapped registers differ"; }
for line in 'written abcd' 'interrupt 1' 'copied 55667788' 'decoding off: SIGBUS' \
	'on again: 55667788'; do
	grep -qx "$line" "$WORK/said" || fail "no '$line'"
done

# The same client twice gives the same answers.
"$IOMMULAB" exec --kernel "$KERNEL" -- "$WORK/repro_fault" >"$WORK/1" 2>&1
"$IOMMULAB" exec --kernel "$KERNEL" -- "$WORK/repro_fault" >"$WORK/2" 2>&1
cmp -s "$WORK/1" "$WORK/2" || fail "two runs of one client differ"

# Through a shell, whose exit code it is; through a pipe.
expect 9 'some points' "$IOMMULAB" exec --kernel "$KERNEL" -- \
	sh -c "$WORK/repro_fault | cat; exit 9"

# One that is gone before anybody listens.
for i in 1 2 3 4 5 6; do
	expect 0 '^at once$' "$IOMMULAB" exec --kernel "$KERNEL" -- echo 'at once'
done

# What cannot be a client.
expect_one_line 2 'no program' "$IOMMULAB" exec --kernel "$KERNEL"
expect_one_line 2 'no such program' "$IOMMULAB" exec --kernel "$KERNEL" -- no-such-program
# Our own kernel takes clients as well.
expect 0 '^at once$' "$IOMMULAB" exec -- echo 'at once'
gcc -O1 -w -static -o "$WORK/static" "$CLIENTS/repro_fault.c" || fail 'a static client'
expect_one_line 2 'statically linked' "$IOMMULAB" exec --kernel "$KERNEL" -- "$WORK/static"
expect_one_line 2 'cannot be written' "$IOMMULAB" exec --kernel "$KERNEL" \
	--record /nonexistent/file.syz -- true
finish
