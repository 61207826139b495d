//! Tells others how a pass ended. None of it can change the outcome of the pass.

use std::io::Write;
use std::path::Path;

use tracing::warn;

use crate::summary::Summary;

/// Writes the summary as JSON, readable by its owner only: a Kubernetes termination message, a CI artefact.
pub fn summary_file(path: &Path, summary: &Summary) {
    if let Err(error) = write(path, summary) {
        warn!(path = %path.display(), error = %error, "summary file not written");
    }
}

/// In place, not by rename: a termination message is a mounted file.
fn write(path: &Path, summary: &Summary) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let mut content = serde_json::to_vec_pretty(summary)?;
    content.push(b'\n');
    file.write_all(&content)
}
