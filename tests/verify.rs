//! `agol-backup verify`: damage is told by path, marked when asked, and healed by the next pass.

mod asked;
mod matrix;
mod repaired;
mod vouched;

use serde_json::Value;

use crate::support::office::Office;
use crate::support::run::Run;

/// The paths and what is wrong with each.
fn findings(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let damaged = run.events("damaged");
    damaged
        .iter()
        .map(|line| (text(&line["path"]), text(&line["damage"])))
        .collect()
}

fn end(run: &Run) -> Value {
    let mut ends = run.events("verify finished");
    assert_eq!(ends.len(), 1, "{}", run.stdout);
    ends.remove(0)
}
