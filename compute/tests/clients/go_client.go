// go-sql-driver against a server: go_client PORT
// The server has root without a password. Says "ok" at the end, or what went wrong.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func check(what string, right bool, got interface{}) {
	if !right {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, got)
		os.Exit(1)
	}
}

func number(err error) uint16 {
	var known *mysql.MySQLError
	if errors.As(err, &known) {
		return known.Number
	}
	return 0
}

func open(port, user, options string) *sql.DB {
	db, err := sql.Open("mysql", user+"@tcp(127.0.0.1:"+port+")/"+options)
	must("open", err)
	return db
}

type row struct {
	id   int64
	big  uint64
	dec  string
	dbl  float64
	vc   string
	bl   []byte
	dt   time.Time
	dtm  time.Time
	tm   string
	yr   int
	en   string
	js   string
	bi   []byte
	none sql.NullInt64
}

func exchange(port, options string) {
	name := "go-sql-driver " + options
	db := open(port, "root", "?"+options)
	defer db.Close()
	for _, sql := range []string{"CREATE DATABASE IF NOT EXISTS clients", "DROP TABLE IF EXISTS clients.go_types"} {
		_, err := db.Exec(sql)
		must(name, err)
	}
	db = open(port, "root", "clients?"+options)
	defer db.Close()
	_, err := db.Exec(`CREATE TABLE go_types (id INT PRIMARY KEY AUTO_INCREMENT, big BIGINT UNSIGNED, dec_ DECIMAL(20,4),
		dbl DOUBLE, vc VARCHAR(50), bl LONGBLOB, dt DATE, dtm DATETIME(6), tm TIME(3), yr YEAR, en ENUM('a','b'), js JSON,
		bi BIT(10), none INT)`)
	must(name, err)
	when := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	large := bytes.Repeat([]byte{0, 255, '\'', '\\'}, 5<<20) // more than one packet's 16 MiB
	insert := "INSERT INTO go_types VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	for id := int64(1); id <= 2; id++ {
		result, err := db.Exec(insert, uint64(1)<<63, "1234567890123456.7891", 1.5e300, "héllo ❄", large, day, when,
			"-05:00:00.250", 2024, "b", `{"k": [1, 2]}`, []byte{2, 1}, nil)
		must(name, err)
		last, _ := result.LastInsertId()
		check(name+" last id", last == id, last)
	}
	prepared, err := db.Prepare("SELECT * FROM go_types WHERE id = ?")
	must(name, err)
	defer prepared.Close()
	for i := 0; i < 4; i++ {
		var got row
		var found *sql.Row
		if i%2 == 0 {
			found = prepared.QueryRow(1)
		} else {
			found = db.QueryRow("SELECT * FROM go_types WHERE id = 1")
		}
		must(name, found.Scan(&got.id, &got.big, &got.dec, &got.dbl, &got.vc, &got.bl, &got.dt, &got.dtm, &got.tm, &got.yr,
			&got.en, &got.js, &got.bi, &got.none))
		check(name+" large", bytes.Equal(got.bl, large), len(got.bl))
		check(name+" row", got.big == 1<<63 && got.dec == "1234567890123456.7891" && got.dbl == 1.5e300 &&
			got.vc == "héllo ❄" && got.dt.Equal(day) && got.dtm.Equal(when) && got.tm == "-05:00:00.250" && got.yr == 2024 &&
			got.en == "b" && got.js == `{"k": [1, 2]}` && bytes.Equal(got.bi, []byte{2, 1}) && !got.none.Valid, got.tm)
	}
	rows, err := db.Query("SELECT * FROM go_types LIMIT 0")
	must(name, err)
	types, err := rows.ColumnTypes()
	must(name, err)
	var names []string
	for _, one := range types {
		names = append(names, one.DatabaseTypeName())
	}
	rows.Close()
	all := strings.Join(names, " ")
	check(name+" types", strings.HasSuffix(all, "BIGINT DECIMAL DOUBLE VARCHAR BLOB DATE DATETIME TIME YEAR CHAR JSON BIT INT"), all)

	ctx := context.Background()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
	must(name, err)
	result, err := tx.Exec("DELETE FROM go_types WHERE id < ?", 9)
	must(name, err)
	changed, _ := result.RowsAffected()
	check(name+" rows", changed == 2, changed)
	must(name, tx.Rollback())
	_, err = db.Exec("INSERT INTO go_types (id) VALUES (1)")
	check(name+" duplicate", number(err) == 1062, err)
	read, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	must(name, err)
	_, err = read.Exec("DELETE FROM go_types")
	check(name+" read only", number(err) == 1792, err)
	must(name, read.Rollback())
	limited, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(limited, "SELECT SLEEP(60)")
	check(name+" cancelled", errors.Is(err, context.DeadlineExceeded), err)
	must(name, db.Ping())
}

func main() {
	port := os.Args[1]
	exchange(port, "parseTime=true&maxAllowedPacket=0")
	exchange(port, "parseTime=true&maxAllowedPacket=0&interpolateParams=true&collation=utf8mb4_unicode_ci&clientFoundRows=true")
	exchange(port, "parseTime=true&maxAllowedPacket=0&tls=skip-verify")
	db := open(port, "root", "?multiStatements=true")
	_, err := db.Exec("DROP USER IF EXISTS gopher; CREATE USER gopher IDENTIFIED BY 'p w'")
	must("accounts", err)
	for _, options := range []string{"", "?tls=skip-verify", "?tls=preferred"} {
		must("password"+options, open(port, "gopher:p w", options).Ping())
		err := open(port, "gopher:no", options).Ping()
		check("wrong password"+options, number(err) == 1045, err)
	}
	err = open(port, "root", "nope").Ping()
	check("unknown database", number(err) == 1049, err)
	fmt.Println("ok")
}
