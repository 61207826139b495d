//! `cargo bench --bench stores`: how fast each store takes files through the archive, beside what people copy files
//! with. Both sides write to the same server in turns, and what is told is the median of the ratios. Azure takes part
//! when `AGOL_TEST_AZURITE` says where Azurite listens, `aws` and `cp` where they are installed.

#![expect(clippy::print_stdout, reason = "a benchmark is there to be read")]
#![expect(
    clippy::expect_used,
    reason = "without its world a benchmark has nothing to say"
)]
#![allow(
    clippy::allow_attributes,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "figures for people; and the tests' support is held to the tests' rules"
)]

#[path = "stores_bench/peer.rs"]
mod peer;
mod support;

use std::cell::Cell;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use agol_backup::archive::{Archive, Version};
use agol_backup::item::Item;
use agol_backup::snapshot::{File, Stamp, now};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::runtime::Runtime;

use peer::Peer;
use support::azurite::{self, Azurite};
use support::graph::{Account, FakeGraph};
use support::proxy::{Act, Proxy, Rule};
use support::s3::{self, S3Server};
use support::store::Store;

const LARGE: usize = 300_000_000;
const SMALL: usize = 4_000;
const MANY: usize = 2_000;
/// Enough where every answer is late.
const FEW: usize = 200;
const LATE_MS: u64 = 20;
/// The default of `BACKUP_CONCURRENCY`.
const AT_A_TIME: usize = 8;
const ROUNDS: usize = 3;
/// As large as pieces come from the network.
const PIECE: usize = 64 << 10;

fn main() {
    let bench = Bench::new();
    println!(
        "{:<36}{:>10}  {:<28}{:>10}{:>8}",
        "", "ours", "beside", "its", "ratio"
    );
    in_a_folder(&bench);
    in_s3(&bench);
    in_azure(&bench);
    in_onedrive(&bench);
}

fn in_a_folder(bench: &Bench) {
    let destination = bench.path("archive");
    let destination = destination.to_str().expect("text").to_owned();
    let archive = Store::opened(&[("BACKUP_DESTINATION", destination)]);
    let copies = bench.path("copies");
    for peer in [Peer::cp(&copies), Peer::cp_and_sync(&copies)] {
        bench.near("folder", &archive, peer.as_ref());
    }
}

