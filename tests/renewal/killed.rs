//! A run that is killed before its n-th change of the token's folder, for every n: the next one signs in.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{assert_tidy, both_kinds, kept, secret};
use crate::support::portal::{FakePortal, Fault, FaultKind, REFRESH_TOKEN};
use crate::support::run::Job;

/// Loaded into the program, it kills it before its n-th sync or removal of a file in a folder. Each rename stands
/// between two syncs.
const DEATH: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void change(const char *path) {
    static int changes;
    const char *folder = getenv("DIE_IN");
    if (strncmp(path, folder, strlen(folder)) || changes++ != atoi(getenv("DIE_AT"))) return;
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

int fsync(int file) {
    char link[64], path[4096] = {0};
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, path, sizeof path - 1) > 0) change(path);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int unlink(const char *path) {
    change(path);
    return ((int (*)(const char *))dlsym(RTLD_NEXT, "unlink"))(path);
}
"#;

fn death(folder: &Path) -> PathBuf {
    let (source, library) = (folder.join("death.c"), folder.join("death.so"));
    std::fs::write(&source, DEATH).expect("a file");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library);
    let made = compiler.arg(&source).arg("-ldl").status();
    assert!(made.expect("a C compiler").success());
    library
}

fn doomed(job: Job, path: &Path, change: usize) -> Job {
    let library = death(job.folder());
    job.with("LD_PRELOAD", library)
        .with("DIE_IN", path.parent().expect("a folder"))
        .with("DIE_AT", change.to_string())
}

#[test]
fn a_run_that_is_killed_before_any_change_leaves_a_token_that_works() {
    for (kills, _) in both_kinds() {
        let mut changes = 0;
        while dies_before(changes, kills) {
            changes += 1;
        }
        // The file by itself, the old one beside, the new one into its place: a sync of each, and of its folder.
        assert!(changes > 6, "{changes}");
    }
}

/// False when the run came to its end before it came to that change.
fn dies_before(change: usize, kills: bool) -> bool {
    let when = format!("before change {change}, kills {kills}");
    let [lenient, strict] = both_kinds().map(|(_, world)| world);
    let portal = FakePortal::start_blocking(if kills { strict } else { lenient });
    let (job, path) = kept(&portal, 40, 90);
    let job = doomed(job, &path, change);
    let died = job.run().code == -1;
    let job = job.without("LD_PRELOAD");
    let next = job.run();
    assert_eq!(next.code, 0, "{when}: {}", next.stdout);
    assert!(portal.refresh_tokens().contains(&secret(&path)), "{when}");
    assert_ne!(secret(&path), REFRESH_TOKEN, "{when}: renewed in the end");
    assert_tidy(&path);
    died
}

/// The one loss that nobody can exclude: the portal has ended the old token, and who asked is dead before the answer.
#[test]
fn a_run_that_is_killed_while_it_waits_for_the_answer_lives_on_the_old_token() {
    for (kills, world) in both_kinds() {
        let portal = FakePortal::start_blocking(world);
        portal.add_fault(Fault::on("token", FaultKind::Hang).only(super::EXCHANGE));
        let (job, path) = kept(&portal, 40, 90);
        let begun = crate::support::begun::Begun::of(&job);
        let begun = begun.until("an exchange", |_| super::exchanges(&portal) > 0);
        assert_eq!(begun.told("KILL").code, -1);
        assert_eq!(secret(&path), REFRESH_TOKEN, "{kills}");
        job.run().ended(0);
        assert_tidy(&path);
    }
}
