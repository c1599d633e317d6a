//! Encrypted ways to a database, as URLs say them (database §9): who is trusted, and what is told when nobody is.

use testdb::Kind;

use super::SERVERS;
use crate::harness::{Database, Outcome, Setup};

/// Where a way leads: a server that speaks TLS, or one that does not.
const TLS: bool = true;
const PLAIN: bool = false;

/// A way to a database.
struct Way {
    user: &'static str,
    host: &'static str,
    /// With `CA`, `CLIENT` and `FOREIGN` for the paths of what the server's directory has.
    query: &'static str,
}

const fn way(user: &'static str, host: &'static str, query: &'static str) -> Way {
    Way { user, host, query }
}

/// The certificate of the servers is for this, and not for `localhost`.
const NAMED: &str = "127.0.0.1";
const OTHER: &str = "localhost";

/// As `way`, what leads there; the user says whether the server demands TLS, and a certificate.
const MYSQL_GOOD: [(bool, Way); 17] = [
    (TLS, way("glance", NAMED, "")),
    (TLS, way("glance", NAMED, "ssl_disabled=true")),
    (TLS, way("tls", NAMED, "")),
    (TLS, way("tls", NAMED, "ssl_ca=CA/ca.pem")),
    (TLS, way("tls", NAMED, "ssl_ca=CA/ca.pem&ssl_check_hostname=true")),
    (TLS, way("tls", NAMED, "ssl_ca=CA/ca.pem&ssl_verify_identity=true&charset=utf8&connect_timeout=5")),
    (TLS, way("tls", NAMED, "ssl_ca=CA/ca.pem&ssl_mode=VERIFY_IDENTITY&ssl_disabled=false")),
    (TLS, way("tls", OTHER, "ssl_ca=CA/ca.pem&ssl_check_hostname=false")),
    (TLS, way("tls", OTHER, "ssl_ca=CA/ca.pem&ssl_verify_cert=true")),
    (TLS, way("tls", OTHER, "ssl_ca=CA/ca.pem&ssl_mode=VERIFY_CA")),
    (TLS, way("tls", OTHER, "ssl_ca=CA/foreign-ca.pem&ssl_verify_cert=false")),
    (TLS, way("tls", OTHER, "ssl_mode=REQUIRED")),
    (TLS, way("mutual", NAMED, "ssl_ca=CA/ca.pem&ssl_cert=CA/client.pem&ssl_key=CA/client.key")),
    (TLS, way("mutual", OTHER, "ssl_cert=CA/client.pem&ssl_key=CA/client.key")),
    (TLS, way("mutual", NAMED, "ssl_ca=CA/ca.pem&ssl_cert=CA/both.pem")),
    (PLAIN, way("glance", NAMED, "")),
    (PLAIN, way("glance", NAMED, "ssl_mode=PREFERRED")),
];

/// And what does not, with the words that are told of it.
const MYSQL_BAD: [(bool, Way, &[&str]); 17] = [
    (TLS, way("tls", NAMED, "ssl_disabled=true"), &["ssl_disabled=true", "Access denied"]),
    (TLS, way("tls", NAMED, "ssl_mode=DISABLED"), &["ssl_mode=DISABLED", "Access denied"]),
    (TLS, way("mutual", NAMED, "ssl_ca=CA/ca.pem"), &["ssl_ca=", "Access denied"]),
    (
        TLS,
        way("mutual", NAMED, "ssl_ca=CA/ca.pem&ssl_cert=CA/foreign-client.pem&ssl_key=CA/foreign-client.key"),
        &["ssl_cert=", "foreign-client.pem", "alert"],
    ),
    (TLS, way("tls", NAMED, "ssl_ca=CA/foreign-ca.pem"), &["ssl_ca=", "foreign-ca.pem", "certificate"]),
    (TLS, way("tls", NAMED, "ssl_ca=CA/foreign-ca.pem&ssl_check_hostname=false"), &["foreign-ca.pem", "certificate"]),
    // Without a file it is what this system trusts.
    (TLS, way("tls", NAMED, "ssl_verify_cert=true"), &["ssl_verify_cert=true", "certificate"]),
    (TLS, way("tls", NAMED, "ssl_verify_identity=true"), &["ssl_verify_identity=true", "certificate"]),
    (TLS, way("tls", OTHER, "ssl_ca=CA/ca.pem"), &["ssl_ca=", "not valid for name", "localhost"]),
    (TLS, way("tls", OTHER, "ssl_ca=CA/ca.pem&ssl_verify_identity=true"), &["ssl_verify_identity=true", "localhost"]),
    (PLAIN, way("glance", NAMED, "ssl_mode=REQUIRED"), &["ssl_mode=REQUIRED", "does not support TLS"]),
    (PLAIN, way("glance", NAMED, "ssl_verify_cert=false"), &["ssl_verify_cert=false", "does not support TLS"]),
    (TLS, way("glance", NAMED, "ssl_ca=CA/nothing.pem"), &["ssl_ca", "nothing.pem", "No such file"]),
    (TLS, way("glance", NAMED, "ssl_ca=CA/ca.key"), &["ssl_ca", "ca.key", "no certificate"]),
    (TLS, way("glance", NAMED, "ssl_key=CA/client.key"), &["ssl_key", "without ssl_cert"]),
    (TLS, way("glance", NAMED, "ssl_capath=CA"), &["ssl_capath", "ssl_ca"]),
    (TLS, way("glance", NAMED, "ssl_verify_cert=perhaps"), &["ssl_verify_cert", "perhaps"]),
];

