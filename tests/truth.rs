//! The archive against the truth: worlds, wishes, faults, edits and deaths at random, night after night; and what the
//! archive then says is held against the portal's catalogue, from which the truth is worked out without the program.
//!
//! `AGOL_TEST_CASES` says how many cases a share has, each time others; a failing one is kept, and tried first the next
//! time, in `target/truth.proptest-regressions`. Without it there are 4, always the same.
#![cfg(unix)]

mod edits;
mod expected;
mod held;
mod judge;
mod moments;
mod nights;
mod plan;
mod trouble;
mod world;

use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestRng, TestRunner,
};

use nights::Nights;
use plan::{Night, Plan};

#[test]
fn the_archive_tells_the_truth_first_share() {
    holds(1);
}

#[test]
fn the_archive_tells_the_truth_second_share() {
    holds(2);
}

#[test]
fn the_archive_tells_the_truth_third_share() {
    holds(3);
}

fn holds(share: u8) {
    let wished = wished_cases();
    let config = Config {
        cases: wished.unwrap_or(4),
        max_shrink_iters: 60,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "target/truth.proptest-regressions",
        ))),
        ..Config::default()
    };
    let mut runner = match wished {
        Some(_) => TestRunner::new(config),
        // A chance find must not stop a change that has nothing to do with it.
        None => TestRunner::new_with_rng(
            config,
            TestRng::from_seed(RngAlgorithm::ChaCha, &[share; 32]),
        ),
    };
    let ended = runner.run(&plan::plans(), |plan| judge(&plan));
    ended.unwrap_or_else(|wrong| panic!("{wrong}"));
}

fn wished_cases() -> Option<u32> {
    #[expect(clippy::disallowed_methods, reason = "a longer run by hand")]
    let wanted = std::env::var("AGOL_TEST_CASES");
    wanted.ok().and_then(|wanted| wanted.parse().ok())
}

/// The nights as planned, and a calm one after which everything must be there.
fn judge(plan: &Plan) -> Result<(), TestCaseError> {
    let mut nights = Nights::of(plan);
    let calm = Night::calm();
    for (number, night) in plan.nights.iter().chain([&calm]).enumerate() {
        let gone = nights.go(night);
        let wrongs = judge::wrongs(&nights, &gone);
        if !wrongs.is_empty() {
            let said = gone.run.stdout;
            let wrongs = format!("night {number}: {wrongs:#?}\n{said}");
            return Err(TestCaseError::fail(wrongs));
        }
        nights.is_over(&gone);
    }
    nights.verify().ended(0);
    Ok(())
}
