//! Which state the schema is in, by alembic's bookkeeping (database §1), and how it gets to the head.

use sea_query::{Expr, ExprTrait, Query};

use super::ddl;
use crate::db::sql::error::Fault;
use crate::db::sql::own_indexes;
use crate::db::sql::pool::Session;
use crate::db::sql::statement::insert;

/// The revision whose schema this program speaks.
pub(crate) const HEAD: &str = "2024_1_contract01";
/// Its first half; the schema is complete, only the bookkeeping is not.
pub(crate) const EXPAND_HEAD: &str = "2024_1_expand01";
/// Revisions that lack just the two tables that 2024.1 added.
const ONE_STEP_BEHIND: [&str; 5] =
    ["wallaby_contract01", "xena_contract01", "yoga_contract01", "zed_contract01", "2023_1_contract01"];

/// Why the schema cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    /// There are images, but no revision that tells of which age.
    #[error(
        "the database has Glance's tables but no alembic revision; it may be older than Glance 12 or made by another \
         tool: bring it to {HEAD} with Glance's own glance-manage"
    )]
    Unversioned,
    /// The schema is not the one this program speaks, and it is no step away from it.
    #[error("the database is at revision {0}, this program needs {HEAD}: {1}")]
    WrongRevision(Revisions, &'static str),
    /// The schema is empty where it must not be.
    #[error("the database has no tables yet; run glance-manage db sync")]
    Empty,
    /// The database does not answer as it should.
    #[error(transparent)]
    Database(#[from] crate::db::Error),
}

/// The rows of `alembic_version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Revisions(pub(crate) Vec<String>);

impl std::fmt::Display for Revisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// What the database holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The revisions that it claims.
    pub(crate) revisions: Revisions,
    /// It has a table of images.
    pub(crate) has_images: bool,
}

impl Report {
    /// No table of ours: a schema can be made.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_images
    }

    /// Fully migrated.
    pub(crate) fn is_head(&self) -> bool {
        self.has_images && self.claims(HEAD)
    }

    /// The tables of the head are there, its last step is not recorded.
    pub(crate) fn is_expanded(&self) -> bool {
        self.has_images && self.claims(EXPAND_HEAD)
    }

    /// The tables of the head are there, and nothing of an older release is left to be done.
    fn is_just_expanded(&self) -> bool {
        self.is_expanded() && self.revisions.0.len() == 1
    }

    /// All tables and columns are there, even if a migration still has to be finished.
    pub(crate) fn is_usable(&self) -> bool {
        self.is_head() || self.is_expanded()
    }

    /// Was contracted in a release that lacks just the tables of 2024.1.
    fn is_one_step_behind(&self) -> bool {
        self.has_images && ONE_STEP_BEHIND.iter().any(|revision| self.claims(revision))
    }

    /// Why the database cannot be used as it is.
    pub(crate) fn refusal(&self) -> Option<SchemaError> {
        if self.is_usable() {
            None
        } else if self.is_empty() {
            Some(SchemaError::Empty)
        } else {
            Some(self.too_far())
        }
    }

    /// Why the database cannot be brought to the head.
    fn too_far(&self) -> SchemaError {
        if self.revisions.0.is_empty() {
            return SchemaError::Unversioned;
        }
        let advice = if self.is_one_step_behind() {
            "run glance-manage db sync"
        } else if self.claims(EXPAND_HEAD) {
            "finish the migration with Glance's own glance-manage"
        } else {
            "bring it there with Glance's own glance-manage"
        };
        SchemaError::WrongRevision(self.revisions.clone(), advice)
    }

    fn claims(&self, revision: &str) -> bool {
        self.revisions.0.iter().any(|claimed| claimed == revision)
    }
}

/// Looks at the database.
pub(in crate::db::sql) async fn found(session: &mut Session) -> Result<Report, Fault> {
    let mut tables = Vec::new();
    for row in session.rows(&session.dialect().table_names()).await? {
        tables.push(row.get::<String>("name")?);
    }
    let has = |name: &str| tables.iter().any(|table| table == name);
    let mut revisions = Revisions::default();
    if has("alembic_version") {
        let query = Query::select()
            .column("version_num")
            .from("alembic_version")
            .order_by("version_num", sea_query::Order::Asc)
            .take();
        for row in session.rows(&query).await? {
            revisions.0.push(row.get("version_num")?);
        }
    }
    Ok(Report { revisions, has_images: has("images") })
}

/// Adds what `report` says is missing and records the head; refuses a database that is too far from it.
pub(in crate::db::sql) async fn migrate(
    session: &mut Session,
    report: &Report,
) -> Result<Result<(), SchemaError>, Fault> {
    if let Err(refusal) = expand(session, report).await? {
        return Ok(Err(refusal));
    }
    if !report.is_head() {
        record(session, HEAD).await?;
    }
    Ok(Ok(()))
}

/// As [`migrate`], but records its first half only.
pub(in crate::db::sql) async fn expand(
    session: &mut Session,
    report: &Report,
) -> Result<Result<(), SchemaError>, Fault> {
    let dialect = session.dialect();
    let missing = if report.is_head() || report.is_just_expanded() {
        String::new()
    } else if report.is_empty() {
        ddl::all(dialect)
    } else if !report.is_one_step_behind() {
        return Ok(Err(report.too_far()));
    } else if report.claims(EXPAND_HEAD) {
        String::new()
    } else {
        ddl::added_in_2024_1(dialect)
    };
    if !missing.is_empty() {
        session.script(missing).await?;
        session.execute(&insert("alembic_version", [("version_num", EXPAND_HEAD.into())])).await?;
    }
    own_indexes::complete(session).await?;
    Ok(Ok(()))
}

/// Makes `revision` the only one recorded.
pub(in crate::db::sql) async fn record(session: &mut Session, revision: &str) -> Result<(), Fault> {
    session.script(ddl::alembic_version(session.dialect())).await?;
    let others = Query::delete().from_table("alembic_version").and_where(Expr::col("version_num").ne(revision)).take();
    session.execute(&others).await?;
    let known = Query::select().column("version_num").from("alembic_version").take();
    if session.row(&known).await?.is_none() {
        session.execute(&insert("alembic_version", [("version_num", revision.into())])).await?;
    }
    Ok(())
}
