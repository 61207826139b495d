//! A pass ends in order, by its own clock, before a scheduler loses patience and kills it.

use crate::architecture::source::read;

const HOUR: u32 = 60 * 60;

/// How the recipes say how long a run may take, and how many seconds that is.
const PATIENCE: [(&str, &str, u32); 7] = [
    (
        "deploy/systemd/agol-backup.service",
        "TimeoutStartSec=6h",
        6 * HOUR,
    ),
    (
        "deploy/kubernetes/cronjob.yaml",
        "activeDeadlineSeconds: 21600",
        21600,
    ),
    (
        "deploy/kubernetes/shards.yaml",
        "activeDeadlineSeconds: 21600",
        21600,
    ),
    (
        "deploy/windows/agol-backup.xml",
        "<ExecutionTimeLimit>PT6H<",
        6 * HOUR,
    ),
    (
        "deploy/ci/github-actions.yml",
        "timeout-minutes: 330",
        330 * 60,
    ),
    (
        "deploy/ci/gitlab-ci.yml",
        "timeout: 5h 30m",
        5 * HOUR + 1800,
    ),
    (
        "deploy/ci/azure-pipelines.yml",
        "timeoutInMinutes: \"330\"",
        330 * 60,
    ),
];

/// `BACKUP_MAX_DURATION` of the recipes.
const LIMIT: u32 = 5 * HOUR;
/// What is under way when the time is over may come to its end, and is committed.
const LAST_ITEM: u32 = 1800;

#[test]
fn a_pass_ends_by_itself_before_its_scheduler_ends_it() {
    for (recipe, says, seconds) in PATIENCE {
        let text = read(recipe);
        assert!(text.contains(says), "{recipe} does not say {says}");
        let settings = read("deploy/agol-backup.env");
        let own = text.contains("BACKUP_MAX_DURATION: 5h\n");
        assert!(
            own || settings.contains("\nBACKUP_MAX_DURATION=5h\n"),
            "{recipe}"
        );
        assert!(LIMIT + LAST_ITEM <= seconds, "{recipe}");
    }
}

#[test]
fn a_pass_that_is_told_to_stop_has_the_time_to_clear_up() {
    for (recipe, says) in [
        ("deploy/systemd/agol-backup.service", "TimeoutStopSec=60"),
        (
            "deploy/kubernetes/cronjob.yaml",
            "terminationGracePeriodSeconds: 60",
        ),
        (
            "deploy/kubernetes/shards.yaml",
            "terminationGracePeriodSeconds: 60",
        ),
    ] {
        assert!(read(recipe).contains(says), "{recipe} does not say {says}");
    }
}
