#!/bin/sh
# Other people's clients against a running `firn up` on its developer's default:
#   mysql/protocol/tests/clients/setup.sh DIR     installs them
#   compute/tests/clients/run.sh DIR [PORT]       runs them, on 3306 or PORT
# Each connects with its defaults, over TLS and without, sends text and prepared
# statements, takes every type back as it was sent, and is refused with 1045 and 1049;
# libraries above drivers make tables, read them back and change them. They make databases
# and accounts of their own. What they expect holds for MySQL 9.7 too.
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
try 'PyMySQL, mysqlclient, Connector/Python, asyncmy' "$clients/python/bin/python" "$here/python_clients.py" "$port"
try 'SQLAlchemy and Django' "$clients/python/bin/python" "$here/python_orms.py" "$port"
try 'mysql2 and mysql' env NODE_PATH="$clients/node_modules" node "$here/node_clients.js" "$port"
try 'Knex, Sequelize, TypeORM, mariadb' env NODE_PATH="$clients/node_modules" node "$here/node_orms.js" "$port"
try 'mysqli and PDO' php "$here/php_clients.php" "$port"
try 'go-sql-driver' env GO111MODULE=off GOPATH=/usr/share/gocode go run "$here/go_client.go" "$port"
try 'MariaDB Connector/J' java -cp /usr/share/java/mariadb-java-client.jar "$here/JdbcClient.java" "$port"
exit $failed
