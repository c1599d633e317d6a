//! The model: who may do what, written down from policy-and-auth §3–§5. It knows nothing of the server.

use std::fmt;

/// The project that owns images.
pub(super) const OWNER: &str = "project-owner";
/// Members of every image, by what they said to it.
pub(super) const PENDING: &str = "project-pending";
pub(super) const ACCEPTED: &str = "project-accepted";
pub(super) const REJECTED: &str = "project-rejected";
const STRANGER: &str = "project-stranger";

/// Projects by their relation to the images.
const RELATIONS: [&str; 5] = [OWNER, PENDING, ACCEPTED, REJECTED, STRANGER];
/// Roles as tokens bring them: the implied ones are named, too.
const ROLES: [&[&str]; 6] =
    [&["admin", "member", "reader"], &["member", "reader"], &["member"], &["reader"], &["service"], &[]];

/// Who asks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Caller {
    pub(super) project: Option<&'static str>,
    pub(super) roles: &'static [&'static str],
    /// The token is for the whole deployment.
    pub(super) system: bool,
    /// There is no identity at all.
    pub(super) nobody: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) visibility: &'static str,
    pub(super) owner: Option<&'static str>,
    pub(super) status: &'static str,
    pub(super) hidden: bool,
    pub(super) protected: bool,
}

/// What a rule sees of an image, or of one that is to be (§3.5).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Target {
    pub(super) project: Option<&'static str>,
    pub(super) owner: Option<&'static str>,
    pub(super) member: Option<&'static str>,
    pub(super) visibility: &'static str,
}

/// The forms of rules (§4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Anybody,
    Admin,
    Member,
    Reader,
    ReadImage,
    Download,
    Create,
    SharedMember,
    ReaderOrShared,
    Service,
    ServiceOrMember,
}

pub(super) const GET_IMAGE: Rule = Rule::ReadImage;
pub(super) const GET_IMAGES: Rule = Rule::Reader;
pub(super) const DOWNLOAD_IMAGE: Rule = Rule::Download;
pub(super) const MODIFY_IMAGE: Rule = Rule::Member;
pub(super) const PUBLICIZE_IMAGE: Rule = Rule::Admin;
pub(super) const COMMUNITIZE_IMAGE: Rule = Rule::Member;
pub(super) const DELETE_IMAGE: Rule = Rule::Member;
pub(super) const UPLOAD_IMAGE: Rule = Rule::Member;
pub(super) const ADD_IMAGE: Rule = Rule::Create;
pub(super) const GET_IMAGE_LOCATION: Rule = Rule::Reader;
pub(super) const SET_IMAGE_LOCATION: Rule = Rule::Member;
pub(super) const DELETE_IMAGE_LOCATION: Rule = Rule::Admin;
pub(super) const ADD_IMAGE_LOCATION: Rule = Rule::ServiceOrMember;
pub(super) const FETCH_IMAGE_LOCATION: Rule = Rule::Service;
pub(super) const ADD_MEMBER: Rule = Rule::Member;
pub(super) const GET_MEMBER: Rule = Rule::ReaderOrShared;
pub(super) const GET_MEMBERS: Rule = Rule::ReaderOrShared;
pub(super) const MODIFY_MEMBER: Rule = Rule::SharedMember;
pub(super) const DELETE_MEMBER: Rule = Rule::Member;
pub(super) const DEACTIVATE: Rule = Rule::Member;
pub(super) const REACTIVATE: Rule = Rule::Member;
/// All of `cache_*`, `list_cached_nodes` and `manage_image_cache`.
pub(super) const CACHE: Rule = Rule::Admin;
/// By an admin or a service, as it is put there.
pub(super) const STORES_INFO_DETAIL: Rule = Rule::Service;
/// v1's own; no rule of today is about it, and none of 2012 was (v1-api §5).
pub(super) const GET_SHARED_IMAGES: Rule = Rule::Anybody;

/// Everybody who is told apart.
pub(super) fn callers() -> Vec<Caller> {
    let with = |roles, project| Caller { project: Some(project), roles, ..Caller::default() };
    let mut all: Vec<Caller> =
        ROLES.into_iter().flat_map(|roles| RELATIONS.map(|project| with(roles, project))).collect();
    // Relations are nothing to admins, so two are enough.
    all.retain(|caller| !caller.is_admin() || [OWNER, STRANGER].map(Some).contains(&caller.project));
    all.push(Caller { roles: ROLES[0], system: true, ..Caller::default() });
    all.push(Caller { roles: ROLES[1], ..Caller::default() });
    all.push(Caller { nobody: true, ..Caller::default() });
    all
}

