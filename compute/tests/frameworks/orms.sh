#!/bin/sh
# Knex, Sequelize, TypeORM and Drizzle over mysql2: making tables and reading them back,
# migrations, types, queries, transactions; against a running `firn up` with root without a
# password:
#   compute/tests/frameworks/orms.sh [PORT]
# MYSQL=1 expects what a MySQL server does. Under a minute.
set -eu
. "$(dirname "$0")/common.sh"
mkdir -p "$cache/node"
(cd "$cache/node" && npm install --silent --no-audit --no-fund mysql2@3.24.6 knex@3.3.0 \
    sequelize@6.37.8 typeorm@1.1.1 drizzle-orm@0.45.4 drizzle-kit@0.31.11 >/dev/null)
failed=0
for orm in knex sequelize typeorm drizzle; do
    printf '%s: ' "$orm"
    NODE_PATH=$cache/node/node_modules PORT=$port KIT=$cache/node/node_modules/.bin/drizzle-kit \
        node --test-reporter=tap "$here/orms/$orm.test.js" >"$results/$orm.txt" 2>&1 || true
    python3 "$here/judge.py" "$here/expected/$orm.txt" "$results/$orm.txt" || failed=1
done
exit $failed
