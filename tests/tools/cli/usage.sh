# SPDX-License-Identifier: GPL-2.0-only
# Bad usage and bad input: one clear line, exit 2. Help and lists work.
. "$(dirname "$0")/lib.sh"

expect 0 'iommulab run' "$IOMMULAB" help
expect 0 'iommulab run' "$IOMMULAB" --help
expect 0 'build [0-9a-f]{16}, recipes of [0-9a-f]{8}' "$IOMMULAB" version
for command in run replay shrink hunt list topo; do
	expect 0 'Usage' "$IOMMULAB" $command --help
done
for what in scenarios bugs oracles policies operations machines calls; do
	expect 0 '' "$IOMMULAB" list $what
done
expect 0 '^core-devfree-vs-fwspec' "$IOMMULAB" list scenarios
expect 0 '^claim: device, owner' "$IOMMULAB" list operations

expect_one_line 2 "unknown subcommand 'rnu'.*did you mean 'run'" "$IOMMULAB" rnu
expect_one_line 2 'no file' "$IOMMULAB" run
expect_one_line 2 '--sede.*--help' "$IOMMULAB" run --sede 3 x
expect_one_line 2 "--seed: '-1'" "$IOMMULAB" run --seed=-1 demo
expect_one_line 2 "--runs: '0'" "$IOMMULAB" run --runs 0 demo
expect_one_line 2 "--runs: '1e6'" "$IOMMULAB" run --runs 1e6 demo
expect_one_line 2 "--seed: '18446744073709551616'" "$IOMMULAB" run --seed 18446744073709551616 demo
expect_one_line 2 "version: 'x' is left over" "$IOMMULAB" version x
expect_one_line 2 'a\\x0ab\\x1b\[31m: .*No such file' "$IOMMULAB" run "$(printf 'a\nb\033[31m')"
# U+202E turns the line around, U+009B begins an escape sequence; a letter of two bytes is one.
expect_one_line 2 'é\\xe2\\x80\\xae\\xc2\\x9bx: ' \
	"$IOMMULAB" run "$(printf '\303\251\342\200\256\302\233x')"
expect_one_line 2 'standard output cannot be written' sh -c '"$0" run --help >/dev/full' "$IOMMULAB"
# (AddressSanitizer's shadow does not fit at all.)
[ "$IOMMULAB_FLAVOUR" = asan ] ||
	expect_one_line 2 'the host refuses memory' bash -c 'ulimit -v 100000; "$0" run demo' "$IOMMULAB"
# What malloc() is refused as well: a report of 7 MiB where there is room for 2.
if [ "$IOMMULAB_FLAVOUR" != asan ]; then
	head -c 7M /dev/zero | tr '\0' x >"$WORK/big"
	limit=20000
	until (ulimit -v $limit && exec "$IOMMULAB" version) >"$WORK/said" 2>&1; do limit=$((limit + 500)); done
	expect_one_line 2 'the host refuses memory \([0-9]+ bytes\)' \
		bash -c 'ulimit -v '$((limit + 2000))'; exec "$0" replay "$1"' "$IOMMULAB" "$WORK/big"
