//! Options of stores, in `[glance_store]` or, of old, in `[DEFAULT]`, and in the groups of several stores.

use super::Table;

/// Tables of any group that a store has, by the kind of the store.
pub(super) const TABLES: [(&str, Table); 7] = [
    of(
        "file",
        "files are read and written another way",
        "filesystem_store_thread_pool_size=10 filesystem_store_threadpool_threshold=75",
    ),
    of(
        "rbd",
        "the rbd store is not built yet",
        "rbd_store_pool=images rbd_store_user rbd_store_ceph_conf rbd_store_chunk_size=8 rados_connect_timeout \
         rbd_thin_provisioning=false",
    ),
    of(
        "s3",
        "the s3 store is not built yet",
        "s3_store_host s3_store_region_name s3_store_access_key s3_store_secret_key s3_store_bucket \
         s3_store_create_bucket_on_put=false s3_store_bucket_url_format=auto s3_store_large_object_size=100 \
         s3_store_large_object_chunk_size=10 s3_store_thread_pools=10 s3_store_cacert s3_store_object_buffer_dir \
         s3_store_enable_data_integrity_protection=false s3_store_request_checksum_calculation \
         s3_store_response_checksum_validation s3_store_enable_proxy s3_store_proxy_host s3_store_proxy_port",
    ),
    of(
        "swift",
        "the swift store is not built yet",
        "swift_store_auth_address swift_store_user swift_store_key swift_store_auth_version=3 swift_store_config_file \
         default_swift_reference=ref1 swift_store_application_credential_id swift_store_application_credential_secret \
         swift_store_project_name swift_store_project_id swift_store_container=glance \
         swift_store_create_container_on_put=false swift_store_large_object_size=5120 \
         swift_store_large_object_chunk_size=200 swift_store_multi_tenant=false \
         swift_store_multiple_containers_seed=0 swift_store_admin_tenants swift_store_region swift_store_endpoint \
         swift_store_endpoint_type=publicURL swift_store_service_type=object-store swift_store_auth_insecure=false \
         swift_store_cacert swift_store_ssl_compression=true swift_store_retry_get_count=0 \
         swift_store_expire_soon_interval=60 swift_store_use_trusts=true swift_buffer_on_upload=false \
         swift_upload_buffer_dir swift_enable_snet=false",
    ),
    of(
        "cinder",
        "the cinder store is not built yet",
        "cinder_catalog_info=volumev3::publicURL cinder_endpoint_template cinder_os_region_name os_region_name \
         cinder_ca_certificates_file cinder_http_retries=3 cinder_state_transition_timeout=300 \
         cinder_api_insecure=false cinder_store_auth_address cinder_store_user_name cinder_store_user_domain_name \
         cinder_store_password cinder_store_project_name cinder_store_project_domain_name \
         cinder_store_application_credential_id cinder_store_application_credential_secret rootwrap_config \
         cinder_volume_type cinder_enforce_multipath=false cinder_use_multipath=false cinder_mount_point_base \
         cinder_do_extend_attached=false cinder_attachment_retry_attempts=5",
    ),
    of(
        "vmware",
        "the vmware store is not built yet",
        "vmware_server_host vmware_server_username vmware_server_password vmware_api_retry_count=10 \
         vmware_task_poll_interval=5 vmware_store_image_dir vmware_insecure=false vmware_api_insecure=false \
         vmware_ca_file vmware_datastores vmware_datacenter_path vmware_datastore_name",
    ),
    of(
        "sheepdog",
        "Glance has dropped the sheepdog store",
        "sheepdog_store_address sheepdog_store_port sheepdog_store_chunk_size",
    ),
];

const fn of(kind: &'static str, why: &'static str, names: &'static str) -> (&'static str, Table) {
    (kind, Table { group: "glance_store", why, names })
}
