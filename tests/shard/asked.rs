//! How a part is asked for, what is refused, and that every command means the same part.

use serde_json::Value;

use crate::support::portal::FakePortal;
use crate::support::run::Job;
use crate::support::worlds;

/// The reason of a run that contacted nobody.
#[track_caller]
fn refused(settings: &[(&str, &str)]) -> String {
    let portal = FakePortal::start_blocking(worlds::empty());
    let mut job = Job::against(&portal);
    for (name, value) in settings {
        job.set(name, *value);
    }
    let error = job.run().ended(2).summary()["error"].to_string();
    assert_eq!(portal.count("*"), 0, "nobody is contacted");
    assert!(!job.destination().exists(), "nothing is made");
    error
}

#[test]
fn what_is_no_part_is_refused() {
    for wrong in [
        "0/8", "9/8", "3/0", "1/1", "3", "3/8/2", "-1/8", "3/ 8", "1/1001", "a/b",
    ] {
        let error = refused(&[("BACKUP_SHARD", wrong)]);
        assert!(
            error.contains("BACKUP_SHARD is") && error.contains("such as 3/8"),
            "{error}"
        );
    }
}

#[test]
fn a_number_of_parts_needs_an_index_that_fits() {
    let index = "JOB_COMPLETION_INDEX";
    for (settings, words) in [
        (&[("BACKUP_SHARDS", "8")][..], "Indexed"),
        (&[("BACKUP_SHARDS", "8"), (index, "")], "Indexed"),
        (
            &[("BACKUP_SHARDS", "8"), (index, "8")],
            "as many completions",
        ),
        (
            &[("BACKUP_SHARDS", "8"), (index, "-1")],
            "as many completions",
        ),
        (
            &[("BACKUP_SHARDS", "8"), (index, "4294967295")],
            "as many completions",
        ),
        (&[("BACKUP_SHARDS", "1"), (index, "0")], "from 2 to 1000"),
        (&[("BACKUP_SHARDS", "0"), (index, "0")], "from 2 to 1000"),
        (&[("BACKUP_SHARDS", "3/8"), (index, "0")], "from 2 to 1000"),
        (
            &[
                ("BACKUP_SHARDS", "8"),
                ("BACKUP_SHARD", "1/8"),
                (index, "0"),
            ],
            "keep BACKUP_SHARD",
        ),
    ] {
        let error = refused(settings);
        assert!(error.contains(words), "{settings:?}: {error}");
    }
}

#[test]
fn a_destination_must_leave_room_for_the_part() {
    let destination = format!("s3://backups/{}", "a".repeat(195));
    let error = refused(&[
        ("BACKUP_DESTINATION", destination.as_str()),
        ("SINK_REGION", "us-east-1"),
        ("BACKUP_SHARD", "1/2"),
    ]);
    assert!(error.contains("more than 200 characters"), "{error}");
}

/// Kubernetes sets it in every Indexed Job, whatever that is for.
#[test]
fn an_index_alone_divides_nothing() {
    let portal = FakePortal::start_blocking(worlds::large_listing(3));
    let job = Job::against(&portal).with("JOB_COMPLETION_INDEX", "2");
    assert_eq!(job.run().ended(0).summary()["stored"], 3);
    assert_eq!(job.archive().stamps().len(), 1);
}

#[test]
fn check_snapshots_and_verify_mean_the_same_part() {
    let portal = FakePortal::start_blocking(worlds::large_listing(20));
    let job = Job::against(&portal).with("BACKUP_SHARD", "2/3");
    let check = |job: &Job| {
        let run = job.run_with(&["check", "--json"]);
        serde_json::from_str::<Value>(&run.ended(0).stdout).expect("JSON")
    };
    let before = check(&job);
    let stored = job.run().ended(0).summary()["stored"].as_u64();
    assert!(
        stored.is_some_and(|stored| stored > 0 && stored < 20),
        "{stored:?}"
    );
    assert_eq!(before["content"]["counts"]["read"].as_u64(), stored);
    assert_eq!(
        before["content"]["of_other_parts"].as_u64(),
        stored.map(|stored| 20 - stored)
    );
    let address = before["destination"]["address"]
        .as_str()
        .expect("an address");
    assert!(address.ends_with("shard-2-of-3"), "{address}");
    assert_eq!(
        check(&job)["content"]["counts"]["unchanged"].as_u64(),
        stored
    );
    let table = job.run_with(&["check"]);
    assert!(
        table.ended(0).stdout.contains("more of other parts"),
        "{}",
        table.stdout
    );
    let listed = job.run_with(&["snapshots", "--json"]);
    let listed: Value = serde_json::from_str(&listed.ended(0).stdout).expect("JSON");
    assert_eq!(listed[0]["items"].as_u64(), stored);
    job.run_with(&["verify"]).ended(0);
    let elsewhere = job.with("BACKUP_SHARD", "1/3");
    elsewhere.run_with(&["verify"]).ended(13);
}
