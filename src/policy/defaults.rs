//! The rules that hold where no file says otherwise.

use crate::model::Api;

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

/// The rules of an API.
pub(super) fn of(api: Api) -> &'static [(&'static str, &'static str)] {
    match api {
        Api::V1 => &V1,
        Api::V2 => &V2,
    }
}
