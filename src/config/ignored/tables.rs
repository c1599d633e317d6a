//! Options of everything but stores.

use super::Table;

const IMPORTS: &str = "imports and their tasks are not built yet";
const LOG: &str = "this part of logging is not built yet";
const MESSAGING: &str = "notifying through a message broker is not built yet";
const RPC: &str = "it is for services that call each other through a broker";
const KEYS: &str = "signatures of images are not built yet";
const STORE_CINDER: &str = "the cinder store is not built yet";
const TRACING: &str = "tracing is not built yet";
const OF_PYTHON: &str = "it is about the inner life of the program in Python";
const SESSION: &str = "there is one way of asking Keystone";
const REMOVED: &str = "Glance has dropped it";
const REGISTRY_CALLER: &str = "a registry is told who calls by headers, or by admin_token";
const MEMCACHE: &str = "each server remembers tokens by itself";
const NOT_YET: &str = "it is not built yet";

/// Groups of which no option has an effect, and why.
pub(in crate::config) const GROUPS: [(&str, &str); 24] = [
    ("store_type_location_strategy", REMOVED),
    ("taskflow_executor", IMPORTS),
    ("image_import_opts", IMPORTS),
    ("image_conversion", IMPORTS),
    ("inject_metadata_properties", IMPORTS),
    ("import_filtering_opts", IMPORTS),
    ("glance_download_properties", IMPORTS),
    ("key_manager", KEYS),
    ("barbican", KEYS),
    ("barbican_service_user", KEYS),
    ("vault", KEYS),
    ("os_brick", STORE_CINDER),
    ("privsep_osbrick", STORE_CINDER),
    ("oslo_messaging_rabbit", MESSAGING),
    ("oslo_messaging_kafka", MESSAGING),
    ("oslo_messaging_amqp", MESSAGING),
    ("oslo_messaging_qpid", MESSAGING),
    ("oslo_messaging_zmq", MESSAGING),
    ("matchmaker_redis", MESSAGING),
    ("oslo_concurrency", "what is locked is locked where it lies"),
    ("oslo_reports", OF_PYTHON),
    ("profiler", TRACING),
    ("oslo_middleware_tracing", TRACING),
    ("cache", MEMCACHE),
];

