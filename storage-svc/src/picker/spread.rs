//! Where to cut files that lie above each other, of which only the ends are known.

use std::sync::Arc;

use firn_engine::key::KeyRange;
use firn_engine::manifest::SstMeta;

/// Bytes of a key, behind what all keys begin with, that say where it is.
const PLACE_LEN: usize = 8;

/// Places of keys between the two ends of a range, as numbers.
struct Places<'a> {
    /// What all keys begin with.
    prefix: &'a [u8],
}

impl<'a> Places<'a> {
    fn of(range: &'a KeyRange) -> Self {
        let end = range.end.as_deref().unwrap_or(&[]);
        let same = range.start.iter().zip(end).take_while(|(a, b)| a == b).count();
        Self { prefix: &range.start[..same] }
    }

    fn place(&self, key: &[u8]) -> u64 {
        let mut place = [0; PLACE_LEN];
        for (to, from) in place.iter_mut().zip(key.get(self.prefix.len()..).unwrap_or(&[])) {
            *to = *from;
        }
        u64::from_be_bytes(place)
    }

    fn key(&self, place: u64) -> Vec<u8> {
        [self.prefix, &place.to_be_bytes()].concat()
    }
}

/// Keys that cut a range into `wanted` parts with about the same bytes of `files`, if the keys
/// of each are spread evenly between its ends. There may be fewer.
pub(super) fn cuts(range: &KeyRange, files: &[&Arc<SstMeta>], wanted: u64) -> Vec<Vec<u8>> {
    let places = Places::of(range);
    let spans: Vec<_> = files
        .iter()
        .map(|file| {
            let start = places.place(&file.range.start);
            let end = file.range.end.as_deref().map_or(u64::MAX, |end| places.place(end));
            (start, end.max(start), u128::from(file.bytes))
        })
        .collect();
    let total: u128 = spans.iter().map(|(_, _, bytes)| bytes).sum();
    let before = |place: u64| -> u128 {
        let share = |(start, end, bytes): &(u64, u64, u128)| match place {
            _ if place <= *start => 0,
            _ if place >= *end => *bytes,
            _ => bytes * u128::from(place - start) / u128::from(end - start),
        };
        spans.iter().map(share).sum()
    };
    let (first, last) =
        (places.place(&range.start), range.end.as_deref().map_or(u64::MAX, |e| places.place(e)));
    let mut cuts: Vec<Vec<u8>> = Vec::new();
    for part in 1..wanted {
        let due = total * u128::from(part) / u128::from(wanted);
        // The first place with so much before it.
        let (mut low, mut high) = (first, last);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) < due {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let cut = places.key(low);
        let follows = cuts.last().map_or(&range.start[..], Vec::as_slice) < cut.as_slice();
        if follows && range.end.as_ref().is_none_or(|end| cut.as_slice() < &end[..]) {
            cuts.push(cut);
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use firn_engine::key::user_key;
    use firn_engine::{Epoch, ObjectId, Seq, SpaceId};

    use super::*;

    fn file(first: &[u8], last: &[u8], mib: u64) -> Arc<SstMeta> {
        let (space, bytes) = (SpaceId(7), mib << 20);
        Arc::new(SstMeta {
            id: ObjectId { branch: 1, counter: 1, epoch: Epoch(1) },
            space,
            range: KeyRange::inclusive(&user_key(space, first), &user_key(space, last)),
            seq_min: Seq(1),
            seq_max: Seq(1),
            bytes,
            tail_bytes: 0,
            cut: false,
            raw_bytes: bytes,
            entries: 1,
            deletes: 0,
            range_deletes: 0,
            widest: Vec::new(),
            column: None,
        })
    }

    /// The second byte of each cut's key, the first that differs.
    fn cut(files: &[Arc<SstMeta>], wanted: u64) -> Vec<u8> {
        let files: Vec<_> = files.iter().collect();
        let range = files.iter().map(|f| f.range.clone()).reduce(|a, b| a.union(&b)).unwrap();
        let cuts = cuts(&range, &files, wanted);
        assert!(cuts.is_sorted());
        for cut in &cuts {
            assert!(range.start[..] < cut[..] && range.end.as_ref().unwrap()[..] > cut[..]);
        }
        cuts.iter().map(|cut| cut[SpaceId::LEN + 1]).collect()
    }

    /// They were cut where they begin: all of them at the same place, so that one shard had
    /// nearly all and a second worker nothing to do.
    #[test]
    fn files_that_lie_above_each_other_are_cut_between_their_ends() {
        let wide = |mib| file(&[9, 0], &[9, 200], mib);
        assert_eq!(cut(&[wide(50), wide(50), wide(100)], 2), [100]);
        assert_eq!(cut(&[wide(50), wide(50), wide(100)], 4), [50, 100, 150]);
        // Most of the bytes are in the narrow one.
        assert_eq!(cut(&[wide(100), file(&[9, 40], &[9, 60], 900)], 2), [50]);
    }

    #[test]
    fn what_cannot_be_cut_is_left_whole() {
        assert_eq!(cut(&[file(&[9, 1], &[9, 1], 100)], 4), [0; 0]);
        assert_eq!(cut(&[file(&[9, 1], &[9, 200], 100)], 1), [0; 0]);
        let long = [9; 40];
        let (a, b) = ([&long[..], &[1]].concat(), [&long[..], &[2]].concat());
        assert!(cut(&[file(&a, &b, 100)], 2).len() <= 1);
    }
}
