#!/bin/sh
# MySQL's own programs against a running server that `root` enters without a password:
#   compute/tests/clients/tools.sh [PORT]     on 3306 or PORT
# BIN is the folder of the programs, if they are not on the path, LOADER what has to stand
# before them. They use a database and an account of their own. What is expected holds for
# MySQL 9.7 too, but for --stop, which shuts the server down in the end.
set -eu
port=${1:-3306}
stop=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
count=0
tool() {
    program=$1
    shift
    # shellcheck disable=SC2086
    ${LOADER:-} "${BIN:+$BIN/}$program" --no-defaults -h127.0.0.1 -P"$port" "$@"
}
# expect PATTERN STATUS PROGRAM ARGUMENTS…: what it writes, and how it ends.
expect() {
    pattern=$1
    status=$2
    shift 2
    count=$((count + 1))
    ended=0
    tool "$@" >"$work/out" 2>&1 </dev/null || ended=$?
    if [ "$ended" != "$status" ] || ! { [ -z "$pattern" ] || grep -qE -e "$pattern" "$work/out"; }; then
        echo "$*: ended with $ended, wanted $status and $pattern:"
        sed 's/^/    /' "$work/out" | head -20
        failed=1
    fi
}
root() { tool mysql -uroot "$@"; }

root -e 'DROP DATABASE IF EXISTS firn_tools; CREATE DATABASE firn_tools; DROP USER IF EXISTS firn_tools'
root firn_tools <<'SQL'
CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20), b VARBINARY(10), KEY (a));
INSERT INTO t (a, b) VALUES ('x', x'00ff'), ('<b>&"', NULL), (NULL, ''), ('tab\there\nand', 'é');
CREATE VIEW v AS SELECT a, b FROM t;
DELIMITER //
SELECT 1; SELECT 2 //
DELIMITER ;
-- a comment
# another
/* and one more; with a semicolon */
CREATE USER firn_tools IDENTIFIED BY 'first';
GRANT ALL ON firn_tools.* TO firn_tools;
SQL

# mysql
root_in() { pattern=$1; status=$2; shift 2; expect "$pattern" "$status" mysql -uroot "$@"; }
root_in '^Current database:[[:space:]]*firn_tools' 0 --loose-commands firn_tools -e '\s'
root_in '^Connection:.*TCP/IP' 0 --loose-commands firn_tools -e '\s'
root_in 'Cipher in use' 0 --ssl-mode=REQUIRED --loose-commands -e '\s'
root_in 'Not in use' 0 --ssl-mode=DISABLED --get-server-public-key --loose-commands -e '\s'
root_in '<field name="a" xsi:nil="true" />' 0 --xml firn_tools -e 'SELECT a FROM t'
root_in '&lt;b&gt;&amp;&quot;' 0 --html firn_tools -e 'SELECT a FROM t'
root_in '^tab\\there\\nand$' 0 --batch firn_tools -e 'SELECT a FROM t'
root_in '^tab	here$' 0 --batch --raw firn_tools -e 'SELECT a FROM t'
root_in '^\| x +\|$' 0 --table firn_tools -e 'SELECT a FROM t'
root_in '^a: NULL$' 0 --vertical firn_tools -e 'SELECT a FROM t'
root_in '0x00FF' 0 --binary-as-hex firn_tools -e 'SELECT b FROM t'
root_in '^Type: +VAR_STRING' 0 --column-type-info --table firn_tools -e 'SELECT a FROM t'
root_in 'ERROR 1175' 1 --safe-updates firn_tools -e 'DELETE FROM t'
root_in 'ERROR 1175' 1 --safe-updates firn_tools -e "UPDATE t SET a = 'y' WHERE CONCAT(a) = 'x'"
root_in '^0$' 0 --safe-updates -N firn_tools -e 'DELETE FROM t WHERE id = 99; SELECT ROW_COUNT()'
root_in '^5$' 0 --compress -N -e 'SELECT 5'
root_in '^5$' 0 --compression-algorithms=zlib -N -e 'SELECT 5'
root_in 'Warning \(Code 1365\)' 0 --show-warnings -e 'SELECT 1 / 0'
root_in 'ERROR 1049' 1 firn_nope -e 'SELECT 1'
root_in 'ERROR 1064.*line 1' 1 -e 'SELEC 1'
root_in '^6$' 0 --init-command='SET @a = 6' -N -e 'SELECT @a'
root_in '^latin1$' 0 --default-character-set=latin1 -N -e 'SELECT @@character_set_results'
expect 'ERROR 1045' 1 mysql -ufirn_tools -pwrong
printf 'use firn_tools\nsource %s/s.sql\n' "$work" >"$work/in"
printf 'SELECT COUNT(*) AS sourced FROM t;\n\\u firn_tools\nSELECT 7;\n' >"$work/s.sql"
root --loose-commands <"$work/in" >"$work/out"
grep -q sourced "$work/out" || { echo 'source: nothing'; failed=1; }
printf "SELECT HEX('a\0b');\n" | root -N --binary-mode >"$work/out"
grep -q '^610062$' "$work/out" || { echo 'binary-mode: a NUL is lost'; failed=1; }
printf 'SELECT id FROM t WHERE a = "x";\n' | root --auto-rehash -N firn_tools >"$work/out"
grep -q '^1$' "$work/out" || { echo 'completion: no answer'; failed=1; }

