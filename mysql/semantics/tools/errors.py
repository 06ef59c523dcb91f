#!/usr/bin/env python3
"""Writes src/error/table.rs: MySQL's numbers, names, SQLSTATEs and formats.

Numbers, names and states come from a live server's performance_schema, formats
from the `perror` tool of the same release. Messages of the error log (10000 and
up) never reach a client and are left out.

usage: errors.py 'MYSQL COMMAND' 'PERROR COMMAND' > src/error/table.rs
"""
import re
import subprocess
import sys

FIRST, LAST = 1000, 9999
HEADER = """\
// MySQL's server errors: facts of a running server, a MySQL {version}. Numbers, names
// and SQLSTATEs are rows of performance_schema.events_errors_summary_global_by_error,
// formats are what the release's perror prints for the numbers. Errors of the log,
// from 10000 on, are left out. Generated, not to be edited; anew, in mysql/semantics:
//   python3 tools/errors.py 'mysql -uroot -h127.0.0.1' perror > src/error/table.rs
"""


def main(mysql: str, perror: str) -> None:
    query = (
        "SELECT error_number, error_name, sql_state"
        " FROM performance_schema.events_errors_summary_global_by_error"
        f" WHERE error_number BETWEEN {FIRST} AND {LAST} ORDER BY error_number"
    )
    rows = subprocess.run(
        [*mysql.split(), "-N", "-B", "-e", query], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    version = subprocess.run(
        [*mysql.split(), "-N", "-B", "-e", "SELECT SUBSTRING_INDEX(VERSION(), '-', 1)"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()
    # perror ends with 1 when it knows no text for one of the numbers.
    texts = subprocess.run(
        [*perror.split(), *[row.split("\t")[0] for row in rows]], capture_output=True, text=True
    ).stdout
    head = re.compile(r"^MySQL error code MY-(\d+) \((\w+)\): ", re.M)
    found = list(head.finditer(texts))
    formats = {}
    for this, after in zip(found, found[1:] + [None]):
        text = texts[this.end() : after.start() if after else len(texts)]
        formats[int(this[1])] = text.removesuffix("\n")
    print(HEADER.format(version=version), end="")
    print("errors! {")
    for row in rows:
        number, name, state = row.split("\t")
        text = formats.get(int(number))
        if text is None:
            print(f"no text for {number} {name}", file=sys.stderr)
            continue
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        print(f'    {number} {name} "{state}" "{quoted}";')
    print("}")


if __name__ == "__main__":
    main(*sys.argv[1:])
