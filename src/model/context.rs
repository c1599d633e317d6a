//! Who is asking: the identity and powers of one request.

use std::fmt;

/// The API that a request came by. Each has its own rules (policy) and its own habits where the same thing is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum Api {
    /// v1, its registry, and the service's own work.
    #[default]
    V1,
    V2,
}

/// The security context of one request (v1-api §4). Built by the identity filters, read by everybody.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Context {
    /// User id, where an identity service named one.
    pub(crate) user: Option<String>,
    /// Project ("tenant") id, where an identity service named one.
    pub(crate) tenant: Option<String>,
    /// Role names as given by the identity service.
    pub(crate) roles: Vec<String>,
    /// Roles of the service that passes on the caller's request, likewise.
    pub(crate) service_roles: Vec<String>,
    /// That service itself.
    pub(crate) service: Party,
    /// The token is for the whole deployment, not for a project: `all`.
    pub(crate) system_scope: Option<String>,
    /// The domain that the token is for, if it is for one.
    pub(crate) domain: Option<String>,
    /// Id of the user's domain.
    pub(crate) user_domain: Option<String>,
    /// Id of the project's domain.
    pub(crate) project_domain: Option<String>,
    /// There is a project of the deployment's admins, and this is not it.
    pub(crate) outside_admin_project: bool,
    /// May see and change everything.
    pub(crate) is_admin: bool,
    /// Anonymous: every change is refused with 403.
    pub(crate) read_only: bool,
    /// Images belong to the project (true, the default of the service) or to the user.
    pub(crate) owner_is_tenant: bool,
    /// The caller's token, forwarded to the registry.
    pub(crate) auth_token: Option<String>,
    /// How the request came.
    pub(crate) api: Api,
    /// Today's rules of policy judge what comes by v1, too: its own of 2012 are open, and ask for no roles.
    pub(crate) todays_rules: bool,
    /// The request's name in answers and logs.
    pub(crate) request_id: Option<String>,
}

/// A user and its project, by their ids and those of their domains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Party {
    pub(crate) user: Option<String>,
    pub(crate) user_domain: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) project_domain: Option<String>,
}

impl fmt::Debug for Context {
    /// Without the token: contexts end up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("user", &self.user)
            .field("tenant", &self.tenant)
            .field("roles", &self.roles)
            .field("is_admin", &self.is_admin)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

impl Context {
    /// The context of work that the service does on its own account.
    pub(crate) fn service() -> Self {
        Self { is_admin: true, owner_is_tenant: true, ..Self::default() }
    }

    /// The same caller with the service's own power over images, for what he was allowed to begin and the service has to
    /// end. He stays who he is, as a registry judges that by itself.
    pub(crate) fn elevated(&self) -> Self {
        Self { is_admin: true, ..self.clone() }
    }

    /// The owner of what this caller creates, and the party that memberships name.
    pub(crate) fn owner(&self) -> Option<&str> {
        let owner = if self.owner_is_tenant { &self.tenant } else { &self.user };
        owner.as_deref()
    }

    /// Whether a service asks, for itself or for a user (policy-and-auth §6).
    pub(crate) fn is_service(&self) -> bool {
        self.roles.iter().chain(&self.service_roles).any(|role| role.eq_ignore_ascii_case("service"))
    }

    /// The API by whose rules the caller is judged.
    pub(crate) fn judged_by(&self) -> Api {
        if self.todays_rules { Api::V2 } else { self.api }
    }

    /// v1's admins can see deleted images by id (v1-api §4.3); for v2 there are none (policy-and-auth §5.1).
    pub(crate) fn sees_deleted(&self) -> bool {
        self.is_admin && self.api == Api::V1
    }
}
