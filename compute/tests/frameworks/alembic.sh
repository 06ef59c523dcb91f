#!/bin/sh
# Alembic's tests that ask a database, autogenerate among them, against a running `firn up`
# with root without a password:
#   compute/tests/frameworks/alembic.sh [PORT]
# MYSQL=1 expects what a MySQL server does. A minute.
set -eu
. "$(dirname "$0")/common.sh"
system_packages libmariadb-dev gcc pkg-config python3-venv
python_packages mysqlclient==2.3.1 SQLAlchemy==2.0.58 alembic==1.20.1 pytest==9.2.0
python_source alembic 1.20.1
cd "$cache/alembic-1.20.1"
# What a run leaves that was stopped.
rm -rf scratch
fresh_databases test test_schema
"$python" -m pytest -p no:cacheprovider -q -rfE --tb=short \
    --dburi "mysql+mysqldb://root@127.0.0.1:$port/test?charset=utf8mb4" \
    tests/test_suite.py tests/test_mysql.py tests/test_autogen_check_constraints.py \
    tests/test_autogen_composition.py tests/test_autogen_diffs.py tests/test_autogen_indexes.py \
    tests/test_bulk_insert.py tests/test_version_table.py tests/test_op.py \
    >"$results/alembic.txt" 2>&1 || true
"$python" "$here/judge.py" "$here/expected/alembic.txt" "$results/alembic.txt"
