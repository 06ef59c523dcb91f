//! What is shown of the server itself.

use firn_mysql_parser::ast::{EngineInfo, Ident};
use firn_mysql_semantics::Value;
use firn_mysql_semantics::error::{SqlError, code};

use super::Shown;
use crate::information_schema::cell::text;
use crate::information_schema::{Facts, server};

/// Characters of a statement that SHOW PROCESSLIST has room for.
const INFO_CHARS: usize = 100;

/// What may be granted, on what.
const PRIVILEGES: &[(&str, &str, &str)] = &[
    ("Alter", "Tables", "To alter the table"),
    ("Create", "Databases,Tables,Indexes", "To create databases and tables"),
    ("Create view", "Tables", "To create views"),
    ("Create user", "Server Admin", "To create users"),
    ("Delete", "Tables", "To delete rows"),
    ("Drop", "Databases,Tables", "To drop databases, tables and views"),
    ("Grant option", "Databases,Tables", "To give others what one has"),
    ("Index", "Tables", "To create and drop indexes"),
    ("Insert", "Tables", "To insert rows"),
    ("Lock tables", "Databases", "To lock tables"),
    ("Process", "Server Admin", "To see the statements of others"),
    ("References", "Databases,Tables", "To refer to tables by foreign keys"),
    ("Reload", "Server Admin", "To use FLUSH"),
    ("Select", "Tables", "To read rows"),
    ("Show databases", "Server Admin", "To see all databases"),
    ("Show view", "Tables", "To see views with SHOW CREATE VIEW"),
    ("Super", "Server Admin", "To use KILL and SET GLOBAL"),
    ("Update", "Tables", "To change rows"),
    ("Usage", "Server Admin", "Nothing but to connect"),
];

pub(super) fn privileges() -> Shown {
    let row = |(name, context, comment): &(&str, &str, &str)| {
        vec![text(name), text(context), text(comment)]
    };
    Shown::new("privileges", PRIVILEGES.iter().map(row).collect())
}

pub(super) fn character_sets(facts: &Facts) -> Shown {
    let rows = server::character_sets(facts)
        .into_iter()
        .map(|mut row| {
            // Here the description comes before the collation.
            row.swap(1, 2);
            row
        })
        .collect();
    Shown::new("character set", rows)
}

pub(super) fn collations(facts: &Facts) -> Shown {
    Shown::new("collation", server::collations(facts))
}

pub(super) fn engines(facts: &Facts) -> Shown {
    Shown::new("engines", server::engines(facts))
}

pub(super) fn plugins(facts: &Facts) -> Shown {
    // Name, status, type, library, license.
    const SHOWN: [usize; 5] = [0, 2, 3, 5, 9];
    let row = |row: Vec<Value>| SHOWN.iter().map(|at| row[*at].clone()).collect();
    Shown::new("plugins", server::plugins(facts).into_iter().map(row).collect())
}

pub(super) fn process_list(facts: &Facts, full: bool) -> Shown {
    let (name, chars) =
        if full { ("full processlist", usize::MAX) } else { ("processlist", INFO_CHARS) };
    let all = facts.server.processes.all();
    let seen = all.iter().filter(|process| facts.sees_process(&process.user));
    let rows = seen.map(|process| server::process_row(facts, process, chars)).collect();
    Shown::new(name, rows)
}

/// SHOW ENGINE
pub(super) fn engine(
    facts: &Facts,
    name: Option<&Ident>,
    what: EngineInfo,
) -> Result<Shown, SqlError> {
    let own = name.is_none_or(|name| name.as_str().eq_ignore_ascii_case("innodb"));
    if let Some(name) = name.filter(|_| !own) {
        let known = name.as_str().eq_ignore_ascii_case("performance_schema");
        if known {
            return Ok(Shown::empty("engine"));
        }
        return Err(SqlError::new(code::ER_UNKNOWN_STORAGE_ENGINE, &[name.as_str().into()]));
    }
    let rows = match what {
        EngineInfo::Status => {
            let db = facts.server.transactions.db();
            let locks = facts.server.transactions.locks();
            let lines = format!(
                "\nTRANSACTIONS\nlast commit {}\nlocks held {}, waited for {}\nSTORAGE\n{:#?}\n",
                db.last_seq().0,
                locks.held(),
                locks.waiting(),
                db.stats(),
            );
            vec![vec![text("InnoDB"), text(""), text(lines)]]
        }
        EngineInfo::Mutex | EngineInfo::Logs => Vec::new(),
    };
    Ok(Shown::new("engine", rows))
}