const POSTGRESQL_GOOD: [(bool, Way); 17] = [
    (TLS, way("glance", NAMED, "")),
    (TLS, way("glance", NAMED, "sslmode=disable")),
    (TLS, way("tls", NAMED, "")),
    (TLS, way("tls", NAMED, "sslmode=allow")),
    (TLS, way("tls", NAMED, "sslmode=prefer&connect_timeout=5")),
    (TLS, way("tls", OTHER, "sslmode=prefer&sslrootcert=CA/foreign-ca.pem")),
    (TLS, way("tls", OTHER, "sslmode=require")),
    (TLS, way("tls", OTHER, "sslmode=require&sslrootcert=CA/ca.pem")),
    (TLS, way("tls", OTHER, "sslmode=verify-ca&sslrootcert=CA/ca.pem")),
    (TLS, way("tls", NAMED, "sslmode=verify-full&sslrootcert=CA/ca.pem&application_name=glance")),
    (TLS, way("mutual", NAMED, "sslmode=verify-full&sslrootcert=CA/ca.pem&sslcert=CA/client.pem&sslkey=CA/client.key")),
    (TLS, way("mutual", OTHER, "sslmode=require&sslcert=CA/client.pem&sslkey=CA/client.key")),
    (TLS, way("glance", "", "host=DIRECTORY&port=PORT&sslmode=require")),
    (TLS, way("glance", "", "host=DIRECTORY&port=PORT&sslmode=verify-full&sslrootcert=CA/ca.pem")),
    (PLAIN, way("glance", NAMED, "")),
    (PLAIN, way("glance", NAMED, "sslmode=allow")),
    (PLAIN, way("glance", NAMED, "sslmode=prefer")),
];

const POSTGRESQL_BAD: [(bool, Way, &[&str]); 18] = [
    (TLS, way("tls", NAMED, "sslmode=disable"), &["sslmode=disable", "no encryption"]),
    (TLS, way("mutual", NAMED, "sslmode=require"), &["sslmode=require", "client certificate"]),
    (
        TLS,
        way("mutual", NAMED, "sslmode=require&sslcert=CA/foreign-client.pem&sslkey=CA/foreign-client.key"),
        &["sslcert=", "foreign-client.pem", "alert"],
    ),
    (TLS, way("tls", NAMED, "sslmode=require&sslrootcert=CA/foreign-ca.pem"), &["foreign-ca.pem", "certificate"]),
    (TLS, way("tls", NAMED, "sslmode=verify-ca&sslrootcert=CA/foreign-ca.pem"), &["sslmode=verify-ca", "certificate"]),
    (TLS, way("tls", NAMED, "sslmode=verify-full&sslrootcert=CA/foreign-ca.pem"), &["foreign-ca.pem", "certificate"]),
    (TLS, way("tls", NAMED, "sslrootcert=system"), &["sslrootcert=system", "certificate"]),
    (
        TLS,
        way("tls", OTHER, "sslmode=verify-full&sslrootcert=CA/ca.pem"),
        &["sslmode=verify-full", "not valid for name", "localhost"],
    ),
    (PLAIN, way("glance", NAMED, "sslmode=require"), &["sslmode=require", "does not support TLS"]),
    (PLAIN, way("glance", NAMED, "sslmode=verify-full&sslrootcert=system"), &["sslmode=", "does not support TLS"]),
    (TLS, way("glance", NAMED, "sslmode=verify-ca"), &["sslmode=verify-ca needs sslrootcert"]),
    (TLS, way("glance", NAMED, "sslmode=verify-full"), &["sslmode=verify-full needs sslrootcert"]),
    (TLS, way("glance", NAMED, "sslmode=require&sslrootcert=system"), &["sslrootcert=system", "verify-full"]),
    (TLS, way("glance", NAMED, "sslmode=perhaps"), &["sslmode", "perhaps"]),
    (TLS, way("glance", NAMED, "sslrootcert=CA/nothing.pem"), &["sslrootcert", "nothing.pem", "No such file"]),
    (TLS, way("glance", NAMED, "sslcert=CA/client.pem"), &["sslcert", "without sslkey"]),
    (TLS, way("glance", NAMED, "sslcrl=CA/ca.pem"), &["sslcrl"]),
    (TLS, way("glance", NAMED, "ssl_ca=CA/ca.pem"), &["unknown parameter 'ssl_ca'"]),
];

