//! What projects may take of each resource, as Keystone keeps it ("unified limits", policy-and-auth §8.2).
//!
//! Nothing is remembered but which service we are: a limit that an operator changes holds from the next question on. What is
//! taken, the metadata tells; who compares the two is `images/limits.rs`.

use keystone::Keystone;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::model::Resource;

/// How Keystone is asked for limits (`[oslo_limit]`).
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Keystone, and who we are to it: somebody who may see everybody's limits.
    pub(crate) keystone: keystone::Settings,
    /// This service's entry in the catalogue, to which limits belong.
    pub(crate) endpoint: Endpoint,
}

/// How the entry is found.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    /// By its id (`endpoint_id`).
    Id(String),
    /// By what is known of it; what is `None` may be anything.
    Lookup {
        /// `endpoint_service_type`
        kind: Option<String>,
        /// `endpoint_service_name`
        name: Option<String>,
        /// `endpoint_region_name`
        region: Option<String>,
        /// `endpoint_interface`
        interface: String,
    },
}

/// Why there is no limit to compare with.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// Keystone does not answer, or not us.
    #[error(transparent)]
    Keystone(#[from] keystone::Error),
    /// Its answers do not fit what `[oslo_limit]` says, or what we know.
    #[error("[oslo_limit]: {0}")]
    Unfit(String),
}

impl Error {
    /// Whether nothing is wrong but that Keystone does not answer now.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Keystone(keystone::Error::Unavailable(_)))
    }
}

/// Keystone's limits for this service.
#[derive(Debug)]
pub(crate) struct Limits {
    keystone: Keystone,
    endpoint: Endpoint,
    /// Found at the first question that Keystone answers.
    service: OnceCell<Service>,
}

/// To what limits belong.
#[derive(Debug)]
struct Service {
    id: String,
    region: Option<String>,
}

/// The only way to judge limits that is known here: each project by itself.
const MODEL: &str = "flat";

impl Limits {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// What the settings cannot be.
    pub(crate) fn new(settings: Settings) -> Result<Self, keystone::Error> {
        let keystone = Keystone::new(settings.keystone)?;
        Ok(Self { keystone, endpoint: settings.endpoint, service: OnceCell::new() })
    }

    /// How much of a resource a project may take; `None`: any amount. Where nothing is registered, that is nothing.
    ///
    /// # Errors
    /// Nobody can tell now.
    pub(crate) async fn of(&self, project: &str, resource: Resource) -> Result<Option<u64>, Error> {
        let service = self.service.get_or_try_init(|| self.find_service()).await?;
        let common = [("service_id", Some(&*service.id)), ("resource_name", Some(resource.name()))];
        let common = common.into_iter().chain([("region_id", service.region.as_deref())]);
        let own = self.ask("limits", common.clone().chain([("project_id", Some(project))])).await?;
        let limit = match number(&own, "limits", "resource_limit") {
            Some(own) => own,
            None => {
                let registered = self.ask("registered_limits", common).await?;
                number(&registered, "registered_limits", "default_limit").unwrap_or(0)
            }
        };
        Ok(u64::try_from(limit).ok())
    }

    async fn find_service(&self) -> Result<Service, Error> {
        let model = self.ask("limits/model", []).await?;
        let model = model["model"]["name"].as_str().unwrap_or_default();
        if model != MODEL {
            return Err(Error::Unfit(format!("Keystone enforces limits by the model '{model}', not {MODEL}")));
        }
        let endpoint = match &self.endpoint {
            Endpoint::Id(id) => self.ask(&format!("endpoints/{id}"), []).await?["endpoint"].take(),
            Endpoint::Lookup { kind, name, region, interface } => {
                let wanted = [("type", kind.as_deref()), ("name", name.as_deref())];
                let service = the_only(&self.ask("services", wanted).await?, "services")?["id"].clone();
                let wanted = [
                    ("service_id", service.as_str()),
                    ("region_id", region.as_deref()),
                    ("interface", Some(interface)),
                ];
                the_only(&self.ask("endpoints", wanted).await?, "endpoints")?.clone()
            }
        };
        match endpoint["service_id"].as_str() {
            Some(id) => Ok(Service { id: id.to_owned(), region: endpoint["region_id"].as_str().map(str::to_owned) }),
            None => Err(Error::Unfit("Keystone knows no such endpoint".to_owned())),
        }
    }

    async fn ask<'a>(
        &self,
        path: &str,
        query: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Result<Value, Error> {
        let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(self.keystone.get(path, &query).await?.unwrap_or_default())
    }
}

/// The number in the first entry of a list.
fn number(answer: &Value, list: &str, field: &str) -> Option<i64> {
    answer[list][0][field].as_i64()
}

/// The entry of a list that must have just one.
fn the_only<'a>(answer: &'a Value, list: &'static str) -> Result<&'a Value, Error> {
    match answer[list].as_array().map(Vec::as_slice) {
        Some([only]) => Ok(only),
        found => {
            let found = found.map_or(0, <[_]>::len);
            Err(Error::Unfit(format!(
                "what is said of the endpoint fits {found} {list} of Keystone's catalogue, not one"
            )))
        }
    }
}
