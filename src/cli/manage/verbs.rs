//! `glance-manage`: the schema's keeper (database §10, v1-system §6.3).
//!
//! Understands today's `db <verb>` and its older spellings `db_<verb>` and `<verb>`.

use std::fmt::Display;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::cli::terminal::{complain, say};
use crate::db::sql::{EXPAND_HEAD, HEAD, Purge, Report, Settings, Sql};

/// Exit code of a command line that cannot be understood, as argparse has it.
const BAD_USAGE: u8 = 2;
const VERSION_HINT: &str = "Database is either not under migration control or under legacy migration control, please run \
                            \"glance-manage db sync\" to place the database under alembic migration control.";
const AT_HEAD: &str = "Database is up to date. No migrations needed.";
const EXPANDED: &str = "Database expansion is up to date. No expansion needed.";
const NOTHING_TO_MIGRATE: &str = "Database migration is up to date. No migration needed.";
/// PostgreSQL knows `sync` only.
const NO_STEPS: &str = "Rolling upgrades are currently supported only for MySQL and Sqlite";
const SECONDS_PER_DAY: i64 = 86_400;

#[derive(Debug, Parser)]
#[command(
    name = "glance-manage db",
    about = "Create and check the database.",
    no_binary_name = true,
    disable_help_subcommand = true
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq, Subcommand)]
#[command(rename_all = "snake_case")]
pub(crate) enum Command {
    /// Print the current revisions
    Version,
    /// Tell the next step of an upgrade by text and exit code
    Check,
    /// Bring the database to the newest schema
    Sync(Target),
    /// Record a revision without touching a table
    VersionControl(Target),
    /// Bring the database to the newest schema and print the revisions
    Upgrade(Target),
    /// Not possible
    Downgrade(Target),
    /// First step of an upgrade
    Expand,
    /// Second step of an upgrade
    Migrate,
    /// Last step of an upgrade
    Contract,
    /// Remove rows that were deleted long ago, except images
    Purge(Age),
    /// Remove images that were deleted long ago
    PurgeImagesTable(Age),
    /// Load metadata definitions
    LoadMetadefs(Rest),
    /// Remove metadata definitions
    UnloadMetadefs(Rest),
    /// Export metadata definitions
    ExportMetadefs(Rest),
}

/// A revision, by option or, in the older spelling, by position.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Target {
    /// Revision, for the verbs that take one; the others go to the newest
    #[arg(long = "version", value_name = "REVISION")]
    option: Option<String>,
    /// The same, in the older spelling
    #[arg(conflicts_with = "option", value_name = "REVISION")]
    version: Option<String>,
}

impl Target {
    fn revision(&self) -> Option<&str> {
        self.option.as_deref().or(self.version.as_deref())
    }
}

/// How old rows must be and how many of them go, by option or, in the older spelling, by position.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Age {
    #[arg(long = "age_in_days", allow_negative_numbers = true)]
    age_in_days: Option<i64>,
    /// -1: all
    #[arg(long = "max_rows", allow_negative_numbers = true)]
    max_rows: Option<i64>,
    #[arg(allow_negative_numbers = true, conflicts_with = "age_in_days")]
    age: Option<i64>,
    #[arg(allow_negative_numbers = true, conflicts_with = "max_rows")]
    rows: Option<i64>,
}

impl Age {
    /// Checks the numbers (database §10.3).
    fn purge(&self, default_age: i64, images: bool) -> Result<Purge, String> {
        let age = self.age_in_days.or(self.age).unwrap_or(default_age);
        let rows = self.max_rows.or(self.rows).unwrap_or(100);
        let days_since_epoch = chrono::Utc::now().timestamp() / SECONDS_PER_DAY;
        if age < 0 {
            return Err("Must supply a non-negative value for age.".to_owned());
        }
        if age >= days_since_epoch {
            return Err("Maximal age is count of days since epoch.".to_owned());
        }
        if rows < -1 {
            return Err("Minimal rows limit is -1.".to_owned());
        }
        let max_rows = match rows {
            -1 => None,
            _ => match u32::try_from(rows) {
                Ok(rows) if i32::try_from(rows).is_ok() => Some(rows),
                _ => return Err(format!("'max_rows' value out of range, must not exceed {}.", i32::MAX)),
            },
        };
        let age_in_days = u32::try_from(age).map_err(|_| format!("age_in_days is too large: {age}"))?;
        Ok(Purge { age_in_days, max_rows, images })
    }
}

