//! The cache's maintenance commands, made for cron (v1-cache §8, §11.1). They print nothing but
//! a failure that ends them, on standard error; the log tells the rest. `gander cache` is ours, and tells what it did.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::assemble::{Assembly, MetadataSide};
use super::common::{self, CommandLine};
use super::terminal::say;
use crate::cache::Cache;
use crate::config::Program;
use crate::images::Verification;
use crate::model::ImageId;
use crate::server;

#[derive(Debug, Args)]
struct NoOptions {}

#[derive(Debug, Args)]
struct QueueOptions {
    /// Images to queue
    #[arg(value_name = "IMAGE_ID")]
    image_ids: Vec<String>,
}

/// `glance-cache-prefetcher`
pub(super) fn prefetcher(words: &[String]) -> ExitCode {
    tool(
        "glance-cache-prefetcher",
        "Fetch the queued images into the cache.",
        words,
        async |rooms, cache, _: NoOptions| {
            let images = rooms.images(MetadataSide::RegistryByDefault, Some(Arc::clone(&cache))).await?;
            let done = images.prefetch(&rooms.loaded.tool_context()?, &cache).await?;
            tracing::info!("prefetched {} images, {} failed", done.cached, done.failed);
            Ok(())
        },
    )
}

/// `glance-cache-pruner`
pub(super) fn pruner(words: &[String]) -> ExitCode {
    tool("glance-cache-pruner", "Shrink the cache to image_cache_max_size.", words, async |_, cache, _: NoOptions| {
        let done = cache.prune().await?;
        tracing::info!("pruned {} images, {} bytes", done.files, done.bytes);
        Ok(())
    })
}

/// `glance-cache-cleaner`
pub(super) fn cleaner(words: &[String]) -> ExitCode {
    tool(
        "glance-cache-cleaner",
        "Remove what failed and abandoned fills left.",
        words,
        async |_, cache, _: NoOptions| {
            let done = cache.clean().await?;
            tracing::info!("cleaned {} invalid and {} stalled images", done.invalid, done.stalled);
            Ok(())
        },
    )
}

/// `glance-cache-queue-image`
pub(super) fn queue_image(words: &[String]) -> ExitCode {
    let about = "Queue images for the cache; they must exist and be active.";
    tool("glance-cache-queue-image", about, words, async |rooms, cache, options: QueueOptions| {
        let images = rooms.images(MetadataSide::RegistryByDefault, None).await?;
        let ctx = rooms.loaded.tool_context()?;
        let mut refused = Vec::new();
        for text in &options.image_ids {
            let queued = match ImageId::parse(text) {
                None => Err(format!("'{text}' is not an image id")),
                Some(id) => images.queue_for_prefetch(&ctx, &cache, &id).await.map_err(|error| error.to_string()),
            };
            refused.extend(queued.err());
        }
        if refused.is_empty() { Ok(()) } else { Err(anyhow::anyhow!(refused.join("; "))) }
    })
}

#[derive(Debug, Args)]
struct CacheOptions {
    #[arg(value_name = "COMMAND")]
    command: CacheCommand,
}

/// What `gander cache` can do.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum CacheCommand {
    /// Read every cached image again, and drop those whose bytes are not the image
    Verify,
}

/// `gander cache`
pub(super) fn cache(words: &[String]) -> ExitCode {
    let about = "Look after the image cache of this node.";
    tool("gander cache", about, words, async |rooms, cache, options: CacheOptions| match options.command {
        CacheCommand::Verify => verify(rooms, &cache).await,
    })
}

async fn verify(rooms: &Assembly<'_>, cache: &Arc<Cache>) -> anyhow::Result<()> {
    let images = rooms.images(MetadataSide::RegistryByDefault, None).await?;
    let done = images.verify_cache(&rooms.loaded.tool_context()?, cache).await?;
    let Verification { good, unknown, dropped, failed } = done;
    say(&format!("{good} good, {unknown} without a known checksum, {dropped} dropped, {failed} unreadable"));
    if failed > 0 { Err(anyhow::anyhow!("{failed} cached images cannot be read")) } else { Ok(()) }
}

/// Parses, opens the cache, works, and turns the outcome into an exit code.
fn tool<O: Args>(
    name: &'static str,
    about: &'static str,
    words: &[String],
    work: impl AsyncFnOnce(&Assembly<'_>, Arc<Cache>, O) -> anyhow::Result<()>,
) -> ExitCode {
    common::run(name, about, words, |line: CommandLine<O>| {
        let loaded = line.common.load(Program::CacheTool, &line.given, &[])?;
        // Log daemons want one word.
        let log_name = name.replace(' ', "-");
        common::start_logging(&loaded, &log_name)?;
        loaded.report(&log_name);
        server::runtime()?.block_on(async {
            let rooms = Assembly::of(&loaded);
            let cache = rooms.cache().await??;
            work(&rooms, cache, line.own).await
        })
    })
}
