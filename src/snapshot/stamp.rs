//! The names of passes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names a pass: UTC to the second, `20261123T020000Z`. Sorts as text in the order of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(String);

impl Stamp {
    const PATTERN: &'static str = "%Y%m%dT%H%M%SZ";

    /// The stamp of a moment, cut to the second.
    pub fn of(moment: Timestamp) -> Self {
        Self(moment.strftime(Self::PATTERN).to_string())
    }

    /// Reads a stamp back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let stamp = Self(text.to_owned());
        (text.len() == 16
            && stamp
                .moment()
                .is_some_and(|moment| Self::of(moment) == stamp))
        .then_some(stamp)
    }

    /// The moment that it names.
    pub fn moment(&self) -> Option<Timestamp> {
        let civil = jiff::civil::DateTime::strptime(Self::PATTERN, &self.0).ok()?;
        civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    }

    /// As it stands in names.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_reads_back_as_the_moment_it_names() {
        let moment: Timestamp = "2026-11-23T02:00:00Z".parse().expect("a timestamp");
        let stamp = Stamp::of(moment);
        assert_eq!(stamp.as_str(), "20261123T020000Z");
        assert_eq!(
            Stamp::parse("20261123T020000Z").and_then(|stamp| stamp.moment()),
            Some(moment)
        );
        for wrong in [
            "",
            "20261123T020000",
            "20261323T020000Z",
            "2026-11-23",
            "20261123T020000Z.json",
        ] {
            assert_eq!(Stamp::parse(wrong), None, "{wrong}");
        }
    }
}
