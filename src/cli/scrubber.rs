//! `glance-scrubber`: once, or again and again.

use std::process::ExitCode;

use clap::Args;

use super::assemble::{Assembly, MetadataSide};
use super::common::{self, CommandLine};
use crate::config::{Loaded, Program};
use crate::server;

#[derive(Debug, Args)]
struct Options {
    /// Run again and again
    #[arg(short = 'D', long)]
    daemon: bool,
}

/// Removes what is due.
pub(super) fn run(words: &[String]) -> ExitCode {
    let about = "Remove the data of images whose delayed delete is due.";
    common::run("glance-scrubber", about, words, start)
}

fn start(line: CommandLine<Options>) -> anyhow::Result<()> {
    let own: Vec<_> = line.own.daemon.then(|| ("DEFAULT", "daemon", "true".to_owned())).into_iter().collect();
    let loaded = line.common.load(Program::Scrubber, &line.given, &own)?;
    common::start_logging(&loaded, "glance-scrubber")?;
    loaded.report("glance-scrubber");
    server::runtime()?.block_on(scrub(&loaded))
}

async fn scrub(loaded: &Loaded) -> anyhow::Result<()> {
    let settings = loaded.scrubber()?;
    let images = Assembly::of(loaded).images(MetadataSide::RegistryByDefault, None).await?;
    let ctx = loaded.tool_context()?;
    let mut stop = server::Stop::listen()?;
    loop {
        match (images.scrub(&ctx, settings.cleanup).await, settings.every) {
            (Ok(done), _) => tracing::info!("scrubbed {} images, {} failed", done.images, done.failed),
            (Err(error), None) => return Err(error.into()),
            // What is wrong with the queue now, such as a mount that is gone, may be well after the pause.
            (Err(error), Some(_)) => tracing::error!("{error}"),
        }
        let Some(pause) = settings.every else { return Ok(()) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait() => return Ok(()),
        }
    }
}
