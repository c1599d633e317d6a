//! Databases for tests: one private MariaDB and one private PostgreSQL for each test process, started when first asked
//! for, and in them an empty database for each test. Who does things to a server that others would feel has one alone.
//!
//! The servers are kept by the script `serve`, which ends them when they are dropped or the process ends, however it does. They listen on
//! the loopback only, on a port that the kernel chose, and keep nothing.

use std::io::{BufRead, BufReader, Error, Result, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The variable that names the database of all tests that leave it to whoever runs them.
pub const VARIABLE: &str = "GANDER_TEST_DATABASE";
/// With which `serve` ends when the server is not installed.
const UNAVAILABLE: i32 = 77;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgresql,
}

impl Kind {
    /// What [`VARIABLE`] names; SQLite if it is unset.
    ///
    /// # Panics
    ///
    /// On a name that nobody knows.
    #[must_use]
    pub fn chosen() -> Self {
        match std::env::var(VARIABLE).unwrap_or_default().as_str() {
            "" | "sqlite" => Self::Sqlite,
            "mysql" => Self::Mysql,
            "postgresql" => Self::Postgresql,
            other => panic!("{VARIABLE} is sqlite, mysql or postgresql, and not '{other}'"),
        }
    }

    /// Its name in [`VARIABLE`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
        }
    }
}

/// An empty database of a server, removed when dropped.
#[derive(Debug)]
pub struct Database {
    server: Arc<Server>,
    name: String,
}

impl Database {
    /// A new one. An error whose kind is `NotFound` says that there is no such server here.
    ///
    /// # Errors
    ///
    /// If the server is not installed, does not start or refuses.
    ///
    /// # Panics
    ///
    /// For SQLite, which has no server.
    pub fn create(kind: Kind) -> Result<Self> {
        type Started = std::result::Result<Arc<Server>, (std::io::ErrorKind, String)>;
        static MYSQL: OnceLock<Started> = OnceLock::new();
        static POSTGRESQL: OnceLock<Started> = OnceLock::new();
        let server = match kind {
            Kind::Sqlite => panic!("SQLite has no server"),
            Kind::Mysql => &MYSQL,
            Kind::Postgresql => &POSTGRESQL,
        };
        let start = || Server::start(kind, None).map(Arc::new).map_err(|error| (error.kind(), error.to_string()));
        let server = server.get_or_init(start).as_ref().map_err(|(kind, text)| Error::new(*kind, text.clone()))?;
        Self::within(server)
    }

    /// As [`Database::create`], in a server that nobody else uses and that ends with its last database; with TLS if that
    /// is wanted, as the script `serve` has it.
    ///
    /// # Errors
    ///
    /// As for [`Database::create`].
    pub fn alone(kind: Kind, tls: bool) -> Result<Self> {
        Self::within(&Arc::new(Server::start(kind, tls.then_some("--tls"))?))
    }

    fn within(server: &Arc<Server>) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server.tell("create", &name)?;
        Ok(Self { server: Arc::clone(server), name })
    }

    /// Does something to the whole server: `hang`, `wake` or `restart`, which is a crash and a new start.
    ///
    /// # Errors
    ///
    /// If it is not done.
    pub fn server_shall(&self, verb: &str) -> Result<()> {
        self.server.tell(verb, "-")
    }

    /// Which server it is in.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.server.kind
    }

    /// Its name there.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the server listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The directory of the server; MariaDB's socket in it is called `socket`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.server.directory
    }

    /// As operators of Glance write it (SQLAlchemy), with the drivers that they use.
    #[must_use]
    pub fn url(&self) -> String {
        let (port, name) = (self.server.port, &self.name);
        match self.server.kind {
            Kind::Postgresql => format!("postgresql+psycopg2://glance@127.0.0.1:{port}/{name}"),
            _ => format!("mysql+pymysql://glance:gl%40nce@127.0.0.1:{port}/{name}?charset=utf8"),
        }
    }

    /// As the drivers of this house want it.
    #[must_use]
    pub fn plain_url(&self) -> String {
        let (port, name) = (self.server.port, &self.name);
        match self.server.kind {
            Kind::Postgresql => format!("postgres://glance@127.0.0.1:{port}/{name}?sslmode=disable"),
            _ => format!("mysql://glance:gl%40nce@127.0.0.1:{port}/{name}?ssl-mode=DISABLED"),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // If it does not go now it goes with its server.
        let _ = self.server.tell("drop", &self.name);
    }
}

/// A running server.
#[derive(Debug)]
struct Server {
    kind: Kind,
    port: u16,
    directory: PathBuf,
    keeper: Mutex<Keeper>,
}

/// The script that keeps it.
#[derive(Debug)]
struct Keeper {
    process: Child,
    /// Until it is to end.
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    fn start(kind: Kind, more: Option<&str>) -> Result<Self> {
        // Somebody may take the port before the server does.
        Self::start_once(kind, more).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Err(error),
            _ => Self::start_once(kind, more),
        })
    }

    fn start_once(kind: Kind, more: Option<&str>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("serve");
        let mut command = Command::new(script);
        command.args([kind.as_str(), &port.to_string()]).args(more).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let (Some(words), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Error::other("no pipes"));
        };
        let mut keeper = Keeper { process, words: Some(words), answers: BufReader::new(answers) };
        let answer = keeper.answer()?;
        let directory = answer.strip_prefix("ready ").ok_or_else(|| Error::other(answer.clone()))?.into();
        Ok(Self { kind, port, directory, keeper: Mutex::new(keeper) })
    }

    fn tell(&self, verb: &str, name: &str) -> Result<()> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let words = keeper.words.as_mut().ok_or_else(|| Error::other("it has ended"))?;
        writeln!(words, "{verb} {name}")?;
        match keeper.answer()?.as_str() {
            "done" => Ok(()),
            other => Err(Error::other(format!("{verb} {name}: {other}"))),
        }
    }
}

impl Keeper {
    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            let code = self.process.wait()?.code();
            return Err(if code == Some(UNAVAILABLE) {
                Error::new(std::io::ErrorKind::NotFound, "the database server is not installed")
            } else {
                Error::other(format!("the database server ended, {code:?}"))
            });
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Keeper {
    /// The end of its input ends it, and the server.
    fn drop(&mut self) {
        self.words = None;
        let _ = self.process.wait();
    }
}
