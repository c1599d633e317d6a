//! The services of a deployment, and where they are.

use serde::Deserialize;

/// A catalogue as a token brings it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Catalog(Vec<Service>);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Endpoint {
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    region: Option<String>,
    interface: String,
    url: String,
}

/// An endpoint that is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Type of the service, such as `image`.
    pub service_type: String,
    /// Name of the service; `None`: any.
    pub service_name: Option<String>,
    /// Region; `None`: any.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
}

impl Catalog {
    /// Whether there is a service of this type.
    #[must_use]
    pub fn offers(&self, service_type: &str) -> bool {
        self.0.iter().any(|service| service.kind == service_type)
    }

    /// The address of the first endpoint that fits.
    #[must_use]
    pub fn find(&self, wanted: &Wanted) -> Option<&str> {
        let named = |service: &&Service| {
            service.kind == wanted.service_type
                && wanted.service_name.as_ref().is_none_or(|name| service.name.as_ref() == Some(name))
        };
        let fits = |endpoint: &&Endpoint| {
            let there = endpoint.region_id.as_ref().or(endpoint.region.as_ref());
            endpoint.interface == wanted.interface && wanted.region.as_ref().is_none_or(|region| there == Some(region))
        };
        let endpoints = self.0.iter().filter(named).flat_map(|service| &service.endpoints);
        endpoints.filter(fits).map(|endpoint| endpoint.url.as_str()).next()
    }
}

#[cfg(test)]
mod tests {
    use super::{Catalog, Wanted};

    #[test]
    fn the_first_endpoint_that_fits() {
        let text = r#"[{"type": "image", "name": "glance", "endpoints": [
            {"region_id": "one", "interface": "public", "url": "http://one"},
            {"region": "two", "interface": "public", "url": "http://two"},
            {"region": "two", "interface": "internal", "url": "http://inside"}]}]"#;
        let catalog: Catalog = serde_json::from_str(text).unwrap();
        let find = |region: Option<&str>, interface: &str| {
            let wanted = Wanted {
                service_type: "image".to_owned(),
                service_name: None,
                region: region.map(str::to_owned),
                interface: interface.to_owned(),
            };
            catalog.find(&wanted)
        };
        assert_eq!(find(None, "public"), Some("http://one"));
        assert_eq!(find(Some("two"), "public"), Some("http://two"));
        assert_eq!(find(None, "internal"), Some("http://inside"));
        assert_eq!(find(Some("one"), "internal"), None);
        assert!(catalog.offers("image") && !catalog.offers("compute"));
    }
}