fi
{ "$IOMMULAB" list operations | head -n 1 >"$WORK/said"; } 2>"$WORK/err"
[ ! -s "$WORK/err" ] || fail 'a reader that had enough is no failure'
expect_one_line 2 "--time: '5 parsecs'" "$IOMMULAB" run --time '5 parsecs' demo
expect_one_line 2 "--jobs: '1000'" "$IOMMULAB" run --jobs 1000 demo
expect_one_line 2 "unknown policy 'poss'.*did you mean 'pos'" "$IOMMULAB" run --policy poss demo
expect_one_line 2 "policy rw does not take 'x'" "$IOMMULAB" run --policy rw:x demo
# As recipes and reports have them.
expect 0 'expected-finding' "$IOMMULAB" run --no-shrink -p 'mix(rw:12)' -n 5000 demo
expect_one_line 2 "policy rw does not take 'x'" "$IOMMULAB" run --policy 'rw(x)' demo
expect_one_line 2 "unknown policy 'rw\(4'" "$IOMMULAB" run --policy 'rw(4' demo
expect_one_line 2 "unknown bug 'none'" "$IOMMULAB" run --bug none demo
expect_one_line 2 'unknown oracle' "$IOMMULAB" run --oracles kasam demo
expect_one_line 2 'not built yet' "$IOMMULAB" run --memory tso demo
expect_one_line 2 'kernel: /usr/src/no-such' "$IOMMULAB" run --kernel /usr/src/no-such demo
expect_one_line 2 'is no system call' "$IOMMULAB" run --threads all demo
expect_one_line 2 "'some', expected all" "$IOMMULAB" run --threads some demo
expect_one_line 2 'no such program' "$IOMMULAB" exec no-such-program
expect_one_line 2 'expected --kernel and --against' "$IOMMULAB" diff x
expect_one_line 2 'bisect: --good is missing' "$IOMMULAB" bisect x
expect_one_line 2 'bisect: --bad is missing' "$IOMMULAB" bisect --good model x
expect_one_line 2 'bisect: 0 files, expected one' "$IOMMULAB" bisect --good model --bad model
expect_one_line 2 'bisect: 2 files, expected one' "$IOMMULAB" bisect --good model --bad model demo demo
expect_one_line 2 '--bad: /usr/src/no-such' "$IOMMULAB" bisect --good model --bad /usr/src/no-such demo
expect_one_line 2 'none.yaml: .*No such file' "$IOMMULAB" bisect --good model --bad model "$WORK/none.yaml"
expect_one_line 2 "unknown 'bugz'.*did you mean 'bugs'" "$IOMMULAB" list bugz
expect_one_line 2 'no target' "$IOMMULAB" fuzz no-such-target
expect_one_line 2 'expected mix, rw' "$IOMMULAB" hunt --policy foo

# Help, however it is asked for.
expect 0 'lists its options' "$IOMMULAB" help --help
expect 0 'lists its options' "$IOMMULAB" version --help
expect 0 'lists its options' "$IOMMULAB" help help
expect 0 'Usage: iommulab run' "$IOMMULAB" help run
expect 0 'kernel build --tree DIR' "$IOMMULAB" help kernel
expect_one_line 2 "unknown subcommand 'runn'.*did you mean 'run'" "$IOMMULAB" help runn

# Said before minutes of measuring or exploring; what would not be looked at is no option.
expect_one_line 2 'plot: /nonexist/x.svg cannot be written' "$IOMMULAB" bench --quick \
	--plot /nonexist/x.svg fibers
expect_one_line 2 'json: / cannot be written' "$IOMMULAB" bench --quick --json / fibers
expect_one_line 2 'exec: --time is for exploring' "$IOMMULAB" exec --time 5s -- true
expect_one_line 2 'exec: --runs is for exploring' "$IOMMULAB" exec --runs 5 --record "$WORK/r" -- true
expect_one_line 2 'record: / cannot be written' "$IOMMULAB" exec --record / -- true
expect_one_line 2 'usage.sh: no such program, or not one' "$IOMMULAB" exec -- "$0"

# Files.
mkdir "$WORK/dir"
printf 'machine: {}\nmachin: {}\n' >"$WORK/key.yaml"
printf 'a\0b' >"$WORK/nul.yaml"
: >"$WORK/empty.yaml"
echo 'machine: x' >"$WORK/secret.yaml"
chmod 0 "$WORK/secret.yaml"
expect_one_line 2 'dir: is a directory, expected a file' "$IOMMULAB" run "$WORK/dir"
expect_one_line 2 'none.yaml: .*No such file' "$IOMMULAB" run "$WORK/none.yaml"
expect_one_line 2 "key.yaml:2:1: unknown key 'machin' in a scenario" "$IOMMULAB" run "$WORK/key.yaml"
# All files are read before the first is run; of a program only the error is said.
expect_one_line 2 "key.yaml:2:1: unknown key" "$IOMMULAB" run --json "$WORK/two.json" demo "$WORK/key.yaml"
printf 'r0 = nosuchcall()\nr1 = openat(0xffffffffffffff9c, &(0x7f0000000000\n' >"$WORK/bad.syz"
expect_one_line 2 'bad.syz:2:' "$IOMMULAB" run "$WORK/bad.syz"
expect_one_line 2 'nul.yaml:1:2: NUL byte' "$IOMMULAB" run "$WORK/nul.yaml"
expect_one_line 2 'empty.yaml:1:1: empty' "$IOMMULAB" run "$WORK/empty.yaml"
expect_one_line 2 'standard input: |standard input:1:1' "$IOMMULAB" run -
if [ "$(id -u)" != 0 ]; then
	expect_one_line 2 'secret.yaml: .*Permission denied' "$IOMMULAB" run "$WORK/secret.yaml"
