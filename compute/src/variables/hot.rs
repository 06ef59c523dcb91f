//! What statements look at all the time, out of the settings.

use firn_mysql_parser::ast::Isolation;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::temporal::zone::TimeZone;

use super::definition::VarId;
use super::id;
use super::setting::Setting;
use super::sql_mode::SqlMode;

macro_rules! hot {
    ($($(#[$doc:meta])* $field:ident: $ty:ty = $first:expr, |$setting:ident| $read:expr;)*) => {
        /// The variables that decide how statements run, ready for use. Fields have the
        /// variables' names, and their units: seconds, but milliseconds of
        /// `max_execution_time`; bytes.
        #[allow(missing_docs, reason = "the names are MySQL's")]
        #[derive(Debug, Clone)]
        pub struct Hot {
            $($(#[$doc])* pub $field: $ty,)*
        }

        impl Hot {
            /// Before any setting is known.
            pub(super) fn empty() -> Hot {
                Hot { $($field: $first,)* }
            }

            /// Takes over the new value of a variable, if it is one of these.
            pub(super) fn refresh(&mut self, variable: VarId, setting: &Setting) {
                match variable {
                    $(id::$field => {
                        let $setting = setting;
                        self.$field = $read;
                    })*
                    _ => {}
                }
            }
        }
    };
}

hot! {
    auto_increment_increment: u64 = 1, |one| one.as_u64();
    auto_increment_offset: u64 = 1, |one| one.as_u64();
    autocommit: bool = true, |one| one.as_bool();
    /// `None` is NULL: results go out in their own character sets.
    character_set_results: Option<&'static Charset> = None, |one| Charset::by_name(one.as_text());
    character_set_client: &'static Charset = Charset::utf8mb4(), |one| charset(one);
    collation_connection: &'static Collation = Collation::binary(), |one| collation(one);
    /// Of the database in use.
    collation_database: &'static Collation = Collation::binary(), |one| collation(one);
    collation_server: &'static Collation = Collation::binary(), |one| collation(one);
    /// 0 nothing, 1 CHAIN, 2 RELEASE.
    completion_type: u16 = 0, |one| one.as_index();
    cte_max_recursion_depth: u64 = 0, |one| one.as_u64();
    default_collation_for_utf8mb4: &'static Collation = Collation::binary(), |one| collation(one);
    explicit_defaults_for_timestamp: bool = true, |one| one.as_bool();
    /// 0 auto, 1 direct, 2 vector.
    firn_executor: u16 = 0, |one| one.as_index();
    foreign_key_checks: bool = true, |one| one.as_bool();
    group_concat_max_len: u64 = 0, |one| one.as_u64();
    histogram_generation_max_mem_size: u64 = 0, |one| one.as_u64();
    innodb_lock_wait_timeout: u64 = 0, |one| one.as_u64();
    innodb_strict_mode: bool = true, |one| one.as_bool();
    interactive_timeout: u64 = 0, |one| one.as_u64();
    /// The place among the locales.
    lc_time_names: u16 = 0, |one| one.as_index();
    lock_wait_timeout: u64 = 0, |one| one.as_u64();
    long_query_time: f64 = 0.0, |one| one.as_f64();
    max_allowed_packet: u64 = 0, |one| one.as_u64();
    max_error_count: u64 = 0, |one| one.as_u64();
    /// Milliseconds; 0 is without end.
    max_execution_time: u64 = 0, |one| one.as_u64();
    max_join_size: u64 = 0, |one| one.as_u64();
    max_sp_recursion_depth: u64 = 0, |one| one.as_u64();
    net_read_timeout: u64 = 0, |one| one.as_u64();
    net_write_timeout: u64 = 0, |one| one.as_u64();
    print_identified_with_as_hex: bool = false, |one| one.as_bool();
    session_track_schema: bool = false, |one| one.as_bool();
    session_track_state_change: bool = false, |one| one.as_bool();
    sql_auto_is_null: bool = false, |one| one.as_bool();
    sql_big_selects: bool = true, |one| one.as_bool();
    sql_generate_invisible_primary_key: bool = false, |one| one.as_bool();
    sql_mode: SqlMode = SqlMode::default(), |one| SqlMode(one.as_bits());
    sql_notes: bool = true, |one| one.as_bool();
    sql_quote_show_create: bool = true, |one| one.as_bool();
    sql_require_primary_key: bool = false, |one| one.as_bool();
    sql_safe_updates: bool = false, |one| one.as_bool();
    sql_select_limit: u64 = 0, |one| one.as_u64();
    sql_warnings: bool = false, |one| one.as_bool();
    /// `None` is SYSTEM.
    time_zone: Option<TimeZone> = None, |one| TimeZone::parse(one.as_text());
    transaction_isolation: Isolation = Isolation::RepeatableRead, |one| isolation(one);
    transaction_read_only: bool = false, |one| one.as_bool();
    unique_checks: bool = true, |one| one.as_bool();
    wait_timeout: u64 = 0, |one| one.as_u64();
}

fn charset(setting: &Setting) -> &'static Charset {
    Charset::by_name(setting.as_text()).unwrap_or_else(Charset::utf8mb4)
}

fn collation(setting: &Setting) -> &'static Collation {
    Collation::by_name(setting.as_text()).unwrap_or_else(Collation::default_unicode)
}

fn isolation(setting: &Setting) -> Isolation {
    match setting.as_index() {
        0 => Isolation::ReadUncommitted,
        1 => Isolation::ReadCommitted,
        2 => Isolation::RepeatableRead,
        _ => Isolation::Serializable,
    }
}

/// As `transaction_isolation` has it.
pub(super) fn isolation_setting(isolation: Isolation) -> Setting {
    Setting::Enum(match isolation {
        Isolation::ReadUncommitted => 0,
        Isolation::ReadCommitted => 1,
        Isolation::RepeatableRead => 2,
        Isolation::Serializable => 3,
    })
}
