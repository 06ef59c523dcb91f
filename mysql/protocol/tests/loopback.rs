//! Our server and our client, over TCP.

mod support;

use std::net::SocketAddr;

use firn_mysql_protocol::client::{Client, ClientConfig, Outcome};
use firn_mysql_protocol::command::{Parameter, ParameterValue};
use firn_mysql_protocol::compress::Compression;
use firn_mysql_protocol::result::{Date, DateTime, StateChange, Time};
use firn_mysql_protocol::server::ServerConfig;
use firn_mysql_protocol::tls::ClientTls;
use firn_mysql_protocol::{Capabilities, ColumnFlags, Error, StatusFlags};
use support::client::{as_user, connect, number, text, with_tls};
use support::{start, types};

/// A client with and without each capability that changes the answers.
async fn every_client(address: SocketAddr) -> Vec<Client> {
    use Capabilities as C;
    let all = ClientConfig::default().capabilities
        | C::MULTI_STATEMENTS
        | C::LOCAL_FILES
        | C::OPTIONAL_RESULTSET_METADATA;
    let mut clients = Vec::new();
    for without in [C::EMPTY, C::DEPRECATE_EOF, C::QUERY_ATTRIBUTES | C::SESSION_TRACK] {
        for compression in [None, Some(Compression::Zlib), Some(Compression::Zstd(3))] {
            for tls in [ClientTls::Disabled, ClientTls::Required] {
                let capabilities = all.without(without);
                let config =
                    ClientConfig { capabilities, compression, tls, ..as_user("native", "secret") };
                clients.push(connect(address, &config).await.unwrap());
            }
        }
    }
    clients
}

#[tokio::test]
async fn every_type_comes_through_as_text_and_in_binary() {
    let (address, _) = start(with_tls()).await;
    let moment = DateTime {
        date: Date { year: 2024, month: 2, day: 29 },
        hour: 23,
        minute: 59,
        second: 58,
        micros: 999_999,
    };
    for mut client in every_client(address).await {
        let results = client.query_all(b"types").await.unwrap();
        assert_eq!(results[0].columns, types::columns());
        let values = results[0].rows[0].values(&results[0].columns).unwrap();
        let shown = |index: usize| match values[index] {
            ParameterValue::Bytes(bytes) => String::from_utf8_lossy(bytes),
            _ => panic!("{:?}", values[index]),
        };
        for (index, expected) in [
            (0, "-128"),
            (1, "255"),
            (4, "-8388608"),
            (5, "16777215"),
            (8, "-9223372036854775808"),
            (9, "18446744073709551615"),
            (10, "-1.5"),
            (11, "1.7976931348623157e308"),
            (14, "2155"),
            (15, "2024-02-29"),
            (16, "-838:59:59.000001"),
            (17, "2024-02-29 23:59:58.999999"),
            (18, "2024-02-29 01:02:03"),
        ] {
            assert_eq!(shown(index), expected);
        }
        let statement = client.prepare(b"types").await.unwrap();
        assert_eq!(statement.columns, types::columns());
        let outcome = client.execute(&statement, &[], false, |_| false).await.unwrap();
        let results = client.read_all(outcome).await.unwrap();
        let values = results[0].rows[0].values(&results[0].columns).unwrap();
        assert_eq!(values[0], ParameterValue::Int(-128));
        assert_eq!(values[1], ParameterValue::UInt(255));
        assert_eq!(values[8], ParameterValue::Int(i64::MIN));
        assert_eq!(values[9], ParameterValue::UInt(u64::MAX));
        assert_eq!(values[10], ParameterValue::Float(-1.5));
        assert_eq!(values[11], ParameterValue::Double(f64::MAX));
        assert_eq!(values[13], ParameterValue::Bytes(&[1, 255]));
        assert_eq!(values[14], ParameterValue::UInt(2155));
        assert_eq!(values[15], ParameterValue::Date(moment.date));
        let span = Time { negative: true, hours: 838, minutes: 59, seconds: 59, micros: 1 };
        assert_eq!(values[16], ParameterValue::Time(span));
        assert_eq!(values[17], ParameterValue::DateTime(moment));
        assert_eq!(values[26], ParameterValue::Bytes(b"a,c"));

        for sql in [&b"nulls"[..], b"types; nulls"] {
            let results = client.query_all(sql).await.unwrap();
            let last = results.last().unwrap();
            let values = last.rows[0].values(&last.columns).unwrap();
            assert!(values.iter().all(|value| *value == ParameterValue::Null));
        }
        let statement = client.prepare(b"nulls").await.unwrap();
        let outcome = client.execute(&statement, &[], false, |_| false).await.unwrap();
        let results = client.read_all(outcome).await.unwrap();
        let values = results[0].rows[0].values(&results[0].columns).unwrap();
        assert!(values.iter().all(|value| *value == ParameterValue::Null));
        client.quit().await.unwrap();
    }
}

