#!/bin/sh
# Django's own tests over its MySQL backend, against a running `firn up` with root without
# a password:
#   compute/tests/frameworks/django.sh [PORT [MODULE...]]
# Runs the modules below, or others. MYSQL=1 expects what a MySQL server does. Wants root
# once, for the headers of the client library. Some five minutes.
set -eu
. "$(dirname "$0")/common.sh"
system_packages libmariadb-dev gcc pkg-config python3-venv
python_packages mysqlclient==2.3.1 tblib==3.2.2 tzdata Jinja2==3.1.6 PyYAML==6.0.3 Pillow==12.0.0
python_source django 5.2.19
source=$cache/django-5.2.19
"$python" -m pip -q install -e "$source"
expected=$here/expected/django.txt
if [ $# -eq 0 ]; then
    set -- backends migrations queries aggregation expressions transactions schema
else
    expected=/dev/null
fi
cd "$source/tests"
PORT=$port PYTHONPATH=$here "$python" runtests.py --settings=django_settings --parallel=1 --noinput \
    -v 2 "$@" >"$results/django.txt" 2>&1 || true
"$python" "$here/judge.py" "$expected" "$results/django.txt"
