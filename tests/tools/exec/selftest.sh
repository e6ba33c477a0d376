# SPDX-License-Identifier: GPL-2.0-only
# The tree's own selftests as clients.
. "$(dirname "$0")/lib.sh"

expect 0 '197 cases: [0-9]+ pass' timeout 600 "$IOMMULAB" kernel selftest --tree "$TREE" \
	--kernel "$KERNEL" --work "$WORK/selftest" --json "$WORK/selftest.json"
cat "$WORK/said"
python3 - "$WORK/selftest.json" <<'PY' || fail "too few cases pass"
import json, sys
result = json.load(open(sys.argv[1]))
fail_nth = [c for c in result["cases"] if c["program"] == "iommufd_fail_nth"]
assert all(c["result"] == "pass" for c in fail_nth) and len(fail_nth) >= 7, fail_nth
forks = [c for c in result["cases"] if ".fork_" in c["case"]]
assert len(forks) == 8 and all(c["result"] == "pass" for c in forks), forks
assert result["pass"] >= 197 and not result["unexplained"] and not result["broken"]
PY
expect_one_line 2 'tree is missing' "$IOMMULAB" kernel selftest
expect_one_line 2 'no such file' "$IOMMULAB" kernel selftest --tree "$WORK" --kernel "$KERNEL" \
	--work "$WORK/nothing"
finish