fi
expect_one_line 2 'No such file' "$IOMMULAB" topo "$WORK/none.yaml"
expect 0 '"nic0" -> "smmu0"' "$IOMMULAB" topo demo

# What a file is, where its name does not say: a program, a crash log of more than 1 MiB, C.
printf 'r0 = openat$iommufd(AUTO, &AUTO="%s", 0x2, 0x0)\n' "2f6465762f696f6d6d7500" >"$WORK/repro.txt"
expect 0 'repro.txt: clean, 3 runs' "$IOMMULAB" run --runs 3 "$WORK/repro.txt"
{
	echo '10:00:00 executing program 0:'
	cat "$WORK/repro.txt"
	yes '[   45.123456][ T5000] a line of the console' | head -n 30000
} >"$WORK/log0"
expect 0 'log0: clean, 3 runs' "$IOMMULAB" run --runs 3 "$WORK/log0"
expect 0 'clean, 3 runs' sh -c '"$0" run --runs 3 - <"$1"' "$IOMMULAB" "$WORK/log0"
echo '// autogenerated by syzkaller (https://github.com/google/syzkaller)' >"$WORK/repro.c"
expect_one_line 2 'repro.c: C source, expected .*iommulab exec' "$IOMMULAB" run "$WORK/repro.c"
sed 's/^/about: /;q' "$WORK/log0" >"$WORK/about"
echo 'tasks: {}' >>"$WORK/about"
expect_one_line 2 'about:1:' "$IOMMULAB" run "$WORK/about"

# A story for a tree whose IOMMU nobody registers here would be clean with its IOMMU off.
expect_one_line 2 'IOMMU dmar0 is not registered at boot there' \
	"$IOMMULAB" run tests/core/hosted/drivers/vtd.yaml
expect 0 'fabric: clean' "$IOMMULAB" run --runs 2 tests/core/vfio/own/fabric.yaml

# Recipes.
build=$("$IOMMULAB" version | sed 's|.*recipes of \(........\).*|\1|')
expect_one_line 2 'no recipe and no file' "$IOMMULAB" replay foo:bar
expect_one_line 2 'expected one RECIPE or REPORT' "$IOMMULAB" replay
expect_one_line 2 'column 11: no build id' "$IOMMULAB" replay 'iommulab1:xyz'
expect_one_line 2 'recipe of build 00000000, expected' \
	"$IOMMULAB" replay 'iommulab1:00000000:scenarios/demo.yaml@00000000:rw:1:sc:'
expect_one_line 2 'has changed since the recipe' \
	"$IOMMULAB" replay "iommulab1:$build:scenarios/demo.yaml@00000000:rw:1:sc:"
expect_one_line 2 'No such file' \
	"$IOMMULAB" replay "iommulab1:$build:scenarios/none.yaml@00000000:rw:1:sc:"
expect_one_line 2 'is a directory' "$IOMMULAB" replay "$WORK/dir"
expect_one_line 2 'empty.yaml: no replay line' "$IOMMULAB" shrink "$WORK/empty.yaml"
expect_one_line 2 "policy rw does not take 'zz'" \
	"$IOMMULAB" replay "iommulab1:$build:scenarios/demo.yaml@00000000:rw(zz):1:sc:"
expect_one_line 2 'drop 5-2, expected the lower' \
	"$IOMMULAB" replay "iommulab1:$build:scenarios/demo.yaml@00000000:rw:1:sc:drop=5-2"
expect_one_line 2 'nth 0, expected 1' \
	"$IOMMULAB" replay "iommulab1:$build:scenarios/demo.yaml@00000000:rw:1:sc:nth=0"
finish
