//! Reads the YAML file straight into the settings, so that every error knows
//! the line of the key or value that caused it.

use std::cell::RefCell;
use std::fmt;
use std::io::Read;
use std::path::Path;

use firn_engine::{Error, ErrorKind, Result};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::settings::{self, Setting};
use super::{Config, Origin};

/// A larger file was not written by a person, or is another file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads `path` over what `config` holds.
pub(super) fn read(path: &Path, config: &mut Config) -> Result<()> {
    let shown = path.display();
    let unreadable =
        |e: std::io::Error| Error::with_source(ErrorKind::Unavailable, format!("{shown}"), e);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let bad = |line: String| Err(Error::new(ErrorKind::BadRequest, line));
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return bad(format!("{shown}: more than {FILE_BYTES_MAX} bytes"));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return bad(format!("{shown}: not UTF-8"));
    };
    // To the parser a file without a single value is one that was cut off.
    if text.lines().map(str::trim_start).all(|line| line.is_empty() || line.starts_with('#')) {
        return Ok(());
    }
    let reading = Reading {
        config: RefCell::new(config),
        origin: Origin::File(path.to_owned()),
        why: RefCell::default(),
        given: RefCell::default(),
    };
    let Err(e) =
        Level { reading: &reading, key: "" }.deserialize(serde_yaml::Deserializer::from_str(text))
    else {
        return Ok(());
    };
    // libyaml's own words hold the place, which stands in front here.
    let (at, place) = e.location().map_or_else(Default::default, |at| {
        (format!(":{}", at.line()), format!(" at line {} column {}", at.line(), at.column()))
    });
    let why = reading.why.take().unwrap_or_else(|| e.to_string().replace(&place, ""));
    bad(format!("{shown}{at}: {why}"))
}

struct Reading<'a> {
    config: RefCell<&'a mut Config>,
    origin: Origin,
    /// Our own reason for the error that the parser reports.
    why: RefCell<Option<String>>,
    given: RefCell<std::collections::BTreeSet<String>>,
}

impl Reading<'_> {
    fn fail<E: serde::de::Error>(&self, why: String) -> E {
        let e = E::custom(&why);
        self.why.replace(Some(why));
        e
    }
}

/// A mapping: the whole file, or a key with keys below it.
#[derive(Clone, Copy)]
struct Level<'a, 'c> {
    reading: &'a Reading<'c>,
    key: &'a str,
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key {
            "" => f.write_str("keys and values"),
            key => write!(f, "keys of {key}"),
        }
    }

    /// An empty file, or a key whose keys are all commented out.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key(self))? {
            match settings::find(&key) {
                Some(setting) => {
                    map.next_value_seed(Value { reading: self.reading, setting })?;
                }
                None => map.next_value_seed(Level { reading: self.reading, key: &key })?,
            }
        }
        Ok(())
    }
}

/// A key of a mapping; gives the whole key, with the levels above.
struct Key<'a, 'c>(Level<'a, 'c>);

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<String, E> {
        let Level { reading, key } = self.0;
        let whole = if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
        // A dot inside a name would reach a setting by another way than its level.
        if name.contains('.') || !(settings::find(&whole).is_some() || settings::is_group(&whole)) {
            return Err(reading.fail(settings::unknown(&whole, settings::keys())));
        }
        if !reading.given.borrow_mut().insert(whole.clone()) {
            return Err(reading.fail(format!("key {whole:?} is given twice")));
        }
        Ok(whole)
    }
}

/// The value of a setting, as it is written.
struct Value<'a, 'c> {
    reading: &'a Reading<'c>,
    setting: &'static Setting,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.setting.values, self.setting.key)
    }

    /// A key without a value is not set.
    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    /// As text even where YAML sees a number or a flag: a branch may be called 007.
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        let Self { reading, setting } = self;
        let mut config = reading.config.borrow_mut();
        (setting.set)(&mut config, value)
            .map_err(|why| reading.fail(format!("{}: {why}", setting.key)))?;
        config.origins.insert(setting.key, reading.origin.clone());
        Ok(())
    }
}
