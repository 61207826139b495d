//! The listeners, and a request's way through them: arrival, fault, handler, delivery.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::super::aside;
use super::call::{Call, Host};
use super::faults::FaultKind;
use super::reply::{Delivery, Reply};
use super::routes;
use super::state::{Account, Places, State};
use super::upload::LONGEST_CONTENT;

type Body = BoxBody<Bytes, io::Error>;

const PIECE: usize = 64 * 1024;

/// What all connections share.
pub struct Shared(Mutex<State>);

impl Shared {
    /// A handler's panic has failed its test already; the others go on.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub type Listeners = Vec<(Host, std::net::TcpListener)>;

/// Bound, so that the addresses are known; nothing is answered yet.
pub fn bind(account: Account) -> (Arc<Shared>, Listeners) {
    let mut listeners = Vec::new();
    let mut listen = |host| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound port");
        listeners.push((host, listener));
        format!("http://{address}")
    };
    let places = Places {
        account,
        graph: listen(Host::Graph),
        login: listen(Host::Login),
        storage: listen(Host::Storage),
    };
    let shared = Shared(Mutex::new(State::new(places)));
    (Arc::new(shared), listeners)
}

/// Blocks; all connections end with it.
pub fn serve(shared: &Arc<Shared>, listeners: Listeners, stop: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        for (host, listener) in listeners {
            listener.set_nonblocking(true).expect("a listener of ours");
            let listener = TcpListener::from_std(listener).expect("a listener of ours");
            tokio::spawn(accept(Arc::clone(shared), host, listener));
        }
        drop(stop.await); // the handle has gone
    });
}

async fn accept(shared: Arc<Shared>, host: Host, listener: TcpListener) {
    aside::accept(&listener, |stream| {
        converse(Arc::clone(&shared), host, stream)
    })
    .await;
}

async fn converse(shared: Arc<Shared>, host: Host, stream: TcpStream) {
    let answer = service_fn(|request| answer(Arc::clone(&shared), host, request));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    drop(connection.await); // a connection that ended badly was meant to, or its client has gone
}

/// A request under way on the graph or storage host; over when dropped.
struct InFlight(Arc<Shared>);

impl InFlight {
    fn begin(shared: &Arc<Shared>, host: Host) -> Option<Self> {
        if host == Host::Login {
            return None;
        }
        shared.lock().journal.began();
        Some(Self(Arc::clone(shared)))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().journal.ended();
    }
}

async fn answer(
    shared: Arc<Shared>,
    host: Host,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let flight = InFlight::begin(&shared, host);
    let mut call = read(host, request).await?;
    call.route = routes::name(&call);
    let (line, fault, latency) = arrive(&shared, &call);
    tokio::time::sleep(Duration::from_millis(latency)).await;
    if fault == Some(FaultKind::Hang) {
        std::future::pending::<Infallible>().await;
    }
    let reply = {
        let state = &mut *shared.lock();
        let instead = fault.and_then(|fault| fault.instead(state, &call));
        let reply = instead.unwrap_or_else(|| routes::answer(state, &call));
        let reply = match fault {
            Some(fault) => fault.spoil(reply),
            None => reply,
        };
        if reply.delivery != Delivery::Lost {
            state.journal.answered(line, reply.status);
        }
        reply
    };
    if reply.delivery == Delivery::Lost {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(deliver(&reply, flight))
}

/// A body that no route takes is not read, only its length.
async fn read(host: Host, request: Request<Incoming>) -> io::Result<Call> {
    let (parts, body) = request.into_parts();
    let told = body.size_hint().exact().unwrap_or_default();
    let told = usize::try_from(told).unwrap_or(usize::MAX);
    if told > LONGEST_CONTENT {
        return Ok(Call::read(host, parts, Bytes::new(), told));
    }
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let length = bytes.len();
    Ok(Call::read(host, parts, bytes, length))
}

fn arrive(shared: &Shared, call: &Call) -> (usize, Option<FaultKind>, u64) {
    let state = &mut *shared.lock();
    let line = state.journal.arrived(call);
    state.journal.suspect(call, state.tokens.known());
    (line, state.faults.strike(call), state.settings.latency_ms)
}

/// A step of sending a body.
enum Piece {
    Bytes(Bytes),
    Pause(u64),
    Break,
}

fn deliver(reply: &Reply, flight: Option<InFlight>) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    if ![204, 304].contains(&reply.status) {
        response = response.header("content-length", reply.body.len());
    }
    let body = streamed(pieces(reply), flight);
    response.body(body).expect("headers that hyper accepts")
}

fn pieces(reply: &Reply) -> VecDeque<Piece> {
    let length = reply.body.len();
    let end = match reply.delivery {
        Delivery::Cut => length / 2,
        _ => length,
    };
    let part = |from: usize| Piece::Bytes(reply.body.slice(from..end.min(from + PIECE)));
    let mut pieces: VecDeque<_> = (0..end).step_by(PIECE).map(part).collect();
    if reply.delivery == Delivery::Cut {
        pieces.extend([Piece::Pause(20), Piece::Break]); // the pause lets the half go out
    }
    pieces
}

/// A request counts as over when its last piece is handed on: its client may ask anew at once.
fn streamed(pieces: VecDeque<Piece>, flight: Option<InFlight>) -> Body {
    let flight = flight.filter(|_| !pieces.is_empty());
    let steps = stream::unfold((pieces, flight), |(mut pieces, mut flight)| async move {
        loop {
            let piece = pieces.pop_front();
            if pieces.is_empty() {
                flight.take();
            }
            match piece? {
                Piece::Bytes(bytes) => return Some((Ok(Frame::data(bytes)), (pieces, flight))),
                Piece::Pause(milliseconds) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                }
                Piece::Break => {
                    let broken = io::ErrorKind::ConnectionReset.into();
                    return Some((Err(broken), (pieces, flight)));
                }
            }
        }
    });
    BoxBody::new(StreamBody::new(steps))
}
