//! Users, roles, privileges.

use super::Grammar;
use crate::ast::{
    AlterUser, AlterUserAction, AlterUserSpec, Auth, CreateUser, FactorChange, OldPassword,
    RegistrationStep, Require, RequireItem, ResourceLimit, Secret, SetRole, StatementKind, Text,
    User, UserOption, UserSettings, UserSpec,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    /// `name[@host]` or CURRENT_USER.
    pub(super) fn user(&mut self) -> Result<User> {
        if self.eat(T::CURRENT_USER) {
            if self.eat(T::LParen) {
                self.expect(T::RParen)?;
            }
            return Ok(User::Current);
        }
        let name = self.ident_or_text()?.text;
        self.user_host(name)
    }

    fn user_host(&mut self, name: Text) -> Result<User> {
        let mut host = None;
        if self.eat(T::At) {
            // Hosts are compared in lower case.
            let text = self.ident_or_text()?.text;
            host = Some(Text::from(text.to_ascii_lowercase()));
        }
        Ok(User::Named { name, host })
    }

    /// A role: what names a user, but for words that are privileges.
    pub(super) fn role(&mut self) -> Result<User> {
        if self.at(T::CURRENT_USER) || self.is_no_role(self.kind()) {
            return Err(self.unexpected());
        }
        self.user()
    }

    pub(super) fn is_no_role(&self, kind: T) -> bool {
        matches!(
            kind,
            T::EVENT
                | T::EXECUTE
                | T::FILE
                | T::NONE
                | T::PROCESS
                | T::PROXY
                | T::RELOAD
                | T::REPLICATION
                | T::RESOURCE
                | T::RESTART
                | T::SHUTDOWN
                | T::SUPER
        )
    }

    pub(super) fn create_user(&mut self) -> Result<StatementKind> {
        self.expect(T::USER)?;
        let if_not_exists = self.if_not_exists()?;
        let users = self.list(|g| {
            let user = g.user()?;
            let mut auth = Vec::new();
            let mut initial = None;
            if g.at(T::IDENTIFIED) {
                auth.push(g.auth()?);
                if g.eat(T::INITIAL) {
                    g.expect(T::AUTHENTICATION)?;
                    initial = Some(g.auth()?);
                }
                while g.eat(T::AND) {
                    auth.push(g.auth()?);
                }
            }
            Ok(UserSpec { user, auth, initial })
        })?;
        let mut default_roles = Vec::new();
        if self.eat(T::DEFAULT) {
            self.expect(T::ROLE)?;
            default_roles = self.list(Self::role)?;
        }
        let settings = self.user_settings()?;
        let create = CreateUser { if_not_exists, users, default_roles, settings };
        Ok(StatementKind::CreateUser(Box::new(create)))
    }

    /// IDENTIFIED …
    fn auth(&mut self) -> Result<Auth> {
        self.expect(T::IDENTIFIED)?;
        if self.eat(T::BY) {
            return Ok(Auth { plugin: None, secret: self.password()? });
        }
        self.expect(T::WITH)?;
        let plugin = Some(self.ident_or_text()?);
        let secret = if self.eat(T::BY) {
            self.password()?
        } else if self.eat(T::AS) {
            Secret::Hash(self.text_or_bytes()?)
        } else {
            Secret::None
        };
        Ok(Auth { plugin, secret })
    }

    fn password(&mut self) -> Result<Secret> {
        if self.eat(T::RANDOM) {
            self.expect(T::PASSWORD)?;
            return Ok(Secret::Random);
        }
        self.text().map(Secret::Password)
    }

    pub(super) fn old_password(&mut self) -> Result<OldPassword> {
        let mut old = OldPassword::default();
        if self.eat(T::REPLACE) {
            old.replace = Some(self.text()?);
        }
        if self.eat(T::RETAIN) {
            self.expect_all(&[T::CURRENT, T::PASSWORD])?;
            old.retain = true;
        } else if old.replace.is_none() && self.eat_all(&[T::DISCARD, T::OLD, T::PASSWORD]) {
            old.discard = true;
        }
        Ok(old)
    }

    fn user_settings(&mut self) -> Result<UserSettings> {
        let mut settings = UserSettings::default();
        if self.eat(T::REQUIRE) {
            settings.require = Some(self.require()?);
        }
        if self.eat(T::WITH) {
            loop {
                let limit = match self.kind() {
                    T::MAX_QUERIES_PER_HOUR => ResourceLimit::QueriesPerHour,
                    T::MAX_UPDATES_PER_HOUR => ResourceLimit::UpdatesPerHour,
                    T::MAX_CONNECTIONS_PER_HOUR => ResourceLimit::ConnectionsPerHour,
                    T::MAX_USER_CONNECTIONS => ResourceLimit::UserConnections,
                    _ if settings.limits.is_empty() => return Err(self.unexpected()),
                    _ => break,
                };
                self.bump();
                settings.limits.push((limit, self.number()?));
            }
        }
        while let Some(option) = self.user_option()? {
            settings.options.push(option);
        }
        if self.at_any(&[T::COMMENT, T::ATTRIBUTE]) {
            let comment = self.bump().kind == T::COMMENT;
            settings.attribute = Some((comment, self.text()?));
        }
        Ok(settings)
    }

    fn require(&mut self) -> Result<Require> {
        if let Some(kind) = self.eat_any(&[T::NONE, T::SSL, T::X509]) {
            return Ok(match kind {
                T::NONE => Require::None,
                T::SSL => Require::Ssl,
                _ => Require::X509,
            });
        }
        let mut items = Vec::new();
        loop {
            let item = match self.kind() {
                T::CIPHER => RequireItem::Cipher,
                T::ISSUER => RequireItem::Issuer,
                T::SUBJECT => RequireItem::Subject,
                _ if items.is_empty() => return Err(self.unexpected()),
                _ => return Ok(Require::Items(items)),
            };
            self.bump();
            items.push((item, self.text()?));
            self.eat(T::AND);
        }
    }

    fn user_option(&mut self) -> Result<Option<UserOption>> {
        let option = match self.kind() {
            T::ACCOUNT => {
                self.bump();
                match self.one_of(&[T::LOCK, T::UNLOCK])? {
                    T::LOCK => UserOption::AccountLock,
                    _ => UserOption::AccountUnlock,
                }
            }
            T::FAILED_LOGIN_ATTEMPTS => {
                self.bump();
                UserOption::FailedLoginAttempts(self.number()?)
            }
            T::PASSWORD_LOCK_TIME => {
                self.bump();
                let unbounded = self.eat(T::UNBOUNDED);
                let days = if unbounded { None } else { Some(self.number()?) };
                UserOption::PasswordLockDays(days)
            }
            T::PASSWORD => {
                self.bump();
                self.password_option()?
            }
            _ => return Ok(None),
        };
        Ok(Some(option))
    }

    fn password_option(&mut self) -> Result<UserOption> {
        match self.one_of(&[T::EXPIRE, T::HISTORY, T::REUSE, T::REQUIRE])? {
            T::EXPIRE => Ok(match self.eat_any(&[T::DEFAULT, T::NEVER, T::INTERVAL]) {
                Some(T::DEFAULT) => UserOption::PasswordExpireDefault,
                Some(T::NEVER) => UserOption::PasswordExpireNever,
                Some(_) => {
                    let days = self.number()?;
                    self.expect(T::DAY)?;
                    UserOption::PasswordExpireDays(days)
                }
                None => UserOption::PasswordExpire,
            }),
            T::HISTORY => self.number_or_default().map(UserOption::PasswordHistory),
            T::REUSE => {
                self.expect(T::INTERVAL)?;
                let days = self.number_or_default()?;
                if days.is_some() {
                    self.expect(T::DAY)?;
                }
                Ok(UserOption::PasswordReuseDays(days))
            }
            _ => {
                self.expect(T::CURRENT)?;
                Ok(match self.eat_any(&[T::DEFAULT, T::OPTIONAL]) {
                    Some(T::DEFAULT) => UserOption::PasswordRequireCurrentDefault,
                    Some(_) => UserOption::PasswordRequireCurrentOptional,
                    None => UserOption::PasswordRequireCurrent,
                })
            }
        }
    }

    pub(super) fn alter_user(&mut self) -> Result<StatementKind> {
        self.expect(T::USER)?;
        let if_exists = self.if_exists()?;
        let action = self.alter_user_action()?;
        Ok(StatementKind::AlterUser(Box::new(AlterUser { if_exists, action })))
    }

    fn alter_user_action(&mut self) -> Result<AlterUserAction> {
        if self.at(T::USER) && self.kind_at(1) == T::LParen {
            self.expect_all(&[T::USER, T::LParen, T::RParen])?;
            if self.at(T::Int) {
                let factors = self.registration()?;
                return Ok(AlterUserAction::Registration { user: None, factors });
            }
            if self.eat_all(&[T::DISCARD, T::OLD, T::PASSWORD]) {
                let auth = Auth { plugin: None, secret: Secret::None };
                let old = OldPassword { discard: true, ..OldPassword::default() };
                return Ok(AlterUserAction::Own { auth, old });
            }
            self.expect_all(&[T::IDENTIFIED, T::BY])?;
            let auth = Auth { plugin: None, secret: self.password()? };
            return Ok(AlterUserAction::Own { auth, old: self.old_password()? });
        }
        let user = self.user()?;
        if self.eat(T::DEFAULT) {
            self.expect(T::ROLE)?;
            let roles = self.role_choice(&[T::ALL, T::NONE])?;
            return Ok(AlterUserAction::DefaultRole { user, roles });
        }
        if self.at(T::Int) {
            let factors = self.registration()?;
            return Ok(AlterUserAction::Registration { user: Some(user), factors });
        }
        let mut users = vec![self.alter_user_spec(user)?];
        while self.eat(T::Comma) {
            let user = self.user()?;
            users.push(self.alter_user_spec(user)?);
        }
        Ok(AlterUserAction::Users { users, settings: self.user_settings()? })
    }

    fn alter_user_spec(&mut self, user: User) -> Result<AlterUserSpec> {
        let mut spec =
            AlterUserSpec { user, auth: None, old: OldPassword::default(), factors: Vec::new() };
        if self.at(T::IDENTIFIED) {
            spec.auth = Some(self.auth()?);
        }
        spec.old = self.old_password()?;
        while let Some(kind) = self.eat_any(&[T::ADD, T::MODIFY, T::DROP]) {
            loop {
                let factor = self.number()?;
                self.expect(T::FACTOR)?;
                spec.factors.push(match kind {
                    T::ADD => FactorChange::Add(factor, self.auth()?),
                    T::MODIFY => FactorChange::Modify(factor, self.auth()?),
                    _ => FactorChange::Drop(factor),
                });
                // More of the same may follow without the verb.
                if !self.at(T::Int) {
                    break;
                }
            }
        }
        Ok(spec)
    }

    fn registration(&mut self) -> Result<Vec<RegistrationStep>> {
        let mut steps = Vec::new();
        while self.at(T::Int) {
            let factor = self.number()?;
            self.expect(T::FACTOR)?;
            steps.push(match self.one_of(&[T::INITIATE, T::FINISH, T::UNREGISTER])? {
                T::INITIATE => {
                    self.expect(T::REGISTRATION)?;
                    RegistrationStep::Initiate(factor)
                }
                T::FINISH => {
                    self.expect_all(&[T::REGISTRATION, T::SET])?;
                    if !self.eat(T::CHALLENGE_RESPONSE) {
                        return Err(self.unexpected());
                    }
                    self.expect(T::AS)?;
                    RegistrationStep::Finish(factor, self.text()?)
                }
                _ => RegistrationStep::Unregister(factor),
            });
        }
        Ok(steps)
    }

    /// Roles, or one of the words that are allowed here.
    pub(super) fn role_choice(&mut self, words: &[T]) -> Result<SetRole> {
        if let Some(kind) = self.eat_any(words) {
            return Ok(match kind {
                T::NONE => SetRole::None,
                T::DEFAULT => SetRole::Default,
                _ if words.contains(&T::EXCEPT) && self.eat(T::EXCEPT) => {
                    SetRole::AllExcept(self.list(Self::role)?)
                }
                _ => SetRole::All,
            });
        }
        Ok(SetRole::Roles(self.list(Self::role)?))
    }

    pub(super) fn create_role(&mut self) -> Result<StatementKind> {
        self.expect(T::ROLE)?;
        let if_not_exists = self.if_not_exists()?;
        Ok(StatementKind::CreateRole { if_not_exists, roles: self.list(Self::role)? })
    }
}
