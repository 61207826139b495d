//! Which part of a divided selection an item belongs to. The parts need no coordination: an item's id alone
//! decides, for ever, so that an archive of a part stays the archive of that part.

use std::fmt;

use sha2::{Digest, Sha256};

/// One part of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: u32,
    of: u32,
}

impl Shard {
    /// More machines than this nobody has, and the quota is one.
    pub const MOST: u32 = 1_000;

    /// Parts are counted from 1; one part alone is none.
    pub fn new(part: u32, of: u32) -> Option<Self> {
        let divided = (2..=Self::MOST).contains(&of);
        (divided && (1..=of).contains(&part)).then_some(Self { part, of })
    }

    /// Whether an item is of this part: the first 8 bytes of the SHA-256 of its id in lower case, as a
    /// big-endian number, modulo the number of parts, are this part's number less one. Not the id's own
    /// digits, because nobody promises that these are evenly spread.
    pub fn holds(self, id: &str) -> bool {
        let digest = Sha256::digest(id.to_ascii_lowercase());
        let number = digest
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.of) + 1 == u64::from(self.part)
    }

    /// Where its archive lies, below the destination.
    pub fn folder(self) -> String {
        format!("shard-{}-of-{}", self.part, self.of)
    }
}

/// As it is written in `BACKUP_SHARD`.
impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.part, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of these ids the parts of 2, 8 and 1000, computed once with `sha256sum` and never to be changed:
    /// archives lie where these numbers say.
    const FROZEN: [(&str, [u32; 3]); 3] = [
        ("0123456789abcdef0123456789abcdef", [1, 7, 23]),
        ("ffffffffffffffffffffffffffffffff", [1, 1, 649]),
        ("9e5df3b9f0ae4f37a1a3e1f6a0c4b2d7", [2, 4, 220]),
    ];

    fn part_of(id: &str, of: u32) -> u32 {
        let holds = |part: &u32| Shard::new(*part, of).expect("a part").holds(id);
        let parts: Vec<u32> = (1..=of).filter(holds).collect();
        assert_eq!(parts.len(), 1, "each item is in exactly one part");
        parts[0]
    }

    #[test]
    fn an_item_stays_in_its_part_for_ever() {
        for (id, parts) in FROZEN {
            assert_eq!([2, 8, 1000].map(|of| part_of(id, of)), parts, "{id}");
            assert_eq!(part_of(&id.to_ascii_uppercase(), 8), parts[1]);
        }
    }

    #[test]
    fn a_part_is_one_of_at_least_two() {
        for (part, of) in [(0, 8), (9, 8), (3, 0), (1, 1), (1, 1001)] {
            assert_eq!(Shard::new(part, of), None, "{part}/{of}");
        }
        let last = Shard::new(8, 8).expect("a part");
        assert_eq!(
            (last.to_string(), last.folder()),
            ("8/8".to_owned(), "shard-8-of-8".to_owned())
        );
    }
}