#[tokio::test]
async fn parameters_come_back_as_they_went() {
    let (address, _) = start(with_tls()).await;
    let date = Date { year: 9999, month: 12, day: 31 };
    let blob: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let values = [
        ParameterValue::Int(i64::MIN),
        ParameterValue::UInt(u64::MAX),
        ParameterValue::Null,
        ParameterValue::Float(1.25),
        ParameterValue::Double(-0.1),
        ParameterValue::Bytes(b""),
        ParameterValue::Bytes(&blob),
        ParameterValue::Date(date),
        ParameterValue::DateTime(DateTime { date, hour: 1, minute: 2, second: 3, micros: 4 }),
        ParameterValue::DateTime(DateTime { date, ..Default::default() }),
        ParameterValue::Time(Time { negative: true, hours: 100, ..Default::default() }),
        ParameterValue::Time(Time::default()),
    ];
    let parameters = values.map(Parameter::new);
    let sql = format!("echo {}", "?".repeat(values.len()));
    for mut client in every_client(address).await {
        let statement = client.prepare(sql.as_bytes()).await.unwrap();
        assert_eq!(statement.parameters.len(), values.len());
        for _ in 0..2 {
            let outcome = client.execute(&statement, &parameters, false, |_| false).await.unwrap();
            let results = client.read_all(outcome).await.unwrap();
            assert_eq!(results[0].rows[0].values(&results[0].columns).unwrap(), values);
        }
        client.close_statement(statement.id).await.unwrap();
        let error = client.execute(&statement, &parameters, false, |_| false).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ERROR 1243 (HY000): Unknown prepared statement handler (1) given to \
             mysql_stmt_precheck"
        );
    }
}

#[tokio::test]
async fn results_from_one_to_100_000_rows() {
    let (address, _) = start(with_tls()).await;
    for mut client in every_client(address).await {
        for count in [0, 1, 2, 1000, 100_000] {
            client.query(format!("rows {count}").as_bytes()).await.unwrap();
            let mut seen = 0;
            while let Some(row) = client.next_row().await.unwrap() {
                if seen % 999 == 0 {
                    let values = row.values(client.columns()).unwrap();
                    let name = format!("row number {seen}");
                    assert_eq!(values[1], ParameterValue::Bytes(name.as_bytes()));
                }
                seen += 1;
            }
            assert_eq!(seen, count);
        }
        let id = &client.columns()[0];
        assert_eq!((&id.org_table[..], &id.org_name[..]), (&b"t1"[..], &b"id1"[..]));
        assert!(id.flags.contains(ColumnFlags::PRIMARY_KEY));
    }
}

#[tokio::test]
async fn values_up_to_64_mib_in_both_directions() {
    let config = ServerConfig { packet_max_bytes: 65 << 20, ..with_tls() };
    let (address, _) = start(config).await;
    for compression in [None, Some(Compression::Zlib), Some(Compression::Zstd(1))] {
        let config = ClientConfig { compression, ..as_user("native", "secret") };
        let mut client = connect(address, &config).await.unwrap();
        let statement = client.prepare(b"length ?").await.unwrap();
        for len in [0, 1, 250, 251, 65_535, 65_536, (1 << 24) - 9, (1 << 24) - 1, 1 << 24, 64 << 20]
        {
            let results = client.query_all(format!("bytes {len}").as_bytes()).await.unwrap();
            let values = results[0].rows[0].values(&results[0].columns).unwrap();
            assert!(matches!(values[0], ParameterValue::Bytes(b) if b.len() == len));
            let value = vec![b'y'; len];
            let parameter = [Parameter::new(ParameterValue::Bytes(&value))];
            let outcome = client.execute(&statement, &parameter, false, |_| false).await.unwrap();
            assert_eq!(text(&client.read_all(outcome).await.unwrap()), len.to_string());
        }
    }
}

