//! A service of loopback behind TLS, with certificates good and bad (`tests/services/tls-front`).

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::skip::skipped;

/// Running; dropped, it ends.
#[derive(Debug)]
pub(crate) struct TlsFront {
    process: Child,
    dir: TempDir,
    ports: HashMap<String, u16>,
}

impl TlsFront {
    /// Before this port; `None` where it cannot be had, which has been told then.
    pub(crate) fn before(port: u16) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/tls-front");
        let mut command = Command::new(script);
        command.arg(dir.path()).arg(port.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let told = lines.map_while(Result::ok).take(4).map(|line| {
            let (kind, port) = line.split_once(' ').unwrap();
            (kind.to_owned(), port.parse().unwrap())
        });
        let ports: HashMap<_, _> = told.collect();
        if ports.len() < 4 {
            assert_eq!(process.wait().unwrap().code(), Some(77));
            skipped("no openssl");
            return None;
        }
        Some(Self { process, dir, ports })
    }

    /// The address behind this kind of certificate.
    pub(crate) fn url(&self, kind: &str) -> String {
        format!("https://127.0.0.1:{}", self.ports[kind])
    }

    /// A certificate or key of its own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