pub(super) const TABLES: [Table; 27] = [
    Table {
        group: "DEFAULT",
        why: "metadata definitions are not built yet",
        names: "metadata_source_path=/etc/glance/metadefs/",
    },
    Table { group: "DEFAULT", why: IMPORTS, names: "task_time_to_live=48" },
    Table {
        group: "DEFAULT",
        why: REMOVED,
        names: "digest_algorithm=sha256 secure_proxy_ssl_header enforce_secure_rbac location_strategy=location_order \
                allow_additional_image_properties=true enable_v1_registry enable_v2_registry data_api \
                cache_prefetcher_max_time eventlet_hub=poll image_cache_invalid_entry_grace_period known_stores \
                db_enforce_mysql_charset db_auto_create use_sqlite_cache",
    },
    Table {
        group: "DEFAULT",
        why: REGISTRY_CALLER,
        names: "use_user_token=true send_identity_headers=false admin_user admin_password admin_tenant_name auth_url \
                auth_strategy=noauth auth_region registry_client_insecure=false",
    },
    Table {
        group: "DEFAULT",
        why: LOG,
        names: "use_eventlog=false logging_debug_format_suffix publish_errors=false fatal_deprecations=false \
                instance_format instance_uuid_format log_color=false rate_limit_interval=0 rate_limit_burst=0 \
                rate_limit_except_level=CRITICAL use_syslog_rfc_format=true",
    },
    Table { group: "DEFAULT", why: "faults are told in one line", names: "logging_exception_prefix" },
    Table {
        group: "DEFAULT",
        why: "it is noticed in any case that the log file was moved",
        names: "watch_log_file=true",
    },
    Table {
        group: "DEFAULT",
        why: MESSAGING,
        names: "transport_url control_exchange=glance notification_topics=notifications notification_transport_url \
                rpc_backend=rabbit rabbit_host=localhost rabbit_port=5672 rabbit_hosts rabbit_use_ssl=false \
                rabbit_userid=guest rabbit_password rabbit_virtual_host=/ rabbit_notification_exchange=glance \
                rabbit_notification_topic=notifications rabbit_max_retries=0 rabbit_retry_backoff=2 \
                rabbit_retry_max_backoff=30 rabbit_durable_queues=false rabbit_ha_queues=false \
                qpid_notification_exchange=glance qpid_notification_topic=notifications qpid_hostname=localhost \
                qpid_host=localhost qpid_port=5672 qpid_username qpid_password qpid_sasl_mechanisms \
                qpid_reconnect_timeout=0 qpid_reconnect_limit=0 qpid_reconnect_interval_min=0 \
                qpid_reconnect_interval_max=0 qpid_reconnect_interval=0 qpid_heartbeat=5 qpid_protocol=tcp \
                qpid_tcp_nodelay=true",
    },
    Table {
        group: "oslo_messaging_notifications",
        why: MESSAGING,
        names: "transport_url topics=notifications retry=-1 routing_config",
    },
    Table {
        group: "DEFAULT",
        why: RPC,
        names: "executor_thread_pool_size=64 rpc_thread_pool_size=64 rpc_response_timeout=60 rpc_ping_enabled=false \
                rpc_conn_pool_size=30 allowed_rpc_exception_modules",
    },
    Table {
        group: "DEFAULT",
        why: OF_PYTHON,
        names: "pydev_worker_debug_host pydev_worker_debug_port=5678 backdoor_port backdoor_socket",
    },
    Table {
        group: "database",
        why: "every question goes to the database that is written to, as in Glance while synchronous_reader is true",
        names: "slave_connection asyncio_slave_connection synchronous_reader=true",
    },
    Table { group: "database", why: "statements are not logged", names: "connection_debug=0 connection_trace=false" },
    Table {
        group: "database",
        why: OF_PYTHON,
        names: "backend=sqlalchemy asyncio_connection min_pool_size=1 use_tpool=false sqlite_db db_backend=sqlalchemy",
    },
    Table {
        group: "database",
        why: "oslo.db has dropped it: the tables are InnoDB's",
        names: "mysql_enable_ndb=false",
    },
    Table { group: "keystone_authtoken", why: "Keystone is spoken to by its version 3", names: "auth_version" },
    Table {
        group: "keystone_authtoken",
        why: MEMCACHE,
        names: "cache memcache_security_strategy=None memcache_secret_key memcache_use_advanced_pool=true \
                memcache_pool_dead_retry=300 memcache_pool_maxsize=10 memcache_pool_socket_timeout=3 \
                memcache_pool_unused_timeout=60 memcache_pool_conn_get_timeout=10 memcache_tls_enabled=false \
                memcache_tls_cafile memcache_tls_certfile memcache_tls_keyfile memcache_tls_allowed_ciphers \
                memcache_sasl_enabled=false memcache_username memcache_password",
    },
    Table {
        group: "keystone_authtoken",
        why: "no token is judged without Keystone",
        names: "signing_dir check_revocations_for_cached=false hash_algorithms=md5 revocation_cache_time=10 admin_token",
    },
    Table {
        group: "keystone_authtoken",
        why: SESSION,
        names: "collect_timing=false split_loggers=false timeout connect_retries connect_retry_delay status_code_retries \
                status_code_retry_delay valid_interfaces service_name endpoint_override min_version max_version version \
                retriable_status_codes tls_ciphers tls_min_version",
    },
    Table {
        group: "oslo_limit",
        why: SESSION,
        names: "collect_timing=false split_loggers=false connect_retry_delay status_code_retries \
                status_code_retry_delay valid_interfaces interface service_name service_type region_name \
                endpoint_override min_version max_version version auth_section \
                retriable_status_codes tls_ciphers tls_min_version",
    },
    Table {
        group: "glance_store",
        why: "stores are always what they can be",
        names: "store_capabilities_update_min_interval=0",
    },
    Table { group: "oslo_middleware", why: NOT_YET, names: "http_basic_auth_user_file=/etc/htpasswd" },
    Table { group: "oslo_middleware", why: REMOVED, names: "secure_proxy_ssl_header" },
    Table { group: "image_format", why: IMPORTS, names: "vmdk_allowed_types=streamOptimized,monolithicSparse" },
    Table {
        group: "task",
        why: IMPORTS,
        names: "task_time_to_live=48 task_executor=taskflow work_dir eventlet_executor_pool_size=1000",
    },
    Table { group: "wsgi", why: OF_PYTHON, names: "python_interpreter" },
    Table { group: "oslo_policy", why: "it cannot be turned off any more", names: "enforce_scope=true" },
];
