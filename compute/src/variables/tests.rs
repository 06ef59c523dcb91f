use std::sync::Arc;

use firn_mysql_parser::ast::Scope;
use firn_mysql_semantics::error::Warnings;
use firn_mysql_semantics::types::SqlType;
use firn_mysql_semantics::value::Value;

use super::*;

fn session() -> SessionVariables {
    SessionVariables::new(Arc::new(GlobalVariables::new(&[(id::version, "8.4.0-Firn")])), 7)
}

fn set(
    variables: &mut SessionVariables,
    id: VarId,
    scope: Option<Scope>,
    new: NewValue,
) -> Result<Change, u16> {
    let mut warnings = Warnings::default();
    let mut cx = SetContext { in_transaction: false, may: &|_| true, warnings: &mut warnings };
    let checked = variables.check(id, scope, false, &new, &mut cx).map_err(|e| e.number())?;
    Ok(variables.apply(checked))
}

fn number(value: i64) -> NewValue {
    NewValue::Value(Value::Int(value), SqlType::bigint(21))
}

#[test]
fn the_list_is_in_order_and_every_default_is_of_its_kind() {
    let names: Vec<_> = VarId::all().map(VarId::name).collect();
    assert!(names.is_sorted());
    let globals = GlobalVariables::new(&[]);
    for id in VarId::all() {
        let definition = id.definition();
        let good = match (globals.get(id), &definition.shape) {
            (Setting::Bool(_), Shape::Bool)
            | (Setting::Double(_), Shape::Double(..))
            | (Setting::Enum(_), Shape::Enum(_) | Shape::Locale)
            | (Setting::Set(_), Shape::Set(_) | Shape::Flags(_) | Shape::Mode)
            | (Setting::Text(_) | Setting::Null, Shape::Text) => true,
            (Setting::Int(value), Shape::Int(least, greatest, _)) => {
                let value = if *least < 0 { value.cast_signed().into() } else { i128::from(value) };
                // Where the default is 0 by a rule of its own, that is below the least.
                value == 0 || (*least..=*greatest).contains(&value)
            }
            _ => false,
        };
        assert!(good, "{id:?} {definition:?}");
        if definition.default.is_some() && !matches!(definition.shape, Shape::Double(..)) {
            let setting = Setting::of_default(definition, definition.default);
            let shown = setting.shown(&definition.shape);
            assert_eq!(Some(shown.as_str()), definition.default, "{id:?}");
        }
        assert_eq!(VarId::by_name(&id.name().to_uppercase()), Some(id));
    }
    assert_eq!(VarId::by_name("tx_isolation"), None);
}

#[test]
fn a_session_keeps_the_globals_that_it_began_with() {
    let globals = Arc::new(GlobalVariables::new(&[]));
    let mut first = SessionVariables::new(Arc::clone(&globals), 1);
    set(&mut first, id::wait_timeout, Some(Scope::Global), number(60)).unwrap();
    let second = SessionVariables::new(globals, 2);
    assert_eq!(first.hot().wait_timeout, 28_800);
    assert_eq!(second.hot().wait_timeout, 60);
    assert_eq!(first.get(id::wait_timeout, Some(Scope::Global)).unwrap().0, Value::UInt(60));
    set(&mut first, id::wait_timeout, None, NewValue::Default).unwrap();
    assert_eq!(first.hot().wait_timeout, 60);
}

#[test]
fn setting_back_what_it_was_takes_no_room() {
    let mut session = session();
    set(&mut session, id::autocommit, None, number(0)).unwrap();
    assert!(!session.hot().autocommit);
    let change = set(&mut session, id::autocommit, None, NewValue::word("ON")).unwrap();
    assert!(change.commits);
    assert_eq!(session.memory_bytes(), SessionVariables::MEMORY_BYTES);
}

#[test]
fn an_idle_session_takes_little() {
    const { assert!(SessionVariables::MEMORY_BYTES < 800) };
}

#[test]
fn modes_reach_the_parser_and_the_expressions() {
    let mut session = session();
    set(&mut session, id::sql_mode, None, NewValue::word("ANSI,NO_BACKSLASH_ESCAPES")).unwrap();
    let mode = session.parser_options().mode;
    assert!(mode.has(firn_mysql_parser::SqlMode::PIPES_AS_CONCAT));
    assert!(!session.expressions().strict);
    let flags = session.status_flags();
    assert!(flags.contains(firn_mysql_protocol::StatusFlags::NO_BACKSLASH_ESCAPES));
    assert!(flags.contains(firn_mysql_protocol::StatusFlags::AUTOCOMMIT));
}

#[test]
fn show_filters_by_pattern() {
    let rows = session().show(false, Some("VERSION"));
    assert_eq!(rows, [("version", "8.4.0-Firn".to_owned())]);
    assert!(session().show(true, Some("last\\_insert%")).is_empty());
    assert_eq!(session().show(false, Some("last\\_insert%")).len(), 1);
}
