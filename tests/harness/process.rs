//! Running programs to their end, with a deadline.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// No command takes longer, unless it is given more.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The source tree, from where the suites of 2012 call `bin/…`.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The executable under test with its own, empty surroundings.
pub(crate) fn gander_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gander"));
    isolate(&mut command);
    command
}

/// Runs a command line in the source tree with its `bin` first in `PATH`, as the founding test does.
pub(crate) fn execute(command_line: &str) -> Outcome {
    run(&mut shell(command_line))
}

/// A shell that will run this line in the source tree.
pub(crate) fn shell(command_line: &str) -> Command {
    let bin = repository().join("bin");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", command_line]).current_dir(repository()).env("PATH", path);
    isolate(&mut command);
    command
}

/// No configuration or credentials of the person who runs the tests.
fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OS_") || name.starts_with("XDG_")) {
        command.env_remove(name);
    }
    command.env("HOME", "/nonexistent").env("GANDER_BIN", env!("CARGO_BIN_EXE_gander")).stdin(Stdio::null());
}

/// Runs a command to its end and until nobody holds its output open.
pub(crate) fn run(command: &mut Command) -> Outcome {
    run_within(PATIENCE, command)
}

/// As [`run`], for what may take that long.
pub(crate) fn run_within(patience: Duration, command: &mut Command) -> Outcome {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = read_to_end(child.stdout.take().unwrap());
    let stderr = read_to_end(child.stderr.take().unwrap());
    let deadline = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{command:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |receiver: mpsc::Receiver<Vec<u8>>| {
        let bytes = receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{command:?} left its output open"));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Outcome { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

fn read_to_end(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}
