//! What people copy files with.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::support::s3;

/// A program that copies a file or a folder.
pub(super) struct Peer {
    pub(super) name: &'static str,
    command: Box<dyn Fn(&Path) -> Command>,
    /// What it takes when there is next to nothing to copy: Python's start is not the store's fault.
    start: Duration,
}

impl Peer {
    pub(super) fn cp(into: &Path) -> Option<Self> {
        let script = "cp -r \"$0\" \"$1.$$\"";
        Self::found("cp -r", shell(script, into))
    }

    /// What is kept must outlive a power cut.
    pub(super) fn cp_and_sync(into: &Path) -> Option<Self> {
        let script = "cp -r \"$0\" \"$1.$$\"; find \"$1.$$\" -exec sync {} +";
        Self::found("cp -r, each file synced", shell(script, into))
    }

    pub(super) fn aws(endpoint: &str) -> Option<Self> {
        let endpoint = endpoint.to_owned();
        Self::found("aws s3 cp", move |source: &Path| {
            let mut aws = Command::new("aws");
            aws.args([
                "s3",
                "cp",
                "--only-show-errors",
                "--endpoint-url",
                &endpoint,
            ])
            .args(source.is_dir().then_some("--recursive"))
            .arg(source)
            .arg(format!("s3://{}/copies/", s3::BUCKET))
            .env("AWS_ACCESS_KEY_ID", s3::ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", s3::SECRET_KEY)
            .env("AWS_DEFAULT_REGION", s3::REGION)
            .env("NO_PROXY", "127.0.0.1")
            .envs(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| (name, "")));
            aws
        })
    }

    /// `None`, and a line that says so, where it is not installed.
    fn found(name: &'static str, command: impl Fn(&Path) -> Command + 'static) -> Option<Self> {
        let mut peer = Self {
            name,
            command: Box::new(command),
            start: Duration::ZERO,
        };
        let nothing = tempfile::NamedTempFile::new().expect("a temporary file");
        let starts = (0..3).map(|_| peer.run(nothing.path()));
        let Some(start) = starts.min().flatten() else {
            println!("{name} is not here, and left out");
            return None;
        };
        peer.start = start;
        Some(peer)
    }

    /// How long copying takes, once it has started.
    pub(super) fn copy(&self, source: &Path) -> Duration {
        let took = self.run(source).expect("a copy");
        took.saturating_sub(self.start)
    }

    fn run(&self, source: &Path) -> Option<Duration> {
        let mut command = (self.command)(source);
        let began = Instant::now();
        let ended = command.stdin(Stdio::null()).status();
        ended.ok()?.success().then(|| began.elapsed())
    }
}

fn shell(script: &'static str, into: &Path) -> impl Fn(&Path) -> Command + 'static {
    let into = into.to_owned();
    move |source| {
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).args([source, &into]);
        shell
    }
}
