//! The code that a person brings back from the browser, in whatever dress: alone, in the title of the page that showed
//! it, or in the address of a page; with blank lines and spaces around.

use std::io::BufRead;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use tokio::sync::mpsc::{Receiver, channel};

use crate::exit::Stop;
use crate::portal::Error;
use crate::telemetry;

/// Lines as they come.
pub(super) struct Pasted(Receiver<String>);

/// What a line is about.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Code(String),
    /// The portal's word for a sign-in that came to nothing.
    Refused(String),
    Blank,
    Other,
}

impl Pasted {
    /// On a thread of its own: a terminal cannot be asked without waiting, and nobody waits for it at the end.
    pub(super) fn on_standard_input() -> Self {
        let (said, lines) = channel(1);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if said.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    /// Reads on until a line holds a code. A person is told about those that do not.
    pub(super) async fn code(&mut self, to_a_person: bool) -> Result<SecretString, Stop> {
        while let Some(line) = self.0.recv().await {
            match about(&line) {
                Line::Code(code) => return Ok(code.into()),
                Line::Refused(word) => {
                    let message = format!(
                        "the sign-in in the browser came to nothing ({word}): run agol-backup login again"
                    );
                    return Err(Error::SignIn(message).into());
                }
                Line::Other if to_a_person => telemetry::print("This holds no code.\nCode: ")?,
                Line::Blank | Line::Other => {}
            }
        }
        let message = "the input ended before a code came: run agol-backup login again, and give the code that the page shows on standard input";
        Err(Error::SignIn(message.to_owned()).into())
    }
}

fn about(line: &str) -> Line {
    let line = line.trim();
    if line.is_empty() {
        return Line::Blank;
    }
    if let Some(code) = value(line, "code") {
        return Line::Code(code);
    }
    if let Some(word) = value(line, "error") {
        return Line::Refused(word);
    }
    let word = line.trim_matches(['"', '\'']);
    let is_code = word.len() > 3
        && !word.contains(char::is_whitespace)
        && !word.contains("://")
        && !word.ends_with('=')
        && !word.eq_ignore_ascii_case("success");
    if is_code {
        Line::Code(word.to_owned())
    } else {
        Line::Other
    }
}

/// `SUCCESS code=abc`, `https://…?code=abc&state=x`.
fn value(line: &str, name: &str) -> Option<String> {
    let key = format!("{name}=");
    let begins = |at: &usize| {
        let before = line
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '?' | '&' | '#' | '"' | '\''))
    };
    let mut places = line.match_indices(&key).map(|(at, _)| at);
    let at = places.find(begins)?;
    let rest = line.get(at + key.len()..)?.trim_start();
    let ends = |c: char| c.is_whitespace() || matches!(c, '&' | '#' | '"' | '\'' | '<' | '>');
    let text = rest.split(ends).next().filter(|text| !text.is_empty())?;
    Some(percent_decode_str(text).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_whatever_dress_it_comes() {
        for line in [
            "aB3._-x*z",
            "  aB3._-x*z \r",
            "\"aB3._-x*z\"",
            "SUCCESS code=aB3._-x*z",
            "SUCCESS code=aB3._-x*z - Chromium",
            "SUCCESS code= aB3._-x*z",
            "<title>SUCCESS code=aB3._-x*z</title>",
            "code=aB3._-x*z",
            "https://city.maps.arcgis.com/sharing/rest/oauth2/approval?code=aB3._-x*z",
            "https://localhost/?state=decode=1&code=aB3._-x%2Az&state=x#top",
        ] {
            assert_eq!(about(line), Line::Code("aB3._-x*z".to_owned()), "{line}");
        }
    }

    #[test]
    fn what_holds_no_code_is_none() {
        for line in [
            "SUCCESS",
            "SUCCESS code=",
            "Sign in to your account",
            "https://www.arcgis.com/home",
            "ok",
        ] {
            assert_eq!(about(line), Line::Other, "{line}");
        }
        assert_eq!(about(" \r"), Line::Blank);
        let denied = "Denied error=access_denied";
        assert_eq!(about(denied), Line::Refused("access_denied".to_owned()));
    }
}
