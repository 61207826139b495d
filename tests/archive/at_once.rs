//! Passes that begin at the same moment, in every order that could let two of them through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agol_backup::archive::{Archive, Error, Hold};
use agol_backup::snapshot::now;

use crate::support::aside::wait_for;
use crate::support::proxy::{Act, Proxy, Rule};
use crate::support::s3::{self, S3Server};
use crate::support::store::Store;

const MANY: usize = 8;

/// Takes the destination, keeps it for a moment, and gives it back; false when somebody else had it.
async fn had(archive: Archive, started: jiff::Timestamp, at_work: &AtomicUsize) -> bool {
    let hold = match archive.hold(started).await {
        Ok(hold) => hold,
        Err(Error::Locked(_)) => return false,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0, "two at once");
    tokio::time::sleep(Duration::from_millis(30)).await;
    hold.confirm().await.expect("still ours");
    at_work.fetch_sub(1, Ordering::SeqCst);
    hold.release(true).await.expect("released");
    true
}

#[test]
fn of_many_that_begin_together_never_two_are_at_work() {
    let store = Store::folder();
    for _ in 0..5 {
        let at_work = Arc::new(AtomicUsize::new(0));
        let started = now();
        let all = (0..MANY).map(|_| {
            let (archive, at_work) = (store.archive(), Arc::clone(&at_work));
            async move { tokio::spawn(async move { had(archive, started, &at_work).await }).await }
        });
        let had_it = wait_for(futures::future::join_all(all));
        let had_it = had_it
            .into_iter()
            .filter(|one| *one.as_ref().expect("no panic"));
        assert!(had_it.count() > 0, "somebody goes first");
        assert_eq!(store.files().len(), 0, "neither marks nor claims are left");
        assert!(
            wait_for(had(store.archive(), started, &at_work)),
            "and then anybody else"
        );
    }
}

/// Two passes on one store; each can be made to stand still on its own way there.
struct Race {
    server: S3Server,
    ways: [Proxy; 2],
}

/// A pass on its way.
type Pass = std::thread::JoinHandle<Result<(), String>>;

impl Race {
    fn new() -> Self {
        let server = S3Server::start();
        let ways = [Proxy::to(&server.url()), Proxy::to(&server.url())];
        Self { server, ways }
    }

    /// Begins a pass that takes the destination, so many seconds after the tests began, and keeps it.
    fn begin(&self, way: usize, seconds: u64) -> Pass {
        let variables = [
            ("BACKUP_DESTINATION", format!("s3://{}/city", s3::BUCKET)),
            ("SINK_ENDPOINT", self.ways[way].url()),
            ("SINK_REGION", s3::REGION.to_owned()),
            ("SINK_ACCESS_KEY_ID", s3::ACCESS_KEY.to_owned()),
            ("SINK_SECRET_ACCESS_KEY", s3::SECRET_KEY.to_owned()),
        ];
        let archive = Store::opened(&variables);
        let started = now() + Duration::from_secs(seconds);
        let kept = async move { archive.hold(started).await.map(std::mem::forget::<Hold>) };
        std::thread::spawn(move || wait_for(kept).map_err(|error| error.to_string()))
    }

    /// Makes a pass stand still before a request; returns when it does.
    fn stopped(&self, way: usize, seconds: u64, method: &'static str, part: &str) -> Pass {
        self.ways[way].add(Rule::on(method, part).then(Act::Hold));
        let pass = self.begin(way, seconds);
        self.ways[way].wait_until_held();
        pass
    }

    /// Waits until a pass has listed the marks so often.
    fn has_looked(&self, way: usize, times: usize) {
        let looks = || self.ways[way].count(|seen| seen.path.contains("list-type=2"));
        while looks() < times {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whose marks and claims are there.
    fn signs(&self) -> Vec<String> {
        self.server.files().into_keys().collect()
    }
}

#[track_caller]
fn ended(pass: Pass) -> Result<(), String> {
    pass.join().expect("no panic")
}

#[track_caller]
fn assert_locked(pass: Pass) {
    let error = ended(pass).expect_err("another pass has it");
    assert!(error.contains("another pass"), "{error}");
}

/// Before a mark, and before a claim, is written.
const MARK: (&str, &str) = ("PUT", "Z.json");
const CLAIM: (&str, &str) = ("PUT", ".claim");

#[test]
fn of_two_that_see_nobody_at_first_the_lower_goes_on() {
    let race = Race::new();
    let higher = race.stopped(0, 60, CLAIM.0, CLAIM.1);
    let lower = race.stopped(1, 0, CLAIM.0, CLAIM.1);
    race.ways[0].let_go();
    race.ways[1].let_go();
    // Unless the higher was through before the lower had said a word.
    let both = [ended(higher), ended(lower)];
    assert_eq!(both.iter().filter(|end| end.is_ok()).count(), 1, "{both:?}");
    assert_eq!(race.signs().len(), 1, "one mark: {:?}", race.signs());
}

#[test]
fn a_pass_that_comes_late_sees_the_mark_of_one_that_began_after_it() {
    let race = Race::new();
    let lower = race.stopped(0, 0, CLAIM.0, CLAIM.1);
    ended(race.begin(1, 60)).expect("nobody else is here");
    race.ways[0].let_go();
    assert_locked(lower);
    assert_eq!(race.signs().len(), 1, "{:?}", race.signs());
}

#[test]
fn the_lower_waits_for_a_higher_that_did_not_see_it_and_gives_way_to_its_mark() {
    let race = Race::new();
    let lower = race.stopped(0, 0, CLAIM.0, CLAIM.1);
    let higher = race.stopped(1, 60, MARK.0, MARK.1);
    race.ways[0].let_go();
    race.has_looked(0, 4);
    race.ways[1].let_go();
    ended(higher).expect("it was first");
    assert_locked(lower);
    assert_eq!(race.signs().len(), 1, "{:?}", race.signs());
}

#[test]
fn the_lower_does_not_wait_for_ever() {
    let race = Race::new();
    let lower = race.stopped(0, 0, CLAIM.0, CLAIM.1);
    let higher = race.stopped(1, 60, MARK.0, MARK.1);
    race.ways[0].let_go();
    assert_locked(lower);
    race.ways[1].let_go();
    ended(higher).expect("it was first");
}

#[test]
fn the_higher_gives_way_at_once_to_a_lower_that_is_about_to_mark() {
    let race = Race::new();
    let higher = race.stopped(0, 60, CLAIM.0, CLAIM.1);
    let lower = race.stopped(1, 0, MARK.0, MARK.1);
    race.ways[0].let_go();
    assert_locked(higher);
    race.ways[1].let_go();
    ended(lower).expect("it was first");
    assert_eq!(race.signs().len(), 1, "{:?}", race.signs());
}

#[test]
fn a_pass_whose_claim_was_taken_for_dead_does_not_go_on() {
    let race = Race::new();
    let pass = race.stopped(0, 0, "GET", "history");
    let claims = race.signs();
    assert_eq!(claims.len(), 1, "{claims:?}");
    race.server.remove(&claims[0]);
    race.ways[0].let_go();
    assert_locked(pass);
    assert!(race.signs().is_empty(), "{:?}", race.signs());
}
