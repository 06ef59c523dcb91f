//! GRANT and REVOKE.

use super::Grammar;
use crate::ast::{
    Grant, GrantAs, GrantLevel, GrantOn, GrantWhat, ObjectName, Privilege, Revoke, RoutineKind,
    StatementKind, Text, User,
};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

/// A role or a privilege: which of them shows only behind the list.
enum Granted {
    Role(User),
    Privilege(Privilege),
    /// A word that may be the name of a role or of a dynamic privilege.
    Either(Text),
}

/// Privileges of the grammar, with their words. Longer ones stand before those that
/// are their beginnings.
const PRIVILEGES: [(&[T], &str); 33] = [
    (&[T::ALTER, T::ROUTINE], "ALTER ROUTINE"),
    (&[T::ALTER], "ALTER"),
    (&[T::CREATE, T::TEMPORARY, T::TABLES], "CREATE TEMPORARY TABLES"),
    (&[T::CREATE, T::ROUTINE], "CREATE ROUTINE"),
    (&[T::CREATE, T::TABLESPACE], "CREATE TABLESPACE"),
    (&[T::CREATE, T::USER], "CREATE USER"),
    (&[T::CREATE, T::VIEW], "CREATE VIEW"),
    (&[T::CREATE, T::ROLE], "CREATE ROLE"),
    (&[T::CREATE], "CREATE"),
    (&[T::DELETE], "DELETE"),
    (&[T::DROP, T::ROLE], "DROP ROLE"),
    (&[T::DROP], "DROP"),
    (&[T::EVENT], "EVENT"),
    (&[T::EXECUTE], "EXECUTE"),
    (&[T::FILE], "FILE"),
    (&[T::GRANT, T::OPTION], "GRANT OPTION"),
    (&[T::INDEX], "INDEX"),
    (&[T::INSERT], "INSERT"),
    (&[T::LOCK, T::TABLES], "LOCK TABLES"),
    (&[T::PROCESS], "PROCESS"),
    (&[T::REFERENCES], "REFERENCES"),
    (&[T::RELOAD], "RELOAD"),
    (&[T::REPLICATION, T::CLIENT], "REPLICATION CLIENT"),
    (&[T::REPLICATION, T::SLAVE], "REPLICATION SLAVE"),
    (&[T::SELECT], "SELECT"),
    (&[T::SHOW, T::DATABASES], "SHOW DATABASES"),
    (&[T::SHOW, T::SCHEMAS], "SHOW DATABASES"),
    (&[T::SHOW, T::VIEW], "SHOW VIEW"),
    (&[T::SHUTDOWN], "SHUTDOWN"),
    (&[T::SUPER], "SUPER"),
    (&[T::TRIGGER], "TRIGGER"),
    (&[T::UPDATE], "UPDATE"),
    (&[T::USAGE], "USAGE"),
];