fn in_s3(bench: &Bench) {
    let server = S3Server::start();
    let late = late(&server.url());
    let archive = |endpoint| {
        Store::opened(&[
            ("BACKUP_DESTINATION", format!("s3://{}/archive", s3::BUCKET)),
            ("SINK_ENDPOINT", endpoint),
            ("SINK_REGION", s3::REGION.to_owned()),
            ("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY.to_owned()),
            ("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY.to_owned()),
        ])
    };
    bench.near(
        "S3",
        &archive(server.url()),
        Peer::aws(&server.url()).as_ref(),
    );
    bench.far("S3", &archive(late.url()), Peer::aws(&late.url()).as_ref());
}

fn in_azure(bench: &Bench) {
    #[expect(clippy::disallowed_methods, reason = "the tests are told this way too")]
    if std::env::var_os("AGOL_TEST_AZURITE").is_none() {
        return println!("Azure is left out: AGOL_TEST_AZURITE is not set");
    }
    let container = Azurite::container();
    let late = late(container.endpoint());
    let archive = |endpoint| {
        let destination = format!("azblob://{}/archive", container.name());
        Store::opened(&[
            ("BACKUP_DESTINATION", destination),
            ("SINK_ENDPOINT", endpoint),
            ("SINK_ACCOUNT_NAME", azurite::ACCOUNT.to_owned()),
            ("SINK_ACCOUNT_KEY", azurite::KEY.to_owned()),
        ])
    };
    bench.near("Azure", &archive(container.endpoint().to_owned()), None);
    bench.far("Azure", &archive(late.url()), None);
}

fn in_onedrive(bench: &Bench) {
    let graph = FakeGraph::start(Account::Work);
    graph.edit(|settings| settings.discard_content = true);
    let archive = Store::opened(&[
        ("BACKUP_DESTINATION", "onedrive:///archive".to_owned()),
        ("SINK_GRAPH_URL", graph.graph_url()),
        ("SINK_LOGIN_URL", graph.login_url()),
        ("SINK_TENANT", graph.tenant()),
        ("SINK_DRIVE", graph.drive_id()),
        ("SINK_CLIENT_ID", FakeGraph::CLIENT_ID.to_owned()),
        ("SINK_CLIENT_SECRET", FakeGraph::CLIENT_SECRET.to_owned()),
        ("SINK_REFRESH_TOKEN", graph.refresh_token()),
    ]);
    bench.near("OneDrive", &archive, None);
    graph.edit(|settings| settings.latency_ms = LATE_MS);
    bench.far("OneDrive", &archive, None);
}

/// A server on loopback answers at once: there, nothing is gained by not waiting for it.
fn late(url: &str) -> Proxy {
    let proxy = Proxy::to(url);
    let late = Act::Slow(Duration::from_millis(LATE_MS));
    proxy.add(Rule::on("*", "").forever().then(late));
    proxy
}

/// What is copied, and by whom.
struct Bench {
    runtime: Runtime,
    folder: tempfile::TempDir,
    versions: Cell<u32>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            runtime: Runtime::new().expect("a runtime"),
            folder: tempfile::tempdir().expect("a temporary folder"),
            versions: Cell::new(0),
        };
        std::fs::write(bench.path("large"), content(LARGE)).expect("written");
        for (name, files) in [("few", FEW), ("many", MANY)] {
            std::fs::create_dir(bench.path(name)).expect("a folder");
            for number in 0..files {
                std::fs::write(bench.path(name).join(number.to_string()), content(SMALL))
                    .expect("written");
            }
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server as fast as it is.
    fn near(&self, store: &str, archive: &Archive, peer: Option<&Peer>) {
        let row = |what, amount, source: &str, ours: &dyn Fn() -> Duration| {
            let copy = || peer.map_or(Duration::ZERO, |peer| peer.copy(&self.path(source)));
            let beside = peer.map(|peer| (peer.name, &copy as &dyn Fn() -> Duration));
            row(&format!("{store}, {what}"), amount, ours, beside);
        };
        row("300 MB, MB/s", LARGE as f64 / 1e6, "large", &|| {
            self.large(archive)
        });
        let many = || self.small(archive, "many", AT_A_TIME);
        row("2,000 × 4 KB, files/s", MANY as f64, "many", &many);
    }

    /// The same when every answer is late.
    fn far(&self, store: &str, archive: &Archive, peer: Option<&Peer>) {
        let what = format!("{store}, the same, {LATE_MS} ms late");
        let few = || self.small(archive, "few", AT_A_TIME);
        let singly = || self.small(archive, "few", 1);
        row(
            &what,
            FEW as f64,
            &few,
            Some(("one after another", &singly)),
        );
        if let Some(peer) = peer {
            let copy = || peer.copy(&self.path("few"));
            row(&what, FEW as f64, &few, Some((peer.name, &copy)));
        }
    }

    fn large(&self, archive: &Archive) -> Duration {
        self.timed(archive, &async |version: &Version| {
            let mut source = std::fs::File::open(self.path("large")).expect("a source");
            let mut draft = version.draft(&file("large")).await?;
            loop {
                let mut piece = vec![0; PIECE];
                let length = source.read(&mut piece).expect("bytes");
                if length == 0 {
                    return version.finish(draft, file("large")).await;
                }
                piece.truncate(length);
                draft.write(piece.into()).await?;
            }
        })
    }

    fn small(&self, archive: &Archive, folder: &str, at_a_time: usize) -> Duration {
        let entries = std::fs::read_dir(self.path(folder)).expect("a folder");
        let paths: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        self.timed(archive, &async |version: &Version| {
            let stored = stream::iter(&paths).map(async |path| {
                let name = path.file_name().expect("a name").display().to_string();
                let content = std::fs::read(path).expect("bytes");
                version.store(file(&name), content.into()).await
            });
            let stored = stored.buffer_unordered(at_a_time);
            stored.try_fold(0, async |all, bytes| Ok(all + bytes)).await
        })
    }

    /// Into a version of its own, which is removed when the time was taken.
    fn timed(
        &self,
        archive: &Archive,
        store: &impl AsyncFn(&Version) -> Result<u64, agol_backup::archive::Error>,
    ) -> Duration {
        self.versions.set(self.versions.get() + 1);
        let stamp = Stamp::of(now() + Duration::from_secs(self.versions.get().into()));
        let version = archive.version(&item(), &stamp, None);
        self.runtime.block_on(async {
            let began = Instant::now();
            store(&version).await.expect("stored");
            let took = began.elapsed();
            version.discard().await;
            took
        })
    }
}

/// Ours and the other in turns. A ratio above 1 says that ours is faster.
fn row(
    what: &str,
    amount: f64,
    ours: &dyn Fn() -> Duration,
    beside: Option<(&str, &dyn Fn() -> Duration)>,
) {
    let rate = |side: &dyn Fn() -> Duration| amount / side().as_secs_f64();
    let Some((name, theirs)) = beside else {
        let ours = median((0..ROUNDS).map(|_| rate(ours)));
        return println!("{what:<36}{ours:>10.0}");
    };
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (rate(ours), rate(theirs))).collect();
    println!(
        "{what:<36}{:>10.0}  {name:<28}{:>10.0}{:>8.2}",
        median(rounds.iter().map(|(ours, _)| *ours)),
        median(rounds.iter().map(|(_, theirs)| *theirs)),
        median(rounds.iter().map(|(ours, theirs)| ours / theirs)),
    );
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn content(length: usize) -> Vec<u8> {
    let words = (0_u32..).flat_map(|word| word.wrapping_mul(2_654_435_761).to_le_bytes());
    words.take(length).collect()
}

fn item() -> Item {
    let about = json!({"id": "0123456789abcdef0123456789abcdef", "title": "Parks", "type": "Feature Service",
                       "owner": "gis", "modified": 0, "created": 0});
    serde_json::from_str(&about.to_string()).expect("an item")
}

fn file(name: &str) -> File {
    let about = json!({"path": name, "role": "data", "bytes": 0, "sha256": ""});
    serde_json::from_value(about).expect("a file")
}
