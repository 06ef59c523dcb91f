//! What is said and asked for at the door: the shared token, and the contract.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::{contract, traced};
use crate::config::Secret;
use firn_engine::{Error, ErrorKind, Result};

const HEADER: &str = "authorization";

fn value(token: &Secret) -> Result<MetadataValue<Ascii>> {
    // The text itself must not show up in the error.
    let parsed = format!("Bearer {}", token.reveal()).parse();
    let mut value: MetadataValue<Ascii> = parsed.map_err(|_| {
        Error::new(ErrorKind::BadRequest, "the token must be visible ASCII characters")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn known(request: Request<()>) -> Result<Request<()>, Status> {
    contract::check(request.metadata())?;
    Ok(request)
}

/// Sends the contract, the token if there is one, and the span if there is one, with every call.
#[derive(Debug, Clone, Default)]
pub struct Sender(Option<MetadataValue<Ascii>>);

impl Sender {
    /// With this token, or none.
    ///
    /// # Errors
    /// `BadRequest` if the token cannot stand in a header.
    pub fn new(token: Option<&Secret>) -> Result<Self> {
        token.map(value).transpose().map(Self)
    }
}

impl Interceptor for Sender {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert(HEADER, value.clone());
        }
        contract::announce(request.metadata_mut());
        traced::announce(request.metadata_mut());
        Ok(request)
    }
}

/// Turns away calls without the token, then those of another contract.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard(Option<MetadataValue<Ascii>>);

impl Guard {
    pub(super) fn new(token: Option<&Secret>) -> Result<Self> {
        token.map(value).transpose().map(Self)
    }
}

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(wanted) = &self.0 else { return known(request) };
        match request.metadata().get(HEADER) {
            // As long for a token that is right at its start as for one that is all wrong.
            Some(sent)
                if verify_slices_are_equal(sent.as_encoded_bytes(), wanted.as_encoded_bytes())
                    .is_ok() =>
            {
                known(request)
            }
            Some(_) => Err(Status::unauthenticated("the caller's token is not this cluster's")),
            None => Err(Status::unauthenticated("the caller sends no token, this cluster has one")),
        }
    }
}
