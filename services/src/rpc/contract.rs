//! Which contract a part speaks: a header that every call carries.
//!
//! Parts of different builds work together as long as their contract is the same: fields
//! are only ever added. What is not compatible raises the number; then calls between old
//! and new parts are refused before anything is done, by whichever side is asked. A call
//! without the header comes from a tool (health checks, reflection), and is let through.

use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

const HEADER: &str = "firn-contract";

/// The contract of this build. To be raised by every change of `proto/` that an older
/// part would misunderstand.
pub(super) const CONTRACT: u32 = 3;

/// Says which contract the caller speaks.
pub(super) fn announce(metadata: &mut MetadataMap) {
    metadata.insert(HEADER, MetadataValue::from(CONTRACT));
}

/// # Errors
/// `InvalidArgument` for a caller with another contract.
pub(super) fn check(metadata: &MetadataMap) -> Result<(), Status> {
    let Some(sent) = metadata.get(HEADER) else { return Ok(()) };
    let sent = String::from_utf8_lossy(sent.as_encoded_bytes());
    let older = match sent.parse::<u32>() {
        Ok(CONTRACT) => return Ok(()),
        Ok(number) if number < CONTRACT => "the caller",
        Ok(_) => "the part that was called",
        Err(_) => {
            return Err(Status::invalid_argument("the caller's contract is not a number"));
        }
    };
    Err(Status::invalid_argument(format!(
        "the caller speaks contract {sent}, this part {CONTRACT}: upgrade the older, {older}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_another_contract_are_told_which_side_is_older() {
        let mut metadata = MetadataMap::new();
        check(&metadata).expect("a tool without the header");
        announce(&mut metadata);
        check(&metadata).expect("the same");
        for (sent, older) in
            [(CONTRACT + 1, "the part that was called"), (CONTRACT - 1, "the caller")]
        {
            metadata.insert(HEADER, MetadataValue::from(sent));
            let refused = check(&metadata).expect_err("another");
            assert_eq!(refused.code(), tonic::Code::InvalidArgument);
            assert!(refused.message().ends_with(older), "{refused}");
        }
        metadata.insert(HEADER, MetadataValue::from_static("x"));
        check(&metadata).expect_err("no number");
    }
}
