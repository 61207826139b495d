//! The most memory that a process ever held, where the system tells it.

use std::process::{Child, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Waits for the end. Bytes, or `None` where the system does not tell.
pub(crate) fn until_end(child: Child) -> (Output, Option<u64>) {
    watched(child, "VmHWM:")
}

/// The same without mapped files, which the system can drop at any time: the most that was seen.
#[allow(
    clippy::allow_attributes,
    dead_code,
    reason = "the benchmark does not ask"
)]
pub(crate) fn private_until_end(child: Child) -> (Output, Option<u64>) {
    watched(child, "RssAnon:")
}

fn watched(child: Child, figure: &str) -> (Output, Option<u64>) {
    let (process, ended) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = None;
            while !ended.load(Ordering::Relaxed) {
                peak = peak.max(told(process, figure));
                std::thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        let output = child.wait_with_output().expect("its output");
        ended.store(true, Ordering::Relaxed);
        (output, watch.join().expect("a number"))
    })
}

/// `VmHWM` is never lowered; both are gone as soon as the process is.
#[cfg(target_os = "linux")]
fn told(process: u32, figure: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// Others tell it only to tools of their own.
#[cfg(not(target_os = "linux"))]
fn told(_: u32, _: &str) -> Option<u64> {
    None
}