/// Arguments of verbs that are not there yet.
#[derive(Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<String>,
}

/// Why there is no other result than this text and this exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    text: String,
    code: u8,
}

impl Refused {
    /// Tells the user. Failures (1 and 2) go to standard error; help and what `check` found are results.
    pub(crate) fn report(&self) -> ExitCode {
        if matches!(self.code, 1 | BAD_USAGE) {
            complain(&self.text);
        } else {
            say(&self.text);
        }
        ExitCode::from(self.code)
    }
}

/// Reads the command line after the options of the configuration.
pub(crate) fn parse(args: &[String]) -> Result<Command, Refused> {
    let mut line = Line::command();
    let words = match args {
        [] => return Err(Refused { text: line.render_usage().to_string(), code: 1 }),
        [db] if db == "db" => return Err(Refused { text: line.render_help().to_string(), code: BAD_USAGE }),
        [db, words @ ..] if db == "db" => words.to_vec(),
        [verb, rest @ ..] => {
            let verb = verb.strip_prefix("db_").unwrap_or(verb).to_owned();
            std::iter::once(verb).chain(rest.iter().cloned()).collect()
        }
    };
    let parsed = line.try_get_matches_from_mut(&words).and_then(|matches| Line::from_arg_matches(&matches));
    parsed.map(|line| line.command).map_err(|error| match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = args.iter().find(|word| *word != "db").map_or("", String::as_str);
            Refused { text: format!("ERROR: unrecognized command '{word}'"), code: 1 }
        }
        ErrorKind::DisplayHelp => Refused { text: error.to_string(), code: 0 },
        _ => Refused { text: error.to_string().trim_end().to_owned(), code: BAD_USAGE },
    })
}

/// Does it. Results go to standard output, refusals to standard error.
pub(crate) async fn run(command: Command, settings: &Settings) -> ExitCode {
    let done = match Sql::connect(settings) {
        Ok(sql) => match sql.wait_for_server().await {
            Ok(()) => work(&command, &sql).await,
            Err(error) => Err(failed(&error)),
        },
        Err(error) => Err(failed(&error)),
    };
    match done {
        Ok(lines) => {
            lines.iter().for_each(|line| say(line));
            ExitCode::SUCCESS
        }
        Err(refused) => refused.report(),
    }
}

/// What Glance refuses, in its words.
fn refused(text: &str) -> Refused {
    Refused { text: text.to_owned(), code: 1 }
}

/// What a step of an upgrade has led to.
fn upgraded(to: &str) -> String {
    format!("Upgraded database to: {to}, current revision(s): {to}")
}

/// What the first one has led to: the release before stays recorded until the last.
fn expanded(before: &Report) -> String {
    let all: Vec<&str> = before.revisions.0.iter().map(String::as_str).chain([EXPAND_HEAD]).collect();
    format!("Upgraded database to: {EXPAND_HEAD}, current revision(s): {}", all.join(", "))
}

fn failed(reason: &dyn Display) -> Refused {
    Refused { text: format!("ERROR: {reason}"), code: 1 }
}

/// The lines to print.
type Lines = Vec<String>;

async fn work(command: &Command, sql: &Sql) -> Result<Lines, Refused> {
    match command {
        Command::Version => version(sql).await,
        Command::Check => check(sql).await,
        Command::Sync(_) => sync(sql).await,
        Command::VersionControl(target) => version_control(sql, target.revision()).await,
        Command::Upgrade(target) => upgrade(sql, target.revision()).await,
        Command::Downgrade(target) => Err(match target.revision() {
            None => failed(&"Missing required argument.\nDetails: downgrade requires a version argument"),
            Some(_) => failed(&"The schema cannot be downgraded; restore a backup of the database instead."),
        }),
        Command::Expand => expand(sql).await,
        Command::Migrate => migrate(sql).await,
        Command::Contract => contract(sql).await,
        Command::Purge(age) => purge(sql, age.purge(30, false)).await,
        Command::PurgeImagesTable(age) => purge(sql, age.purge(180, true)).await,
        Command::LoadMetadefs(_) | Command::UnloadMetadefs(_) | Command::ExportMetadefs(_) => {
            Err(failed(&"Metadata definitions are not supported by this version."))
        }
    }
}

