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
    /// Make this image active again, whose data waits to be removed, and do nothing else
    #[arg(long, value_name = "IMAGE_ID")]
    restore: Option<String>,
}

/// Removes what is due.
pub(super) fn run(words: &[String]) -> ExitCode {
    let about = "Remove the data of images whose delayed delete is due.";
    common::run("glance-scrubber", about, words, start)
}

fn start(line: CommandLine<Options>) -> anyhow::Result<()> {
    let daemon = line.own.daemon.then(|| ("DEFAULT", "daemon", "true".to_owned()));
    let restore = line.own.restore.clone().map(|id| ("DEFAULT", "restore", id));
    let own: Vec<_> = daemon.into_iter().chain(restore).collect();
    let loaded = line.common.load(Program::Scrubber, &line.given, &own)?;
    common::start_logging(&loaded, "glance-scrubber")?;
    loaded.report("glance-scrubber");
    server::runtime()?.block_on(scrub(&loaded))
}

async fn scrub(loaded: &Loaded) -> anyhow::Result<()> {
    let settings = loaded.scrubber()?;
    let images = Assembly::of(loaded).images(MetadataSide::RegistryByDefault, None).await?;
    let ctx = loaded.tool_context()?;
    if let Some(id) = &settings.restore {
        images.restore(&ctx, id).await?;
        tracing::info!("image {id} is active again");
        return Ok(());
    }
    let mut stop = server::Stop::listen()?;
    loop {
        let scrubbed = images.scrub(&ctx, settings.recorded, settings.cleanup, settings.pool).await;
        match (scrubbed, settings.every) {
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
