#!/bin/bash
# The mysql command-line client: logins with and without TLS, both compressions,
# wrong passwords, several statements, LOCAL INFILE.
set -eu
port=$1 scratch=$2
read -r -a mysql <<<"${MYSQL_CLIENT:-mysql}"
run() { "${mysql[@]}" --no-defaults -h 127.0.0.1 -P "$port" -N -B "$@"; }
is() { [ "$1" = "$2" ] || { echo "expected: $2"; echo "got: $1"; exit 1; }; }

for round in 1 2; do
    for mode in DISABLED PREFERRED REQUIRED; do
        tls=true; [ $mode = DISABLED ] && tls=false
        for account in sha:secret empty:; do
            user=${account%%:*} password=${account#*:}
            who=$(run -u "$user" --password="$password" --ssl-mode=$mode --get-server-public-key -e who 2>/dev/null)
            is "${who%%|collation*}" "$user|tls=$tls"
        done
        error=$(run -u sha --password=wrong --ssl-mode=$mode --get-server-public-key -e who 2>&1 | grep ERROR)
        is "$error" "ERROR 1045 (28000): Access denied for user 'sha'@'127.0.0.1' (using password: YES)"
    done
done
export MYSQL_PWD=secret
for compression in uncompressed zlib zstd; do
    c=(-u sha --compression-algorithms=$compression --local-infile=1)
    is "$(run "${c[@]}" -e 'rows 3')" $'0\trow number 0\n1\trow number 1\n2\trow number 2'
    is "$(run "${c[@]}" -e 'rows 100000' | wc -l)" 100000
    is "$(run "${c[@]}" -q -e 'rows 100000' | tail -1)" $'99999\trow number 99999'
    is "$(run "${c[@]}" --max-allowed-packet=128M -e "bytes $((64 << 20))" | wc -c)" $(((64 << 20) + 1))
    is "$(run "${c[@]}" -D here -e 'schema; echo x')" $'here\nx'
    seq 30000 >"$scratch/cli.txt"
    is "$(run "${c[@]}" -vvv -e "infile $scratch/cli.txt" | grep -o 'Records: [0-9]*')" "Records: 30000"
    is "$(run "${c[@]}" -e error 2>&1)" "ERROR 1146 (42S02) at line 1: Table 'x.y' doesn't exist"
    is "$(run "${c[@]}" -e 'fail_in_row' 2>&1)" "ERROR 1317 (70100) at line 1: Query execution was interrupted"
done
is "$(run -u sha -D missing -e who 2>&1)" "ERROR 1049 (42000): Unknown database 'missing'"
echo "ok $("${mysql[@]}" --version)"
