//! Whoever is told of passes, on loopback: writes down what comes, and answers as the test wants.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, server};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::aside::Listener;

/// How one message is met.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Status and body.
    Answers(u16, &'static str),
    /// Sends to the same place on another port, where nobody is.
    Redirects,
    /// Takes it, and is silent for ever.
    Silent,
}

/// A message that has arrived whole.
#[derive(Clone, Debug)]
pub struct Message {
    pub method: String,
    /// With its query; with its host too where this plays a proxy.
    pub address: String,
    pub media_type: Option<String>,
    /// `null` when there is none.
    pub body: Value,
}

/// A running receiver; it stops when dropped.
pub struct Receiver {
    listener: Listener,
    shared: Arc<Shared>,
}

struct Shared(Mutex<State>);

struct State {
    /// For the first messages, one each.
    first: VecDeque<Manner>,
    then: Manner,
    came: Vec<Message>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver {
    /// Takes everything.
    pub fn start() -> Self {
        Self::that(&[], Manner::Answers(200, "OK"))
    }

    /// Meets the first messages so, and all others in one manner.
    pub fn that(first: &[Manner], then: Manner) -> Self {
        let state = State {
            first: first.iter().copied().collect(),
            then,
            came: Vec::new(),
        };
        let shared = Arc::new(Shared(Mutex::new(state)));
        let connections = Arc::clone(&shared);
        let listener = Listener::start(move |stream| converse(Arc::clone(&connections), stream));
        Self { listener, shared }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    /// Everything that came, in its order.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.lock().came.clone()
    }

    /// The paths of everything that came, without queries.
    pub fn paths(&self) -> Vec<String> {
        let path = |message: Message| message.address.split('?').next().map(ToOwned::to_owned);
        self.messages().into_iter().filter_map(path).collect()
    }
}

async fn converse(shared: Arc<Shared>, stream: TcpStream) {
    let answer = service_fn(|request| answer(Arc::clone(&shared), request));
    let connection = server::conn::http1::Builder::new();
    let connection = connection.serve_connection(TokioIo::new(stream), answer);
    drop(connection.await); // the client may have gone
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes);
    let media_type = head.headers.get("content-type");
    let message = Message {
        method: head.method.to_string(),
        address: head.uri.to_string(),
        media_type: media_type.map(|kind| kind.to_str().expect("text").to_owned()),
        body: serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default(),
    };
    let manner = {
        let mut state = shared.lock();
        state.came.push(message);
        state.first.pop_front().unwrap_or(state.then)
    };
    let answer = match manner {
        Manner::Answers(status, body) => Response::builder().status(status).body(body.into()),
        Manner::Redirects => Response::builder()
            .status(302)
            .header("location", "http://127.0.0.1:1/elsewhere")
            .body(Full::default()),
        Manner::Silent => std::future::pending().await,
    };
    Ok(answer.expect("an answer"))
}
