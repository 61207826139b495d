//! After the commit: what the rules no longer keep goes. The backup stands, however this ends.

use tracing::{info, warn};

use super::Pass;

impl Pass<'_> {
    /// Says what went, or why not everything did that should.
    pub(super) async fn prune(&self) -> Result<(), String> {
        let rules = &self.config.keeping.rules;
        if rules.is_empty() {
            return Ok(());
        }
        match self.archive.prune(rules, self.hold).await {
            Ok(pruned) => {
                info!(
                    snapshots = pruned.snapshots,
                    versions = pruned.versions,
                    files = pruned.files,
                    bytes = pruned.bytes,
                    left = pruned.left,
                    "pruned"
                );
                match pruned.left {
                    0 => Ok(()),
                    left => Err(format!(
                        "committed, but files of {left} items were not pruned, because a record of theirs is damaged"
                    )),
                }
            }
            Err(error) => {
                warn!(reason = %error, "not pruned");
                Err(format!("committed, but not pruned: {error}"))
            }
        }
    }
}
