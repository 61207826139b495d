//! Text to value, with an error that says what would have been right. Values of secrets never come here.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Error;

/// Snapshots of 27 years, one a day: more is a slip of the keyboard.
const MOST_KEPT: u32 = 10_000;

/// `90s`, `30m`, `12h`, `30d`.
pub(super) fn duration(name: &str, text: &str) -> Result<Duration, Error> {
    let wrong = || {
        Error::new(
            name,
            format!("is {text:?}: write a number and s, m, h or d, such as 30m"),
        )
    };
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text
        .strip_suffix(unit)
        .and_then(|number| number.parse::<u64>().ok())
        .ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    // A century is more than anyone means, and keeps dates computable.
    let limit = 100 * 366 * 86_400;
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= limit)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}

/// `true` or `false`, in the spellings that people use.
pub(super) fn boolean(name: &str, text: &str) -> Result<bool, Error> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(Error::new(
            name,
            format!("is {text:?}: write true or false"),
        )),
    }
}

/// A whole number within bounds.
pub(super) fn count(
    name: &str,
    text: &str,
    bounds: std::ops::RangeInclusive<usize>,
) -> Result<usize, Error> {
    text.parse::<usize>()
        .ok()
        .filter(|number| bounds.contains(number))
        .ok_or_else(|| {
            Error::new(
                name,
                format!(
                    "is {text:?}: write a number from {} to {}",
                    bounds.start(),
                    bounds.end()
                ),
            )
        })
}

/// How many snapshots a rule keeps. Zero could mean none of them or all of them.
pub(super) fn kept(name: &str, text: &str) -> Result<NonZeroU32, Error> {
    let wrong = || {
        let problem = format!(
            "is {text:?}: write a number from 1 to {MOST_KEPT}, or unset it to have no such rule"
        );
        Error::new(name, problem)
    };
    let count = text.parse().ok().and_then(NonZeroU32::new);
    count
        .filter(|count| count.get() <= MOST_KEPT)
        .ok_or_else(wrong)
}

/// A comma list without empty parts.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// One of a closed set of words, by the name that the set gives each.
pub(super) fn choice<T: Copy>(name: &str, text: &str, choices: &[(&str, T)]) -> Result<T, Error> {
    choices
        .iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| *value)
        .ok_or_else(|| {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            Error::new(
                name,
                format!("is {text:?}: write one of {}", words.join(", ")),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(
            duration("X", "90s").expect("right"),
            Duration::from_secs(90)
        );
        assert_eq!(
            duration("X", "30d").expect("right"),
            Duration::from_hours(30 * 24)
        );
        for wrong in [
            "",
            "30",
            "m",
            "-1m",
            "1w",
            "1.5h",
            "99999999999999999999d",
            "9999999d",
            "5 m",
            "5µ",
        ] {
            assert!(duration("X", wrong).is_err(), "{wrong}");
        }
    }
}
