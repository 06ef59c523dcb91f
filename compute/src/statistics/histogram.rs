//! Histograms: how the values of a column are distributed.
//!
//! ANALYZE TABLE … UPDATE HISTOGRAM makes them of all rows, or of a share of them where these
//! are too many to be kept in memory at once. A column with no more different values than there
//! are buckets has one bucket for each (`singleton`); of others as many neighbouring values
//! share one as fit, so that the largest bucket is as small as can be (`equi-height`).

use std::cmp::Ordering;

use firn_mysql_semantics::collation::Collation;
use firn_mysql_semantics::json::{Builder, JsonError, PackedTime};
use firn_mysql_semantics::temporal::DateTime;
use firn_mysql_semantics::{SqlType, TypeKind, Value};
use serde::{Deserialize, Serialize};

/// Of longer strings the beginning stands for all, in characters.
const TEXT_CHARS_MAX: usize = 42;

/// What is known of a column's values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    /// The share of rows that have NULL.
    nulls: f64,
    buckets: Vec<Bucket>,
    /// At most so many buckets were asked for.
    buckets_asked: u64,
    /// It is made again by ANALYZE TABLE.
    auto_update: bool,
    /// As it is shown: a JSON document.
    shown: Vec<u8>,
}

/// Neighbouring values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bucket {
    low: Place,
    high: Place,
    /// The share of rows that have one of these values or of those of buckets before.
    upto: f64,
    /// How many different ones there are.
    distinct: f64,
}

/// Where a value stands among those of its column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Place {
    Number(f64),
    /// By its sort key.
    Text(Vec<u8>),
}

/// How one is to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// At most so many buckets.
    pub(crate) buckets: u64,
    /// It is made again by ANALYZE TABLE.
    pub(crate) auto_update: bool,
    /// The share of rows that was kept.
    pub(crate) sampling_rate: f64,
    /// When it is made, in UTC.
    pub(crate) now: DateTime,
}

/// Whether columns of a type can have a histogram.
pub(crate) fn can_have(ty: &SqlType) -> bool {
    !matches!(ty.kind, TypeKind::Json | TypeKind::Geometry | TypeKind::Null)
}

impl Place {
    /// The place of a value in a column of type `ty`.
    pub(crate) fn of(value: &Value, ty: &SqlType) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Int(number) => Self::Number(*number as f64),
            Value::UInt(number) => Self::Number(*number as f64),
            Value::Float(number) => Self::Number((*number).into()),
            Value::Double(number) => Self::Number(*number),
            Value::Decimal(number) => Self::Number(number.to_f64()),
            Value::Date(date) => Self::Number(PackedTime::from(*date).0 as f64),
            Value::Time(time) => Self::Number(PackedTime::from(*time).0 as f64),
            Value::DateTime(at) => Self::Number(PackedTime::from(*at).0 as f64),
            Value::Bytes(text) => Self::Text(sort_key(&short(text, ty), ty)?),
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }

    /// How far it is on the way from one place to another, from 0 to 1.
    fn between(&self, low: &Self, high: &Self) -> f64 {
        // Of texts the bytes behind those that both ends begin with.
        let number = |place: &Self, skipped: usize| match place {
            Self::Number(number) => *number,
            Self::Text(key) => {
                let mut number = 0.0;
                for at in skipped..skipped + 6 {
                    number = number * 256.0 + f64::from(key.get(at).copied().unwrap_or(0));
                }
                number
            }
        };
        let skipped = match (low, high) {
            (Self::Text(low), Self::Text(high)) => {
                low.iter().zip(high).take_while(|(one, other)| one == other).count()
            }
            _ => 0,
        };
        let (from, to) = (number(low, skipped), number(high, skipped));
        if to > from { ((number(self, skipped) - from) / (to - from)).clamp(0.0, 1.0) } else { 0.5 }
    }
}

/// The beginning of a text that is looked at.
fn short(text: &[u8], ty: &SqlType) -> Vec<u8> {
    let collation = Collation::by_id(ty.collation.0);
    let end = collation.and_then(|one| one.charset().char_offset(text, TEXT_CHARS_MAX).ok());
    text[..end.unwrap_or(text.len()).min(text.len())].to_vec()
}

