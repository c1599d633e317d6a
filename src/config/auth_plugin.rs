//! Who this service is to Keystone: the options that stand in every group that names credentials (configuration §5, §12).

use std::time::Duration;

use keystone::{Credentials, Named, Scope, Tls, User};
use osloconf::{Conf, Opt};

use super::{Error, Result};

/// The options of a group, those by other names as well. They live as long as the process, as the configuration does.
pub(super) fn options(group: &'static str) -> &'static [Opt] {
    let declared = declared(group);
    let old = OLD_NAMES.iter().flat_map(|(name, old)| old.iter().map(move |old| (*name, *old)));
    let old: Vec<Opt> = old
        .filter_map(|(name, old)| Some(Opt { name: old, ..*declared.iter().find(|opt| opt.name == name)? }))
        .collect();
    [declared.to_vec(), old].concat().leak()
}

const fn declared(group: &'static str) -> [Opt; 24] {
    [
        Opt::str(group, "auth_type").empty_is_unset().help(
            "How this service proves who it is to Keystone: password, v3password, v3applicationcredential, token, v3token",
        ),
        Opt::str(group, "auth_url").empty_is_unset().help("Where Keystone is"),
        Opt::str(group, "username").empty_is_unset().help("Name of the service's user"),
        Opt::str(group, "user_id").empty_is_unset().help("Id of the service's user"),
        Opt::str(group, "password").empty_is_unset().secret().help("Its password"),
        Opt::str(group, "user_domain_name").empty_is_unset().help("Name of the user's domain"),
        Opt::str(group, "user_domain_id").empty_is_unset().help("Id of the user's domain"),
        Opt::str(group, "project_name").empty_is_unset().help("Name of the project that its token is for"),
        Opt::str(group, "project_id").empty_is_unset().help("Id of the project that its token is for"),
        Opt::str(group, "project_domain_name").empty_is_unset().help("Name of the project's domain"),
        Opt::str(group, "project_domain_id").empty_is_unset().help("Id of the project's domain"),
        Opt::str(group, "default_domain_name").empty_is_unset().help("Name of both domains, where they are not named"),
        Opt::str(group, "default_domain_id").empty_is_unset().help("Id of both domains, where they are not named"),
        Opt::str(group, "domain_name").empty_is_unset().help("Name of the domain that its token is for"),
        Opt::str(group, "domain_id").empty_is_unset().help("Id of the domain that its token is for"),
        Opt::str(group, "system_scope").empty_is_unset().help("all: its token is for the whole deployment"),
        Opt::str(group, "trust_id").empty_is_unset().help("Trust that its token is for"),
        Opt::str(group, "application_credential_id").empty_is_unset().help("Id of its application credential"),
        Opt::str(group, "application_credential_name").empty_is_unset().help("Name of its application credential"),
        Opt::str(group, "application_credential_secret").empty_is_unset().secret().help("Secret of that"),
        Opt::str(group, "token").empty_is_unset().secret().help("A token that it has already"),
        Opt::str(group, "cafile").empty_is_unset().help("Authorities that sign Keystone's certificate; unset: the system's"),
        Opt::str(group, "certfile").empty_is_unset().help("Certificate of this service"),
        Opt::str(group, "keyfile").empty_is_unset().help("Its key"),
    ]
}

/// Other names of these options.
const OLD_NAMES: [(&str, &[&str]); 5] = [
    ("auth_type", &["auth_plugin"]),
    ("username", &["user_name", "admin_user"]),
    ("password", &["admin_password"]),
    ("project_name", &["tenant_name", "admin_tenant_name"]),
    ("project_id", &["tenant_id"]),
];

/// One group's credentials.
pub(super) struct Plugin<'a> {
    pub(super) conf: &'a Conf,
    pub(super) group: &'static str,
    /// What Keystone is needed for, as the end of a sentence about what is missing.
    pub(super) purpose: &'static str,
}

impl Plugin<'_> {
    /// A text; `name` is one of these options.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>> {
        let old: &[&str] = OLD_NAMES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, old)| old);
        for name in std::iter::once(&name).chain(old) {
            if let Some(text) = self.conf.str(&Opt::str(self.group, name).empty_is_unset().secret())? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// A text that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<String> {
        self.text(name)?.ok_or(Error::Missing { option: name, why: self.purpose })
    }

    fn named(&self, id: &'static str, name: &'static str) -> Result<Named> {
        Ok(Named { id: self.text(id)?, name: self.text(name)? })
    }

    /// The domain of a name; where none is named, the one that every Keystone begins with.
    fn domain(&self, id: &'static str, name: &'static str) -> Result<Named> {
        let own = self.named(id, name)?;
        if !own.is_empty() {
            return Ok(own);
        }
        let both = self.named("default_domain_id", "default_domain_name")?;
        Ok(if both.is_empty() { Named { id: Some("default".to_owned()), name: None } } else { both })
    }

    fn user(&self) -> Result<User> {
        let user = self.named("user_id", "username")?;
        Ok(User { user, domain: self.domain("user_domain_id", "user_domain_name")? })
    }

    fn scope(&self) -> Result<Scope> {
        let project = self.named("project_id", "project_name")?;
        let domain = self.named("domain_id", "domain_name")?;
        Ok(match (self.text("trust_id")?, self.text("system_scope")?) {
            (Some(trust), _) => Scope::Trust(trust),
            (None, Some(scope)) if scope == "all" => Scope::System,
            (None, Some(scope)) => return Err(invalid("system_scope", format!("'{scope}' is not all"))),
            (None, None) if !project.is_empty() => {
                Scope::Project { project, domain: self.domain("project_domain_id", "project_domain_name")? }
            }
            (None, None) if !domain.is_empty() => Scope::Domain(domain),
            (None, None) => Scope::None,
        })
    }

    /// What the service proves its identity with.
    pub(super) fn credentials(&self) -> Result<Credentials> {
        let kind = self.text("auth_type")?;
        Ok(match kind.as_deref().unwrap_or("password") {
            "password" | "v3password" => {
                let user = self.user()?;
                if user.user.is_empty() {
                    self.required("username")?;
                }
                Credentials::Password { user, password: self.required("password")?, scope: self.scope()? }
            }
            "v3applicationcredential" => {
                let credential = self.named("application_credential_id", "application_credential_name")?;
                if credential.is_empty() {
                    self.required("application_credential_id")?;
                }
                let secret = self.required("application_credential_secret")?;
                Credentials::ApplicationCredential { credential, user: self.user()?, secret }
            }
            "token" | "v3token" => Credentials::Token { token: self.required("token")?, scope: self.scope()? },
            other => {
                return Err(invalid("auth_type", format!("there is no way '{other}' to prove who this service is")));
            }
        })
    }

    /// Where Keystone is, and how this service talks to it.
    pub(super) fn settings(
        &self,
        auth_url: String,
        insecure: bool,
        timeout: Duration,
        retries: u32,
    ) -> Result<keystone::Settings> {
        let path = |name| Ok::<_, Error>(self.text(name)?.map(Into::into));
        let tls = Tls { cafile: path("cafile")?, certfile: path("certfile")?, keyfile: path("keyfile")?, insecure };
        Ok(keystone::Settings { auth_url, endpoint: None, credentials: self.credentials()?, timeout, retries, tls })
    }
}

fn invalid(option: &'static str, reason: String) -> Error {
    Error::Invalid { option, reason }
}
