"""A node of the image service: a directory with a configuration, which is all that Glance and Gander are told."""

import shutil

import servers

CONFIGURATION = """[DEFAULT]
debug = True
bind_host = 127.0.0.1
bind_port = {port}
public_endpoint = http://images.test
worker_self_reference_url = http://127.0.0.1:{port}
show_multiple_locations = True
show_image_direct_url = True
image_cache_dir = {directory}/cache
image_cache_driver = {driver}
image_cache_max_size = 1073741824
image_property_quota = 5000
image_member_quota = 1000
delayed_delete = {delayed}
scrub_time = {scrub_time}
scrubber_datadir = {directory}/scrubber
transport_url = fake://
{stores}
[database]
connection = {database}
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = []
[oslo_concurrency]
lock_path = {directory}/locks
[oslo_policy]
policy_file = policy.yaml
[paste_deploy]
flavor = keystone+cachemanagement
[keystone_authtoken]
auth_type = password
auth_url = {keystone}
username = glance
password = secret
project_name = admin
user_domain_name = Default
project_domain_name = Default
"""
ONE_STORE = """node_staging_uri = file://{directory}/staging
[glance_store]
stores = file,http
default_store = file
filesystem_store_datadir = {store}
"""
SEVERAL_STORES = """enabled_backends = fast:file, slow:file, web:http
[glance_store]
default_backend = fast
[fast]
filesystem_store_datadir = {store}/fast
[slow]
filesystem_store_datadir = {store}/slow
store_description = of old
weight = 2
[web]
weight = -1
[os_glance_staging_store]
filesystem_store_datadir = {directory}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {directory}/tasks
"""
# Those that take data.
SEVERAL = ["fast", "slow"]
# Everybody may publish here, as clouds had it for long: a policy file, too, is read by both.
POLICY = '"publicize_image": "role:admin or role:member"\n'


class Node:
    """Its port is the same whoever serves."""

    def __init__(self, directory, store, database, driver, keystone, several_stores=False):
        self.directory = directory
        self.store = store
        self.database = database
        self.driver = driver
        self.port = servers.free_port()
        self.stores = SEVERAL if several_stores else []
        places = [directory / name for name in ["cache", "staging", "locks", "tasks"]]
        for place in [*places, store, *(store / name for name in self.stores)]:
            place.mkdir(parents=True, exist_ok=True)
        self.keystone = keystone
        self.configure()
        (directory / "policy.yaml").write_text(POLICY)
        shutil.copy(servers.VENV / "etc" / "glance" / "glance-api-paste.ini", directory)

    def configure(self, scrub_time=None):
        """Images are deleted at once, or so many seconds later."""
        values = {**vars(self), "delayed": scrub_time is not None, "scrub_time": scrub_time or 0}
        values["stores"] = (SEVERAL_STORES if self.stores else ONE_STORE).format(**values)
        (self.directory / "glance-api.conf").write_text(CONFIGURATION.format(**values))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_heaped(self):
        """PostgreSQL gives rows in the order in which they were last written."""
        return self.database.startswith("postgresql")

    def has_data_of(self, image):
        """Some store has the file of an image."""
        return any((self.store / name / image).exists() for name in self.stores or ["."])

    @property
    def staging(self):
        return self.directory / "staging"

    @property
    def cache(self):
        return self.directory / "cache"