# mysqladmin
admin() { pattern=$1; shift; expect "$pattern" 0 mysqladmin -uroot "$@"; }
admin 'is alive' ping
admin 'Server version' version
admin '^Uptime: [0-9]+ +Threads: [0-9]+ +Questions: [0-9]+' status
admin 'max_allowed_packet' variables
admin '\| Com_select ' extended-status
admin 'show (full )?processlist' processlist
admin 'show full processlist' --verbose processlist
admin '' create firn_tools_2
admin 'dropped' --force drop firn_tools_2
for what in flush-hosts flush-logs flush-status flush-tables flush-privileges reload refresh debug; do
    admin '' $what
done
expect "database doesn't exist" 1 mysqladmin -uroot --force drop firn_tools_2
expect 'Unknown thread id' 1 mysqladmin -uroot kill 4000000
expect '' 0 mysqladmin -ufirn_tools -pfirst password second
expect 'is alive' 0 mysqladmin -ufirn_tools -psecond ping
expect 'ERROR 1045' 1 mysql -ufirn_tools -pfirst -e 'SELECT 1'

# mysqlcheck
check() { pattern=$1; shift; expect "$pattern" 0 mysqlcheck -uroot "$@"; }
check '^firn_tools.t +OK' firn_tools
check '^firn_tools.t +OK' --analyze firn_tools
check 'status +: OK' --optimize firn_tools
check "doesn't support repair" --repair firn_tools
check '^firn_tools.t +OK' --extended --auto-repair --databases firn_tools
check '^firn_tools.t +OK' --check-upgrade firn_tools
check '^firn_tools.t +OK' --all-databases --fast

# mysqlshow
show() { pattern=$1; shift; expect "$pattern" 0 mysqlshow -uroot "$@"; }
show '\| firn_tools +\|'
show '\| t +\|' firn_tools
show '\| a +\| varchar\(20\)' firn_tools t
show '\| PRIMARY +\|' --keys firn_tools t
show '\| InnoDB +\|' --status firn_tools
show '\| v +\| +2 \| +4 \|' --count firn_tools
show '\| v +\| VIEW' --show-table-type firn_tools
expect 'Unknown database' 1 mysqlshow -uroot firn_nope t

# mysqlimport
root -e 'CREATE TABLE firn_tools.lines (a INT, b VARCHAR(20), PRIMARY KEY (a))'
printf '1\tone\n2\t\\N\n3\tthree\n' >"$work/lines.txt"
printf '3,"three"\n4,"fo""ur"\n' >"$work/lines.csv"
root -e 'SET GLOBAL local_infile = ON'
expect 'Records: 3' 0 mysqlimport -uroot --local firn_tools "$work/lines.txt"
expect 'Records: 2' 0 mysqlimport -uroot --local --replace --fields-terminated-by=, --fields-enclosed-by='"' firn_tools "$work/lines.csv"
expect 'Records: 3' 0 mysqlimport -uroot --local --delete firn_tools "$work/lines.txt"
root_in '^3$' 0 -N -e 'SELECT COUNT(*) FROM firn_tools.lines'

# mysqlslap
expect '' 0 mysqlslap -uroot --silent --auto-generate-sql --concurrency=4 --iterations=2 --number-of-queries=80
expect '' 0 mysqlslap -uroot --silent --auto-generate-sql --auto-generate-sql-load-type=mixed --auto-generate-sql-add-autoincrement --concurrency=4 --number-of-queries=80 --commit=4
expect '' 0 mysqlslap -uroot --silent --create-schema=firn_tools --query='SELECT * FROM t' --concurrency=3 --iterations=2

# mysqldump
expect 'CREATE TABLE .t.' 0 mysqldump -uroot --set-gtid-purged=OFF --single-transaction firn_tools

root -e 'DROP DATABASE firn_tools; DROP USER firn_tools'
if [ "$stop" = --stop ]; then
    expect '' 0 mysqladmin -uroot shutdown
    expect "Can't connect|Lost connection" 1 mysqladmin -uroot ping
fi
echo "$count programs run"
exit $failed
