//! EXPLAIN FORMAT=JSON of version 2: the steps of the tree, one within the other.

use super::print::Json;
use super::tree::Branch;
use crate::execute::Measures;

/// The text; `query` is the statement as note 1003 has it.
pub(super) fn text(
    root: &Branch,
    measures: Option<&Measures>,
    query: Option<&str>,
    verb: &str,
) -> String {
    let mut members = Vec::new();
    if let Some(query) = query {
        members.push(("query", Json::Text(query.to_owned())));
    }
    members.push(("query_plan", operation(root, measures)));
    members.push(("query_type", Json::Text(verb.to_owned())));
    members.push(("json_schema_version", Json::Text("2.0".to_owned())));
    let mut out = String::new();
    Json::Object(members).print(0, &mut out);
    out
}

fn operation(branch: &Branch, measures: Option<&Measures>) -> Json {
    let mut members = Vec::new();
    if !branch.inputs.is_empty() {
        let inputs = branch.inputs.iter().map(|input| operation(input, measures));
        members.push(("inputs", Json::List(inputs.collect())));
    }
    if let Some(heading) = &branch.heading {
        members.push(("heading", Json::Text(heading.clone())));
        members.push(("subquery", Json::Bool(true)));
    }
    members.push(("operation", Json::Text(branch.line.clone())));
    if let Some(stage) = branch.stage(measures) {
        let stage = stage.unwrap_or_default();
        let loops = stage.loops.max(1) as f64;
        let millis = |time: std::time::Duration| time.as_secs_f64() * 1000.0 / loops;
        members.push(("actual_rows", Json::Double(stage.rows as f64 / loops)));
        members.push(("actual_loops", Json::Number(stage.loops)));
        members.push(("actual_last_row_ms", Json::Double(millis(stage.spent))));
        members.push(("actual_first_row_ms", Json::Double(millis(stage.first))));
    }
    // As MySQL orders members of documents: by length, then by bytes.
    members.sort_by_key(|(name, _)| (name.len(), *name));
    Json::Object(members)
}
