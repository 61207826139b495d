//! Counts the rows of a file while it streams by. The file may be of any size, so it is parsed
//! piece by piece, on a thread of its own; a document that ends too early or is none is an error.

use std::fmt;
use std::io::Read;

use bytes::{Buf, Bytes};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::config::Format;

/// A count in progress.
#[derive(Debug)]
pub struct Tally {
    pieces: Sender<Bytes>,
    counter: JoinHandle<Result<u64, String>>,
}

impl Tally {
    /// `None` for formats whose rows cannot be told apart while they stream.
    pub fn of(format: Format) -> Option<Self> {
        let count: fn(Pieces) -> Result<u64, String> = match format {
            Format::GeoJson | Format::EsriJson => count_features,
            Format::Csv => count_lines,
            _ => return None,
        };
        let (pieces, receiver) = channel(4);
        let source = Pieces {
            receiver,
            current: Bytes::new(),
        };
        Some(Self {
            pieces,
            counter: tokio::task::spawn_blocking(move || count(source)),
        })
    }

    /// Looks at the next piece. A counter that has already given up is heard in [`Self::finish`].
    pub async fn push(&self, piece: &Bytes) {
        if self.pieces.send(piece.clone()).await.is_err() {
            tracing::debug!("rows are no longer counted");
        }
    }

    /// The rows of the whole file, or why it is not one.
    pub async fn finish(self) -> Result<u64, String> {
        drop(self.pieces);
        self.counter
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// The pieces as one reader.
struct Pieces {
    receiver: Receiver<Bytes>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        self.current
            .copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}

fn count_lines(source: Pieces) -> Result<u64, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let mut row = csv::ByteRecord::new();
    let mut rows = 0;
    while reader
        .read_byte_record(&mut row)
        .map_err(|error| error.to_string())?
    {
        rows += 1;
    }
    Ok(rows)
}

fn count_features(source: Pieces) -> Result<u64, String> {
    let mut source = std::io::BufReader::with_capacity(64 * 1024, source);
    skip_byte_order_mark(&mut source).map_err(|error| error.to_string())?;
    let mut from = serde_json::Deserializer::from_reader(source);
    let rows = from
        .deserialize_map(Collection)
        .and_then(|rows| from.end().map(|()| rows));
    rows.map_err(|error| error.to_string())
}

fn skip_byte_order_mark(source: &mut impl std::io::BufRead) -> std::io::Result<()> {
    if source.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        source.consume(3);
    }
    Ok(())
}

struct Collection;

impl<'de> Visitor<'de> for Collection {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with features")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        let mut rows = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "features" {
                rows = Some(rows.unwrap_or(0) + map.next_value_seed(Features)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        rows.ok_or_else(|| serde::de::Error::missing_field("features"))
    }
}

struct Features;

impl<'de> DeserializeSeed<'de> for Features {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u64, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features {
    type Value = u64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut features: A) -> Result<u64, A::Error> {
        let mut rows = 0;
        while features.next_element::<IgnoredAny>()?.is_some() {
            rows += 1;
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tallied(format: Format, pieces: &[&str]) -> Result<u64, String> {
        let tally = Tally::of(format).expect("a countable format");
        for piece in pieces {
            tally.push(&Bytes::copy_from_slice(piece.as_bytes())).await;
        }
        tally.finish().await
    }

    #[tokio::test]
    async fn rows_are_counted_across_pieces() {
        let pieces = [
            "\u{feff}{\"type\":\"FeatureCollection\",\"fea",
            "tures\":[{\"a\":[1,{}]},",
            "{\"b\":\"},{\"}]}",
        ];
        assert_eq!(tallied(Format::GeoJson, &pieces).await.expect("whole"), 2);
        assert_eq!(
            tallied(Format::Csv, &["a,b\n1,\"x\ny\"\n2,", "z\n"])
                .await
                .expect("whole"),
            2
        );
    }

    #[tokio::test]
    async fn a_file_that_ends_early_is_an_error() {
        for pieces in [
            ["{\"features\":[{}", ""],
            ["{\"features\":[{}]}", "x"],
            ["{}", ""],
            ["", ""],
            ["[1]", ""],
        ] {
            assert!(
                tallied(Format::GeoJson, &pieces).await.is_err(),
                "{pieces:?}"
            );
        }
    }
}
