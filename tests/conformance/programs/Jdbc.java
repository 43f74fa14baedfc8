// What users of the JDBC driver do, each step checked; run as `java -cp driver.jar Jdbc.java URL SCHEMA`.

import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;

public class Jdbc {
    static String schema;

    static void check(Object got, Object expected) {
        if (!Objects.deepEquals(got, expected)) throw new AssertionError("expected " + expected + " got " + got);
    }

    public static void main(String[] arguments) throws Exception {
        schema = arguments[1];
        try (Connection c = DriverManager.getConnection(arguments[0])) {
            try (Statement s = c.createStatement()) {
                s.execute("CREATE TABLE t (id int PRIMARY KEY, name varchar(20), price numeric(10,2), at timestamptz,"
                    + " ts timestamp, day date, tm time, ok boolean, f double precision, big bigint, b bytea, u uuid,"
                    + " tags text[], doc jsonb)");
            }
            values(c);
            batches(c);
            streaming(c);
            transactions(c);
            metadata(c);
            errorsAndCancel(c);
            copy(c);
        }
        System.out.println("passed");
    }

    static void values(Connection c) throws SQLException {
        String sql = "INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?::jsonb)";
        OffsetDateTime at = OffsetDateTime.of(2024, 2, 29, 12, 30, 15, 123456000, ZoneOffset.UTC);
        UUID u = UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
        try (PreparedStatement p = c.prepareStatement(sql)) {
            for (int run = 0; run < 8; run++) { // after five runs the driver prepares it by name, and goes binary
                p.setInt(1, run);
                p.setString(2, "n" + run);
                p.setBigDecimal(3, new BigDecimal("12.50"));
                p.setObject(4, at);
                p.setObject(5, LocalDateTime.of(1999, 12, 31, 23, 59, 59, 999999000));
                p.setObject(6, LocalDate.of(2024, 2, 29));
                p.setObject(7, LocalTime.of(1, 2, 3, 4000));
                p.setBoolean(8, true);
                p.setDouble(9, 2.5);
                p.setLong(10, Long.MAX_VALUE);
                p.setBytes(11, new byte[] {0, -1});
                p.setObject(12, u);
                p.setArray(13, c.createArrayOf("text", new String[] {"x", "y z", null}));
                p.setString(14, "{\"a\": [1, null]}");
                check(p.executeUpdate(), 1);
            }
        }
        try (PreparedStatement p = c.prepareStatement("SELECT * FROM t WHERE id = ? AND price > ?")) {
            for (int run = 0; run < 8; run++) {
                p.setInt(1, run);
                p.setBigDecimal(2, BigDecimal.ONE);
                try (ResultSet r = p.executeQuery()) {
                    check(r.next(), true);
                    check(r.getInt("id"), run);
                    check(r.getBigDecimal("price"), new BigDecimal("12.50"));
                    check(r.getObject("at", OffsetDateTime.class).toInstant(), at.toInstant());
                    check(r.getObject("ts", LocalDateTime.class), LocalDateTime.of(1999, 12, 31, 23, 59, 59, 999999000));
                    check(r.getObject("day", LocalDate.class), LocalDate.of(2024, 2, 29));
                    check(r.getObject("tm", LocalTime.class), LocalTime.of(1, 2, 3, 4000));
                    check(r.getBoolean("ok"), true);
                    check(r.getDouble("f"), 2.5);
                    check(r.getLong("big"), Long.MAX_VALUE);
                    check(r.getBytes("b"), new byte[] {0, -1});
                    check(r.getObject("u"), u);
                    check((Object[]) r.getArray("tags").getArray(), new String[] {"x", "y z", null});
                    check(r.getString("doc"), "{\"a\": [1, null]}");
                    check(r.next(), false);
                }
            }
        }
    }

    static void batches(Connection c) throws SQLException {
        try (PreparedStatement p = c.prepareStatement("INSERT INTO t (id, name) VALUES (?, ?)")) {
            for (int row = 100; row < 200; row++) {
                p.setInt(1, row);
                p.setString(2, "batch");
                p.addBatch();
            }
            check(p.executeBatch().length, 100);
        }
        try (Statement s = c.createStatement()) {
            s.addBatch("UPDATE t SET name = 'one' WHERE id = 100");
            s.addBatch("DELETE FROM t WHERE id = 101");
            check(s.executeBatch(), new int[] {1, 1});
        }
        try (PreparedStatement p = c.prepareStatement(
                "INSERT INTO t (id, name) VALUES (?, 'key') RETURNING id", Statement.RETURN_GENERATED_KEYS)) {
            p.setInt(1, 500);
            p.executeUpdate();
            ResultSet keys = p.getGeneratedKeys();
            check(keys.next(), true);
            check(keys.getInt(1), 500);
        }
    }

