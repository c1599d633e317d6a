//! Keystone's limits of what a project may take, compared with what it has (policy-and-auth §8.2).
//!
//! As in Glance they are soft: data of unknown size counts once it is there, and what requests at the same time bring is not
//! seen before it is recorded.

use super::{Error, Images, Result};
use crate::model::{Context, Resource};

impl Images {
    /// Refuses `delta` more of a resource than the caller's project may take, where Keystone limits it.
    pub(super) async fn check_limit(&self, ctx: &Context, resource: Resource, delta: u64) -> Result<()> {
        let (Some(limits), Some(project)) = (&self.parts.limits, &ctx.tenant) else { return Ok(()) };
        let Some(limit) = limits.of(project, resource).await.map_err(Error::Limits)? else { return Ok(()) };
        let usage = self.usage(ctx, resource).await?;
        if usage.saturating_add(delta) <= limit {
            return Ok(());
        }
        Err(Error::OverLimit { project: project.clone(), resource, limit, usage, delta })
    }

    /// What the caller's project takes of each resource, and what it may (`None`: any amount); nothing where Keystone
    /// limits nothing.
    pub(crate) async fn usages(&self, ctx: &Context) -> Result<Vec<(Resource, u64, Option<u64>)>> {
        let (Some(limits), Some(project)) = (&self.parts.limits, &ctx.tenant) else { return Ok(Vec::new()) };
        let mut usages = Vec::new();
        for resource in Resource::ALL {
            let limit = limits.of(project, resource).await.map_err(Error::Limits)?;
            usages.push((resource, self.usage(ctx, resource).await?, limit));
        }
        Ok(usages)
    }

    async fn usage(&self, ctx: &Context, resource: Resource) -> Result<u64> {
        let Some(owner) = ctx.owner() else { return Ok(0) };
        self.parts.metadata.usage(owner, resource).await.map_err(Error::List)
    }
}