async fn version(sql: &Sql) -> Result<Lines, Refused> {
    let revisions = sql.schema().await.map_err(|error| failed(&error))?.revisions.0;
    Ok(if revisions.is_empty() { vec![VERSION_HINT.to_owned()] } else { revisions })
}

async fn check(sql: &Sql) -> Result<Lines, Refused> {
    steps_known(sql)?;
    let report = sql.schema().await.map_err(|error| failed(&error))?;
    if report.is_head() {
        return Ok(vec!["Database is up to date. No upgrades needed.".to_owned()]);
    }
    // There is no data to migrate in any release this program can start from, so that step is never the next one.
    let (which, verb, code) = if report.is_expanded() { ("next", "contract", 5) } else { ("first", "expand", 3) };
    let step = format!("Your {which} step is to run `glance-manage db {verb}`.");
    Err(Refused { text: format!("Your database is not up to date. {step}"), code })
}

async fn sync(sql: &Sql) -> Result<Lines, Refused> {
    let before = sql.schema().await.map_err(|error| failed(&error))?;
    // Also at the head: a database that Glance made lacks our own indexes.
    sql.migrate_schema().await.map_err(|error| refused(&format!("Failed to sync database: ERROR: {error}")))?;
    if before.is_head() {
        return Ok(vec![AT_HEAD.to_owned()]);
    }
    let expanded = if before.is_expanded() { EXPANDED.to_owned() } else { expanded(&before) };
    let done = "Database is synced successfully.".to_owned();
    Ok(vec![expanded, NOTHING_TO_MIGRATE.to_owned(), upgraded(HEAD), done])
}

async fn version_control(sql: &Sql, revision: Option<&str>) -> Result<Lines, Refused> {
    let report = sql.schema().await.map_err(|error| failed(&error))?;
    if !report.revisions.0.is_empty() {
        let reason =
            "There was an error migrating the database.\nDetails: the database is already under migration control";
        return Err(failed(&reason));
    }
    let revision = revision.unwrap_or("liberty");
    sql.stamp_schema(revision).await.map_err(|error| failed(&error))?;
    Ok(vec![format!("Placed database under migration control at revision: {revision}")])
}

async fn upgrade(sql: &Sql, revision: Option<&str>) -> Result<Lines, Refused> {
    if let Some(other) = revision.filter(|revision| !["head", "heads", HEAD].contains(revision)) {
        return Err(failed(&format!("This version upgrades to {HEAD} only, not to '{other}'.")));
    }
    sql.migrate_schema().await.map_err(|error| failed(&error))?;
    Ok(vec![format!("Upgraded database, current revision(s): {HEAD}")])
}

/// Adds what is missing, which disturbs no server of the release before (database §1).
async fn expand(sql: &Sql) -> Result<Lines, Refused> {
    steps_known(sql)?;
    let report = sql.schema().await.map_err(|error| failed(&error))?;
    if report.is_head() {
        return Ok(vec![AT_HEAD.to_owned()]);
    }
    sql.expand_schema().await.map_err(|error| failed(&error))?;
    Ok(vec![if report.is_expanded() { EXPANDED.to_owned() } else { expanded(&report) }])
}

async fn migrate(sql: &Sql) -> Result<Lines, Refused> {
    steps_known(sql)?;
    let report = sql.schema().await.map_err(|error| failed(&error))?;
    match (report.is_head(), report.is_expanded()) {
        (true, _) => Ok(vec![AT_HEAD.to_owned()]),
        (false, true) => Ok(vec![NOTHING_TO_MIGRATE.to_owned()]),
        (false, false) => Err(refused(
            "Data migration did not run. Data migration cannot be run before database expansion. Run database expansion \
             first using \"glance-manage db expand\"",
        )),
    }
}

