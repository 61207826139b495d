//! The most memory that a process ever held, where the system tells it.

use std::process::{Child, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Waits for the end. Bytes, or `None` where the system does not tell.
pub(crate) fn until_end(child: Child) -> (Output, Option<u64>) {
    let (process, ended) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = None;
            while !ended.load(Ordering::Relaxed) {
                peak = peak.max(high_water(process));
                std::thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        let output = child.wait_with_output().expect("its output");
        ended.store(true, Ordering::Relaxed);
        (output, watch.join().expect("a number"))
    })
}

/// `VmHWM`, which the system never lowers; gone as soon as the process is.
#[cfg(target_os = "linux")]
fn high_water(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// Others tell it only to tools of their own.
#[cfg(not(target_os = "linux"))]
fn high_water(_: u32) -> Option<u64> {
    None
}
