//! Log lines: JSON for machines, text for people, and a progress bar on a terminal. Panics are lines too.
//! The message of an event is its name and never varies; whatever varies is a field.

use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::{error, info, warn};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Environment;
use crate::exit::Exit;
use crate::summary::{DaysLeft, Summary};

static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The lines are what a run has to say.
    Stdout,
    /// Standard output is for a command's answer.
    Stderr,
}

impl Stream {
    /// Of a run that answers on standard output, or not.
    pub fn of(answers: bool) -> Self {
        if answers { Self::Stderr } else { Self::Stdout }
    }
}

/// Starts logging by `BACKUP_LOG` and `RUST_LOG`. A wrong value is not told here: the configuration does
/// that, through the log that this starts.
pub fn start(environment: &Environment, stream: Stream) {
    let (format, filter) = environment.log_settings();
    let filter: Targets = filter
        .and_then(|filter| filter.parse().ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // The closing line and panics come from here, and come whatever is filtered.
    let filter = filter.with_target(module_path!(), LevelFilter::INFO);
    let on_terminal = match stream {
        Stream::Stdout => std::io::stdout().is_terminal(),
        Stream::Stderr => std::io::stderr().is_terminal(),
    };
    let as_text = match format.as_deref() {
        Some("text") => true,
        Some("json") => false,
        _ => on_terminal,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let started = if as_text {
        let lines = tracing_subscriber::fmt::layer()
            .compact()
            .with_target(false)
            .with_ansi(on_terminal);
        registry
            .with(lines.with_timer(Clock).with_writer(Lines(stream)))
            .try_init()
    } else {
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_target(false);
        registry
            .with(
                lines
                    .with_current_span(false)
                    .with_span_list(false)
                    .with_writer(Lines(stream)),
            )
            .try_init()
    };
    if started.is_err() {
        warn!("logging was started twice");
    }
    if as_text && on_terminal && std::io::stderr().is_terminal() {
        BAR.get_or_init(new_bar);
    }
    report_panics();
}

fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let payload = panic.payload();
        let words = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        error!(place, reason = words.unwrap_or("unknown"), "panicked");
    }));
}

/// The bar of a pass on a terminal; invisible elsewhere.
pub fn bar() -> ProgressBar {
    BAR.get().cloned().unwrap_or_else(ProgressBar::hidden)
}

fn new_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template(
        "{spinner} [{elapsed_precise}] {bar:30} {pos}/{len} items {msg}",
    );
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// For a line: a number, or the word.
pub fn days_left(days: &DaysLeft) -> &dyn tracing::Value {
    match days {
        DaysLeft::Days(days) => days,
        DaysLeft::Unknown(_) => &"unknown",
    }
}

/// The one line that closes every run.
pub fn finish(summary: &Summary) {
    bar().finish_and_clear();
    macro_rules! line {
        ($level:ident) => {
            $level!(
                exit = summary.exit,
                outcome = summary.outcome,
                stamp = summary.stamp.as_ref().map(|stamp| stamp.as_str()),
                stored = summary.stored,
                unchanged = summary.unchanged,
                kept = summary.kept,
                missing = summary.missing,
                skipped = summary.skipped,
                rows = summary.rows,
                bytes = summary.bytes,
                requests = summary.requests,
                retries = summary.retries,
                elapsed_ms = summary.elapsed_ms,
                token_days_left = days_left(&summary.token_days_left),
                error = summary.error,
                "pass finished"
            )
        };
    }
    match summary.exit {
        code if code == Exit::Complete.code() => line!(info),
        code if code == Exit::Partial.code() => line!(warn),
        _ => line!(error),
    }
}

/// Hours, minutes and seconds, UTC: enough beside a terminal.
struct Clock;

impl tracing_subscriber::fmt::time::FormatTime for Clock {
    fn format_time(
        &self,
        writer: &mut tracing_subscriber::fmt::format::Writer<'_>,
    ) -> std::fmt::Result {
        write!(writer, "{}", jiff::Timestamp::now().strftime("%H:%M:%S"))
    }
}

/// A command's answer, to standard output. Nobody there to read it is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    // A question ends without a line's end.
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whole lines, with the bar out of the way.
#[derive(Clone, Copy)]
struct Lines(Stream);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        bar().suspend(|| match self.0 {
            Stream::Stdout => std::io::stdout().lock().write_all(line),
            Stream::Stderr => std::io::stderr().lock().write_all(line),
        })?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self.0 {
            Stream::Stdout => std::io::stdout().lock().flush(),
            Stream::Stderr => std::io::stderr().lock().flush(),
        }
    }
}
