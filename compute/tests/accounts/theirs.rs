//! A MySQL server's answers.

use firn_mysql_protocol::Error;
use firn_mysql_protocol::client::{Client, ClientConfig};
use firn_mysql_protocol::command::ParameterValue;
use firn_mysql_protocol::tls::ClientTls;

pub(crate) struct Theirs {
    client: Client,
}

impl Theirs {
    pub(crate) async fn connect() -> Theirs {
        let address =
            std::env::var("MYSQL_ORACLE").expect("MYSQL_ORACLE is host:port of a MySQL server");
        let stream = tokio::net::TcpStream::connect(address).await.expect("the server is there");
        let config = ClientConfig {
            user: "root".to_owned(),
            tls: ClientTls::Disabled,
            ..ClientConfig::default()
        };
        Theirs { client: Client::connect(stream, &config).await.expect("root may log in") }
    }

    async fn rows(&mut self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let results = match self.client.query_all(sql.as_bytes()).await {
            Ok(results) => results,
            Err(Error::Sql(error)) => {
                // What follows is later than 8.4.
                let later = [" (User account already exists)", " (User account does not exist)"];
                let text = error.message.to_string();
                let text = later.iter().fold(text, |text, later| text.replace(later, ""));
                return Err(format!("error {} {text}", error.number));
            }
            Err(error) => panic!("{sql}: {error}"),
        };
        let mut rows = Vec::new();
        for result in &results {
            for row in &result.rows {
                let values = row.values(&result.columns).expect("a row");
                let text = |value: &ParameterValue<'_>| match value {
                    ParameterValue::Null => "NULL".to_owned(),
                    ParameterValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    other => format!("{other:?}"),
                };
                rows.push(values.iter().map(text).collect());
            }
        }
        Ok(rows)
    }

    /// Drops what the script makes.
    pub(crate) async fn clean(&mut self) {
        let users = "SELECT CONCAT(\"DROP USER '\", REPLACE(user, \"'\", \"''\"), \"'@'\", \
            REPLACE(host, \"'\", \"''\"), \"'\") FROM mysql.user \
            WHERE user NOT LIKE 'mysql.%' AND user <> 'root'";
        for row in self.rows(users).await.expect("accounts") {
            self.rows(&row[0]).await.expect("an account can be dropped");
        }
        for database in ["db3", "db4"] {
            self.rows(&format!("DROP DATABASE IF EXISTS {database}")).await.expect("dropped");
        }
    }

    pub(crate) async fn answer(&mut self, sql: &str) -> String {
        let rows = match self.rows(sql).await {
            Ok(rows) => rows,
            Err(error) => return error,
        };
        let warnings = self.rows("SHOW WARNINGS").await.expect("warnings");
        let mut parts: Vec<String> = warnings.iter().map(|row| row.join(" ")).collect();
        // Privileges that are later than 8.4.
        let later = ["CREATE_SPATIAL_REFERENCE_SYSTEM,", "MANAGE_DATA_MASKING_POLICY,"];
        let row = |row: &Vec<String>| {
            later.iter().fold(row.join("|"), |text, later| text.replace(later, ""))
        };
        parts.extend(rows.iter().map(row));
        if parts.is_empty() { "ok".to_owned() } else { parts.join("\n") }
    }
}
