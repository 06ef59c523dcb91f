//! Fencing: who may write to a log.
//!
//! # Rules
//!
//! 1. An opening is an entry of the raft log. It takes effect where it stands
//!    in that log, on every member alike, and by nothing else: no clock, no
//!    lease, no connection.
//! 2. An opening under an older epoch than the log's is refused. Every other
//!    makes a new *generation*, so that of two openings under one epoch the
//!    later wins.
//! 3. An append or trim carries epoch and generation, and is looked at when it
//!    is applied, not when it is proposed: what stands in the raft log behind
//!    an opening is refused there, however long it was on its way.
//!
//! A writer therefore learns of an opening only once the opening is committed:
//! what older writers have in front of it is in the log, the rest never will be.
//!
//! # Repeats
//!
//! The opening carries a random number. Asked again, after a lost reply, the
//! log's owner gets the answer that it missed. A repeat that arrives after a
//! later opening makes a generation that nobody holds: both writers stop.

use firn_engine::Epoch;

use super::command::Ticket;
use super::logs::Refusal;

/// Who owns a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// Highest epoch that has opened it.
    pub epoch: Epoch,
    /// Counts the openings.
    pub generation: u64,
    /// Random number of the last opening.
    pub writer: u64,
}

impl Owner {
    /// Applies an opening; the ticket is the new owner's.
    pub(super) fn open(&mut self, epoch: Epoch, writer: u64) -> Result<Ticket, Refusal> {
        if epoch < self.epoch {
            return Err(Refusal::Fenced { by: self.epoch });
        }
        let repeated = self.generation > 0 && (self.epoch, self.writer) == (epoch, writer);
        if !repeated {
            *self = Self { epoch, generation: self.generation + 1, writer };
        }
        Ok(Ticket { epoch, generation: self.generation })
    }

    /// Checks what a writer shows.
    pub(super) fn check(&self, ticket: Ticket) -> Result<(), Refusal> {
        if (ticket.epoch, ticket.generation) == (self.epoch, self.generation) {
            Ok(())
        } else {
            Err(Refusal::Fenced { by: self.epoch })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_opening_of_the_highest_epoch_owns_the_log() {
        let mut owner = Owner::default();
        assert!(owner.check(Ticket { epoch: Epoch(0), generation: 1 }).is_err());
        let first = owner.open(Epoch(1), 10).unwrap();
        assert_eq!(owner.open(Epoch(1), 10).unwrap(), first, "asked again");
        owner.check(first).unwrap();
        let second = owner.open(Epoch(1), 11).unwrap();
        assert!(owner.check(first).is_err());
        // A repeat from far away fences both.
        let late = owner.open(Epoch(1), 10).unwrap();
        assert!(late != first && owner.check(first).is_err() && owner.check(second).is_err());
        let third = owner.open(Epoch(3), 12).unwrap();
        assert_eq!(owner.open(Epoch(2), 13), Err(Refusal::Fenced { by: Epoch(3) }));
        owner.check(third).unwrap();
        assert!(owner.check(Ticket { epoch: Epoch(4), ..third }).is_err());
    }
}
