//! JSON as MySQL prints it.

/// A value whose members keep their order.
pub(super) enum Json {
    Text(String),
    Number(u64),
    Double(f64),
    Bool(bool),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// Appends the text.
    pub(super) fn print(&self, depth: usize, out: &mut String) {
        let line = |depth: usize, out: &mut String| {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        };
        match self {
            Self::Text(text) => out.push_str(&serde_json::Value::from(text.as_str()).to_string()),
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Double(number) => out.push_str(&format!("{number:?}")),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::List(list) => {
                out.push('[');
                for (at, one) in list.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    line(depth + 1, out);
                    one.print(depth + 1, out);
                }
                line(depth, out);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    line(depth + 1, out);
                    out.push_str(&format!("\"{name}\": "));
                    value.print(depth + 1, out);
                }
                line(depth, out);
                out.push('}');
            }
        }
    }
}
