//! An S3 server in this process: it keeps objects as files in a folder, and checks every signature.

use std::collections::BTreeMap;
use std::path::Path;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use opendal::{Operator, services};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

use super::aside::Listener;
use super::stranger;

pub const ACCESS_KEY: &str = "backup-access";
pub const SECRET_KEY: &str = "backup-secret";
pub const BUCKET: &str = "backups";
/// Any will do, if it is signed with.
pub const REGION: &str = "us-east-1";

/// A server of the test's own with one bucket; it stops when dropped.
pub struct S3Server {
    listener: Listener,
    root: tempfile::TempDir,
}

impl S3Server {
    pub fn start() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
        let files = FileSystem::new(root.path()).expect("a folder to serve");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = Listener::start(move |stream| {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
            async { drop(connection.await) } // only a client that has gone
        });
        Self { listener, root }
    }

    /// `http://127.0.0.1:<port>`; the bucket is the first segment of a path.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    /// Finished objects, read from the disk: what is unfinished lies beside the bucket.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let bucket = self.root.path().join(BUCKET);
        let mut files = BTreeMap::new();
        collect(&bucket, &bucket, &mut files);
        files
    }

    /// Past the server, for archives of many files.
    pub fn lay(&self, path: &str, bytes: &[u8]) {
        let path = self.root.path().join(BUCKET).join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }

    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        stranger::put(&self.operator(), path, bytes);
    }

    pub fn remove(&self, path: &str) {
        stranger::remove(&self.operator(), path);
    }

    /// Multipart uploads that nobody has completed or aborted: one file `.upload-<id>.json` each.
    pub fn pending_uploads(&self) -> usize {
        let entries = std::fs::read_dir(self.root.path()).expect("the server's folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let pending = |name: &str| name.starts_with(".upload-");
        entries
            .map(name)
            .filter(|name| name.to_str().is_some_and(pending))
            .count()
    }

    fn operator(&self) -> Operator {
        stranger::operator(client_of(&self.url(), SECRET_KEY))
    }
}

/// OpenDAL's client for the bucket behind an address, with a secret that need not be the right one.
pub fn client_of(url: &str, secret: &str) -> services::S3 {
    services::S3::default()
        .endpoint(url)
        .bucket(BUCKET)
        .region(REGION)
        .access_key_id(ACCESS_KEY)
        .secret_access_key(secret)
        .disable_config_load()
        .disable_ec2_metadata()
}

fn collect(bucket: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the bucket") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(bucket, &path, files);
        } else {
            let key = path.strip_prefix(bucket).expect("below the bucket");
            let bytes = std::fs::read(&path).expect("an object");
            files.insert(key.to_str().expect("text").to_owned(), bytes);
        }
    }
}
