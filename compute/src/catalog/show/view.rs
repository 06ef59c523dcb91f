//! SHOW CREATE VIEW.

use firn_mysql_parser::quote_name;

use crate::catalog::ViewDescriptor;

/// The statement that makes the view.
#[must_use]
pub fn create_view(view: &ViewDescriptor) -> String {
    let (user, host) = &view.definer;
    let mut out = format!(
        "CREATE ALGORITHM={} DEFINER={}@{} SQL SECURITY {} VIEW {}",
        view.algorithm,
        quote_name(user),
        quote_name(host),
        if view.invoker { "INVOKER" } else { "DEFINER" },
        quote_name(&view.name),
    );
    if !view.columns.is_empty() {
        let names: Vec<_> = view.columns.iter().map(|name| quote_name(name)).collect();
        out.push_str(&format!(" ({})", names.join(",")));
    }
    out.push_str(" AS ");
    out.push_str(&view.query);
    if let Some(check) = &view.check {
        out.push_str(&format!(" WITH {check} CHECK OPTION"));
    }
    out
}
