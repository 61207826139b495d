//! The four kinds of destination behind one face: a test names none of them, it is given one.

use std::collections::BTreeMap;
use std::ffi::OsString;

use agol_backup::archive::Archive;
use agol_backup::config::{Config, Environment};

use super::azurite::{self, AzureContainer, Azurite};
use super::graph::{Account, FakeGraph, Fault, FaultKind};
use super::portal::FakePortal;
use super::proxy::{Act, Proxy, Rule};
use super::run::Job;
use super::s3::{self, S3Server};

/// What people call their folders.
const PREFIX: &str = "My maps/Köln";
const PREFIX_AS_WRITTEN: &str = "My%20maps/K%C3%B6ln";

/// A destination that nobody else has.
pub struct Store {
    place: Place,
    /// Between the program and the server.
    proxy: Option<Proxy>,
    folder: tempfile::TempDir,
}

enum Place {
    Folder,
    S3(S3Server),
    Azure(AzureContainer),
    OneDrive(Box<FakeGraph>),
}

/// What a store does wrong to one write of a file whose path has this in it.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// It does it, and its reply is lost.
    LostReply,
    /// It asks for a second of patience.
    Throttled,
    /// It has no room.
    Full,
    /// It fails once, and does nothing.
    Broken,
    /// It says that all is well, and does nothing.
    Untrue,
}

impl Store {
    pub fn folder() -> Self {
        Self::of(Place::Folder, None)
    }

    pub fn s3() -> Self {
        let server = S3Server::start();
        let proxy = Proxy::to(&server.url());
        Self::of(Place::S3(server), Some(proxy))
    }

    pub fn azure() -> Self {
        let container = Azurite::container();
        let proxy = Proxy::to(container.endpoint());
        Self::of(Place::Azure(container), Some(proxy))
    }

    /// A business drive: its answers are the odder ones.
    pub fn onedrive() -> Self {
        Self::of(
            Place::OneDrive(Box::new(FakeGraph::start(Account::Work))),
            None,
        )
    }

