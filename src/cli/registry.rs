//! `glance-registry`: the database behind API servers that have none.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::assemble::Assembly;
use super::common::{self, CommandLine};
use crate::api::RegistryApi;
use crate::config::{Loaded, Pipeline, Program};
use crate::server;

const PORT: u16 = 9191;

#[derive(Debug, Args)]
struct Options {}

/// Serves the registry in the foreground.
pub(super) fn run(words: &[String]) -> ExitCode {
    common::run("glance-registry", "Serve image metadata.", words, start)
}

fn start(line: CommandLine<Options>) -> anyhow::Result<()> {
    let loaded = line.common.load(Program::Registry, &line.given, &[])?;
    common::start_logging(&loaded, "glance-registry")?;
    let (pipeline, app) = loaded.pipeline("glance-registry")?;
    loaded.report(&app);
    server::run(serve(&loaded, &pipeline))?
}

async fn serve(loaded: &Loaded, pipeline: &Pipeline) -> anyhow::Result<()> {
    let settings = loaded.listener(PORT)?;
    let metadata = Arc::new(Assembly::of(loaded).database().await?.clone());
    let registry = RegistryApi::new(loaded.identity(pipeline)?, metadata);
    let listener = server::bind(&settings).await?;
    server::serve(listener, Arc::new(registry), &settings).await?;
    Ok(())
}