fn sort_key(text: &[u8], ty: &SqlType) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(2 * text.len());
    Collation::by_id(ty.collation.0)?.sort_key(text, &mut key).ok()?;
    Some(key)
}

/// A value in the order of its column, exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Exact {
    Number(i128),
    Key(Vec<u8>),
}

impl Exact {
    fn of(value: &Value, ty: &SqlType) -> Option<Self> {
        let of_double = |number: f64| {
            // Zero has two forms.
            let bits = (if number == 0.0 { 0.0 } else { number }).to_bits();
            let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            Self::Number(i128::from(ordered))
        };
        Some(match value {
            Value::Null => return None,
            Value::Int(number) => Self::Number((*number).into()),
            Value::UInt(number) => Self::Number((*number).into()),
            Value::Float(number) => of_double((*number).into()),
            Value::Double(number) => of_double(*number),
            Value::Decimal(number) => {
                let mut key = Vec::with_capacity(16);
                number.write_key(&mut key);
                Self::Key(key)
            }
            Value::Date(date) => Self::Number(PackedTime::from(*date).0.into()),
            Value::Time(time) => Self::Number(PackedTime::from(*time).0.into()),
            Value::DateTime(at) => Self::Number(PackedTime::from(*at).0.into()),
            Value::Bytes(text) => Self::Key(sort_key(text, ty)?),
        })
    }
}

/// One of a column's values, and how many rows have it.
struct Counted {
    value: Value,
    rows: u64,
}

/// Neighbouring values, by their places.
struct Run {
    first: usize,
    last: usize,
    /// Rows that have one of these or of those before.
    upto: u64,
    /// Those that only one row has.
    once: u64,
    rows: u64,
}

impl Histogram {
    /// The histogram of a column of which these are values.
    ///
    /// # Errors
    /// Those of making a JSON document: it is too large.
    pub(crate) fn new(values: Vec<Value>, ty: &SqlType, order: Order) -> Result<Self, JsonError> {
        let rows = values.len() as u64;
        let mut sorted: Vec<(Exact, Value)> = Vec::with_capacity(values.len());
        for value in values {
            let value = match value {
                Value::Bytes(text) => Value::from(short(&text, ty)),
                other => other,
            };
            sorted.extend(Exact::of(&value, ty).map(|key| (key, value)));
        }
        let nulls = rows - sorted.len() as u64;
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        let mut counted: Vec<Counted> = Vec::new();
        let mut last: Option<Exact> = None;
        for (key, value) in sorted {
            match counted.last_mut() {
                Some(same) if last.as_ref() == Some(&key) => same.rows += 1,
                _ => counted.push(Counted { value, rows: 1 }),
            }
            last = Some(key);
        }
        let singleton = counted.len() as u64 <= order.buckets;
        let most = if singleton { 0 } else { rows_of_largest(&counted, order.buckets) };
        let runs = filled(&counted, most, order.buckets as usize);
        let share = |some: u64| some as f64 / rows.max(1) as f64;
        let mut buckets = Vec::with_capacity(runs.len());
        let mut json = Builder::new();
        json.begin_object()?;
        json.name("buckets");
        json.begin_array()?;
        for run in &runs {
            let (low, high) = (&counted[run.first].value, &counted[run.last].value);
            let distinct = run.distinct(order.sampling_rate);
            json.begin_array()?;
            told(low, ty, &mut json)?;
            if !singleton {
                told(high, ty, &mut json)?;
            }
            json.double(share(run.upto))?;
            if !singleton {
                json.int(distinct as i64);
            }
            json.end()?;
            if let (Some(low), Some(high)) = (Place::of(low, ty), Place::of(high, ty)) {
                buckets.push(Bucket { low, high, upto: share(run.upto), distinct });
            }
        }
        json.end()?;
        json.name("data-type");
        json.string(type_name(ty));
        json.name("null-values");
        json.double(share(nulls))?;
        json.name("collation-id");
        json.int(collation_id(ty).into());
        json.name("last-updated");
        json.date_time(PackedTime::from(order.now));
        json.name("sampling-rate");
        json.double(order.sampling_rate)?;
        json.name("histogram-type");
        json.string(if singleton { "singleton" } else { "equi-height" });
        json.name("number-of-buckets-specified");
        json.uint(order.buckets);
        json.name("auto-update");
        json.bool(order.auto_update);
        json.end()?;
        let shown = json.finish()?.into_bytes();
        let (buckets_asked, auto_update) = (order.buckets, order.auto_update);
        Ok(Self { nulls: share(nulls), buckets, buckets_asked, auto_update, shown })
    }

