//! The recipes of `deploy/` and the image do what they say: the codes that they act on, the times that they wait, the
//! crontab's line as cron runs it, and the static program in a root with nothing else in it.

mod acted_on;
#[cfg(unix)]
mod crontab;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod name_server;
mod released;
mod waiting;