impl Grammar<'_> {
    pub(super) fn grant(&mut self) -> Result<StatementKind> {
        self.expect(T::GRANT)?;
        let what = self.granted(T::TO)?;
        self.expect(T::TO)?;
        let roles = matches!(what, GrantWhat::Roles(_));
        let to = self.list(Self::user)?;
        let mut option = false;
        if self.eat(T::WITH) {
            if roles {
                self.expect_all(&[T::ADMIN, T::OPTION])?;
            } else {
                self.expect_all(&[T::GRANT, T::OPTION])?;
            }
            option = true;
        }
        let mut as_user = None;
        if matches!(what, GrantWhat::Privileges { .. }) && self.eat(T::AS) {
            let user = self.user()?;
            let mut with_role = None;
            if self.eat(T::WITH) {
                self.expect(T::ROLE)?;
                let words = [T::NONE, T::DEFAULT, T::ALL, T::EXCEPT];
                with_role = Some(self.role_choice(&words)?);
            }
            as_user = Some(GrantAs { user, with_role });
        }
        Ok(StatementKind::Grant(Box::new(Grant { what, to, option, as_user })))
    }

    pub(super) fn revoke(&mut self) -> Result<StatementKind> {
        self.expect(T::REVOKE)?;
        let if_exists = self.if_exists()?;
        let all = self.at(T::ALL)
            && (self.kind_at(1) == T::Comma
                || (self.kind_at(1) == T::PRIVILEGES && self.kind_at(2) == T::Comma));
        let what = if all {
            self.bump();
            self.eat(T::PRIVILEGES);
            self.expect_all(&[T::Comma, T::GRANT, T::OPTION])?;
            None
        } else {
            Some(self.granted(T::FROM)?)
        };
        self.expect(T::FROM)?;
        let from = self.list(Self::user)?;
        let ignore_unknown_user = self.eat_all(&[T::IGNORE, T::UNKNOWN, T::USER]);
        let revoke = Revoke { if_exists, ignore_unknown_user, what, from };
        Ok(StatementKind::Revoke(Box::new(revoke)))
    }

    /// What stands before TO or FROM.
    fn granted(&mut self, end: T) -> Result<GrantWhat> {
        if self.at(T::PROXY) && self.kind_at(1) == T::ON {
            self.bump();
            self.bump();
            return Ok(GrantWhat::Proxy(self.user()?));
        }
        // ALL stands alone.
        if self.eat(T::ALL) {
            self.eat(T::PRIVILEGES);
            self.expect(T::ON)?;
            return Ok(GrantWhat::Privileges { privileges: Vec::new(), on: self.grant_on()? });
        }
        let start = self.here() as usize;
        let granted = self.list(Self::role_or_privilege)?;
        if !self.eat(T::ON) {
            if !self.at(end) {
                return Err(self.unexpected());
            }
            let roles = granted.into_iter().map(|one| match one {
                Granted::Role(role) => Ok(role),
                Granted::Either(name) => Ok(User::Named { name, host: None }),
                Granted::Privilege(_) => Err(Error::at(ErrorKind::Syntax, self.sql, start)),
            });
            return Ok(GrantWhat::Roles(roles.collect::<Result<_>>()?));
        }
        let mut privileges = Vec::new();
        for one in granted {
            privileges.push(match one {
                Granted::Privilege(privilege) => privilege,
                Granted::Either(name) => Privilege { name, columns: Vec::new() },
                Granted::Role(_) => return Err(Error::at(ErrorKind::Syntax, self.sql, start)),
            });
        }
        Ok(GrantWhat::Privileges { privileges, on: self.grant_on()? })
    }

    fn role_or_privilege(&mut self) -> Result<Granted> {
        let found = PRIVILEGES
            .iter()
            .find(|(words, _)| words.iter().enumerate().all(|(i, &w)| self.kind_at(i) == w));
        if let Some((words, name)) = found {
            for _ in *words {
                self.bump();
            }
            let may_have_columns = ["SELECT", "INSERT", "UPDATE", "REFERENCES"].contains(name);
            let columns = if may_have_columns { self.maybe_ident_list()? } else { Vec::new() };
            let name = Text::new_static(name);
            return Ok(Granted::Privilege(Privilege { name, columns }));
        }
        if self.is_no_role(self.kind()) {
            return Err(self.unexpected());
        }
        let word = self.ident_or_text()?.text;
        if self.at(T::LParen) {
            let columns = self.ident_list()?;
            return Ok(Granted::Privilege(Privilege { name: word, columns }));
        }
        if self.eat(T::At) {
            let host = Text::from(self.ident_or_text()?.text.to_ascii_lowercase());
            return Ok(Granted::Role(User::Named { name: word, host: Some(host) }));
        }
        Ok(Granted::Either(word))
    }

    fn grant_on(&mut self) -> Result<GrantOn> {
        let routine = match self.kind() {
            T::TABLE => {
                self.bump();
                None
            }
            T::FUNCTION => {
                self.bump();
                Some(RoutineKind::Function)
            }
            T::PROCEDURE => {
                self.bump();
                Some(RoutineKind::Procedure)
            }
            _ => None,
        };
        let level = if self.eat(T::Star) {
            if self.eat(T::Dot) {
                self.expect(T::Star)?;
                GrantLevel::Global
            } else {
                GrantLevel::CurrentSchema
            }
        } else {
            let first = self.ident()?;
            if self.eat(T::Dot) {
                if self.eat(T::Star) {
                    GrantLevel::Schema(first)
                } else {
                    let name = self.ident()?;
                    GrantLevel::Object(ObjectName { schema: Some(first), name })
                }
            } else {
                GrantLevel::Object(ObjectName { schema: None, name: first })
            }
        };
        Ok(GrantOn { routine, level })
    }
}

/// Whether these are the words of a privilege, not the name of a dynamic one.
pub(crate) fn is_privilege(words: &str) -> bool {
    PRIVILEGES.iter().any(|(_, name)| *name == words)
}