    /// It is made again by ANALYZE TABLE.
    pub(crate) fn is_updated(&self) -> bool {
        self.auto_update
    }

    /// How many buckets were asked for.
    pub(crate) fn buckets_asked(&self) -> u64 {
        self.buckets_asked
    }

    /// As it is shown: a JSON document in its binary form.
    pub(crate) fn shown(&self) -> &[u8] {
        &self.shown
    }

    /// The share of rows that have NULL.
    pub(crate) fn nulls(&self) -> f64 {
        self.nulls
    }

    /// The share of rows that have a value.
    pub(crate) fn values(&self) -> f64 {
        1.0 - self.nulls
    }

    /// The share of rows whose value is at `place`.
    pub(crate) fn equal(&self, place: &Place) -> f64 {
        let Some((before, bucket)) = self.at(place) else { return 0.0 };
        if place.order(&bucket.low) == Ordering::Less {
            return 0.0;
        }
        (bucket.upto - before) / bucket.distinct.max(1.0)
    }

    /// The share of rows whose value is less than that at `place`.
    pub(crate) fn less(&self, place: &Place) -> f64 {
        let Some((before, bucket)) = self.at(place) else { return self.values() };
        if place.order(&bucket.low) != Ordering::Greater {
            return before;
        }
        before + (bucket.upto - before) * place.between(&bucket.low, &bucket.high)
    }

    /// The bucket that ends at a place or behind it, and the share of rows before that.
    fn at(&self, place: &Place) -> Option<(f64, &Bucket)> {
        let ends_before = |one: &Bucket| one.high.order(place) == Ordering::Less;
        let at = self.buckets.partition_point(ends_before);
        let before = at.checked_sub(1).map_or(0.0, |at| self.buckets[at].upto);
        Some((before, self.buckets.get(at)?))
    }
}

impl Run {
    /// How many different values there are among all rows, by those of the share that was
    /// looked at: the first-order jackknife.
    fn distinct(&self, share: f64) -> f64 {
        let seen = (self.last - self.first + 1) as f64;
        if share >= 1.0 {
            return seen;
        }
        let once = self.once as f64 / self.rows.max(1) as f64;
        (seen / (1.0 - (1.0 - share) * once)).round().min(self.rows as f64 / share)
    }
}

