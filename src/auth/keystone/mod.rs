//! Who asks, as Keystone says of the token that a request bears (policy-and-auth §2).
//!
//! Nothing else in a request says who its sender is: headers that a proxy could have set are never looked at here (security
//! S55). What Keystone said is remembered for a while ([`tokens`]); while it cannot be asked, who is not remembered hears
//! that, and nobody is let in.

mod access;
mod gate;
mod tokens;

use std::time::Duration;

use chrono::TimeDelta;
use http::{HeaderMap, HeaderName, Method};
use keystone::{Keystone, Token};

use self::gate::Gate;
use self::tokens::Tokens;
use super::{Asked, Refusal};
use crate::model::{Context, Party};

/// How tokens are judged.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Keystone, and who we are to it.
    pub(crate) keystone: keystone::Settings,
    /// Where clients get tokens, for those who come without (`www_authenticate_uri`).
    pub(crate) www_authenticate_uri: Option<String>,
    /// A token's verdict is remembered that long; `None`: not at all (`token_cache_time`).
    pub(crate) remembered: Option<Duration>,
    /// A token is good for so much longer than it says, as our clock may be ahead (`allowed_clock_skew`).
    pub(crate) clock_skew: TimeDelta,
    /// Roles that make a service of whoever sends a second token (`service_token_roles`).
    pub(crate) service_roles: Vec<String>,
    /// A service without such a role is none (`service_token_roles_required`).
    pub(crate) service_roles_required: bool,
    /// Who has no good token is left to `allow_anonymous_access` (`delay_auth_decision`).
    pub(crate) delay: bool,
    /// The type of this service, by which application credentials restrict access (`service_type`).
    pub(crate) service_type: Option<String>,
}

/// Judges tokens.
#[derive(Debug)]
pub(crate) struct Authority {
    keystone: Keystone,
    tokens: Tokens,
    gate: Gate,
    settings: Settings,
}

const USER_TOKENS: [HeaderName; 2] =
    [HeaderName::from_static("x-auth-token"), HeaderName::from_static("x-storage-token")];
const SERVICE_TOKEN: HeaderName = HeaderName::from_static("x-service-token");
/// Longer ones are no tokens, in bytes; the certificates that tokens were once were shorter.
const LONGEST: usize = 16 << 10;

impl Authority {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// What the settings cannot be.
    pub(crate) fn new(settings: Settings) -> Result<Self, keystone::Error> {
        Ok(Self {
            keystone: Keystone::new(settings.keystone.clone())?,
            tokens: Tokens::new(settings.remembered),
            gate: Gate::default(),
            settings,
        })
    }

    /// Whether callers without a good token may be somebody all the same.
    pub(super) fn delays(&self) -> bool {
        self.settings.delay
    }

    /// What a client without a good token is told of where to get one: the value of `WWW-Authenticate`.
    pub(super) fn challenge(&self) -> String {
        let uri = self.settings.www_authenticate_uri.as_deref().unwrap_or(self.keystone.url());
        format!("Keystone uri=\"{uri}\"")
    }

    /// The caller, added to what `somebody` says; `None` without a good token.
    pub(super) async fn identify(&self, asked: &Asked<'_>, somebody: Context) -> Result<Option<Context>, Refusal> {
        let Some(token) = USER_TOKENS.iter().find_map(|name| text(asked.headers, name)) else { return Ok(None) };
        let service = match text(asked.headers, &SERVICE_TOKEN) {
            Some(token) => self.judge(token, false).await?.filter(|token| self.is_service(token)),
            None => None,
        };
        // What a service does for a user may take longer than his token lives.
        let lenient = service.as_ref().is_some_and(|service| self.has_service_role(service));
        let Some(caller) = self.judge(token, lenient).await? else { return Ok(None) };
        if !self.accessible(&caller, asked.method, asked.path, service.is_some()) {
            return Ok(None);
        }
        let service_roles = service.as_ref().map(|service| service.roles.clone()).unwrap_or_default();
        Ok(Some(Context {
            user: Some(caller.user_id.clone()),
            tenant: caller.project.as_ref().map(|project| project.id.clone()),
            roles: caller.roles.clone(),
            service_roles,
            service: service.as_deref().map(party).unwrap_or_default(),
            system_scope: caller.system.then(|| "all".to_owned()),
            domain: caller.domain.as_ref().and_then(|domain| domain.id.clone()),
            user_domain: caller.user_domain.id.clone(),
            project_domain: caller.project.as_ref().and_then(|project| project.domain.id.clone()),
            outside_admin_project: !caller.is_admin_project,
            auth_token: Some(token.to_owned()),
            ..somebody
        }))
    }

    /// What a token is worth; `None`: nothing.
    async fn judge(&self, token: &str, lenient: bool) -> Result<Option<std::sync::Arc<Token>>, Refusal> {
        if token.len() > LONGEST {
            return Ok(None);
        }
        let with_catalog = self.settings.service_type.is_some();
        let asking = async || {
            self.gate.pass().map_err(|wait| Refusal::Unavailable { retry_after: wait })?;
            let answer = self.keystone.validate(token, lenient, with_catalog).await;
            match answer {
                Err(keystone::Error::InvalidToken) => {
                    self.gate.open();
                    Ok(None)
                }
                Ok(mut token) => {
                    self.gate.open();
                    let offered = std::mem::take(&mut token.catalog);
                    let offered = self.settings.service_type.as_ref().is_some_and(|kind| offered.offers(kind));
                    // A restricted token is no good for a service of which nobody can say what it is.
                    Ok(Some(token).filter(|token| token.access_rules.is_none() || offered))
                }
                Err(error) => {
                    tracing::error!("tokens cannot be validated: {error}");
                    Err(Refusal::Unavailable { retry_after: self.gate.shut() })
                }
            }
        };
        let found = self.tokens.get(token, lenient, asking).await?;
        Ok(found.filter(|token| lenient || !token.is_expired(self.settings.clock_skew)))
    }

    fn has_service_role(&self, token: &Token) -> bool {
        let wanted = &self.settings.service_roles;
        token.roles.iter().any(|role| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(role)))
    }

    fn is_service(&self, token: &Token) -> bool {
        !self.settings.service_roles_required || self.has_service_role(token)
    }

    /// Whether the application credential behind the token allows this request, if one restricts it.
    fn accessible(&self, token: &Token, method: &Method, path: &str, by_service: bool) -> bool {
        let (Some(rules), Some(kind)) = (&token.access_rules, &self.settings.service_type) else {
            return token.access_rules.is_none();
        };
        by_service || rules.iter().any(|rule| access::allows(rule, kind, method, path))
    }
}

/// A header's text without white space around it; `None` where there is nothing, or no text.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}

fn party(token: &Token) -> Party {
    Party {
        user: Some(token.user_id.clone()),
        user_domain: token.user_domain.id.clone(),
        project: token.project.as_ref().map(|project| project.id.clone()),
        project_domain: token.project.as_ref().and_then(|project| project.domain.id.clone()),
    }
}
