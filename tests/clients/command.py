"""Calling the `openstack` command and understanding what it prints."""

import json
import os
import re
import subprocess
import sys
import tempfile
import traceback

from openstackclient.shell import OpenStackShell

from common import equal, true

# Those that print a table or a record, which they can print as JSON.
TELLING = re.compile(
    r"(cached )?image (list|show|create|add project|member list|member get)\b|project show|token issue"
)


class Openstack:
    """The command with these settings, which it finds in its environment as `OS_NAME`."""

    def __init__(self, **settings):
        others = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        self.environment = others | {f"OS_{name.upper()}": value for name, value in settings.items()}

    def run(self, *words):
        """Its exit status, standard output and standard error.

        It runs in a copy of this process, which has its modules already: to start it afresh takes two seconds.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if child == 0:
                self.become(words, out, err)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
            return status, *texts

    def become(self, words, out, err):
        """Is the command, to the end of the process."""
        status = 70
        try:
            # `image create` takes what is not a terminal for the image.
            os.dup2(os.openpty()[1], 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.environ.clear()
            os.environ.update(self.environment)
            status = OpenStackShell().run([str(word) for word in words])
        except SystemExit as end:
            status = end.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def __call__(self, command, *words):
        """What a command that must succeed tells."""
        telling = TELLING.match(command)
        status, out, err = self.run(*command.split(), *(["-f", "json"] if telling else []), *words)
        equal(status, 0, f"`openstack {command} {words}` says {err!r} and ends with")
        return json.loads(out) if telling else out

    def fails(self, wanted, command, *words):
        """Runs a command that must fail and say so."""
        status, out, err = self.run(*command.split(), *words)
        told = f"`openstack {command} {words}` ends with {status} and {out!r}, {err!r} instead of {wanted!r}"
        true(status == 1 and wanted in err, told)

    def process(self, *words, stdin=None):
        """The installed program itself; its standard output as bytes."""
        program = os.path.join(os.path.dirname(sys.executable), "openstack")
        done = subprocess.run([program, *words], env=self.environment, stdin=stdin, stdout=subprocess.PIPE, check=True)
        return done.stdout
