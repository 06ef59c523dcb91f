#!/bin/sh
# Other people's clients against a running `firn up` on its developer's default:
#   mysql/protocol/tests/clients/setup.sh DIR     installs them
#   compute/tests/clients/run.sh DIR [PORT]       runs them, on 3306 or PORT
# Each connects with its defaults, over TLS and without, sends text and prepared
# statements, takes every type back as it was sent, and is refused with 1045 and 1049.
# They make the database `clients` and accounts of their own.
set -eu
clients=$1
port=${2:-3306}
here=$(cd "$(dirname "$0")" && pwd)
failed=0
try() {
    printf '%s: ' "$1"
    shift
    "$@" || failed=1
}
try 'PyMySQL, Connector/Python, asyncmy' "$clients/python/bin/python" "$here/python_clients.py" "$port"
try 'mysql2 and mysql' env NODE_PATH="$clients/node_modules" node "$here/node_clients.js" "$port"
try 'mysqli and PDO' php "$here/php_clients.php" "$port"
exit $failed
