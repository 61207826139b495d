//! Whether a copy of rows is believed: only when the server's counts before and after, and its edit dates,
//! agree with what was read.

use super::Pass;
use super::rows::{Copying, Streamed};
use super::trouble::{Trouble, at};
use crate::snapshot::{File, Note};

/// How a copy compares with what the server says.
enum Verdict {
    Whole,
    /// Something moved, or cannot be compared: stored with a note of this code.
    Doubtful(&'static str, String),
    /// Rows are missing that the server says it has: never stored.
    Short(String),
}

impl Pass<'_> {
    /// Believes a copy, or throws it away: false when it should be read once more.
    pub(super) async fn settle(
        &self,
        copying: &Copying<'_>,
        streamed: Streamed,
        before: Option<u64>,
        last_try: bool,
    ) -> Result<bool, Trouble> {
        let Streamed { draft, file, rows } = streamed;
        let (verdict, after) = match self.judge(copying, rows, before).await {
            Ok(judged) => judged,
            Err(trouble) => {
                draft.discard().await;
                return Err(trouble);
            }
        };
        let id = copying.layer.id;
        match verdict {
            Verdict::Whole => {}
            // What cannot be compared will not be by another reading.
            Verdict::Doubtful(code, message)
                if last_try || rows.is_none() || !copying.layer.can_query =>
            {
                copying.of.version.note(Note::on_layer(code, id, &message));
            }
            Verdict::Doubtful(..) | Verdict::Short(_) if !last_try => {
                draft.discard().await;
                return Ok(false);
            }
            Verdict::Doubtful(_, message) | Verdict::Short(message) => {
                draft.discard().await;
                return Err(Trouble::item("rows", format!("layer {id}: {message}")));
            }
        }
        self.progress.add_rows(rows.unwrap_or(0));
        let file = File {
            rows,
            server_rows: after,
            ..file
        };
        let stored = copying.of.version.finish(draft, file).await?;
        self.progress.add_bytes(stored);
        Ok(true)
    }

    /// Compares a copy with the server's counts before and after, and with its edit dates.
    async fn judge(
        &self,
        copying: &Copying<'_>,
        rows: Option<u64>,
        before: Option<u64>,
    ) -> Result<(Verdict, Option<u64>), Trouble> {
        let layer = copying.layer;
        let not_counted = |message: &str| Verdict::Doubtful("rows_not_counted", message.to_owned());
        if !layer.can_query {
            return Ok((
                not_counted("the layer may not be queried, so its rows were not compared"),
                None,
            ));
        }
        let after = self.portal.count_rows(layer).await.map_err(at("rows"))?;
        let Some(rows) = rows else {
            return Ok((
                not_counted("the rows of this format were not counted"),
                after,
            ));
        };
        let (Some(before), Some(counted)) = (before, after) else {
            return Ok((
                not_counted("the server does not tell how many rows it has"),
                after,
            ));
        };
        let known = copying.known();
        let now = self
            .portal
            .edit_dates(copying.of.service, layer, known)
            .await
            .map_err(at("rows"))?;
        // Another reading begins from here.
        let edited = copying.learn(now) != now;
        let message = format!(
            "{rows} rows were read; the server counted {before} before and {counted} after"
        );
        // A count that moved tells of an edit too. Fewer rows than the server ever had are rows missing.
        let least = before.min(counted);
        Ok(match rows {
            _ if rows == before && rows == counted && !edited => (Verdict::Whole, after),
            _ if rows < least => (Verdict::Short(message), after),
            _ => (Verdict::Doubtful("changed_during_read", message), after),
        })
    }
}
