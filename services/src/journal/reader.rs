//! Reading a log; after a lost connection from another member, where it stood.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use firn_engine::journal::{PAYLOAD_LEN_MAX, Record, RecordStream};
use firn_engine::{BranchName, Error, ErrorKind, Result, Seq};
use firn_proto::v1;
use futures::StreamExt;
use tonic::Streaming;

use super::{Shared, record_from_proto};
use crate::rpc::status::{Repeat, from_status};

struct Reader {
    shared: Arc<Shared>,
    branch: BranchName,
    next: Seq,
    follow: bool,
    records: Streaming<v1::LogRecord>,
}

pub(super) async fn stream(
    shared: Arc<Shared>,
    branch: &BranchName,
    from: Seq,
    follow: bool,
) -> Result<RecordStream> {
    let records = open(&shared, branch, from, follow).await?;
    let reader = Reader { shared, branch: branch.clone(), next: from, follow, records };
    let stream = futures::stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(None) => None,
            Ok(Some(record)) => Some((Ok(record), Some(reader))),
            Err(e) => Some((Err(e), None)),
        }
    });
    Ok(stream.boxed())
}

async fn open(
    shared: &Shared,
    branch: &BranchName,
    from: Seq,
    follow: bool,
) -> Result<Streaming<v1::LogRecord>> {
    let request = v1::ReadLogRequest { branch: branch.to_string(), from_seq: from.0, follow };
    let read = |mut client: super::JournalClient<_>| {
        let request = request.clone();
        async move { client.read(request).await }
    };
    shared.call("reading a log of the journal", read).await
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            let error = match self.gather().await {
                Ok(record) => {
                    if let Some(record) = &record {
                        self.next = record.last_seq.next();
                    }
                    return Ok(record);
                }
                Err(error) => error,
            };
            if !error.is_retryable() {
                return Err(error);
            }
            // The member went; another has the same.
            self.records = open(&self.shared, &self.branch, self.next, self.follow).await?;
        }
    }

    async fn gather(&mut self) -> Result<Option<Record>> {
        let mut begun: Option<(v1::LogRecord, BytesMut)> = None;
        loop {
            let message = self.records.message().await;
            let message = message.map_err(|status| {
                from_status(&status, "reading a log of the journal", Repeat::Safe)
            })?;
            let Some(mut message) = message else {
                return match begun {
                    // The end of what there is; for one that follows there is none.
                    None if !self.follow => Ok(None),
                    _ => Err(Error::new(ErrorKind::Unavailable, "the log broke off").retryable()),
                };
            };
            let (more, piece) = (message.more, std::mem::take(&mut message.payload));
            let (record, payload) = match begun.take() {
                None if !more => return record_from_proto(message, piece).map(Some),
                None => (message, BytesMut::from(&piece[..])),
                Some((record, mut payload)) => {
                    payload.extend_from_slice(&piece);
                    (record, payload)
                }
            };
            if payload.len() > PAYLOAD_LEN_MAX {
                let why = format!("journal of {}: a record over its limit", self.branch);
                return Err(Error::new(ErrorKind::Corrupt, why));
            }
            if !more {
                return record_from_proto(record, Bytes::from(payload)).map(Some);
            }
            begun = Some((record, payload));
        }
    }
}