impl Caller {
    /// The database lets admins see everything, whatever the rules say then (§1.2, §3.4).
    pub(super) fn is_admin(&self) -> bool {
        self.has("admin")
    }

    fn has(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }

    /// Whether a rule lets the caller pass. Null is equal to null (§4.6), and who asks for the deployment as a whole passes
    /// none of the API's rules (§3.4).
    pub(super) fn passes(&self, rule: Rule, target: &Target) -> bool {
        let admin = self.has("admin");
        let member = self.has("member");
        let reader = self.has("reader");
        let own = self.project == target.project;
        let shared = self.project == target.member;
        let open = ["community", "public", "shared"].contains(&target.visibility);
        let lets = match rule {
            Rule::Anybody => true,
            Rule::Admin => admin,
            Rule::Member => admin || member && own,
            Rule::Reader => admin || reader && own,
            Rule::ReadImage => admin || reader && (own || shared || open),
            Rule::Download => admin || member && (own || shared || open),
            Rule::Create => admin || member && own && self.project == target.owner,
            Rule::SharedMember => admin || member && shared,
            Rule::ReaderOrShared => admin || reader && (own || shared),
            Rule::Service => self.has("service") || admin,
            Rule::ServiceOrMember => self.has("service") || admin || member && own && self.project == target.owner,
        };
        lets && !self.system
    }

    /// What a rule sees where no image is looked at.
    pub(super) fn own_project(&self) -> Target {
        Target { project: self.project, ..Target::default() }
    }

    /// What a rule sees of this image when this caller comes for it.
    pub(super) fn target(&self, image: &Subject) -> Target {
        let shared = image.visibility == "shared" && self.project != image.owner;
        Target {
            project: image.owner,
            owner: image.owner,
            member: self.project.filter(|_| shared),
            visibility: image.visibility,
        }
    }

    /// Whether the caller's project has been made a member.
    pub(super) fn is_member(&self) -> bool {
        self.project.is_some_and(|project| [PENDING, ACCEPTED, REJECTED].contains(&project))
    }

    /// Whether the image is the caller's: what is nobody's is not that of who has no project either (v1-api §15).
    pub(super) fn owns(&self, image: &Subject) -> bool {
        image.owner.is_some() && image.owner == self.project
    }

    /// Whether the database finds the image for the caller (§5.1).
    pub(super) fn sees(&self, image: &Subject) -> bool {
        self.is_admin()
            || image.owner.is_none()
            || ["public", "community"].contains(&image.visibility)
            || image.owner == self.project
            || image.visibility == "shared" && self.is_member()
    }

    pub(super) fn passes_on(&self, rule: Rule, image: &Subject) -> bool {
        self.passes(rule, &self.target(image))
    }

    pub(super) fn passes_all(&self, rules: &[Rule], image: &Subject) -> bool {
        self.sees(image) && rules.iter().all(|rule| self.passes_on(*rule, image))
    }

    /// What becomes of a call for an image that is judged by these rules (§5.2).
    pub(super) fn verdict(&self, rules: &[Rule], image: &Subject, success: u16) -> u16 {
        if !self.sees(image) {
            404
        } else if self.passes_all(rules, image) {
            success
        } else if self.passes_on(GET_IMAGE, image) {
            403
        } else {
            404
        }
    }

    /// The same for a call that changes the record: whom the rules let still has to own it, or be an admin (v1-api §15).
    pub(super) fn verdict_on_change(&self, rules: &[Rule], image: &Subject, success: u16) -> u16 {
        if self.passes_all(rules, image) && !self.is_admin() && !self.owns(image) {
            403
        } else {
            self.verdict(rules, image, success)
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.nobody, self.system, self.project) {
            (true, ..) => f.write_str("nobody"),
            (_, true, _) => f.write_str("system admin"),
            (_, _, project) => {
                let roles = if self.roles.is_empty() { "no role".to_owned() } else { self.roles.join("+") };
                write!(f, "{roles} of {}", project.unwrap_or("no project"))
            }
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = if self.owner.is_some() { "" } else { " ownerless" };
        let hidden = if self.hidden { " hidden" } else { "" };
        let protected = if self.protected { " protected" } else { "" };
        write!(f, "{}{owner}{hidden}{protected} {}", self.visibility, self.status)
    }
}

/// Images of every visibility, and some that are nobody's.
pub(super) fn subjects(status: &'static str) -> Vec<Subject> {
    let owned = ["public", "community", "shared", "private"].map(|visibility| (Some(OWNER), visibility));
    let all = owned.into_iter().chain([(None, "shared"), (None, "private")]);
    all.map(|(owner, visibility)| Subject { visibility, owner, status, hidden: false, protected: false }).collect()
}
