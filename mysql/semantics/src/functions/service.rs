//! What only the server around an expression can do: locks, waits, random bytes,
//! files. The session answers each as a [`Request`].

use super::{Function, arg};
use crate::error::{SqlError, code};
use crate::expr::{Call, Cx, Request, Result, Site, leaf};
use crate::types::{Derivation, SqlType, TypeKind};
use crate::value::Value;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("any_value", (1, 1), any_type, any_value, "Its argument, of any row of a group")
        .own_nulls(),
    Function::new(
        "benchmark",
        (2, 2),
        |_| Ok(SqlType::bigint(1)),
        benchmark,
        "0, after computing it so often",
    )
    .nullable()
    .changing(),
    Function::new("current_role", (0, 0), |s| Ok(long_name(s)), current_role, "The roles in force")
        .nullable()
        .changing(),
    Function::new("get_lock", (2, 2), |_| Ok(SqlType::bigint(1)), get_lock, "Takes a lock by name")
        .nullable()
        .changing(),
    Function::new(
        "is_free_lock",
        (1, 1),
        |_| Ok(SqlType::bigint(1)),
        is_free_lock,
        "Whether nobody has the lock",
    )
    .nullable()
    .changing(),
    Function::new(
        "is_used_lock",
        (1, 1),
        |_| Ok(SqlType::bigint(21).with_unsigned(true)),
        is_used_lock,
        "Whose the lock is",
    )
    .nullable()
    .changing(),
    Function::new(
        "load_file",
        (1, 1),
        |s| Ok(s.binary(FILE_BYTES)),
        load_file,
        "The bytes of a file of the server",
    )
    .nullable()
    .changing(),
    Function::new(
        "random_bytes",
        (1, 1),
        |s| Ok(s.binary(RANDOM_BYTES_MAX)),
        random_bytes,
        "So many random bytes",
    )
    .nullable()
    .changing(),
    Function::new(
        "release_all_locks",
        (0, 0),
        |_| Ok(SqlType::bigint(21).with_unsigned(true)),
        release_all_locks,
        "Lets all locks go, and counts them",
    )
    .never_null()
    .changing(),
    Function::new(
        "release_lock",
        (1, 1),
        |_| Ok(SqlType::bigint(1)),
        release_lock,
        "Lets a lock go",
    )
    .nullable()
    .changing(),
    Function::new("sleep", (1, 1), |_| Ok(SqlType::bigint(21)), sleep, "Waits so many seconds")
        .never_null()
        .changing(),
    Function::new("uuid", (0, 0), uuid_type, uuid, "A universal identifier, by time and place")
        .nullable()
        .changing(),
    Function::new(
        "uuid_short",
        (0, 0),
        |_| Ok(SqlType::bigint(21).with_unsigned(true)),
        uuid_short,
        "A number that no other call gives",
    )
    .never_null()
    .changing(),
];

/// Bytes of a file, as the type has them.
const FILE_BYTES: u64 = 1 << 24;
/// Most bytes that RANDOM_BYTES gives.
const RANDOM_BYTES_MAX: u64 = 1024;
/// Characters of the names of all roles.
const ROLES_LENGTH: u32 = 50_331_648;
/// Characters of a lock's name.
const LOCK_NAME_MAX: usize = 64;
/// Most seconds that anything waits: a year.
const WAIT_SECONDS_MAX: f64 = 31_536_000.0;
/// BENCHMARK asks so often whether it is to go on.
const BENCHMARK_STEP: u64 = 1024;

fn long_name(site: &Site<'_, '_>) -> SqlType {
    let mut ty = site.system_text(ROLES_LENGTH);
    ty.kind = TypeKind::LongText;
    ty
}

fn uuid_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let mut ty = site.system_text(36);
    ty.derivation = Derivation::Coercible;
    Ok(ty)
}

fn any_type(site: &mut Site<'_, '_>) -> Result<SqlType> {
    let node = site.node(0)?;
    let mut ty = node.ty;
    if matches!(ty.kind, TypeKind::Enum | TypeKind::Set) {
        ty.kind = TypeKind::Char;
    }
    if ty.kind.is_string() {
        ty.decimals = crate::types::NOT_FIXED_DECIMALS;
        ty.unsigned = false;
    }
    if matches!(ty.kind, TypeKind::Float | TypeKind::Double)
        && ty.decimals == crate::types::NOT_FIXED_DECIMALS
    {
        ty.length = SqlType::double().length;
    }
    Ok(ty)
}