#[tokio::test]
async fn too_long_a_packet_is_an_error_of_its_statement_only() {
    let config = ServerConfig { packet_max_bytes: 1 << 20, ..ServerConfig::default() };
    let (address, _) = start(config).await;
    for compression in [None, Some(Compression::Zlib)] {
        let config = ClientConfig { compression, ..as_user("native", "secret") };
        let mut client = connect(address, &config).await.unwrap();
        for len in [(1 << 20) + 1, 17 << 20, 35 << 20] {
            let sql = [&b"length "[..], &vec![b'x'; len]].concat();
            let error = client.query(&sql).await.unwrap_err();
            assert_eq!(number(&error), 1153);
            client.ping().await.unwrap();
        }
        let sql = [&b"length "[..], &vec![b'x'; (1 << 20) - 100]].concat();
        let results = client.query_all(&sql).await.unwrap();
        assert_eq!(text(&results), ((1 << 20) - 100).to_string());
    }
}

#[tokio::test]
async fn several_statements_and_the_error_of_the_last() {
    let (address, _) = start(with_tls()).await;
    for mut client in every_client(address).await {
        let results = client.query_all(b"echo a; affected 7; rows 3; warn").await.unwrap();
        assert_eq!(results.len(), 4);
        assert_eq!(text(&results), "a");
        assert_eq!(results[1].summary.affected_rows, 7);
        assert_eq!(results[1].summary.last_insert_id, 8);
        assert_eq!(results[1].summary.info, "Rows matched: 1  Changed: 1  Warnings: 0");
        assert_eq!(results[2].rows.len(), 3);
        assert_eq!(results[3].summary.warnings, 3);
        for (index, result) in results.iter().enumerate() {
            let more = result.summary.status.contains(StatusFlags::MORE_RESULTS);
            assert_eq!(more, index < 3, "result {index}");
        }
        let outcome = client.query(b"echo a; error; echo b").await.unwrap();
        assert_eq!(outcome, Outcome::Rows);
        assert_eq!(number(&client.next_result().await.unwrap_err()), 1146);

        client.query(b"fail_in_row").await.unwrap();
        assert_eq!(number(&client.next_row().await.unwrap_err()), 1317);

        client.set_multi_statements(false).await.unwrap();
        assert_eq!(text(&client.query_all(b"echo a; b").await.unwrap()), "a; b");
        client.set_multi_statements(true).await.unwrap();
        assert_eq!(client.query_all(b"echo a; echo b").await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn cursors_give_their_rows_in_parts() {
    let (address, _) = start(with_tls()).await;
    for mut client in every_client(address).await {
        let statement = client.prepare(b"rows ?").await.unwrap();
        for total in [0, 1, 10, 11, 5000] {
            let parameter = [Parameter::new(ParameterValue::Int(total))];
            let outcome = client.execute(&statement, &parameter, true, |_| false).await.unwrap();
            assert_eq!(outcome, Outcome::Cursor);
            let columns = client.columns().to_vec();
            let mut seen = 0;
            loop {
                let rows = client.fetch(statement.id, 10).await.unwrap();
                for row in &rows {
                    let values = row.values(&columns).unwrap();
                    assert_eq!(values[0], ParameterValue::UInt(seen));
                    seen += 1;
                }
                if client.summary().status.contains(StatusFlags::LAST_ROW_SENT) {
                    break;
                }
                assert!(client.summary().status.contains(StatusFlags::CURSOR_EXISTS));
                assert_eq!(rows.len(), 10);
            }
            assert_eq!(seen, total as u64);
            let error = client.fetch(statement.id, 1).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "ERROR 1421 (HY000): The statement (1) has no open cursor."
            );
        }
        let parameter = [Parameter::new(ParameterValue::Int(5))];
        client.execute(&statement, &parameter, true, |_| false).await.unwrap();
        client.reset_statement(statement.id).await.unwrap();
        assert_eq!(number(&client.fetch(statement.id, 1).await.unwrap_err()), 1421);

        // A statement without rows opens no cursor.
        let statement = client.prepare(b"affected 1").await.unwrap();
        let outcome = client.execute(&statement, &[], true, |_| false).await.unwrap();
        assert_eq!(outcome, Outcome::Done);
    }
}

#[tokio::test]
async fn a_cursor_is_bounded() {
    let config = ServerConfig { cursor_max_bytes: 10_000, ..ServerConfig::default() };
    let (address, _) = start(config).await;
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    let statement = client.prepare(b"rows ?").await.unwrap();
    let parameter = [Parameter::new(ParameterValue::Int(100_000))];
    let error = client.execute(&statement, &parameter, true, |_| false).await.unwrap_err();
    assert_eq!(number(&error), 1041);
    client.ping().await.unwrap();
}

#[tokio::test]
async fn long_data_is_sent_in_parts_and_forgotten_after_use() {
    let config = ServerConfig {
        packet_max_bytes: 1 << 20,
        long_data_max_bytes: 3 << 19,
        ..ServerConfig::default()
    };
    let (address, _) = start(config).await;
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    let statement = client.prepare(b"params ? ?").await.unwrap();
    let parameters = [ParameterValue::Bytes(b""), ParameterValue::Int(5)].map(Parameter::new);
    client.send_long_data(statement.id, 0, b"ab").await.unwrap();
    client.send_long_data(statement.id, 0, b"cd").await.unwrap();
    let outcome = client.execute(&statement, &parameters, false, |i| i == 0).await.unwrap();
    let results = client.read_all(outcome).await.unwrap();
    assert_eq!(text(&results), "=Bytes([97, 98, 99, 100])|=Int(5)");
    let outcome = client.execute(&statement, &parameters, false, |_| false).await.unwrap();
    assert_eq!(text(&client.read_all(outcome).await.unwrap()), "=Bytes([])|=Int(5)");

    let part = vec![b'x'; 1 << 19];
    for _ in 0..3 {
        client.send_long_data(statement.id, 0, &part).await.unwrap();
    }
    let error = client.execute(&statement, &parameters, false, |i| i == 0).await.unwrap_err();
    assert_eq!(number(&error), 1105);
    for _ in 0..2 {
        client.send_long_data(statement.id, 0, &part).await.unwrap();
        client.send_long_data(statement.id, 1, &part).await.unwrap();
    }
    let error = client.execute(&statement, &parameters, false, |_| true).await.unwrap_err();
    assert_eq!(number(&error), 1041);
    client.send_long_data(statement.id, 2, b"x").await.unwrap();
    let error = client.execute(&statement, &parameters, false, |_| false).await.unwrap_err();
    assert_eq!(number(&error), 1210);
    client.send_long_data(statement.id, 0, b"x").await.unwrap();
    client.reset_statement(statement.id).await.unwrap();
    let outcome = client.execute(&statement, &parameters, false, |_| false).await.unwrap();
    assert_eq!(text(&client.read_all(outcome).await.unwrap()), "=Bytes([])|=Int(5)");
}

#[tokio::test]
async fn files_of_the_client() {
    let (address, _) = start(with_tls()).await;
    let content = "line\n".repeat(1_000_000);
    for mut client in every_client(address).await {
        assert_eq!(client.query(b"infile some file").await.unwrap(), Outcome::Infile);
        client.send_infile(content.as_bytes()).await.unwrap();
        assert_eq!(client.summary().affected_rows, 1_000_000);
        assert_eq!(client.summary().info, "Records: 1000000  Deleted: 0  Skipped: 0  Warnings: 0");
        client.query(b"infile first_part_only").await.unwrap();
        client.send_infile(content.as_bytes()).await.unwrap();
        // What a session that fails does not read is skipped.
        client.query(b"infile refused").await.unwrap();
        let error = client.send_infile(content.as_bytes()).await.unwrap_err();
        assert_eq!(number(&error), 1290);
        client.query(b"infile empty").await.unwrap();
        client.send_infile(b"").await.unwrap();
        assert_eq!(client.summary().last_insert_id, 0);
        let results = client.query_all(b"infile a; echo after").await.unwrap();
        assert_eq!(text(&results[1..]), "after");
    }
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    assert_eq!(number(&client.query(b"infile x").await.unwrap_err()), 3948);
}

#[tokio::test]
async fn attributes_of_connections_and_queries() {
    let (address, _) = start(ServerConfig::default()).await;
    let attributes = vec![("program_name".into(), "test".into()), ("empty".into(), String::new())];
    let config = ClientConfig { attributes, ..as_user("native", "secret") };
    let mut client = connect(address, &config).await.unwrap();
    let who = text(&client.query_all(b"who").await.unwrap());
    assert_eq!(who, "native|tls=false|collation=255|attributes=2");
    let named = |name: &str, value| Parameter { name: name.into(), ..Parameter::new(value) };
    let attributes =
        [named("trace", ParameterValue::Bytes(b"abc")), named("n", ParameterValue::Null)];
    let outcome = client.query_with_attributes(b"attributes", &attributes).await.unwrap();
    let results = client.read_all(outcome).await.unwrap();
    assert_eq!(text(&results), "trace=Bytes([97, 98, 99])|n=Null");
    // Behind the placeholders, or alone.
    let statement = client.prepare(b"attributes").await.unwrap();
    let outcome = client.execute(&statement, &attributes, false, |_| false).await.unwrap();
    let results = client.read_all(outcome).await.unwrap();
    assert_eq!(text(&results), "trace=Bytes([97, 98, 99])|n=Null");
    let statement = client.prepare(b"attributes ?").await.unwrap();
    let all = [vec![Parameter::new(ParameterValue::Int(1))], attributes.to_vec()].concat();
    let outcome = client.execute(&statement, &all, false, |_| false).await.unwrap();
    let results = client.read_all(outcome).await.unwrap();
    assert_eq!(text(&results), "trace=Bytes([97, 98, 99])|n=Null");
}

#[tokio::test]
async fn session_state_is_tracked() {
    let (address, _) = start(ServerConfig::default()).await;
    let mut client = connect(address, &as_user("native", "secret")).await.unwrap();
    client.init_db("here").await.unwrap();
    assert_eq!(client.summary().changes, [StateChange::Schema("here".into())]);
    assert_eq!(text(&client.query_all(b"schema").await.unwrap()), "here");
    let error = client.init_db("missing").await.unwrap_err();
    assert_eq!(error.to_string(), "ERROR 1049 (42000): Unknown database 'missing'");
    client.query(b"use there").await.unwrap();
    assert_eq!(client.summary().changes, [StateChange::Schema("there".into())]);
    client.query(b"begin").await.unwrap();
    assert!(client.summary().status.contains(StatusFlags::IN_TRANSACTION));
}

#[tokio::test]
async fn the_other_commands() {
    let (address, _) = start(with_tls()).await;
    for mut client in every_client(address).await {
        client.ping().await.unwrap();
        client.debug().await.unwrap();
        assert_eq!(&client.statistics().await.unwrap()[..], b"Uptime: 1  Threads: 1");
        let fields = client.field_list("t", "%").await.unwrap();
        assert_eq!(fields[0].1.as_deref(), Some(&b"x"[..]));
        assert_eq!(fields[1].1, None);
        assert_eq!(number(&client.field_list("u", "").await.unwrap_err()), 1146);
        for unknown in
            [&[0x00][..], &[0x05], &[0x07], &[0x0a], &[0x12], &[0x1b, 9, 0], &[0xff], &[]]
        {
            let error = client.command(unknown).await.unwrap_err();
            assert_eq!(error.to_string(), "ERROR 1047 (08S01): Unknown command");
        }
        client.ping().await.unwrap();
        assert_eq!(number(&client.kill(0).await.unwrap_err()), 1094);
    }
    let mut victim = connect(address, &as_user("native", "secret")).await.unwrap();
    let mut killer = connect(address, &as_user("native", "secret")).await.unwrap();
    killer.kill(victim.greeting().connection_id).await.unwrap();
    assert!(matches!(victim.ping().await, Err(Error::Io(_))));
}
