//! Conditional puts that happen exactly once: see [`super`] for the protocol.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, PutMode, PutOptions, PutPayload, PutResult, Result,
};
use xxhash_rust::xxh3::xxh3_64;

use super::attempts::Attempts;
use super::{Cause, Core, RequestKind, StoreError, cause_of, with_remark};
use crate::env::Env;

/// The attribute that carries the id.
const ID: &str = "firn-put";

fn id_attribute() -> Attribute {
    Attribute::Metadata(ID.into())
}

/// Who put an object, and how: `create-<id>`, `update-<id>-<hash of the version
/// it replaced>`, `upload-<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PutId(String);

impl PutId {
    fn new(env: &Env, mode: &PutMode) -> Self {
        let id = random(env);
        Self(match mode {
            PutMode::Update(version) => {
                let replaced = version.e_tag.as_deref().unwrap_or_default();
                format!("update-{id}-{:016x}", xxh3_64(replaced.as_bytes()))
            }
            PutMode::Create | PutMode::Overwrite => format!("create-{id}"),
        })
    }

    pub(super) fn of_upload(env: &Env) -> Self {
        Self(format!("upload-{}", random(env)))
    }

    /// Whether what `other` put shows that this one was never carried out.
    fn excluded_by(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.parts(), other.parts());
        match (mine.0, theirs.0) {
            ("create", "create") => true,
            ("update", "update") => mine.1.is_some() && mine.1 == theirs.1,
            _ => false,
        }
    }

    /// How, and what was replaced.
    fn parts(&self) -> (&str, Option<&str>) {
        let mut parts = self.0.split('-');
        (parts.next().unwrap_or_default(), parts.nth(1))
    }

    pub(super) fn write_to(&self, attributes: &mut Attributes) {
        attributes.insert(id_attribute(), self.0.clone().into());
    }

    fn read_from(attributes: &Attributes) -> Option<Self> {
        attributes.get(&id_attribute()).map(|id| Self(id.to_string()))
    }

    /// Callers see the attributes that they gave.
    pub(super) fn strip_from(attributes: &mut Attributes) {
        attributes.remove(&id_attribute());
    }
}

fn random(env: &Env) -> String {
    format!("{:016x}{:016x}", env.random_u64(), env.random_u64())
}

/// What is there.
pub(super) enum There {
    Nothing,
    /// Put by the id that was asked for.
    Ours(PutResult),
    Other {
        id: Option<PutId>,
        e_tag: Option<String>,
    },
}

/// Looks who put what is there.
pub(super) async fn look(core: &Arc<Core>, path: &Path, ours: &PutId) -> Result<There> {
    let mut tries = Attempts::new(core, RequestKind::Head, path);
    loop {
        let head = GetOptions { head: true, ..GetOptions::default() };
        match tries.once(core.backend.get(path, head)).await {
            Ok(found) => {
                let (id, meta) = (PutId::read_from(&found.attributes), found.meta);
                return Ok(if id.as_ref() == Some(ours) {
                    core.stats.resolved();
                    There::Ours(PutResult { e_tag: meta.e_tag, version: meta.version })
                } else {
                    There::Other { id, e_tag: meta.e_tag }
                });
            }
            Err(e) if cause_of(&e) == Cause::NotFound => return Ok(There::Nothing),
            Err(e) => tries.again(e).await?,
        }
    }
}

/// `PutMode::Create` and `PutMode::Update`.
pub(super) async fn put(
    core: &Arc<Core>,
    path: &Path,
    payload: PutPayload,
    mut options: PutOptions,
) -> Result<PutResult> {
    let expected = match &options.mode {
        PutMode::Update(version) if version.e_tag.is_none() => {
            let e = StoreError::new(Cause::BadRequest, "an update needs the version's e_tag");
            return Err(e.at("retried", path));
        }
        PutMode::Update(version) => version.e_tag.clone(),
        PutMode::Create | PutMode::Overwrite => None,
    };
    let ours = PutId::new(&core.env, &options.mode);
    let traceable = core.backend.keeps_attributes();
    if traceable {
        ours.write_to(&mut options.attributes);
    }
    let bytes = payload.content_length() as u64;
    let mut tries = Attempts::new(core, RequestKind::Put, path).sending(bytes);
    loop {
        let e = match tries.once(core.backend.put(path, payload.clone(), options.clone())).await {
            Ok(stored) => return Ok(stored),
            Err(e) => e,
        };
        let cause = cause_of(&e);
        // Some stores give a 409 to a request that they took.
        let ambiguous = tries.is_ambiguous() || cause == Cause::Conflict;
        let unknown = |e| with_remark(&e, path, Cause::OutcomeUnknown, "");
        if !traceable {
            // Whose object it is could not be told afterwards.
            let untold = cause.is_ambiguous() && cause != Cause::Conflict;
            return Err(if untold { unknown(e) } else { e });
        }
        if !matches!(cause, Cause::Exists | Cause::Precondition | Cause::Conflict) {
            again(&mut tries, e, path).await?;
            continue;
        }
        let there = match look(core, path, &ours).await {
            Ok(there) => there,
            // Refused for certain, if there was no earlier try to have won.
            Err(_) if !ambiguous => return Err(e),
            Err(look) => return Err(unknown(look)),
        };
        match there {
            There::Ours(stored) => return Ok(stored),
            There::Nothing if cause == Cause::Conflict && expected.is_none() => {
                again(&mut tries, e, path).await?;
            }
            There::Other { e_tag, .. }
                if cause == Cause::Conflict && e_tag.is_some() && e_tag == expected =>
            {
                again(&mut tries, e, path).await?;
            }
            There::Other { id: Some(other), .. } if ours.excluded_by(&other) => {
                return Err(refused(&e, path, expected.is_some()));
            }
            There::Other { .. } | There::Nothing if ambiguous => return Err(unknown(e)),
            There::Other { .. } | There::Nothing => {
                return Err(refused(&e, path, expected.is_some()));
            }
        }
    }
}

/// A lost race, whatever the store called it.
fn refused(e: &object_store::Error, path: &Path, update: bool) -> object_store::Error {
    with_remark(e, path, if update { Cause::Precondition } else { Cause::Exists }, "")
}

async fn again(tries: &mut Attempts, e: object_store::Error, path: &Path) -> Result<()> {
    let result = tries.again(e).await;
    let ambiguous = tries.is_ambiguous();
    result.map_err(|e| if ambiguous { with_remark(&e, path, Cause::OutcomeUnknown, "") } else { e })
}
