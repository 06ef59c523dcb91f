//! Where in a YAML text a key stands, for errors that span several keys.

/// The line, counted from 1, of the key that `path` leads to; numbers count
/// the items of a list from 0. Falls back to the nearest parent that is found.
/// Knows block style only, which is how workloads are written.
pub(crate) fn line_of(text: &str, path: &[&str]) -> usize {
    let lines: Vec<Line<'_>> = text.lines().map(Line::of).collect();
    let (mut from, mut to, mut found) = (0, lines.len(), 1);
    for step in path {
        let Some((at, end)) = find(&lines, from, to, step) else { break };
        found = at + 1;
        // A list item's first key stands on the item's own line.
        from = if step.parse::<usize>().is_ok() { at } else { at + 1 };
        to = end;
    }
    found
}

struct Line<'a> {
    indent: usize,
    is_item: bool,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let is_item = text.starts_with("- ");
        Self { indent, is_item, text: if text.starts_with('#') { "" } else { text } }
    }

    /// The key on this line, and the column it starts at.
    fn key(&self) -> Option<(usize, &'a str)> {
        let body = if self.is_item { self.text[2..].trim_start() } else { self.text };
        let column = self.indent + self.text.len() - body.len();
        body.split_once(':').map(|(key, _)| (column, key.trim()))
    }
}

/// First line of a step within lines `from..to`, and where what belongs to it ends.
fn find(lines: &[Line<'_>], from: usize, to: usize, step: &str) -> Option<(usize, usize)> {
    let inside = || (from..to).filter(|i| !lines[*i].text.is_empty());
    let index = step.parse::<usize>().ok();
    let first = inside().next()?;
    let own = match index {
        Some(_) => lines[first].indent,
        None => lines[first].key()?.0,
    };
    let starts = |i: &usize| match index {
        Some(_) => lines[*i].is_item && lines[*i].indent == own,
        None => lines[*i].key().is_some_and(|(column, _)| column == own),
    };
    let mut heads = inside().filter(starts);
    let at = match index {
        Some(n) => heads.nth(n)?,
        None => heads.find(|i| lines[*i].key().is_some_and(|(_, key)| key == step))?,
    };
    let end = inside().find(|i| *i > at && starts(i)).unwrap_or(to);
    Some((at, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# comment: x
name: a
topology:
  caches:
    memory: 1

phases:
  - kind: load
    keys: 5
  # phase
  - kind: get
    rate:
      of: x
goals:
- phase: z
- phase: y
";

    #[test]
    fn keys_are_found_by_their_path() {
        for (path, line) in [
            (&["name"][..], 2),
            (&["topology", "caches", "memory"], 5),
            (&["phases", "0"], 8),
            (&["phases", "0", "keys"], 9),
            (&["phases", "1", "kind"], 11),
            (&["phases", "1", "rate", "of"], 13),
            (&["goals", "1", "phase"], 16),
            (&["phases", "1", "missing"], 11),
            (&["missing"], 1),
        ] {
            assert_eq!(line_of(TEXT, path), line, "{path:?}");
        }
    }
}
