//! SELECT … INTO: where the rows go.

use firn_mysql_parser::ast;
use firn_mysql_semantics::charset::Charset;
use firn_mysql_semantics::error::{SqlError, code};
use firn_mysql_semantics::expr::Result;

/// Where rows of a SELECT go.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Destination {
    /// To the client.
    Client,
    /// Into user variables, by their names in lower case.
    Variables(Vec<String>),
    /// As lines of a new file of the server's.
    Outfile(Box<Outfile>),
    /// As the bytes of a new file of the server's, of this name.
    Dumpfile(String),
}

/// INTO OUTFILE
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outfile {
    /// As it is written.
    pub(crate) name: String,
    /// What texts are converted to; `None` if they stay as they are.
    pub(crate) charset: Option<&'static Charset>,
    /// FIELDS and LINES.
    pub(crate) format: ast::FileFormat,
}

impl Destination {
    /// What a clause means.
    ///
    /// # Errors
    /// 1115; 1083 for characters that are several; 1327 for variables of no program.
    pub(super) fn bind(clause: Option<&ast::IntoClause>) -> Result<Self> {
        Ok(match clause {
            None => Self::Client,
            Some(ast::IntoClause::Variables(list)) => {
                let name = |variable: &ast::IntoVariable| match variable {
                    ast::IntoVariable::User(name) => Ok(name.as_str().to_ascii_lowercase()),
                    ast::IntoVariable::Local(name) => {
                        Err(SqlError::new(code::ER_SP_UNDECLARED_VAR, &[name.as_str().into()]))
                    }
                };
                Self::Variables(list.iter().map(name).collect::<Result<_>>()?)
            }
            Some(ast::IntoClause::Outfile { file, charset, format }) => {
                let charset = charset.as_ref().map(|name| {
                    let found = Charset::by_name(name.as_str());
                    found.ok_or_else(|| SqlError::unknown_character_set(name.as_str()))
                });
                let charset = charset.transpose()?.filter(|charset| !charset.is_binary());
                if let Some(Err(why)) = charset.map(Charset::supported) {
                    return Err(SqlError::not_supported_yet(&why.to_string()));
                }
                let several =
                    |text: &Option<ast::Bytes>| text.as_ref().is_some_and(|t| t.len() > 1);
                if several(&format.enclosed) || several(&format.escaped) {
                    return Err(SqlError::new(code::ER_WRONG_FIELD_TERMINATORS, &[]));
                }
                let name = file.as_str().to_owned();
                Self::Outfile(Box::new(Outfile { name, charset, format: format.clone() }))
            }
            Some(ast::IntoClause::Dumpfile(file)) => Self::Dumpfile(file.as_str().to_owned()),
        })
    }

    /// Whether the client gets the rows.
    pub(crate) fn is_client(&self) -> bool {
        *self == Self::Client
    }
}
