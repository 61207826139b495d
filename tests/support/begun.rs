//! A run beside the test: listened to, told to stop, and looked at when it has ended.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::run::{Job, Run};

/// A run that has not ended yet, as far as anybody knows.
pub struct Begun {
    child: Child,
    heard: Arc<Mutex<String>>,
    stdout: JoinHandle<()>,
    stderr: JoinHandle<String>,
}

impl Begun {
    pub fn of(job: &Job) -> Self {
        let mut child = job.spawn();
        let heard = Arc::new(Mutex::new(String::new()));
        let ear = Arc::clone(&heard);
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let stdout = thread::spawn(move || {
            for line in lines {
                let mut heard = ear.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push_str(&line.expect("text"));
                heard.push('\n');
            }
        });
        let mut pipe = child.stderr.take().expect("a pipe");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).expect("text");
            text
        });
        Self {
            child,
            heard,
            stdout,
            stderr,
        }
    }

    /// Standard output so far.
    pub fn heard(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }

    /// Waits for something that the run must bring about before it ends.
    #[track_caller]
    pub fn until(mut self, what: &str, reached: impl Fn(&Self) -> bool) -> Self {
        let patience = Instant::now() + Duration::from_mins(1);
        while !reached(&self) {
            let ended = self.child.try_wait().expect("a child of ours");
            let heard = self.heard();
            assert!(ended.is_none(), "ended before {what}:\n{heard}");
            assert!(Instant::now() < patience, "never {what}:\n{heard}");
            thread::sleep(Duration::from_millis(10));
        }
        self
    }

    /// Sends it a signal by its name, such as `TERM`, and waits for its end.
    #[must_use]
    pub fn told(self, signal: &str) -> Run {
        let kill = format!("kill -{signal} {}", self.child.id()); // a word of every shell
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("a shell").success());
        self.end()
    }

    /// Waits for its end; -1 is the code of a run that was killed.
    #[must_use]
    pub fn end(mut self) -> Run {
        let code = self.child.wait().expect("a child of ours").code();
        self.stdout.join().expect("lines of text");
        Run {
            code: code.unwrap_or(-1),
            stdout: self.heard.lock().expect("no panic").clone(),
            stderr: self.stderr.join().expect("text"),
        }
    }
}
