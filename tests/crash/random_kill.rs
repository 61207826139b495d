//! `kill -9` at random moments of a pass on a folder. `AGOL_TEST_KILLS` says how many; without it 100.

use std::time::{Duration, Instant};

use super::{a_day_passes, assert_nothing_is_lost, edit_rows, portal, three_nights};
use crate::support::begun::Begun;
use crate::support::run::Job;

#[test]
fn a_pass_that_is_killed_at_any_moment_harms_nothing() {
    let portal = portal();
    let job = Job::against(&portal)
        .with("BACKUP_KEEP_LAST", "2")
        .with("BACKUP_FORMATS", "geojson,csv");
    three_nights(&job, &portal);
    a_day_passes(&portal);
    let mut length = time_of_a_pass(&job);
    let mut killed = 0;
    for round in 0..rounds() {
        edit_rows(&portal);
        let archive = job.archive();
        let complete = archive
            .stamps()
            .into_iter()
            .rev()
            .find(|stamp| archive.json(&format!("snapshots/{stamp}.json"))["complete"] == true);
        let begun = Begun::of(&job);
        // Spread evenly, and a little beyond the end.
        std::thread::sleep(length.mul_f64(spread(round)));
        let in_time = begun.told("KILL").code == -1;
        killed += u32::from(in_time);
        // The machine is not equally quick all the time: one in six may come too late.
        length = length.mul_f64(if in_time { 1.01 } else { 0.95 });
        let when = format!("round {round}");
        assert_nothing_is_lost(&job.archive(), &complete.expect("a complete one"), &when);
    }
    assert!(killed > rounds() / 2, "{killed} of {}", rounds());
    job.run().ended(3);
    job.archive().assert_whole();
    let signs = job.archive().names("passes");
    assert!(
        signs.iter().all(|name| name.contains(".probe")),
        "{signs:?}"
    );
    assert_eq!(
        portal.exports_left(),
        Vec::<String>::new(),
        "temporary exports are swept"
    );
    assert_eq!(portal.violations(), Vec::<String>::new());
}

/// Low-discrepancy, so that a hundred rounds leave no gap.
fn spread(round: u32) -> f64 {
    (f64::from(round) * 0.618_033_988_75).fract() * 1.1
}

fn rounds() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "a longer run by hand")]
    let wanted = std::env::var("AGOL_TEST_KILLS");
    wanted
        .ok()
        .and_then(|wanted| wanted.parse().ok())
        .unwrap_or(100)
}

fn time_of_a_pass(job: &Job) -> Duration {
    let began = Instant::now();
    job.run().ended(3);
    began.elapsed()
}
