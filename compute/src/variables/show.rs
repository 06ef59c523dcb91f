//! SHOW VARIABLES.

use firn_mysql_semantics::collation::Collation;

use super::definition::{Reach, VarId};
use super::session::SessionVariables;

/// Whether a name is like a pattern, as SHOW has it: in any case, with `\` to escape.
/// Pattern and name are UTF-8.
pub fn is_like(name: &str, pattern: &str) -> bool {
    let names = Collation::by_name("utf8mb3_general_ci").unwrap_or_else(Collation::binary);
    let escape = Some(u32::from(b'\\'));
    names.like(name.as_bytes(), pattern.as_bytes(), escape).unwrap_or(false)
}

impl SessionVariables {
    /// The rows of SHOW VARIABLES, or of SHOW GLOBAL VARIABLES: names in order, values
    /// as text, those alone whose name is like `pattern`.
    pub fn show(&self, global: bool, pattern: Option<&str>) -> Vec<(&'static str, String)> {
        VarId::all()
            .filter(|id| !global || id.definition().reach != Reach::Session)
            .filter(|id| pattern.is_none_or(|pattern| is_like(id.name(), pattern)))
            .map(|id| {
                let setting = if global { self.globals().get(id) } else { self.setting(id) };
                (id.name(), setting.shown(&id.definition().shape))
            })
            .collect()
    }
}
