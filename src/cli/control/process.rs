//! How a server becomes a process of its own: a new session, no terminal, then the server itself.
//!
//! The launcher runs this executable once more with a word of its own as first argument; that copy leaves the
//! launcher's session and then turns into the server by `exec`. So process id, session and process group are
//! one number, and no code runs between `fork` and `exec`, which would need `unsafe`.
//!
//! The server is this very executable and not one found through `PATH`: launcher and server are always of one version.

use std::convert::Infallible;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::Context;

/// First word of the hidden form of this command: `--exec-server [--capture-output] SERVER [ARGUMENT…]`.
pub(super) const EXEC_SERVER: &str = "--exec-server";

const CAPTURE_OUTPUT: &str = "--capture-output";
const LOGGER: &str = "/usr/bin/logger";

/// What is needed to start a server, again and again.
#[derive(Debug)]
pub(super) struct Launch {
    /// Full name, such as `glance-api`.
    pub(super) server: &'static str,
    /// Its configuration file.
    pub(super) conf: Option<PathBuf>,
    /// Further words for its command line.
    pub(super) options: Vec<String>,
    /// Whether its output goes to syslog.
    pub(super) capture_output: bool,
}

impl Launch {
    /// Starts the server in the background. It inherits neither terminal nor pipes from the caller.
    pub(super) fn spawn(&self) -> io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .args(["glance-control", EXEC_SERVER])
            .args(self.capture_output.then_some(CAPTURE_OUTPUT))
            .arg(self.server)
            .args(&self.options)
            .args(self.conf.iter().flat_map(|conf| ["--config-file".as_ref(), conf.as_os_str()]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// Turns this process into a server; comes back only with a failure. `words` are those after [`EXEC_SERVER`].
pub(super) fn become_server(words: &[String]) -> ExitCode {
    let Err(error) = try_become_server(words);
    crate::cli::terminal::complain(&format!("{error:#}"));
    ExitCode::FAILURE
}

fn try_become_server(words: &[String]) -> anyhow::Result<Infallible> {
    rustix::process::setsid().context("cannot leave the session of the launcher")?;
    let (capture, words) = match words.split_first() {
        Some((first, rest)) if first == CAPTURE_OUTPUT => (true, rest),
        _ => (false, words),
    };
    let server = words.first().context("no server is named")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words);
    if capture {
        send_output_to_syslog(&mut command, server).context("cannot send the output to syslog")?;
    }
    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {server}"))
}

/// Wires standard output and error to `logger`. It gets a process group of its own, so that it lives through
/// a signal to the server's group and passes on the last words; it ends with the server's output.
fn send_output_to_syslog(command: &mut Command, server: &str) -> io::Result<()> {
    let tag = format!("{server}[{}]", std::process::id());
    let logger = Command::new(LOGGER)
        .args(["-t", &tag])
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(pipe) = logger.stdin {
        let pipe = std::os::fd::OwnedFd::from(pipe);
        command.stdout(pipe.try_clone()?).stderr(pipe);
    }
    Ok(())
}

/// Whether there is a `logger` to capture output with.
pub(super) fn has_logger() -> bool {
    std::path::Path::new(LOGGER).exists()
}
