//! What a process cost, where the system tells it: the most memory that it ever held, and its use of the processor.

#![allow(
    clippy::allow_attributes,
    dead_code,
    reason = "each of those who measure asks for a part"
)]

use std::process::{Child, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Both are `None` where the system does not tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Bytes.
    pub(crate) peak: Option<u64>,
    /// In the program, and in the system for it.
    pub(crate) processor: Option<Duration>,
}

/// Waits for the end.
pub(crate) fn cost_until_end(child: Child) -> (Output, Cost) {
    let looks: [Look; 2] = [|process| told(process, "VmHWM:"), ticks];
    let (output, [peak, ticks]) = watched(child, looks);
    let processor = ticks.map(|ticks| Duration::from_millis(10 * ticks));
    (output, Cost { peak, processor })
}

/// Waits for the end. Bytes, or `None` where the system does not tell.
pub(crate) fn until_end(child: Child) -> (Output, Option<u64>) {
    let look: Look = |process| told(process, "VmHWM:");
    let (output, [peak]) = watched(child, [look]);
    (output, peak)
}

/// The same without mapped files, which the system can drop at any time: the most that was seen.
pub(crate) fn private_until_end(child: Child) -> (Output, Option<u64>) {
    let look: Look = |process| told(process, "RssAnon:");
    let (output, [peak]) = watched(child, [look]);
    (output, peak)
}

type Look = fn(u32) -> Option<u64>;

/// The most of what each look saw.
fn watched<const N: usize>(child: Child, looks: [Look; N]) -> (Output, [Option<u64>; N]) {
    let (process, ended) = (child.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = [None; N];
            while !ended.load(Ordering::Relaxed) {
                for (most, look) in most.iter_mut().zip(looks) {
                    *most = (*most).max(look(process));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            most
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

/// In user and in system mode; Linux counts hundredths of a second for everybody.
#[cfg(target_os = "linux")]
fn ticks(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything: the state is the third figure, these are the 14th and 15th.
    let mut figures = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (figures.next()?.parse().ok()?, figures.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(not(target_os = "linux"))]
fn ticks(_: u32) -> Option<u64> {
    None
}

/// Others tell it only to tools of their own.
#[cfg(not(target_os = "linux"))]
fn told(_: u32, _: &str) -> Option<u64> {
    None
}
