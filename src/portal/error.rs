//! What can go wrong with the portal, by who must act on it.

use super::reach::OutOfReach;

/// An answer, or the lack of one, after every retry that made sense.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The portal refuses the credentials: the pass ends, a person must act.
    #[error("{0}")]
    SignIn(String),
    /// A lasting no to this one question: retrying does not help, other items may do well.
    #[error("{message} (code {code})")]
    Refused {
        /// HTTP's or ArcGIS' own code.
        code: i64,
        /// The portal's words.
        message: String,
    },
    /// Too much was asked at once: a smaller question may be answered.
    #[error("{0}")]
    Overloaded(String),
    /// No usable answer, though it was asked for again and again.
    #[error("{0}")]
    Unavailable(String),
    /// An answer that contradicts itself or an earlier one; trusting it would lose data.
    #[error("{0}")]
    Untrue(String),
}

impl Error {
    /// The account is at fault, so the whole pass is.
    pub fn is_of_the_account(&self) -> bool {
        matches!(self, Self::SignIn(_))
    }

    /// The question was understood and the answer is no.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// What one attempt met, before it is decided whether to try again.
#[derive(Debug)]
pub(super) enum Trouble {
    /// 498, 499 or 401: the access token used is not accepted (any more).
    Token {
        used: Option<String>,
        message: String,
    },
    /// 429 in either form: the host asks for a pause.
    Throttled { pause: std::time::Duration },
    /// Cut, late, garbled or a fault of the server: the same question may work later.
    Transient { message: String, tries: usize },
    /// It ends here.
    Final(Error),
}

impl Trouble {
    pub(super) fn transient(message: impl Into<String>) -> Self {
        Self::Transient {
            message: message.into(),
            tries: 5,
        }
    }

    /// Where the transport failed. The address stays out of it: it may be signed.
    pub(super) fn of_transport(error: reqwest::Error) -> Self {
        let slow = error.is_timeout() && !error.is_connect();
        let error = error.without_url();
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            if let Some(out) = inner.downcast_ref::<OutOfReach>() {
                return Self::out_of_reach(out);
            }
            message = format!("{message}: {inner}");
            source = inner.source();
        }
        // Nothing to wait for: a certificate that is not believed now is not believed in a minute.
        if message.contains("invalid peer certificate") {
            return Self::Final(Error::Unavailable(format!(
                "{message}; if its authority is your own, put that authority's certificate into ARCGIS_CA_FILE"
            )));
        }
        if slow {
            Self::Final(Error::Overloaded(message))
        } else {
            Self::transient(message)
        }
    }
}

impl Trouble {
    fn out_of_reach(out: &OutOfReach) -> Self {
        let message = out.to_string();
        Self::Final(Error::Refused { code: 0, message })
    }

    /// The same with its words passed through `edit`.
    pub(super) fn said_by(self, edit: impl Fn(String) -> String) -> Self {
        match self {
            Self::Token { used, message } => Self::Token {
                used,
                message: edit(message),
            },
            Self::Throttled { pause } => Self::Throttled { pause },
            Self::Transient { message, tries } => Self::Transient {
                message: edit(message),
                tries,
            },
            Self::Final(error) => Self::Final(match error {
                Error::SignIn(message) => Error::SignIn(edit(message)),
                Error::Refused { code, message } => Error::Refused {
                    code,
                    message: edit(message),
                },
                Error::Overloaded(message) => Error::Overloaded(edit(message)),
                Error::Unavailable(message) => Error::Unavailable(edit(message)),
                Error::Untrue(message) => Error::Untrue(edit(message)),
            }),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<OutOfReach> for Trouble {
    fn from(out: OutOfReach) -> Self {
        Self::out_of_reach(&out)
    }
}
