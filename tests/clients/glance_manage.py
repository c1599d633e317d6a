"""Today's glance-manage on a database: glance_manage.py URL VERB [ARGUMENT ...]"""

import pathlib
import sys
import tempfile

from glance.cmd import manage

url, words = sys.argv[1], sys.argv[2:]
with tempfile.TemporaryDirectory() as directory:
    conf = pathlib.Path(directory, "glance.conf")
    conf.write_text(f"[database]\nconnection = {url}\n")
    sys.argv = ["glance-manage", "--config-file", str(conf), "db", *words]
    sys.exit(manage.main())
