//! `glance-api`, and `gander` without a word.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::assemble::{Assembly, MetadataSide};
use super::common::{self, CommandLine};
use super::terminal::say;
use crate::api::ImageApi;
use crate::cache::Cache;
use crate::config::{Loaded, Pipeline, Program};
use crate::server;

const PORT: u16 = 9292;
/// What uploads and copies that were cut get to leave nothing behind.
const CLEAN_UP: Duration = Duration::from_secs(3);
/// What the cache's index gets to be brought up to date.
const REMEMBER: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
struct Options {
    /// Address to listen on [default: 0.0.0.0, or 127.0.0.1 without a configuration file]
    #[arg(long, value_name = "ADDRESS")]
    bind_host: Option<String>,
    /// Port to listen on [default: 9292]
    #[arg(long, value_name = "PORT")]
    bind_port: Option<String>,
}

/// Serves the image API in the foreground.
pub(super) fn run(words: &[String]) -> ExitCode {
    common::run("glance-api", "Serve the image API.", words, start)
}

fn start(line: CommandLine<Options>) -> anyhow::Result<()> {
    let own: Vec<_> = [("bind_host", &line.own.bind_host), ("bind_port", &line.own.bind_port)]
        .into_iter()
        .filter_map(|(name, value)| Some(("DEFAULT", name, value.clone()?)))
        .collect();
    let loaded = line.common.load(Program::Api, &line.given, &own)?;
    common::start_logging(&loaded, "glance-api")?;
    let (pipeline, app) = loaded.pipeline("glance-api")?;
    loaded.report(&app);
    server::run(serve(&loaded, &pipeline))?
}

async fn serve(loaded: &Loaded, pipeline: &Pipeline) -> anyhow::Result<()> {
    let settings = loaded.listener(PORT)?;
    let rooms = Assembly::of(loaded);
    let cache = open_cache(&rooms, pipeline).await?;
    let images = rooms.images(MetadataSide::Configured, cache).await?;
    let identity = loaded.identity(pipeline)?;
    let (front, interval) = (loaded.front(settings.port, pipeline)?, loaded.prefetcher_interval()?);
    let stages = front.v2.is_some();
    let api = ImageApi::new(identity, images.clone(), pipeline.cache_management, front)?;
    images.recover(loaded.tool_context()?).await;
    if stages {
        images.sweep_staging(loaded.tool_context()?);
    }
    let listener = server::bind(&settings).await?;
    if loaded.files().is_empty() {
        let at = listener.local_addr()?;
        let dir = loaded.data_dir().display();
        say(&format!("gander serves images at http://{at} from {dir}; try: curl http://{at}/v2/images"));
    }
    images.start_prefetching(loaded.tool_context()?, interval);
    let mut ending = server::serve(listener, Arc::new(api), &settings).await?;
    if ending.grant(images.drained(ending.left())).await != Some(true) && !images.cut(CLEAN_UP).await {
        tracing::error!("uploads that could not be cleaned up in time are left to the next start");
    }
    images.remember(REMEMBER).await;
    Ok(())
}

/// A cache that cannot be opened must not keep images from anybody: downloads go past it.
/// Only options that it cannot do without are worth refusing to start for.
async fn open_cache(rooms: &Assembly<'_>, pipeline: &Pipeline) -> anyhow::Result<Option<Arc<Cache>>> {
    if !pipeline.cache {
        return Ok(None);
    }
    let opened = match rooms.cache().await? {
        Ok(cache) => cache.recover().await.map(|()| cache),
        Err(error) => Err(error),
    };
    Ok(opened.inspect_err(|error| tracing::error!("serving without the image cache: {error}")).ok())
}