    fn of(place: Place, proxy: Option<Proxy>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            place,
            proxy,
            folder,
        }
    }

    /// What a user sets.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let endpoint = self.proxy.as_ref().map(Proxy::url).unwrap_or_default();
        match &self.place {
            Place::Folder => vec![(
                "BACKUP_DESTINATION",
                self.folder
                    .path()
                    .join(PREFIX)
                    .to_str()
                    .expect("text")
                    .to_owned(),
            )],
            Place::S3(_) => vec![
                (
                    "BACKUP_DESTINATION",
                    format!("s3://{}/{PREFIX_AS_WRITTEN}/", s3::BUCKET),
                ),
                ("SINK_ENDPOINT", format!("{endpoint}/")),
                ("SINK_REGION", s3::REGION.to_owned()),
                ("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY.to_owned()),
                ("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY.to_owned()),
            ],
            Place::Azure(container) => vec![
                (
                    "BACKUP_DESTINATION",
                    format!("azblob://{}/{PREFIX_AS_WRITTEN}", container.name()),
                ),
                ("SINK_ENDPOINT", format!("{endpoint}/")),
                ("SINK_ACCOUNT_NAME", azurite::ACCOUNT.to_owned()),
                ("SINK_ACCOUNT_KEY", azurite::KEY.to_owned()),
            ],
            Place::OneDrive(graph) => vec![
                (
                    "BACKUP_DESTINATION",
                    format!("onedrive:///{PREFIX_AS_WRITTEN}"),
                ),
                ("SINK_GRAPH_URL", graph.graph_url()),
                ("SINK_LOGIN_URL", graph.login_url()),
                ("SINK_TENANT", graph.tenant()),
                ("SINK_DRIVE", graph.drive_id()),
                ("SINK_CLIENT_ID", FakeGraph::CLIENT_ID.to_owned()),
                ("SINK_CLIENT_SECRET", FakeGraph::CLIENT_SECRET.to_owned()),
                ("SINK_REFRESH_TOKEN", graph.refresh_token()),
            ],
        }
    }

    /// The same with a key that opens nothing.
    pub fn wrong_key(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.variables();
        for (name, value) in &mut variables {
            match *name {
                "SINK_SECRET_ACCESS_KEY" | "SINK_CLIENT_SECRET" => "wrong".clone_into(value),
                "SINK_ACCOUNT_KEY" => "d3Jvbmc=".clone_into(value),
                _ => {}
            }
        }
        variables
    }

    /// The archive there, opened as the program does.
    pub fn archive(&self) -> Archive {
        Self::opened(&self.variables())
    }

    pub fn opened(variables: &[(&str, String)]) -> Archive {
        let any = [("ARCGIS_API_KEY", "any".to_owned())];
        let all = variables.iter().chain(&any);
        let environment: Environment = all
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        let config = Config::from_environment(&environment).expect("right variables");
        Archive::open(&config.keeping.destination).expect("a destination")
    }

    /// A run that backs the portal up to here.
    pub fn job(&self, portal: &FakePortal) -> Job {
        let job = Job::against(portal);
        self.variables()
            .into_iter()
            .fold(job, |job, (name, value)| job.with(name, value))
    }

    /// Puts files there as if they had always been; on S3 only.
    pub fn lay(&self, files: &BTreeMap<String, Vec<u8>>) {
        let Place::S3(server) = &self.place else {
            panic!("only the S3 server keeps plain files");
        };
        for (path, bytes) in files {
            server.lay(&format!("{PREFIX}/{path}"), bytes);
        }
    }

    /// Every finished file of the archive, by its path below the destination.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let (files, prefix) = match &self.place {
            Place::Folder => return files_below(&self.folder.path().join(PREFIX)),
            Place::S3(server) => (server.files(), PREFIX),
            Place::Azure(container) => (container.files(), PREFIX),
            Place::OneDrive(graph) => (graph.files(), PREFIX),
        };
        let below = |path: &str| {
            path.strip_prefix(prefix)?
                .strip_prefix('/')
                .map(ToOwned::to_owned)
        };
        files
            .into_iter()
            .filter_map(|(path, bytes)| Some((below(&path)?, bytes)))
            .collect()
    }

    /// Uploads begun and neither finished nor called off; a folder's unfinished files.
    pub fn pending(&self) -> usize {
        match &self.place {
            Place::Folder => {
                files_below(&self.folder.path().join(PREFIX).join(".agol-backup-partial")).len()
            }
            Place::S3(server) => server.pending_uploads(),
            // Azure has no uploads, only blocks that it forgets.
            Place::Azure(_) => 0,
            Place::OneDrive(graph) => graph.open_sessions(),
        }
    }

    /// Whether a network is between.
    pub fn is_remote(&self) -> bool {
        !matches!(self.place, Place::Folder)
    }

    /// The last write of a file with this in its path meets trouble, once.
    pub fn trouble(&self, part: &str, large: bool, trouble: Trouble) {
        match &self.place {
            Place::Folder => {}
            Place::OneDrive(graph) => {
                let route = if large {
                    "create_session"
                } else {
                    "content_put"
                };
                let fault = match trouble {
                    Trouble::LostReply => {
                        Fault::on(if large { "fragment" } else { route }, FaultKind::LoseReply)
                            .skip(if large { 2 } else { 0 })
                    }
                    Trouble::Throttled => Fault::on(route, FaultKind::Throttle(1)),
                    Trouble::Full => Fault::on(route, FaultKind::QuotaFull).forever(),
                    // Its own tests have these.
                    Trouble::Broken | Trouble::Untrue => return,
                };
                graph.add_fault(if large && matches!(trouble, Trouble::LostReply) {
                    fault
                } else {
                    fault.only(part)
                });
            }
            Place::S3(_) | Place::Azure(_) => {
                let proxy = self.proxy.as_ref().expect("a proxy");
                let (method, what) = match (&self.place, large) {
                    (Place::S3(_), true) => ("POST", "uploadId="),
                    (Place::Azure(_), true) => ("PUT", "comp=blocklist"),
                    _ => ("PUT", part),
                };
                let rule = Rule::on(method, what);
                proxy.add(match trouble {
                    Trouble::LostReply => rule.then(Act::LoseReply),
                    Trouble::Throttled => {
                        let wait = vec![("Retry-After", "1".to_owned())];
                        rule.times(2).then(Act::Status(503, wait, String::new()))
                    }
                    Trouble::Broken => {
                        Rule::on("PUT", part).then(Act::Status(500, Vec::new(), String::new()))
                    }
                    Trouble::Untrue => {
                        let etag = vec![("ETag", "\"0\"".to_owned())];
                        Rule::on("PUT", part).then(Act::Status(201, etag, String::new()))
                    }
                    Trouble::Full => {
                        rule.forever()
                            .then(Act::Status(507, Vec::new(), full().to_owned()))
                    }
                });
            }
        }
    }

    /// What is between the program and the server, where that is one.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    pub fn graph(&self) -> Option<&FakeGraph> {
        match &self.place {
            Place::OneDrive(graph) => Some(graph),
            _ => None,
        }
    }
}

fn full() -> &'static str {
    "<?xml version=\"1.0\"?><Error><Code>QuotaExceeded</Code><Message>No room is left.</Message></Error>"
}

fn files_below(root: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let archive = super::run::Archive {
        root: root.to_owned(),
    };
    let paths = archive.files().into_iter();
    paths
        .map(|path| {
            let bytes = archive.bytes(&path);
            (path, bytes)
        })
        .collect()
}
