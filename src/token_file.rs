//! The file of a refresh token: what `login` writes, a pass signs in with, and renewal replaces. Beside it lie, while
//! it is being renewed, `<file>.new` on its way to its place and `<file>.old` until the new one has worked; and always
//! `<file>.lock`, which is empty.
//!
//! Whatever dies between two steps of a renewal, one of these files holds a token that the portal takes: unless the
//! portal ended the old one, and its answer with the new one never came.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::private_file;

/// The longest life of a refresh token, and the one that `login` asks for.
pub const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The life of one that nobody asked for: what must be reckoned with when the portal does not tell.
const USUAL_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);

const OLD: &str = "old";
const NEW: &str = "new";

/// A refresh token, and what is known of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The token itself.
    #[serde(rename = "refresh_token", serialize_with = "exposed")]
    pub secret: SecretString,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was made: with its end, its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// The OAuth application.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Where the sign-in was sent back to: an exchange must repeat it.
    #[serde(default)]
    pub redirect_uri: Option<String>,
}

/// The one place where the secret leaves its wrapper to be stored.
fn exposed<S: Serializer>(
    secret: &SecretString,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

impl Token {
    /// Of which nothing else is known.
    pub fn bare(secret: &str) -> Self {
        Self {
            secret: secret.into(),
            expires_at: None,
            issued_at: None,
            client_id: None,
            redirect_uri: None,
        }
    }

    /// The bare token, or JSON. The parser's own message would print a part of the secret.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('{') {
            serde_json::from_str(text).ok()
        } else {
            Some(Self::bare(text))
        }
    }

    /// Less than half of its life is left. One whose life nobody knows is due at once, so that it becomes known.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let (end, life) = match (self.issued_at, self.expires_at) {
            (Some(issued), Some(end)) => (end, end.duration_since(issued)),
            (None, Some(end)) => (end, LONGEST_LIFE),
            (Some(issued), None) => return now.duration_since(issued) > USUAL_LIFE / 2,
            (None, None) => return true,
        };
        end.duration_since(now) < life / 2
    }

    /// Whether it is this very one.
    pub fn is(&self, other: &SecretString) -> bool {
        self.secret.expose_secret() == other.expose_secret()
    }
}

/// Where it lies.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// The right to replace the file, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    /// `None` where the file system has no locks: two passes at once are rarer than such file systems.
    _lock: Option<File>,
}

impl TokenFile {
    /// At this path. A link is followed, so that what lies beside it lies beside the file itself.
    pub fn at(path: &Path) -> Self {
        let path = path.canonicalize().unwrap_or_else(|_new| path.to_owned());
        Self { path }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it; `None` when there is nothing, or something else.
    pub fn read(&self) -> Option<Token> {
        token_in(&self.path)
    }

    /// What may be tried when this token is refused: another run has renewed it, or died while it did.
    pub fn instead_of(&self, refused: &SecretString) -> Vec<Token> {
        let all = [self.read(), self.read_beside(NEW), self.read_beside(OLD)];
        let others = all.into_iter().flatten();
        others.filter(|token| !token.is(refused)).collect()
    }

    /// Whether the file holds this very token.
    pub fn holds(&self, secret: &SecretString) -> bool {
        self.read().is_some_and(|token| token.is(secret))
    }

    /// Takes the right to replace the file; `None` while another process has it.
    pub fn take_turn(&self) -> Result<Option<Turn>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(self.beside("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Turn { _lock: Some(lock) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_unsupported)) => Ok(Some(Turn { _lock: None })),
        }
    }

    /// Replaces the file by itself: what a renewal does, before there is anything to lose. A file that is mounted by
    /// itself can be written and not replaced.
    pub fn rehearse(&self) -> Result<()> {
        match std::fs::metadata(&self.path) {
            Ok(there) if there.is_dir() => {
                Err(Error::new(ErrorKind::IsADirectory, "it is a folder"))
            }
            Ok(there) if there.permissions().readonly() => {
                Err(Error::new(ErrorKind::PermissionDenied, "it is read-only"))
            }
            Ok(_) => self.replace(&self.path, &std::fs::read(&self.path)?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let trial = self.beside(OLD);
                self.replace(&trial, b"")?;
                std::fs::remove_file(trial)
            }
            Err(error) => Err(error),
        }
    }

    /// Puts a copy beside, durably.
    pub fn keep_old(&self) -> Result<()> {
        self.replace(&self.beside(OLD), &std::fs::read(&self.path)?)
    }

    /// Replaces what is in it, durably.
    pub fn write(&self, token: &Token) -> Result<()> {
        let mut content = serde_json::to_vec_pretty(token)?;
        content.push(b'\n');
        self.replace(&self.path, &content)
    }

    /// Puts this token, which lies beside, into its place; false when it does not lie there.
    pub fn put_back(&self, secret: &SecretString) -> Result<bool> {
        let holds = |name: &&str| self.read_beside(name).is_some_and(|token| token.is(secret));
        let Some(name) = [NEW, OLD].into_iter().find(holds) else {
            return Ok(false);
        };
        private_file::put(&self.beside(name), &self.path)?;
        self.tidy().map(|()| true)
    }

    /// The token in the file has worked: what lies beside it is of no use.
    pub fn tidy(&self) -> Result<()> {
        for name in [OLD, NEW] {
            match std::fs::remove_file(self.beside(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn replace(&self, path: &Path, content: &[u8]) -> Result<()> {
        private_file::replace_by_way_of(&self.beside(NEW), path, content)
    }

    fn read_beside(&self, ending: &str) -> Option<Token> {
        token_in(&self.beside(ending))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(ending);
        name.into()
    }
}

fn token_in(path: &Path) -> Option<Token> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.trim())
        .filter(|text| !text.is_empty())
        .and_then(Token::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days from now.
    fn day(days: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * (1_000 + days))
    }

    #[test]
    fn a_token_is_due_when_less_than_half_of_its_life_is_left() {
        for (issued, ends, is_due) in [
            (Some(-44), Some(46), false),
            (Some(-46), Some(44), true),
            (Some(-6), Some(8), false),
            (Some(-8), Some(6), true),
            (Some(-100), Some(-10), true),
            // When it was made is not known.
            (None, Some(46), false),
            (None, Some(44), true),
            // When it ends is not known.
            (Some(-6), None, false),
            (Some(-8), None, true),
            (None, None, true),
        ] {
            let token = Token {
                issued_at: issued.map(day),
                expires_at: ends.map(day),
                ..Token::bare("x")
            };
            assert_eq!(token.is_due(day(0)), is_due, "{issued:?} {ends:?}");
        }
    }
}
