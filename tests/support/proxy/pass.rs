//! A request's way through the proxy: arrival, fault, store, and back.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, client, server};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::rule::fate;
use super::{Act, Passed, Shared};

type Whole = Full<Bytes>;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// These speak of one connection only; a buffered body has its length instead.
const OF_A_CONNECTION: [HeaderName; 2] = [header::CONNECTION, header::TRANSFER_ENCODING];

pub(super) async fn converse(shared: Arc<Shared>, stream: TcpStream) {
    let answer = service_fn(|request| answer(Arc::clone(&shared), request));
    let connection = server::conn::http1::Builder::new();
    let connection = connection.serve_connection(TokioIo::new(stream), answer);
    drop(connection.await); // one that ended badly was meant to, or its client has gone
}

/// An error ends the connection without an answer.
async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Whole>> {
    let _in_flight = InFlight::new(&shared);
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.to_string();
    let (place, act) = {
        let mut state = shared.lock();
        state.passed.push(Passed {
            method: head.method.to_string(),
            path: path.clone(),
            status: None,
            body_len: body.len(),
        });
        let act = fate(&mut state.faults, head.method.as_str(), &path);
        (state.passed.len() - 1, act)
    };
    let request = Request::from_parts(head, Full::new(body));
    let answer = suffer(&shared, request, act).await?;
    if let Some(passed) = shared.lock().passed.get_mut(place) {
        passed.status = Some(answer.status().as_u16());
    }
    Ok(answer)
}

async fn suffer(
    shared: &Shared,
    request: Request<Whole>,
    act: Option<Act>,
) -> Result<Response<Whole>> {
    match act {
        None => {}
        Some(Act::Status(status, headers, body)) => {
            let mut answer = Response::builder().status(status);
            for (name, value) in headers {
                answer = answer.header(name, value);
            }
            return Ok(answer.body(Full::new(body.into()))?);
        }
        Some(Act::LoseReply) => {
            forward(shared, request).await?;
            return Err(io::Error::other("the answer is lost").into());
        }
        Some(Act::Reset) => return Err(io::Error::other("the request is lost").into()),
        Some(Act::Hang) => std::future::pending().await,
        Some(Act::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Act::Hold) => {
            let mut held = Held::new(shared);
            held.gate.changed().await?;
        }
    }
    let answer = forward(shared, request).await;
    answer.or_else(|error| {
        let mut answer = Response::new(Full::new(error.to_string().into()));
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        Ok(answer)
    })
}

/// Over a connection of its own: none is ever stale.
async fn forward(shared: &Shared, mut request: Request<Whole>) -> Result<Response<Whole>> {
    let stream = TcpStream::connect(&shared.target).await?;
    stream.set_nodelay(true)?;
    let (mut store, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        remove(request.headers_mut(), &OF_A_CONNECTION);
        let of_head = request.method() == Method::HEAD;
        let (mut head, body) = store.send_request(request).await?.into_parts();
        remove(&mut head.headers, &OF_A_CONNECTION);
        let body = body.collect().await?.to_bytes();
        if !of_head {
            head.headers.remove(header::CONTENT_LENGTH); // told anew
        }
        Ok(Response::from_parts(head, Full::new(body)))
    };
    let (answer, _) = tokio::join!(exchange, connection);
    answer
}

fn remove(headers: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        headers.remove(name);
    }
}

/// A request under way; over when dropped.
struct InFlight<'a>(&'a Shared);

impl<'a> InFlight<'a> {
    fn new(shared: &'a Shared) -> Self {
        let mut state = shared.lock();
        state.in_flight += 1;
        state.peak = state.peak.max(state.in_flight);
        Self(shared)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

/// A request that waits for the test; no more when its client has gone.
struct Held<'a> {
    shared: &'a Shared,
    gate: watch::Receiver<()>,
    turn: usize,
}

impl<'a> Held<'a> {
    fn new(shared: &'a Shared) -> Self {
        let mut state = shared.lock();
        state.held += 1;
        Self {
            shared,
            gate: shared.gate.subscribe(),
            turn: state.turn,
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.turn == self.turn {
            state.held -= 1;
        }
    }
}
