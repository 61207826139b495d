//! What an answer's headers tell of the organisation's quota, and of the time.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

/// What one answer tells of the organisation's quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Told {
    /// Units used in this minute, by everybody.
    pub(super) used: f64,
    pub(super) max: f64,
    /// Of the answered question, where that is told.
    pub(super) cost: Option<f64>,
    /// By the server's clock.
    pub(super) minute_turns_in: Duration,
}

/// `x-esri-org-request-units-per-min: usage=97;max=10000` and `x-esri-query-request-units: 2`.
pub(super) fn told(headers: &HeaderMap) -> Option<Told> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let quota = text("x-esri-org-request-units-per-min")?;
    let number = |name: &str| {
        let mut parts = quota.split(';');
        let part = parts.find_map(|part| part.trim().strip_prefix(name))?;
        sound(part.strip_prefix('=')?)
    };
    let (used, max) = (number("usage")?, number("max")?);
    (max > 0.0).then(|| Told {
        used,
        max,
        cost: text("x-esri-query-request-units").and_then(sound),
        minute_turns_in: until_the_minute_turns(headers),
    })
}

fn sound(text: &str) -> Option<f64> {
    let number = text.trim().parse::<f64>().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// By the server's clock where it tells it: ours may differ.
fn until_the_minute_turns(headers: &HeaderMap) -> Duration {
    let now = server_time(headers).unwrap_or_else(Timestamp::now);
    let into_minute = now.as_second().rem_euclid(60).unsigned_abs();
    Duration::from_secs(61 - into_minute)
}

/// The `Date` header.
pub(in crate::portal) fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    moment(headers.get(reqwest::header::DATE)?.to_str().ok()?)
}

/// `Retry-After`, where it is given: seconds, or a moment by the server's clock.
pub(in crate::portal) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.trim().parse().ok().map(Duration::from_secs);
    seconds.or_else(|| {
        let now = server_time(headers).unwrap_or_else(Timestamp::now);
        let wait = moment(text)?.duration_since(now);
        Some(wait.try_into().unwrap_or(Duration::ZERO))
    })
}

fn moment(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(&text.replace("GMT", "+0000"));
    zoned.ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_headers_tell_of_the_quota_is_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(told(&headers), None);
        headers.insert("x-esri-query-request-units", "2".parse().expect("a header"));
        for (text, numbers) in [
            ("usage=97;max=10000", Some((97.0, 10_000.0, Some(2.0)))),
            ("usage=1; max=0", None),
            ("usage=NaN;max=inf", None),
            ("x", None),
        ] {
            let name = "x-esri-org-request-units-per-min";
            headers.insert(name, text.parse().expect("a header"));
            let told = told(&headers).map(|told| (told.used, told.max, told.cost));
            assert_eq!(told, numbers, "{text}");
        }
    }

    #[test]
    fn the_minute_turns_by_the_servers_clock() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "date",
            "Mon, 23 Nov 2026 06:25:42 GMT".parse().expect("a header"),
        );
        assert_eq!(until_the_minute_turns(&headers), Duration::from_secs(19));
    }

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_moment_by_the_servers_clock() {
        let mut headers = HeaderMap::new();
        let mut wait = |date: &'static str, after: &'static str| {
            headers.insert("date", date.parse().expect("a header"));
            headers.insert("retry-after", after.parse().expect("a header"));
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        let now = "Mon, 23 Nov 2026 06:25:42 GMT";
        assert_eq!(wait(now, "7"), Some(7));
        assert_eq!(wait(now, "Mon, 23 Nov 2026 06:26:12 GMT"), Some(30));
        assert_eq!(wait(now, "Mon, 23 Nov 2026 06:25:00 GMT"), Some(0));
        assert_eq!(wait(now, "soon"), None);
    }
}
