//! Users, roles, privileges.

use super::Printer;
use crate::ast::{
    AlterUser, AlterUserAction, Auth, CreateUser, FactorChange, Grant, GrantLevel, GrantWhat,
    OldPassword, RegistrationStep, Require, RequireItem, ResourceLimit, Revoke, RoutineKind,
    Secret, SetRole, User, UserOption, UserSettings,
};

impl Printer {
    pub(super) fn user(&mut self, user: &User) {
        match user {
            User::Current => self.word("CURRENT_USER()"),
            User::Named { name, host } => {
                self.string(name.as_bytes());
                if let Some(host) = host {
                    self.put("@");
                    self.text(host.as_bytes());
                }
            }
        }
    }

    pub(super) fn users(&mut self, users: &[User]) {
        self.list(users, Self::user);
    }

    pub(super) fn create_user(&mut self, create: &CreateUser) {
        self.word("CREATE USER");
        self.word_if(create.if_not_exists, "IF NOT EXISTS");
        self.list(&create.users, |p, spec| {
            p.user(&spec.user);
            for (i, auth) in spec.auth.iter().enumerate() {
                p.word_if(i > 0, "AND");
                p.auth(auth);
                if let Some(initial) = spec.initial.as_ref().filter(|_| i == 0) {
                    p.word("INITIAL AUTHENTICATION");
                    p.auth(initial);
                }
            }
        });
        if !create.default_roles.is_empty() {
            self.word("DEFAULT ROLE");
            self.users(&create.default_roles);
        }
        self.user_settings(&create.settings);
    }

    fn auth(&mut self, auth: &Auth) {
        self.word("IDENTIFIED");
        if let Some(plugin) = &auth.plugin {
            self.word("WITH");
            self.ident(plugin);
        }
        match &auth.secret {
            Secret::None => {}
            Secret::Password(text) => self.word_string("BY", Some(text)),
            Secret::Random => self.word("BY RANDOM PASSWORD"),
            Secret::Hash(bytes) => self.word_string("AS", Some(bytes)),
        }
    }

    pub(super) fn old_password(&mut self, old: &OldPassword) {
        self.word_string("REPLACE", old.replace.as_ref());
        self.word_if(old.retain, "RETAIN CURRENT PASSWORD");
        self.word_if(old.discard, "DISCARD OLD PASSWORD");
    }

    fn user_settings(&mut self, settings: &UserSettings) {
        match &settings.require {
            None => {}
            Some(Require::None) => self.word("REQUIRE NONE"),
            Some(Require::Ssl) => self.word("REQUIRE SSL"),
            Some(Require::X509) => self.word("REQUIRE X509"),
            Some(Require::Items(items)) => {
                self.word("REQUIRE");
                for (item, text) in items {
                    let word = match item {
                        RequireItem::Cipher => "CIPHER",
                        RequireItem::Issuer => "ISSUER",
                        RequireItem::Subject => "SUBJECT",
                    };
                    self.word_string(word, Some(text));
                }
            }
        }
        self.word_if(!settings.limits.is_empty(), "WITH");
        for (limit, value) in &settings.limits {
            self.word(match limit {
                ResourceLimit::QueriesPerHour => "MAX_QUERIES_PER_HOUR",
                ResourceLimit::UpdatesPerHour => "MAX_UPDATES_PER_HOUR",
                ResourceLimit::ConnectionsPerHour => "MAX_CONNECTIONS_PER_HOUR",
                ResourceLimit::UserConnections => "MAX_USER_CONNECTIONS",
            });
            self.number(*value);
        }
        for option in &settings.options {
            self.user_option(option);
        }
        if let Some((comment, text)) = &settings.attribute {
            self.word_string(if *comment { "COMMENT" } else { "ATTRIBUTE" }, Some(text));
        }
    }

    fn user_option(&mut self, option: &UserOption) {
        match option {
            UserOption::AccountLock => self.word("ACCOUNT LOCK"),
            UserOption::AccountUnlock => self.word("ACCOUNT UNLOCK"),
            UserOption::PasswordExpire => self.word("PASSWORD EXPIRE"),
            UserOption::PasswordExpireDefault => self.word("PASSWORD EXPIRE DEFAULT"),
            UserOption::PasswordExpireNever => self.word("PASSWORD EXPIRE NEVER"),
            UserOption::PasswordExpireDays(n) => {
                self.word(&format!("PASSWORD EXPIRE INTERVAL {n} DAY"));
            }
            UserOption::PasswordHistory(None) => self.word("PASSWORD HISTORY DEFAULT"),
            UserOption::PasswordHistory(Some(n)) => self.word(&format!("PASSWORD HISTORY {n}")),
            UserOption::PasswordReuseDays(None) => self.word("PASSWORD REUSE INTERVAL DEFAULT"),
            UserOption::PasswordReuseDays(Some(n)) => {
                self.word(&format!("PASSWORD REUSE INTERVAL {n} DAY"));
            }
            UserOption::PasswordRequireCurrent => self.word("PASSWORD REQUIRE CURRENT"),
            UserOption::PasswordRequireCurrentDefault => {
                self.word("PASSWORD REQUIRE CURRENT DEFAULT");
            }
            UserOption::PasswordRequireCurrentOptional => {
                self.word("PASSWORD REQUIRE CURRENT OPTIONAL");
            }
            UserOption::FailedLoginAttempts(n) => {
                self.word("FAILED_LOGIN_ATTEMPTS");
                self.number(*n);
            }
            UserOption::PasswordLockDays(None) => self.word("PASSWORD_LOCK_TIME UNBOUNDED"),
            UserOption::PasswordLockDays(Some(n)) => {
                self.word("PASSWORD_LOCK_TIME");
                self.number(*n);
            }
        }
    }

