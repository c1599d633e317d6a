//! The rules that hold where no file says otherwise.

/// v1 leaves everything open but the cache and publishing, which are for admins (security S8, C9). A deployment without
/// an identity service has only admins.
const V1: [(&str, &str); 3] =
    [("default", ""), ("manage_image_cache", "is_admin:True"), ("publicize_image", "is_admin:True")];

const ADMIN: &str = "rule:context_is_admin";
const MEMBER: &str = "rule:context_is_admin or (role:member and project_id:%(project_id)s)";
const READER: &str = "rule:context_is_admin or (role:reader and project_id:%(project_id)s)";
const READ_IMAGE: &str = "rule:context_is_admin or (role:reader and (project_id:%(project_id)s or \
     project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s or 'shared':%(visibility)s))";
const DOWNLOAD: &str = "rule:context_is_admin or (role:member and (project_id:%(project_id)s or \
     project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s or 'shared':%(visibility)s))";
const CREATE: &str = "rule:context_is_admin or (role:member and project_id:%(project_id)s and project_id:%(owner)s)";
const SHARED_MEMBER: &str = "rule:context_is_admin or (role:member and project_id:%(member_id)s)";
const READER_OR_SHARED: &str =
    "rule:context_is_admin or role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)";
const SERVICE: &str = "rule:service_api";
const SERVICE_OR_MEMBER: &str =
    "rule:service_api or (role:member and project_id:%(project_id)s and project_id:%(owner)s)";
const ADMIN_OR_SERVICE: &str = "rule:context_is_admin or rule:service_api";

/// v2's rules of images, their data, the cache and discovery (policy-and-auth §4).
const V2: [(&str, &str); 35] = [
    ("default", ""),
    ("context_is_admin", "role:admin"),
    ("service_api", "role:service or role:admin"),
    ("add_image", CREATE),
    ("get_image", READ_IMAGE),
    ("get_images", READER),
    ("modify_image", MEMBER),
    ("publicize_image", ADMIN),
    ("communitize_image", MEMBER),
    ("delete_image", MEMBER),
    ("upload_image", MEMBER),
    ("download_image", DOWNLOAD),
    ("download_from_store", DOWNLOAD),
    ("get_image_location", READER),
    ("set_image_location", MEMBER),
    ("delete_image_location", ADMIN),
    ("add_image_location", SERVICE_OR_MEMBER),
    ("fetch_image_location", SERVICE),
    ("add_member", MEMBER),
    ("get_member", READER_OR_SHARED),
    ("get_members", READER_OR_SHARED),
    ("modify_member", SHARED_MEMBER),
    ("delete_member", MEMBER),
    ("deactivate", MEMBER),
    ("reactivate", MEMBER),
    ("copy_image", ADMIN),
    ("manage_image_cache", ADMIN),
    ("list_cached_nodes", ADMIN),
    ("cache_image", ADMIN),
    ("cache_list", ADMIN),
    ("cache_delete", ADMIN),
    ("cache_clean", ADMIN),
    ("cache_prune", ADMIN),
    ("stores_info_detail", ADMIN_OR_SERVICE),
    ("tasks_api_access", ADMIN),
];

const READ_NAMESPACE: &str =
    "rule:context_is_admin or (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))";
const METADEF_ADMIN: &str = "rule:metadef_admin";
const DEFAULT: &str = "rule:default";

/// Rules of what comes later, so that files may name them already: tasks and metadata definitions (policy-and-auth §4.3, §4.4).
const V2_LATER: [(&str, &str); 33] = [
    ("get_task", DEFAULT),
    ("get_tasks", DEFAULT),
    ("add_task", DEFAULT),
    ("modify_task", DEFAULT),
    ("metadef_default", ""),
    ("metadef_admin", ADMIN),
    ("get_metadef_namespaces", READER),
    ("get_metadef_namespace", READ_NAMESPACE),
    ("get_metadef_object", READ_NAMESPACE),
    ("get_metadef_objects", READ_NAMESPACE),
    ("list_metadef_resource_types", READ_NAMESPACE),
    ("get_metadef_resource_type", READ_NAMESPACE),
    ("get_metadef_property", READ_NAMESPACE),
    ("get_metadef_properties", READ_NAMESPACE),
    ("get_metadef_tag", READ_NAMESPACE),
    ("get_metadef_tags", READ_NAMESPACE),
    ("add_metadef_namespace", METADEF_ADMIN),
    ("modify_metadef_namespace", METADEF_ADMIN),
    ("delete_metadef_namespace", METADEF_ADMIN),
    ("add_metadef_object", METADEF_ADMIN),
    ("modify_metadef_object", METADEF_ADMIN),
    ("delete_metadef_object", METADEF_ADMIN),
    ("add_metadef_resource_type_association", METADEF_ADMIN),
    ("remove_metadef_resource_type_association", METADEF_ADMIN),
    ("add_metadef_property", METADEF_ADMIN),
    ("modify_metadef_property", METADEF_ADMIN),
    ("remove_metadef_property", METADEF_ADMIN),
    ("add_metadef_tag", METADEF_ADMIN),
    ("add_metadef_tags", METADEF_ADMIN),
    ("modify_metadef_tag", METADEF_ADMIN),
    ("delete_metadef_tag", METADEF_ADMIN),
    ("delete_metadef_tags", METADEF_ADMIN),
    ("get_shared_images", ""),
];

/// Rules that once were `rule:default`.
const ONCE_DEFAULT: [&str; 18] = [
    "add_image",
    "get_image",
    "get_images",
    "modify_image",
    "communitize_image",
    "delete_image",
    "upload_image",
    "download_image",
    "get_image_location",
    "set_image_location",
    "delete_image_location",
    "add_member",
    "get_member",
    "get_members",
    "modify_member",
    "delete_member",
    "deactivate",
    "reactivate",
];

/// What a rule was before it got its form of today, if that still counts with `enforce_new_defaults = false`.
fn old_form(rule: &str) -> Option<&'static str> {
    match rule {
        "cache_image" | "cache_list" | "cache_delete" => Some("rule:manage_image_cache"),
        "stores_info_detail" => Some(ADMIN),
        _ if ONCE_DEFAULT.contains(&rule) => Some(DEFAULT),
        _ if rule.starts_with("get_metadef_") || rule == "list_metadef_resource_types" => Some("rule:metadef_default"),
        _ => None,
    }
}

/// v1's own rules.
pub(super) fn of_v1() -> &'static [(&'static str, &'static str)] {
    &V1
}

/// v2's rules; with their old forms beside the new ones, unless only those count.
pub(super) fn of_v2(new_only: bool) -> Vec<(&'static str, String)> {
    let rules = V2.iter().chain(&V2_LATER);
    let form = |rule: &str, today: &str| match old_form(rule).filter(|_| !new_only) {
        Some(old) => format!("({today}) or ({old})"),
        None => today.to_owned(),
    };
    rules.map(|(rule, today)| (*rule, form(rule, today))).collect()
}

/// Rules whose subject only its owner passes, and admins, where the old forms count (policy-and-auth §5.4).
pub(super) const OWNERS: [&str; 6] =
    ["delete_image", "upload_image", "modify_image", "deactivate", "reactivate", "delete_image_location"];
