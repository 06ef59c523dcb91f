#!/bin/sh
# Installs the clients that tests/real_clients.rs and compute/tests/clients run, each in
# the version that was tried, into a folder:
#   tests/clients/setup.sh DIR
# PHP, Go, Java and MariaDB's library come from Debian's apt and need root; the rest
# stays in DIR. The `mysql` command is taken from the PATH, or from MYSQL_CLIENT when the
# tests run.
set -eu
dir=$1
mkdir -p "$dir"
missing=
for package in php-cli php-mysql golang-go golang-github-go-sql-driver-mysql-dev \
    default-jdk-headless libmariadb-java libmariadb-dev gcc pkg-config; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi
python3 -m venv "$dir/python"
# Connector/Python 9.7.0 is the last with its part in C.
"$dir/python/bin/pip" -q install PyMySQL==1.2.4 cryptography==50.0.2 mysqlclient==2.3.1 \
    mysql-connector-python==9.7.0 asyncmy==0.2.18 SQLAlchemy==2.1.9 Django==5.2.19
(cd "$dir" && npm install --silent --no-audit --no-fund mysql2@3.24.6 mysql@2.18.1 \
    mariadb@3.5.4 knex@3.3.0 sequelize@6.37.8 typeorm@1.1.1)