async fn contract(sql: &Sql) -> Result<Lines, Refused> {
    steps_known(sql)?;
    let report = sql.schema().await.map_err(|error| failed(&error))?;
    if report.is_head() {
        return Ok(vec![AT_HEAD.to_owned()]);
    }
    if !report.is_expanded() {
        return Err(refused(
            "Database contraction did not run. Database contraction cannot be run before database expansion. Run database \
             expansion first using \"glance-manage db expand\"",
        ));
    }
    sql.migrate_schema().await.map_err(|error| failed(&error))?;
    Ok(vec![upgraded(HEAD)])
}

fn steps_known(sql: &Sql) -> Result<(), Refused> {
    if sql.upgrades_in_steps() { Ok(()) } else { Err(refused(NO_STEPS)) }
}

async fn purge(sql: &Sql, purge: Result<Purge, String>) -> Result<Lines, Refused> {
    let purge = purge.map_err(|reason| refused(&reason))?;
    match sql.purge(purge).await {
        Ok(purged) => Ok(purged.iter().map(|(table, rows)| format!("{table}: {rows} rows removed")).collect()),
        Err(error) => {
            tracing::error!(%error, "purge failed");
            Err(refused("Purge command failed, check glance-manage logs for more details."))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use super::{Age, Command, Target, parse, run};
    use crate::db::sql::{Settings, Sql};

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn todays_and_older_spellings_mean_the_same() {
        for line in ["db sync", "db_sync"] {
            assert_eq!(parse(&words(line)), Ok(Command::Sync(Target::default())), "{line}");
        }
        let thirteen = Target { version: Some("13".to_owned()), option: None };
        assert_eq!(parse(&words("db_sync 13")), Ok(Command::Sync(thirteen)));
        assert_eq!(parse(&words("db_version")), Ok(Command::Version));
        assert_eq!(parse(&words("version_control")), Ok(Command::VersionControl(Target::default())));
        let purge = Age { age_in_days: Some(3), max_rows: Some(-1), ..Age::default() };
        assert_eq!(parse(&words("db purge --age_in_days 3 --max_rows -1")), Ok(Command::Purge(purge)));
        let purge = Age { age: Some(3), rows: Some(-1), ..Age::default() };
        assert_eq!(parse(&words("db_purge 3 -1")), Ok(Command::Purge(purge)));
    }

    #[test]
    fn unknown_commands_are_named() {
        let refused = parse(&words("frobnicate now")).unwrap_err();
        assert_eq!((refused.text.as_str(), refused.code), ("ERROR: unrecognized command 'frobnicate'", 1));
        assert_eq!(parse(&words("db frobnicate")).unwrap_err().text, "ERROR: unrecognized command 'frobnicate'");
        assert_eq!((parse(&[]).unwrap_err().code, parse(&words("db")).unwrap_err().code), (1, 2));
        assert_eq!(parse(&words("db sync --help")).unwrap_err().code, 0);
    }

    #[test]
    fn purges_out_of_range_are_refused() {
        for (age, rows) in [(-1, 1), (1_000_000, 1), (1, -2), (1, 1 << 31)] {
            let age = Age { age_in_days: Some(age), max_rows: Some(rows), ..Age::default() };
            assert!(age.purge(30, false).is_err(), "{age:?}");
        }
        assert_eq!(Age::default().purge(30, false).unwrap().max_rows, Some(100));
    }

    #[tokio::test]
    async fn exit_codes_tell_the_state_of_the_schema() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::new(&format!("sqlite:///{}/glance.db", dir.path().display()));
        let exit = async |line: &str| run(parse(&words(line)).unwrap(), &settings).await;
        assert_eq!(exit("db check").await, ExitCode::from(3));
        assert_eq!(exit("db contract").await, ExitCode::from(1));
        assert_eq!(exit("version_control").await, ExitCode::SUCCESS);
        assert_eq!(exit("version_control").await, ExitCode::from(1));
        for line in ["db_version", "db sync", "db check", "db_sync", "db upgrade", "db expand", "db contract"] {
            assert_eq!(exit(line).await, ExitCode::SUCCESS, "{line}");
        }
        for line in ["downgrade", "downgrade 3", "db load_metadefs --merge /x", "db purge --max_rows -2"] {
            assert_eq!(exit(line).await, ExitCode::from(1), "{line}");
        }
        assert_eq!(exit("db purge").await, ExitCode::SUCCESS);
        assert!(Sql::connect(&settings).unwrap().schema().await.unwrap().is_head());
    }
}
