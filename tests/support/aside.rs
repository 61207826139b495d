//! A runtime on a thread of its own, for servers and calls that a test may need whether it is async or not.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Listens on a free port of loopback; it and all its connections end when dropped.
pub struct Listener {
    port: u16,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Listener {
    pub fn start<C>(converse: impl Fn(TcpStream) -> C + Send + 'static) -> Self
    where
        C: Future<Output = ()> + Send + 'static,
    {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let listen = async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let port = listener.local_addr().expect("a bound port").port();
            ready.send(port).expect("somebody waits for the listener");
            tokio::select! {
                _ = stopped => {} // an error means that the handle is gone: the same wish
                () = accept(&listener, converse) => {}
            }
        };
        let thread = thread::spawn(move || runtime().block_on(listen));
        Self {
            port: started.recv().expect("the listener starts"),
            thread: Some((stop, thread)),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            drop(thread.join());
        }
    }
}

/// The set of connections dies with this future.
pub async fn accept<C>(listener: &TcpListener, converse: impl Fn(TcpStream) -> C)
where
    C: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                drop(stream.set_nodelay(true)); // only quicker
                connections.spawn(converse(stream));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Waits for a future, also inside another runtime.
#[track_caller]
pub fn wait_for<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let waited = thread::scope(|scope| scope.spawn(|| runtime().block_on(future)).join());
    waited.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn runtime() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}
