//! Certificates where rules of policy ask another server by `https:` (policy-and-auth §3.1).

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::people::People;
use super::remote_checks::setup;
use crate::harness::skipped;

/// A server that speaks TLS, and says `True` on `/open`, and else to whoever shows the certificate of `client.pem`.
struct Secure {
    port: u16,
    child: Child,
}

impl Secure {
    /// `None`: it cannot be had here.
    fn start(dir: &Path) -> Option<Self> {
        const SERVER: &str = "
import http.server, ssl, sys
class Judge(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        shown = b'True' if self.path == '/open' or self.connection.getpeercert() else b'False'
        self.send_response(200)
        self.send_header('Content-Length', str(len(shown)))
        self.end_headers()
        self.wfile.write(shown)
    def log_message(self, *args):
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('server.pem')
context.verify_mode = ssl.CERT_OPTIONAL
context.load_verify_locations('client.pem')
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Judge)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
";
        for name in ["server", "client"] {
            let pem = format!("{name}.pem");
            let mut openssl = Command::new("openssl");
            openssl.args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ]);
            openssl.args(["-subj", "/CN=judge", "-addext", "subjectAltName=IP:127.0.0.1"]);
            openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key", "-out", &pem]);
            let made = openssl.current_dir(dir).output().ok().filter(|made| made.status.success());
            if made.is_none() {
                skipped("there is no openssl that makes certificates");
                return None;
            }
            let certificate = fs::read_to_string(dir.join(&pem)).unwrap();
            fs::write(dir.join(&pem), fs::read_to_string(dir.join("key")).unwrap() + &certificate).unwrap();
            fs::write(dir.join(format!("{name}.crt")), certificate).unwrap();
            fs::rename(dir.join("key"), dir.join(format!("{name}.key"))).unwrap();
        }
        let mut python = Command::new("python3");
        let Ok(mut child) = python.args(["-c", SERVER]).current_dir(dir).stdout(Stdio::piped()).spawn() else {
            skipped("there is no python3");
            return None;
        };
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Some(Self { port: port.trim().parse().unwrap(), child })
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn certificates_of_both_sides_count() {
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = Secure::start(dir.path()) else { return };
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (good, bad, both) = (at("server.crt"), at("client.crt"), at("client.pem"));
    let (ours, key) = (at("client.crt"), at("client.key"));
    for (path, options, status) in [
        ("open", vec![], 200),
        ("open", vec![("verify_server_crt", "true"), ("ca_crt_file", good.as_str())], 200),
        ("open", vec![("verify_server_crt", "true"), ("ca_crt_file", &bad)], 403),
        ("open", vec![("verify_server_crt", "true")], 403),
        ("known", vec![], 403),
        ("known", vec![("client_crt_file", &both)], 200),
        ("known", vec![("client_crt_file", &ours), ("client_key_file", &key)], 200),
    ] {
        let mut setup = setup(&format!("get_images: 'https://127.0.0.1:{}/{path}'\n", server.port));
        for (option, value) in &options {
            setup = setup.set(&format!("oslo_policy.remote_ssl_{option}"), value);
        }
        let people = People::of(setup);
        let answer = people.alice.get("/v2/images");
        assert_eq!(answer.status, status, "{path} {options:?}: {}", people.gander.log());
    }
}