    static void streaming(Connection c) throws SQLException {
        c.setAutoCommit(false);
        try (Statement s = c.createStatement()) {
            s.setFetchSize(500);
            long sum = 0;
            try (ResultSet r = s.executeQuery("SELECT g, 'v' || g FROM t, generate_series(1, 5000) g WHERE id = 1")) {
                while (r.next()) sum += r.getLong(1);
            }
            check(sum, 12502500L);
        }
        c.commit();
        c.setAutoCommit(true);
        try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY);
                ResultSet r = s.executeQuery("SELECT id FROM t WHERE id < 5 ORDER BY id")) {
            check(r.last(), true);
            check(r.getInt(1), 4);
            check(r.previous(), true);
            check(r.getInt(1), 3);
        }
    }

    static void transactions(Connection c) throws SQLException {
        c.setAutoCommit(false);
        c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement s = c.createStatement()) {
            s.executeUpdate("DELETE FROM t WHERE id = 0");
            Savepoint point = c.setSavepoint("p");
            s.executeUpdate("DELETE FROM t");
            c.rollback(point);
            c.commit();
            ResultSet r = s.executeQuery("SELECT count(*) FROM t WHERE id < 10");
            r.next();
            check(r.getInt(1), 7);
            c.rollback();
        }
        c.setReadOnly(true);
        try (Statement s = c.createStatement()) {
            s.executeUpdate("DELETE FROM t");
            throw new AssertionError("a read-only transaction deleted");
        } catch (SQLException error) {
            check(error.getSQLState(), "25006");
        }
        c.rollback();
        c.setReadOnly(false);
        c.setAutoCommit(true);
        c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    }

    static void metadata(Connection c) throws SQLException {
        DatabaseMetaData m = c.getMetaData();
        check(m.getDatabaseProductName(), "PostgreSQL");
        check(names(m.getTables(null, schema, "%", new String[] {"TABLE"}), "TABLE_NAME"), List.of("t"));
        check(names(m.getColumns(null, schema, "t", "%"), "COLUMN_NAME").subList(0, 3), List.of("id", "name", "price"));
        check(names(m.getPrimaryKeys(null, schema, "t"), "COLUMN_NAME"), List.of("id"));
        names(m.getIndexInfo(null, schema, "t", false, false), "INDEX_NAME");
        names(m.getImportedKeys(null, schema, "t"), "PKTABLE_NAME");
        names(m.getExportedKeys(null, schema, "t"), "FKTABLE_NAME");
        check(names(m.getSchemas(), "TABLE_SCHEM").contains(schema), true);
        check(names(m.getTypeInfo(), "TYPE_NAME").contains("numeric"), true);
        names(m.getFunctions(null, "pg_catalog", "upper"), "FUNCTION_NAME");
        names(m.getTablePrivileges(null, schema, "t"), "PRIVILEGE");
        try (PreparedStatement p = c.prepareStatement("SELECT id, price, tags FROM t WHERE day = ? AND name = ?")) {
            check(p.getParameterMetaData().getParameterType(1), Types.DATE);
            ResultSetMetaData r = p.getMetaData();
            check(r.getColumnTypeName(2), "numeric");
            check(r.getPrecision(2), 10);
            check(r.getColumnType(3), Types.ARRAY);
        }
    }

    static List<String> names(ResultSet r, String column) throws SQLException {
        List<String> found = new ArrayList<>();
        while (r.next()) found.add(r.getString(column));
        return found;
    }

    static void errorsAndCancel(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            s.executeQuery("SELECT nosuch FROM t");
            throw new AssertionError("no error");
        } catch (SQLException error) {
            check(error.getSQLState(), "42703");
        }
        String forever = "SELECT count(*) FROM t, generate_series(1, 100000) x, generate_series(1, 100000) y"
            + " WHERE (x::bigint * y + id) % 7 = 3";
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1); // the driver's own timer sends a cancel request
            s.executeQuery(forever);
            throw new AssertionError("not cancelled");
        } catch (SQLException error) {
            check(error.getSQLState(), "57014");
        }
    }

    static void copy(Connection c) throws Exception {
        var manager = c.unwrap(org.postgresql.PGConnection.class).getCopyAPI();
        check(manager.copyIn("COPY t (id, name) FROM STDIN WITH CSV", new java.io.StringReader("900,a\n901,\"b,c\"\n")), 2L);
        var out = new java.io.StringWriter();
        manager.copyOut("COPY (SELECT id, name FROM t WHERE id >= 900 ORDER BY id) TO STDOUT WITH CSV", out);
        check(out.toString(), "900,a\n901,\"b,c\"\n");
    }
}
