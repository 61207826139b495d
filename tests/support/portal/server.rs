//! The listeners, and a request's way through them: arrival, faults, handler, delivery.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::super::aside;
use super::call::{Call, Host};
use super::catalogue::Catalogue;
use super::faults::FaultKind;
use super::journal::Line;
use super::reply::{Delivery, Reply};
use super::routes;
use super::state::{Places, State};

type Body = BoxBody<Bytes, io::Error>;

/// What all connections share.
pub struct Shared {
    pub places: Places,
    context: String,
    state: Mutex<State>,
}

impl Shared {
    /// A handler's panic has failed its test already; the others go on.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The listeners' tasks; they and all connections end with it.
pub struct Running(Vec<AbortHandle>);

impl Drop for Running {
    fn drop(&mut self) {
        for listener in &self.0 {
            listener.abort();
        }
    }
}

pub async fn start(world: Catalogue) -> (Arc<Shared>, Running) {
    let mut listeners = Vec::new();
    let mut bases = Vec::new();
    for host in [Host::Portal, Host::Services, Host::Blob, Host::Elsewhere] {
        // Another machine, as far as addresses tell.
        let address = match host {
            Host::Elsewhere => "127.0.0.2:0",
            _ => "127.0.0.1:0",
        };
        let listener = TcpListener::bind(address)
            .await
            .expect("a free port on loopback");
        bases.push(format!(
            "http://{}",
            listener.local_addr().expect("a bound port")
        ));
        listeners.push((host, listener));
    }
    let context = world.settings.context.clone();
    let mut base = bases.into_iter();
    let mut next = || base.next().unwrap_or_default();
    let places = Places {
        portal: next() + &context,
        services: next(),
        blob: next(),
        elsewhere: next(),
    };
    let shared = Arc::new(Shared {
        places: places.clone(),
        context,
        state: Mutex::new(State::new(world, places)),
    });
    let listen =
        |(host, listener)| tokio::spawn(accept(Arc::clone(&shared), host, listener)).abort_handle();
    let running = Running(listeners.into_iter().map(listen).collect());
    (shared, running)
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

/// A request under way; over when dropped.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

async fn answer(
    shared: Arc<Shared>,
    host: Host,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let flight = {
        shared.lock().in_flight += 1;
        InFlight(Arc::clone(&shared))
    };
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut call = Call::read(host, &parts, &body, &shared.context);
    call.route = routes::name(&call);
    let (line, faults, wait) = arrive(&shared, &call);
    call.twists.clone_from(&faults);
    tokio::time::sleep(Duration::from_millis(wait)).await;
    if call.twisted(|fault| matches!(fault, FaultKind::Hang)) {
        std::future::pending::<Infallible>().await;
    }
    let reply = reply_to(&shared, &call, &faults);
    if reply.delivery == Delivery::Reset {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    shared.lock().journal.answered(line, reply.status);
    let compress = call.gzip && shared.lock().catalogue.settings.gzip;
    Ok(deliver(&reply, compress, flight))
}

fn arrive(shared: &Shared, call: &Call) -> (Line, Vec<FaultKind>, u64) {
    let mut state = shared.lock();
    let in_flight = state.in_flight;
    let line = state.journal.arrived(call, in_flight);
    let faults = state.faults.strike(call);
    let mut wait = state.catalogue.settings.latency_ms;
    for fault in &faults {
        match fault {
            FaultKind::Slow(milliseconds) => wait += milliseconds,
            FaultKind::Edit(edit) => edit(&mut state.catalogue),
            FaultKind::ExpireTokens => state.auth.expire_access(),
            _ => {}
        }
    }
    (line, faults, wait)
}

fn reply_to(shared: &Shared, call: &Call, faults: &[FaultKind]) -> Reply {
    let instead = faults.iter().find_map(|fault| fault.instead(call));
    let mut reply = instead.unwrap_or_else(|| routes::answer(shared, call));
    for fault in faults {
        reply = fault.spoil(call, reply);
    }
    dressed(shared, call, reply)
}

/// What all answers of a host carry.
fn dressed(shared: &Shared, call: &Call, mut reply: Reply) -> Reply {
    let mut state = shared.lock();
    if state.catalogue.settings.plain_text_json && reply.is_json() {
        reply.headers = vec![("content-type", "text/plain;charset=utf-8".to_owned())];
    }
    if call.host != Host::Services {
        return reply;
    }
    match state.spend_units(call.route) {
        Some(bill) => bill.dress(reply),
        None => reply,
    }
}

/// A step of sending a body.
enum Piece {
    Bytes(Bytes),
    Pause(u64),
    Break,
}

fn deliver(reply: &Reply, compress: bool, flight: InFlight) -> Response<Body> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    let cut_gzip = reply.delivery == Delivery::CutGzip;
    let mut bytes = reply.body.clone();
    if cut_gzip || (compress && reply.is_json() && bytes.len() > 1024) {
        bytes = gzipped(&bytes);
        response = response.header("content-encoding", "gzip");
    }
    if cut_gzip {
        bytes.truncate(bytes.len() / 2);
    }
    if reply.delivery != Delivery::CutChunked && reply.status != 204 {
        response = response.header("content-length", bytes.len());
    }
    let body = streamed(pieces(&bytes, reply.delivery), flight);
    response.body(body).expect("headers that hyper accepts")
}

fn gzipped(bytes: &Bytes) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory").into()
}

fn pieces(bytes: &Bytes, delivery: Delivery) -> VecDeque<Piece> {
    match delivery {
        Delivery::Cut | Delivery::CutChunked => {
            let half = bytes.slice(..bytes.len() / 2);
            [Piece::Bytes(half), Piece::Pause(20), Piece::Break].into() // the pause lets the half go out
        }
        Delivery::Drip => {
            let step = (bytes.len() / 20).max(1);
            let starts = (0..bytes.len()).step_by(step);
            let part = |from: usize| Piece::Bytes(bytes.slice(from..bytes.len().min(from + step)));
            starts
                .flat_map(|from| [part(from), Piece::Pause(50)])
                .collect()
        }
        _ if bytes.is_empty() => VecDeque::new(),
        _ => [Piece::Bytes(bytes.clone())].into(),
    }
}

/// A request counts as over when its last piece is handed on: its client may ask anew at once.
fn streamed(pieces: VecDeque<Piece>, flight: InFlight) -> Body {
    let flight = (!pieces.is_empty()).then_some(flight);
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
                    return Some((Err(io::ErrorKind::ConnectionReset.into()), (pieces, flight)));
                }
            }
        }
    });
    BoxBody::new(StreamBody::new(steps))
}
