# SPDX-License-Identifier: GPL-2.0-only
# A client's calls as a program: written, read again, explored.
. "$(dirname "$0")/lib.sh"

client repro_threads
cd "$WORK" || exit 1
expect 0 'calls recorded in' timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/threads.syz" -- "$WORK/repro_threads"
grep -q 'ioctl\$IOMMU_IOAS_MAP' threads.syz || fail "the recording has no IOMMU_IOAS_MAP"
grep -q 'openat\$iommufd' threads.syz || fail "the recording opens no iommufd"
expect 0 'clean, 200 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 200 "$WORK/threads.syz"
expect 0 'clean, 200 runs' timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/again.syz" --explore --threads all --runs 200 -- "$WORK/repro_threads"
cmp -s threads.syz again.syz || fail "two recordings of one client differ"

# Its threads are tasks: whose call waits for whose is in the recording.
client repro_race
for i in 1 2 3; do
	expect 0 '^2 threads, 100 s$' timeout 90 "$IOMMULAB" exec --kernel "$KERNEL" \
		--record "$WORK/race$i.syz" -- "$WORK/repro_race"
	cmp -s race1.syz "race$i.syz" || fail "two recordings of one client's threads differ"
done
grep -q '^# iommulab: thread 1, after ' race1.syz || fail "a thread does not wait for its creator"
grep -q '^# iommulab: thread 0, after ' race1.syz || fail "nobody waits for the threads' ends"
expect 0 'clean, 500 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 500 race1.syz
# They may as well run as they please.
expect 0 '^2 threads, 100 s$' timeout 90 "$IOMMULAB" exec --kernel model -- "$WORK/repro_race"
expect 0 'alloc 0, read 8 of 5' timeout 600 "$IOMMULAB" exec --free-threads --kernel "$KERNEL" \
	-- "$WORK/repro_threads"

# A client that forks: its children are processes of the program, too.
client repro_repeat
expect 0 'calls recorded in' timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/forks.syz" -- "$WORK/repro_repeat"
grep -q '^# iommulab: process 1 begins, a copy of 0$' forks.syz || fail "no fork is recorded"
grep -q '^# iommulab: process 1 ends$' forks.syz || fail "no end of a child is recorded"
expect 0 'clean, 100 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 100 --threads all \
	"$WORK/forks.syz"

# One that repeats itself for ever is ended some time after the recording is full; without
# exploring it goes on until somebody ends it.
export REPRO_ITERATIONS=0
expect 0 'the recording is full: the program is ended after' timeout 600 "$IOMMULAB" exec \
	--kernel "$KERNEL" --record "$WORK/ever.syz" --explore --runs 20 -- "$WORK/repro_repeat"
grep -q 'clean, 20 runs' "$WORK/said" || fail "what a client did that never ends is not explored"
# Told by timeout(1), which says it twice.
in_background timeout --preserve-status 900 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/ever2.syz" -- "$WORK/repro_repeat"
until grep -q 'goes on, Ctrl-C ends it' "$WORK/said" || ! kill -0 $PID 2>/dev/null; do sleep 0.1; done
kill -INT $PID
wait $PID
[ $? = 130 ] || fail "a session that was stopped, its exit code: $(cat "$WORK/said")"
[ -s ever2.syz ] || fail "nothing is left of a session that was stopped"
cmp -s ever.syz ever2.syz || fail "two recordings of a client that never ends differ"
unset REPRO_ITERATIONS

# A file is its number, although the opening of a group says nothing of what it is.
client vfio
expect 0 'calls recorded in' timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/vfio.syz" -- "$WORK/vfio"
grep -q 'VFIO_GROUP_SET_CONTAINER(r' vfio.syz || fail "a group's file is a constant"
grep -q 'VFIO_DEVICE_ATTACH_IOMMUFD_PT(r' vfio.syz || fail "a device's file is a constant"
expect 0 'clean, 200 runs' "$IOMMULAB" run --kernel "$KERNEL" --runs 200 "$WORK/vfio.syz"

# The call that met a finding is in the recording as well, with what it read.
client warns
expect 1 'WARNING in get_area' timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/warns.syz" -- "$WORK/warns"
expect 1 'WARNING in get_area' "$IOMMULAB" run --kernel "$KERNEL" --runs 1 --no-shrink "$WORK/warns.syz"
# One that came too late for it is a finding of the session all the same.
expect 1 'clean, 2 runs' timeout 600 "$IOMMULAB" exec --kernel "$KERNEL" \
	--record "$WORK/late.syz" --explore --runs 2 -- "$WORK/warns" late

# Without --record the recording leaves nothing where the user works.
mkdir "$WORK/empty" && cd "$WORK/empty" || exit 1
XDG_CACHE_HOME=$WORK/cache expect 0 'record FILE keeps them' timeout 600 "$IOMMULAB" exec \
	--kernel "$KERNEL" --explore --threads all --runs 20 -- "$WORK/repro_threads"
[ -z "$(ls)" ] || fail "a recording that was not asked for: $(ls)"
[ -s "$WORK/cache/iommulab/recordings/repro_threads.syz" ] || fail "no recording is kept"
finish
