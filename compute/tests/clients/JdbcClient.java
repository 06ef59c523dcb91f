// A JDBC driver against a server: java -cp DRIVER.jar JdbcClient.java PORT
// The server has root without a password. Says "ok" at the end, or what went wrong.
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.*;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Objects;

public class JdbcClient {
    static int port;

    static void check(String what, Object got, Object expected) {
        if (!Objects.equals(got, expected)) {
            System.err.println(what + ": " + got + " instead of " + expected);
            System.exit(1);
        }
    }

    static Connection connect(String database, String options) throws SQLException {
        return DriverManager.getConnection("jdbc:mariadb://127.0.0.1:" + port + "/" + database + "?" + options);
    }

    interface Attempt {
        void go() throws SQLException;
    }

    static void refused(String what, int number, Attempt attempt) {
        try {
            attempt.go();
        } catch (SQLException error) {
            check(what, error.getErrorCode(), number);
            return;
        }
        check(what, "it was done", number);
    }

    static void exchange(String options, int largeBytes) throws SQLException {
        try (Connection c = connect("", "user=root&" + options); Statement s = c.createStatement()) {
            s.execute("CREATE DATABASE IF NOT EXISTS clients");
            c.setCatalog("clients");
            s.execute("DROP TABLE IF EXISTS jdbc_child, jdbc");
            s.execute("CREATE TABLE jdbc (id BIGINT PRIMARY KEY AUTO_INCREMENT, big BIGINT UNSIGNED, d DECIMAL(20,4), dbl DOUBLE,"
                + " vc VARCHAR(50) COMMENT 'words', bl LONGBLOB, dt DATE, dtm DATETIME(6), tm TIME, yr YEAR, en ENUM('a','b'),"
                + " js JSON, bi BIT(10), flag BOOLEAN, none INT)");
            s.execute("CREATE TABLE jdbc_child (id INT PRIMARY KEY, parent BIGINT, KEY by_parent (parent),"
                + " FOREIGN KEY (parent) REFERENCES jdbc (id) ON DELETE CASCADE)");
            byte[] large = new byte[largeBytes];
            Arrays.fill(large, (byte) 0xfe);
            LocalDateTime when = LocalDateTime.of(2024, 2, 29, 23, 59, 59, 123456000);
            String insert = "INSERT INTO jdbc (big, d, dbl, vc, bl, dt, dtm, tm, yr, en, js, bi, flag, none) VALUES"
                + " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
            try (PreparedStatement p = c.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
                p.setObject(1, BigInteger.ONE.shiftLeft(63));
                p.setBigDecimal(2, new BigDecimal("1234567890123456.7891"));
                p.setDouble(3, 1.5e300);
                p.setString(4, "héllo ❄");
                p.setBytes(5, large);
                p.setObject(6, LocalDate.of(2024, 2, 29));
                p.setTimestamp(7, Timestamp.valueOf(when));
                p.setString(8, "13:14:15");
                p.setInt(9, 2024);
                p.setString(10, "b");
                p.setString(11, "{\"k\": [1, 2]}");
                p.setBytes(12, new byte[] {2, 1});
                p.setBoolean(13, true);
                p.setNull(14, Types.INTEGER);
                check("rows", p.executeUpdate(), 1);
                ResultSet keys = p.getGeneratedKeys();
                check("generated key", keys.next() ? keys.getLong(1) : -1, 1L);
            }
            try (PreparedStatement p = c.prepareStatement("SELECT * FROM jdbc WHERE id = ?")) {
                for (int i = 0; i < 3; i++) {
                    p.setLong(1, 1);
                    ResultSet r = p.executeQuery();
                    check("row", r.next(), true);
                    check("big", new BigInteger(r.getString("big")), BigInteger.ONE.shiftLeft(63));
                    check("d", r.getBigDecimal("d"), new BigDecimal("1234567890123456.7891"));
                    check("dbl", r.getDouble("dbl"), 1.5e300);
                    check("vc", r.getString("vc"), "héllo ❄");
                    check("bl", Arrays.equals(r.getBytes("bl"), large), true);
                    check("dt", r.getDate("dt").toLocalDate(), LocalDate.of(2024, 2, 29));
                    check("dtm", r.getTimestamp("dtm").toLocalDateTime(), when);
                    check("tm", r.getTime("tm").toString(), "13:14:15");
                    check("yr", r.getInt("yr"), 2024);
                    check("en", r.getString("en"), "b");
                    check("js", r.getString("js"), "{\"k\": [1, 2]}");
                    check("bi", Arrays.toString(r.getBytes("bi")), "[2, 1]");
                    check("flag", r.getBoolean("flag"), true);
                    check("none", r.getObject("none"), null);
                    check("type", r.getMetaData().getColumnTypeName(3), "DECIMAL");
                    check("length", r.getMetaData().getPrecision(3), 20);
                }
            }
            c.setAutoCommit(false);
            c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc (id, vc) VALUES (?, ?)")) {
                for (int n = 0; n < 2000; n++) {
                    p.setLong(1, 100 + n);
                    p.setString(2, "n" + n);
                    p.addBatch();
                }
                check("batch", p.executeBatch().length, 2000);
            }
            Savepoint point = c.setSavepoint("here");
            s.executeUpdate("DELETE FROM jdbc");
            c.rollback(point);
            // Row by row, as the server sends them.
            try (Statement slow = c.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
                slow.setFetchSize(10);
                ResultSet r = slow.executeQuery("SELECT id FROM jdbc ORDER BY id");
                int n = 0;
                while (r.next()) n++;
                check("one by one", n, 2001);
            }
            c.rollback();
            c.setAutoCommit(true);
            refused("duplicate", 1062, () -> s.executeUpdate("INSERT INTO jdbc (id) VALUES (1)"));
            refused("syntax", 1064, () -> s.execute("SELEC 1"));

            DatabaseMetaData m = c.getMetaData();
            ResultSet r = m.getColumns("clients", null, "jdbc", "vc");
            check("column", r.next() ? r.getString("TYPE_NAME") + r.getInt("COLUMN_SIZE") + r.getString("REMARKS") : "none",
                "VARCHAR50words");
            r = m.getPrimaryKeys("clients", null, "jdbc");
            check("key", r.next() ? r.getString("COLUMN_NAME") : "none", "id");
            r = m.getImportedKeys("clients", null, "jdbc_child");
            check("foreign key", r.next() ? r.getString("PKTABLE_NAME") + r.getInt("DELETE_RULE") : "none", "jdbc0");
            r = m.getIndexInfo("clients", null, "jdbc_child", false, false);
            check("index", r.next() ? r.getString("COLUMN_NAME") : "none", "id");
            r = m.getTables("clients", null, "jdbc%", new String[] {"TABLE"});
            check("table", r.next() ? r.getString("TABLE_NAME") : "none", "jdbc");
            s.setQueryTimeout(1);
            // It is ended by KILL QUERY from another connection: then SLEEP gives 1.
            r = s.executeQuery("SELECT SLEEP(60)");
            check("timeout", r.next() ? r.getInt(1) : -1, 1);
            check("valid", c.isValid(5), true);
        }
    }

    public static void main(String[] args) throws SQLException {
        port = Integer.parseInt(args[0]);
        exchange("useSSL=false", 20 << 20);
        // MySQL 9.7 calls these malformed (1835): version 2.7 was not made for it.
        exchange("useServerPrepStmts=true", 10 << 20);
        exchange("useServerPrepStmts=true&rewriteBatchedStatements=true&useSSL=true&trustServerCertificate=true", 10 << 20);
        try (Connection c = connect("", "user=root"); Statement s = c.createStatement()) {
            s.execute("DROP USER IF EXISTS java");
            s.execute("CREATE USER java IDENTIFIED BY 'pw'");
        }
        for (String options : new String[] {"allowPublicKeyRetrieval=true", "useSSL=true&trustServerCertificate=true"}) {
            connect("", "user=java&password=pw&" + options).close();
            refused("wrong password", 1045, () -> connect("", "user=java&password=no&" + options));
        }
        refused("unknown database", 1049, () -> connect("nope", "user=root"));
        System.out.println("ok");
    }
}
