"""Counts a suite's results: judge.py EXPECTED RESULTS...

RESULTS are what Django's test runner, pytest with -rfE or node's test runner printed. EXPECTED
has the number of tests that pass (`passed N`) and the names of those that fail, each with
what comes of it. With MYSQL=1 none is expected to fail: that is what a MySQL server does.
Fails if a test fails that is not expected to, if fewer pass, or if one passes that is
expected to fail.
"""
import os
import re
import sys

least, expected = 0, set()
with open(sys.argv[1]) as file:
    for line in file:
        line = line.strip()
        if line.startswith("passed "):
            least = int(line.split()[1])
        elif line and not line.startswith("#"):
            expected.add(line)
if os.environ.get("MYSQL"):
    least, expected = least + len(expected), set()
passed, failing = 0, set()
for name in sys.argv[2:]:
    with open(name, errors="replace") as file:
        text = file.read()
    if ran := re.search(r"^Ran (\d+) tests? in", text, re.M):
        own = {found[1] for found in re.findall(r"^(FAIL|ERROR): \S+ \((.*?)\)", text, re.M)}
        other = sum(int(number) for number in re.findall(r"(?:skipped|expected failures)=(\d+)", text))
        passed += int(ran.group(1)) - other - len(own)
    elif ended := re.findall(r"^=+ (.*) in [\d.]+s.*=+$", text, re.M):
        own = set(re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.M))
        # The classes of SQLAlchemy's tests are named after driver and version.
        own = {re.sub(r"_mysql\+mysqldb[\d_]*", "", one) for one in own}
        passed += sum(int(number) for number in re.findall(r"(\d+) passed", ended[-1]))
    elif ended := re.search(r"^# pass (\d+)$", text, re.M):
        own = {one.strip() for one in re.findall(r"^\s*not ok \d+ - (.*)$", text, re.M)}
        passed += int(ended.group(1))
    else:
        sys.exit(f"{name} has no results:\n{text[-2000:]}")
    failing |= own
for one in sorted(failing - expected):
    print("failed:", one)
for one in sorted(expected - failing):
    print("passes, though it is expected to fail:", one)
if passed < least:
    print(f"{passed} passed, of {least} that did")
new = len(failing - expected)
print(f"{passed} passed, {len(failing)} failed, {new} of them unexpectedly")
sys.exit(bool(new or passed < least or expected - failing))
