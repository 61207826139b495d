//! A run beside the test: listened to, told to stop, and looked at when it has ended.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::run::{Job, Run};

/// Longer than any run of a test should take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A run that has not ended yet, as far as anybody knows. It ends when this is dropped.
pub struct Begun {
    child: Child,
    stdout: Heard,
    stderr: Heard,
}

/// A stream's text so far, and who listens until it closes.
struct Heard {
    text: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Heard {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let ear = Arc::clone(&text);
        let listener = thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                let mut heard = ear.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push_str(&line.expect("text"));
                heard.push('\n');
            }
        });
        let listener = Some(listener);
        Self { text, listener }
    }

    fn so_far(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn whole(&mut self) -> String {
        if let Some(listener) = self.listener.take() {
            listener.join().expect("lines of text");
        }
        self.so_far().clone()
    }
}

impl Begun {
    pub fn of(job: &Job) -> Self {
        Self::over(job.spawn())
    }

    /// With arguments, and with somebody who types.
    pub fn typed(job: &Job, arguments: &[&str]) -> Self {
        Self::over(job.spawn_typed(arguments))
    }

    pub fn over(mut child: Child) -> Self {
        let stdout = Heard::of(child.stdout.take().expect("a pipe"));
        let stderr = Heard::of(child.stderr.take().expect("a pipe"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Types something, as it is.
    pub fn types(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        // Who has ended does not read on.
        drop(stdin.write_all(text.as_bytes()));
    }

    /// Types no more.
    pub fn leaves(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Standard output so far.
    pub fn heard(&self) -> String {
        self.stdout.so_far().clone()
    }

    /// Waits for something that the run must bring about before it ends.
    #[track_caller]
    pub fn until(mut self, what: &str, reached: impl Fn(&Self) -> bool) -> Self {
        self.wait(what, |begun| reached(begun).then_some(()));
        self
    }

    /// Sends it a signal by its name, such as `TERM`, and waits for its end.
    #[must_use]
    #[track_caller]
    pub fn told(mut self, signal: &str) -> Run {
        self.tell(signal);
        self.end()
    }

    /// Sends it a signal, and does not wait. One that has ended already hears nothing.
    #[track_caller]
    pub fn tell(&mut self, signal: &str) {
        if self.child.try_wait().expect("a child of ours").is_some() {
            return;
        }
        let kill = format!("kill -{signal} {}", self.process()); // a word of every shell
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success());
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end; -1 is the code of a run that was killed.
    #[must_use]
    #[track_caller]
    pub fn end(mut self) -> Run {
        let ended = |begun: &mut Self| begun.child.try_wait().expect("a child of ours");
        let status = self.wait("its end", ended);
        Run {
            code: status.code().unwrap_or(-1),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }

    #[track_caller]
    fn wait<T>(&mut self, what: &str, reached: impl Fn(&mut Self) -> Option<T>) -> T {
        let patience = Instant::now() + PATIENCE;
        loop {
            let gone = self.child.try_wait().expect("a child of ours");
            if let Some(reached) = reached(self) {
                return reached;
            }
            let heard = self.heard();
            assert!(gone.is_none(), "ended before {what}:\n{heard}");
            assert!(Instant::now() < patience, "never {what}:\n{heard}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Begun {
    /// A failed test leaves no process behind. One that has ended already cannot be killed.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
