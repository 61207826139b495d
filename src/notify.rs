//! Tells others how a pass goes and ends. None of it can change the outcome of the pass, or hold it up.

mod message;
mod ping;
mod post;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use futures::future::join;
use reqwest::Client;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use crate::config::{Config, Webhook};
use crate::exit::Exit;
use crate::summary::{History, Summary};
use ping::Ping;
use post::{Post, TRY};

/// All tries to tell the end, and the last one to tell the beginning.
const LIMIT: Duration = Duration::from_secs(80);
/// Of a pass that was told to stop: whoever told it waits 10 seconds at least, and exports may have taken some.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Tells of one pass whoever is to be told.
pub struct Messenger<'a> {
    config: &'a Config,
    ping: Option<Ping>,
    beginning: Option<Beginning>,
}

/// The first ping, on its way beside the pass.
struct Beginning {
    tries: JoinHandle<()>,
    /// Dropped when the pass ends: then it is not tried again.
    ends: oneshot::Sender<()>,
}

impl<'a> Messenger<'a> {
    /// Tells nobody anything yet.
    pub fn of(config: &'a Config) -> Self {
        Self {
            config,
            ping: config.notices.ping.as_ref().map(Ping::new),
            beginning: None,
        }
    }

    /// The pass begins, and waits for nobody.
    pub fn begin(&mut self) {
        let Some(ping) = &self.ping else { return };
        let client = client(self.config);
        let post = Post::new(ping.beginning(), None);
        let (ends, ended) = oneshot::channel::<()>();
        let tries = tokio::spawn(async move {
            let over = async { drop(ended.await) };
            told("ping of the beginning", send(client, &post, over).await);
        });
        self.beginning = Some(Beginning { tries, ends });
    }

    /// The pass has ended: everybody at once, as long as it may take.
    pub async fn end(self, history: &History) {
        let exit = Exit::of_code(history.summary.exit);
        let hurried = matches!(exit, Some(Exit::Interrupted | Exit::Terminated));
        let deadline = Instant::now() + if hurried { LAST_WORDS } else { LIMIT };
        let webhook = self.config.notices.webhook.as_ref();
        let webhook = webhook.filter(|webhook| webhook.always || exit != Some(Exit::Complete));
        let (config, ping) = (self.config, self.ping);
        let pinged = async {
            if let Some(beginning) = self.beginning {
                beginning.end(deadline).await;
            }
            if let Some(ping) = ping {
                let post = ping.end(&history.summary);
                told("ping of the end", in_time(config, &post, deadline).await);
            }
        };
        let hooked = async {
            if let Some(webhook) = webhook {
                let post = message(webhook, config, history);
                told("webhook", in_time(config, &post, deadline).await);
            }
        };
        join(pinged, hooked).await;
    }
}

impl Beginning {
    /// The end must not overtake it: what is on its way is waited for, what would be tried again is not.
    async fn end(self, deadline: Instant) {
        drop(self.ends);
        let mut tries = self.tries;
        let deadline = deadline.min(Instant::now() + TRY);
        if timeout_at(deadline, &mut tries).await.is_err() {
            tries.abort();
            told("ping of the beginning", late());
        }
    }
}

fn message(webhook: &Webhook, config: &Config, history: &History) -> Post {
    let address = webhook.address.expose().clone();
    let body = message::of(&address, config, history);
    Post::new(address, Some(body.to_string().into_bytes()))
}

async fn in_time(config: &Config, post: &Post, deadline: Instant) -> Result<(), String> {
    let sent = send(client(config), post, std::future::pending());
    timeout_at(deadline, sent).await.unwrap_or_else(|_| late())
}

fn late() -> Result<(), String> {
    Err("no answer in time".to_owned())
}

async fn send(
    client: reqwest::Result<Client>,
    post: &Post,
    over: impl Future<Output = ()>,
) -> Result<(), String> {
    let client = client.map_err(|error| error.to_string())?;
    post.send(&client, over).await
}

fn told(what: &'static str, sent: Result<(), String>) {
    match sent {
        Ok(()) => info!(by = what, "notified"),
        Err(reason) => warn!(by = what, reason, "not notified"),
    }
}

/// A redirect could lead the address, which is a key, and the summary anywhere: none is followed.
fn client(config: &Config) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(crate::PROGRAM.replace(' ', "/"))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .timeout(TRY)
        .tls_certs_merge(config.authorities.iter().cloned())
        .build()
}

/// Writes the summary as JSON, readable by its owner only: a Kubernetes termination message, a CI artefact.
pub fn summary_file(path: Option<&Path>, summary: &Summary) {
    if let Some(path) = path
        && let Err(error) = write(path, summary)
    {
        warn!(path = %path.display(), error = %error, "summary file not written");
    }
}

/// In place, not by rename: a termination message is a mounted file. Then its mode may not be ours to set, and
/// it is written all the same.
fn write(path: &Path, summary: &Summary) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        drop(file.set_permissions(owner_only));
    }
    let mut content = serde_json::to_vec_pretty(summary)?;
    content.push(b'\n');
    file.write_all(&content)
}
