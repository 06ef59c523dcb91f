//! The effective configuration as YAML, and the reference of all keys.

use std::fmt::Write as _;

use super::{Config, settings};

/// Column of the comments, where values are short enough.
const COMMENT_COLUMN: usize = 48;

impl Config {
    /// The effective configuration as a YAML file that would give the same
    /// one, each value with where it comes from. Secrets are masked, and a mask
    /// is refused when it is read.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        let mut group = "";
        for setting in settings::SETTINGS {
            let (level, name) = setting.key.rsplit_once('.').unwrap_or(("", setting.key));
            if level != group && !level.is_empty() {
                let _ = writeln!(out, "{level}:");
            }
            group = level;
            let indent = if level.is_empty() { "" } else { "  " };
            let (line, comment) = match (setting.get)(self) {
                Some(value) => {
                    let origin = self.origins.get(setting.key);
                    let origin = origin.map_or_else(|| "default".to_owned(), ToString::to_string);
                    (format!("{indent}{name}: {}", scalar(&value)), origin)
                }
                None => (format!("{indent}# {name}:"), "not set".to_owned()),
            };
            let _ = writeln!(out, "{line:COMMENT_COLUMN$} # {comment}");
        }
        out
    }
}

/// A text as a YAML scalar that reads back as the same text.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:-=, %".contains(c);
    let first = |c: char| c.is_ascii_alphanumeric() || "./_".contains(c);
    let safe = text.starts_with(first)
        && text.chars().all(plain)
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !text.eq_ignore_ascii_case("null");
    if safe {
        return text.to_owned();
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The reference of all keys, in Markdown: `docs/CONFIGURATION.md`.
pub fn reference() -> String {
    let mut out = String::from(INTRODUCTION);
    for setting in settings::SETTINGS {
        let _ = write!(
            out,
            "\n### `{}`\n\n{}\n\n- Value: {}\n- Default: {}\n- Environment: `{}`\n",
            setting.key,
            setting.about,
            setting.values,
            setting.default,
            setting.variable()
        );
    }
    out
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Written by the tests of `services/` from the table of settings: change that, not this. -->

A process reads one YAML file, named by `--config FILE` or the variable `FIRN_CONFIG`; without either, the defaults hold. \
Variables of the environment go over the file: `FIRN_` and the key in capitals, with two underscores between levels, \
such as `FIRN_OBJECT_STORE__URL`. A key without a value and an empty variable are as if they were not there.

`firn up` takes options for the few keys that most need, and they go over all: `--data-dir`, `--mysql-addr` (`mysql_listen`), \
`--http-addr` (`http_listen`), `--object-store` (`object_store.url`) and `--journal` (`journal.kind`).

A key or a variable that does not exist is an error, and so is a value that cannot be used: the process says which file \
and line or which variable, and does not start. Variables that Kubernetes makes for Services named `firn…` are passed over.

`firn config` prints the effective configuration, with where each value comes from. Secrets are masked.

Sizes in bytes are numbers with `B`, `KiB`, `MiB`, `GiB`, `TiB` or `kB`, `MB`, `GB`, `TB`: `4 GiB`, `1.5GiB`, `4096`.

```yaml
data_dir: /var/lib/firn
object_store:
  url: s3://my-bucket/firn
  region: eu-central-1
memory_bytes_max: 8 GiB
http_listen: 0.0.0.0:7400
```

## Keys
";