/// Two servers, one of which speaks TLS.
struct Servers {
    kind: Kind,
    tls: Database,
    plain: Database,
}

impl Servers {
    fn of(kind: Kind) -> Option<Self> {
        let servers = Self { kind, tls: Database::alone(kind, true)?, plain: Database::of_server(kind)? };
        let file = |name: &str| servers.tls.server().directory().join("tls").join(name);
        let both = ["client.pem", "client.key"].map(|name| std::fs::read_to_string(file(name)).unwrap());
        std::fs::write(file("both.pem"), both.concat()).unwrap();
        Some(servers)
    }

    fn setup(&self, tls: bool, way: &Way) -> Setup {
        let server = if tls { &self.tls } else { &self.plain }.server();
        let (driver, password) = match self.kind {
            Kind::Mysql => ("mysql+pymysql", ":gl%40nce"),
            _ => ("postgresql+psycopg2", ":gl%40nce"),
        };
        let (directory, port) = (self.tls.server().directory().display().to_string(), server.port().to_string());
        let query = way.query.replace("CA/", &format!("{directory}/tls/"));
        let query = query.replace("DIRECTORY", &directory).replace("PORT", &port);
        let address = if way.host.is_empty() { String::new() } else { format!("{}:{port}", way.host) };
        let url = format!("{driver}://{}{password}@{address}/{}?{query}", way.user, server.name());
        Setup::api("").set("sql_connection", &url)
    }

    fn leads(&self, tls: bool, way: &Way) {
        println!("{:?} {} {} {}", self.kind, way.user, way.host, way.query);
        let gander = self.setup(tls, way).start();
        let id = gander.client().add_image("x");
        let database = if tls { &self.tls } else { &self.plain };
        assert_eq!(database.rows(&format!("SELECT name FROM images WHERE id = '{id}'")), ["x"]);
    }

    fn is_refused(&self, tls: bool, way: &Way, words: &[&str]) {
        println!("{:?} {} {} {}", self.kind, way.user, way.host, way.query);
        let outcome: Outcome = self.setup(tls, way).run_to_end();
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        println!("{told}");
        assert_eq!(outcome.code, Some(1), "{told}");
        assert!(words.iter().all(|word| told.contains(word)), "{words:?} are not all told: {told}");
        assert!(told.contains("database") && !told.contains("gl@nce") && !told.contains("gl%40nce"), "{told}");
    }
}

#[test]
fn encrypted_ways_lead_there_or_are_refused() {
    for kind in SERVERS {
        let Some(servers) = Servers::of(kind) else { continue };
        let (good, bad): (&[_], &[_]) = match kind {
            Kind::Mysql => (&MYSQL_GOOD, &MYSQL_BAD),
            _ => (&POSTGRESQL_GOOD, &POSTGRESQL_BAD),
        };
        good.iter().for_each(|(tls, way)| servers.leads(*tls, way));
        bad.iter().for_each(|(tls, way, words)| servers.is_refused(*tls, way, words));
    }
}

/// The driver would trust the authorities of browsers beside the one that was named.
#[test]
fn nobody_is_trusted_who_was_not_named() {
    assert!(webpki_roots::TLS_SERVER_ROOTS.is_empty());
}