/// The fewest rows that the largest of so many buckets can have.
fn rows_of_largest(values: &[Counted], buckets: u64) -> u64 {
    let all: u64 = values.iter().map(|one| one.rows).sum();
    let (mut low, mut high) = (0, all);
    while low < high {
        let middle = low + (high - low) / 2;
        match filled(values, middle, 0).len() as u64 <= buckets {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    high
}

/// Buckets of at most so many rows; a value that more rows have is one of its own, and so are
/// the last ones if there is a bucket for each.
fn filled(values: &[Counted], most: u64, buckets: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut upto = 0;
    for (at, value) in values.iter().enumerate() {
        upto += value.rows;
        let each = values.len() - at <= buckets.saturating_sub(runs.len());
        let once = u64::from(value.rows == 1);
        match runs.last_mut() {
            Some(run) if !each && run.rows + value.rows <= most => {
                (run.last, run.upto) = (at, upto);
                run.once += once;
                run.rows += value.rows;
            }
            _ => runs.push(Run { first: at, last: at, upto, once, rows: value.rows }),
        }
    }
    runs
}

/// What MySQL calls the type.
fn type_name(ty: &SqlType) -> &'static str {
    match ty.kind {
        TypeKind::Year | TypeKind::Bit => "int",
        TypeKind::Enum => "enum",
        TypeKind::Set => "set",
        TypeKind::Decimal => "decimal",
        TypeKind::Float | TypeKind::Double => "double",
        TypeKind::Date => "date",
        TypeKind::Time => "time",
        TypeKind::DateTime | TypeKind::Timestamp => "datetime",
        TypeKind::BigInt if ty.unsigned => "uint",
        kind if kind.is_integer() => "int",
        _ => "string",
    }
}

/// Numbers and times have that of `latin1`.
fn collation_id(ty: &SqlType) -> u16 {
    match ty.kind {
        TypeKind::Bit => 63,
        TypeKind::Enum | TypeKind::Set => ty.collation.0,
        kind if kind.is_string() => ty.collation.0,
        _ => 8,
    }
}

/// A value as it stands in the document.
fn told(value: &Value, ty: &SqlType, json: &mut Builder) -> Result<(), JsonError> {
    /// The type of strings in the protocol.
    const STRING: u8 = 254;
    match value {
        Value::Null => json.null(),
        Value::Int(number) => json.int(*number),
        Value::UInt(number) if ty.unsigned => json.uint(*number),
        Value::UInt(number) => json.int(number.cast_signed()),
        Value::Float(number) => json.double((*number).into())?,
        Value::Double(number) => json.double(*number)?,
        Value::Decimal(number) => json.sql_decimal(number)?,
        Value::Date(date) => json.date(PackedTime::from(*date)),
        Value::Time(time) => json.time_of_day(PackedTime::from(*time)),
        Value::DateTime(at) => json.date_time(PackedTime::from(*at)),
        Value::Bytes(text) => json.opaque(STRING, text),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = Option<i64>>, buckets: u64) -> Histogram {
        let values = values.into_iter().map(|one| one.map_or(Value::Null, Value::Int)).collect();
        let now = DateTime::ZERO;
        let order = Order { buckets, auto_update: false, sampling_rate: 1.0, now };
        Histogram::new(values, &SqlType::bigint(20), order).unwrap()
    }

    fn near(one: f64, other: f64) {
        assert!((one - other).abs() < 0.02, "{one} {other}");
    }

    #[test]
    fn few_values_have_a_bucket_each() {
        let histogram = of((0..100).map(|at| (at % 5 != 4).then_some(at % 5)), 10);
        near(histogram.nulls(), 0.2);
        near(histogram.equal(&Place::Number(3.0)), 0.2);
        near(histogram.equal(&Place::Number(4.0)), 0.0);
        near(histogram.less(&Place::Number(2.0)), 0.4);
        near(histogram.less(&Place::Number(9.0)), 0.8);
        near(histogram.less(&Place::Number(-1.0)), 0.0);
    }

    #[test]
    fn a_value_of_many_rows_has_a_bucket_of_its_own() {
        let histogram = of((0..2000).map(|at| Some(if at % 2 == 0 { 500 } else { at })), 8);
        near(histogram.equal(&Place::Number(500.0)), 0.5);
        near(histogram.equal(&Place::Number(1501.0)), 0.0005);
        near(histogram.less(&Place::Number(1501.0)), 0.875);
        near(histogram.less(&Place::Number(250.0)), 0.0625);
    }

    #[test]
    fn of_no_rows_nothing_is_said() {
        let histogram = of([], 8);
        near(histogram.equal(&Place::Number(1.0)), 0.0);
        assert!(histogram.buckets.is_empty());
    }

    #[test]
    fn texts_are_ordered_by_their_collation() {
        let ty = SqlType::varchar(
            20,
            firn_mysql_semantics::CollationId::UTF8MB4_0900_AI_CI,
            firn_mysql_semantics::Derivation::Implicit,
        );
        let values = (0..1000).map(|at| Value::bytes(format!("Name{at:03}").as_bytes()));
        let (now, sampling_rate) = (DateTime::ZERO, 1.0);
        let order = Order { buckets: 10, auto_update: false, sampling_rate, now };
        let histogram = Histogram::new(values.collect(), &ty, order).unwrap();
        let place = |text: &str| Place::of(&Value::bytes(text.as_bytes()), &ty).unwrap();
        near(histogram.less(&place("NAME500")), 0.5);
        near(histogram.equal(&place("name500")), 0.001);
        near(histogram.less(&place("n")), 0.0);
        near(histogram.less(&place("z")), 1.0);
    }
}
