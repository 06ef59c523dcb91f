#!/bin/sh
# Installs the clients that tests/real_clients.rs runs into a folder:
#   tests/clients/setup.sh DIR
# PHP comes from apt and needs root; the rest stays in DIR. The `mysql` command
# is taken from the PATH, or from MYSQL_CLIENT when the tests run.
set -eu
dir=$1
mkdir -p "$dir"
python3 -m venv "$dir/python"
"$dir/python/bin/pip" -q install pymysql cryptography mysql-connector-python asyncmy
(cd "$dir" && npm install --silent --no-audit --no-fund mysql2 mysql)
if ! command -v php >/dev/null; then
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends php-cli php-mysql >/dev/null
fi