    pub(super) fn alter_user(&mut self, alter: &AlterUser) {
        self.word("ALTER USER");
        self.word_if(alter.if_exists, "IF EXISTS");
        match &alter.action {
            AlterUserAction::Users { users, settings } => {
                self.list(users, |p, spec| {
                    p.user(&spec.user);
                    if let Some(auth) = &spec.auth {
                        p.auth(auth);
                    }
                    p.old_password(&spec.old);
                    for factor in &spec.factors {
                        p.factor(factor);
                    }
                });
                self.user_settings(settings);
            }
            AlterUserAction::Own { auth, old } => {
                self.word("USER()");
                if auth.secret != Secret::None {
                    self.auth(auth);
                }
                self.old_password(old);
            }
            AlterUserAction::DefaultRole { user, roles } => {
                self.user(user);
                self.word("DEFAULT ROLE");
                self.roles(roles);
            }
            AlterUserAction::Registration { user, factors } => {
                match user {
                    Some(user) => self.user(user),
                    None => self.word("USER()"),
                }
                for step in factors {
                    match step {
                        RegistrationStep::Initiate(n) => {
                            self.word(&format!("{n} FACTOR INITIATE REGISTRATION"));
                        }
                        RegistrationStep::Finish(n, text) => {
                            self.word(&format!("{n} FACTOR FINISH REGISTRATION"));
                            self.word_string("SET CHALLENGE_RESPONSE AS", Some(text));
                        }
                        RegistrationStep::Unregister(n) => {
                            self.word(&format!("{n} FACTOR UNREGISTER"));
                        }
                    }
                }
            }
        }
    }

    fn factor(&mut self, factor: &FactorChange) {
        match factor {
            FactorChange::Add(n, auth) => {
                self.word(&format!("ADD {n} FACTOR"));
                self.auth(auth);
            }
            FactorChange::Modify(n, auth) => {
                self.word(&format!("MODIFY {n} FACTOR"));
                self.auth(auth);
            }
            FactorChange::Drop(n) => self.word(&format!("DROP {n} FACTOR")),
        }
    }

    pub(super) fn roles(&mut self, roles: &SetRole) {
        match roles {
            SetRole::None => self.word("NONE"),
            SetRole::Default => self.word("DEFAULT"),
            SetRole::All => self.word("ALL"),
            SetRole::AllExcept(roles) => {
                self.word("ALL EXCEPT");
                self.users(roles);
            }
            SetRole::Roles(roles) => self.users(roles),
        }
    }

    pub(super) fn grant(&mut self, grant: &Grant) {
        self.word("GRANT");
        self.grant_what(&grant.what);
        self.word("TO");
        self.users(&grant.to);
        if grant.option {
            let roles = matches!(grant.what, GrantWhat::Roles(_));
            self.word(if roles { "WITH ADMIN OPTION" } else { "WITH GRANT OPTION" });
        }
        if let Some(as_user) = &grant.as_user {
            self.word("AS");
            self.user(&as_user.user);
            if let Some(roles) = &as_user.with_role {
                self.word("WITH ROLE");
                self.roles(roles);
            }
        }
    }

    pub(super) fn revoke(&mut self, revoke: &Revoke) {
        self.word("REVOKE");
        self.word_if(revoke.if_exists, "IF EXISTS");
        match &revoke.what {
            Some(what) => self.grant_what(what),
            None => self.word("ALL PRIVILEGES, GRANT OPTION"),
        }
        self.word("FROM");
        self.users(&revoke.from);
        self.word_if(revoke.ignore_unknown_user, "IGNORE UNKNOWN USER");
    }

    fn grant_what(&mut self, what: &GrantWhat) {
        let (privileges, on) = match what {
            GrantWhat::Roles(roles) => return self.users(roles),
            GrantWhat::Proxy(user) => {
                self.word("PROXY ON");
                return self.user(user);
            }
            GrantWhat::Privileges { privileges, on } => (privileges, on),
        };
        self.word_if(privileges.is_empty(), "ALL PRIVILEGES");
        self.list(privileges, |p, privilege| {
            if crate::grammar::is_privilege(&privilege.name) {
                p.word(&privilege.name);
            } else {
                p.blank();
                p.name(&privilege.name);
            }
            if !privilege.columns.is_empty() {
                p.idents(&privilege.columns);
            }
        });
        self.word("ON");
        self.word(match on.routine {
            None => "",
            Some(RoutineKind::Procedure) => "PROCEDURE",
            Some(RoutineKind::Function) => "FUNCTION",
        });
        match &on.level {
            GrantLevel::Global => self.word("*.*"),
            GrantLevel::CurrentSchema => self.word("*"),
            GrantLevel::Schema(name) => {
                self.ident(name);
                self.put(".*");
            }
            GrantLevel::Object(name) => self.object(name),
        }
    }
}
