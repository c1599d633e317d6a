"""A certificate of 127.0.0.1 that has signed itself, and its key."""
import ssl
import subprocess


class Certificate:
    """Both as files; who trusts the certificate trusts the server."""

    def __init__(self, stage):
        own = stage.directory()
        self.pem, self.key = own / "server.pem", own / "server.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", self.key, "-out", self.pem, "-days", "2", "-subj", "/CN=bench"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def context(self):
        """For a client of Python's."""
        return ssl.create_default_context(cafile=self.pem)
