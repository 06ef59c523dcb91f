#!/bin/sh
# SQLAlchemy's dialect suite and its own tests of the MySQL dialect, against a running
# `firn up` with root without a password:
#   compute/tests/frameworks/sqlalchemy.sh [PORT]
# MYSQL=1 expects what a MySQL server does. Some five minutes.
set -eu
. "$(dirname "$0")/common.sh"
system_packages libmariadb-dev gcc pkg-config python3-venv
version=2.0.58
python_packages mysqlclient==2.3.1 "SQLAlchemy==$version" pytest==9.2.0
python_source sqlalchemy "$version"
cd "$cache/sqlalchemy-$version"
# Each on databases of its own: tests of what there is not leave tables behind.
for part in test/dialect/test_suite.py test/dialect/mysql; do
    fresh_databases test test_schema
    "$python" -m pytest -p no:cacheprovider -q -rfE --tb=short \
        --dburi "mysql+mysqldb://root@127.0.0.1:$port/test?charset=utf8mb4" "$part" \
        >"$results/sqlalchemy-$(basename "$part" .py).txt" 2>&1 || true
done
"$python" "$here/judge.py" "$here/expected/sqlalchemy.txt" \
    "$results/sqlalchemy-test_suite.txt" "$results/sqlalchemy-mysql.txt"
