//! TLS in front of a server that speaks plain HTTP. `tests/data/tls/make` made the certificates.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::aside::Listener;

/// A file of the tests' own authority.
pub fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls");
    folder.join(name)
}

/// It stops when dropped.
pub struct Front(Listener);

impl Front {
    /// Shows this certificate, and passes on what it hears to `http://127.0.0.1:<port>`.
    pub fn of(certificate: &str, behind: &str) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server(certificate)));
        let behind = behind.trim_start_matches("http://").to_owned();
        Self(Listener::start(move |stream| {
            pass_on(acceptor.clone(), stream, behind.clone())
        }))
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.0.port())
    }
}

fn server(certificate: &str) -> ServerConfig {
    let certificate = CertificateDer::from_pem_file(file(certificate)).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    let server = ServerConfig::builder().with_no_client_auth();
    server
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits")
}

/// A client that does not believe the certificate goes, and so does one that has heard enough.
async fn pass_on(acceptor: TlsAcceptor, stream: TcpStream, behind: String) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut behind = TcpStream::connect(behind).await.expect("a server");
    drop(tokio::io::copy_bidirectional(&mut stream, &mut behind).await);
}