fn any_value(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let Some(operand) = call.arg(0) else { return Ok(Value::Null) };
    if matches!(operand.ty.kind, TypeKind::Enum | TypeKind::Set) {
        return Ok(call.text(0, cx)?.map_or(Value::Null, |text| Value::bytes(&text)));
    }
    Ok(operand.eval(cx, call.row)?.into_owned())
}

fn benchmark(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let count = arg!(call.int(0, cx));
    let Ok(count) = u64::try_from(count) else {
        let message = format!("Incorrect count value: '{count}' for function benchmark");
        cx.warn(SqlError::with_message(code::ER_WRONG_VALUE_FOR_TYPE, message));
        return Ok(Value::Null);
    };
    if let Some(what) = call.arg(1) {
        for round in 0..count {
            if round % BENCHMARK_STEP == 0 && cx.session.is_interrupted() {
                return Err(SqlError::new(code::ER_QUERY_INTERRUPTED, &[]));
            }
            what.eval(cx, call.row)?;
        }
    }
    Ok(Value::Int(0))
}

fn current_role(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    cx.session.request(Request::CurrentRole)
}

/// The name of a lock; 3057 or 4163 if it is none.
fn lock_name(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<String> {
    let name = call.text(0, cx)?.map(|text| leaf::to_utf8(&text, call.text_collation_shown(0)));
    match name {
        Some(name) if name.chars().count() > LOCK_NAME_MAX => {
            let limit = (LOCK_NAME_MAX as u64).into();
            Err(SqlError::new(code::ER_USER_LOCK_OVERLONG_NAME, &[name.as_str().into(), limit]))
        }
        Some(name) if !name.is_empty() => Ok(name),
        none => {
            let shown = none.unwrap_or_else(|| "NULL".to_owned());
            Err(SqlError::new(code::ER_USER_LOCK_WRONG_NAME, &[shown.as_str().into()]))
        }
    }
}

/// Seconds as microseconds, up to a bound.
fn micros(seconds: f64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bound")]
    let micros = (seconds.clamp(0.0, WAIT_SECONDS_MAX) * 1e6) as u64;
    micros
}

fn get_lock(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let name = lock_name(call, cx)?;
    // Without end where it is below zero or NULL.
    let seconds = call.double(1, cx)?.filter(|seconds| *seconds >= 0.0);
    cx.session.request(Request::GetLock { name: &name, wait_micros: seconds.map(micros) })
}

fn is_free_lock(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let name = lock_name(call, cx)?;
    cx.session.request(Request::IsFreeLock { name: &name })
}

fn is_used_lock(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let name = lock_name(call, cx)?;
    cx.session.request(Request::IsUsedLock { name: &name })
}

fn release_lock(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let name = lock_name(call, cx)?;
    cx.session.request(Request::ReleaseLock { name: &name })
}

fn release_all_locks(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    cx.session.request(Request::ReleaseAllLocks)
}

fn load_file(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let name = arg!(call.text(0, cx));
    cx.session.request(Request::LoadFile { path: &name })
}

fn random_bytes(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    let count = arg!(call.int(0, cx));
    let count = u16::try_from(count)
        .ok()
        .filter(|count| (1..=RANDOM_BYTES_MAX).contains(&u64::from(*count)));
    match count {
        Some(count) => cx.session.request(Request::RandomBytes { count }),
        None => Err(SqlError::new(
            code::ER_DATA_OUT_OF_RANGE,
            &["length".into(), "random_bytes".into()],
        )),
    }
}

fn sleep(call: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    match call.double(0, cx)? {
        Some(seconds) if seconds >= 0.0 => {
            cx.session.request(Request::Sleep { micros: micros(seconds) })
        }
        _ => Err(SqlError::wrong_arguments("sleep.")),
    }
}

fn uuid(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    cx.session.request(Request::Uuid)
}

fn uuid_short(_: &Call<'_>, cx: &mut Cx<'_>) -> Result<Value> {
    cx.session.request(Request::UuidShort)
}
