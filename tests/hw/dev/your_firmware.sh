# SPDX-License-Identifier: GPL-2.0-only
# What docs/howto/your-firmware.md promises: its C program for three processors, a store
# that stalls, a race.
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/cli/lib.sh"

OPTIONS_riscv64="-march=rv64gc -mcmodel=medany"
cp docs/howto/sum.yaml "$WORK"
for arch in aarch64 x86_64 riscv64; do
	options=OPTIONS_$arch
	# shellcheck disable=SC2086
	clang-19 --target=$arch-none-elf ${!options} -O1 -ffreestanding -c docs/howto/sum.c \
		-o "$WORK/sum.o" || fail "$arch: not compiled"
	ld.lld-19 -T hw/dev/firmware/layout.ld -o "$WORK/sum.elf" "$WORK/sum.o" || fail "$arch: not linked"
	expect 0 'clean, 500 runs' "$IOMMULAB" run "$WORK/sum.yaml"
done

"$IOMMULAB" run --runs 1 --trace "$WORK/trace" "$WORK/sum.yaml" >/dev/null || fail 'no trace'
order=$(grep -oE ' (dma_stall|map|dma) .*iova=0x20001000' "$WORK/trace" | cut -d' ' -f2 | tr '\n' ' ')
[ "$order" = 'dma_stall map dma dma ' ] || fail "the store to a page that is not there: $order"

sed 's/0x20003000/0x20000000/' "$WORK/sum.yaml" >"$WORK/race.yaml"
expect 1 'race: finding' "$IOMMULAB" run --runs 5000 "$WORK/race.yaml"
cp "$WORK/said" "$WORK/report.txt"
expect 1 '10 of 10 replays identical' "$IOMMULAB" replay --times 10 "$WORK/report.txt"

# Beside the story, wherever one stands; and one line where it is not.
IOMMULAB=$(realpath "$IOMMULAB")
cd / || exit 1
if command -v gdb >/dev/null; then
	(cd "$WORK" && timeout 600 "$IOMMULAB" replay --gdb report.txt </dev/null >gdb 2>&1)
	grep -qE '^[0-9]+	.*w->oracles' "$WORK/gdb" || fail 'gdb does not know our own text'
fi
expect 0 'clean' "$IOMMULAB" run --runs 5 "$WORK/sum.yaml"
rm "$WORK/sum.elf"
expect_one_line 2 "sum.yaml:8:[0-9]+: firmware 'sum.elf' cannot be read" "$IOMMULAB" run "$WORK/sum.yaml"
finish
