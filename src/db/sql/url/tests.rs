//! What URLs name, and what they may not say.

use std::path::Path;

use super::{Target, parse};

#[test]
fn sqlite_urls_name_files_or_memory() {
    for text in ["sqlite://", "sqlite:///", "sqlite:///:memory:"] {
        assert!(matches!(parse(text), Ok(Target::Memory)), "{text}");
    }
    let file = |text: &str| match parse(text) {
        Ok(Target::File(path)) => path,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(file("sqlite:///tests.sqlite"), Path::new("tests.sqlite"));
    assert_eq!(file("sqlite:////var/lib/a b%20.db?timeout=3"), Path::new("/var/lib/a b%20.db"));
}

#[test]
fn server_urls_are_decoded() {
    let Ok(Target::Mysql(options)) = parse("mysql+pymysql://gl%40nce:s%2Fcret@db.example:3307/glance?charset=utf8")
    else {
        panic!("not MySQL");
    };
    assert_eq!((options.get_host(), options.get_port()), ("db.example", 3307));
    assert_eq!((options.get_username(), options.get_database()), ("gl@nce", Some("glance")));
    let Ok(Target::Postgres(options)) = parse("postgresql+psycopg2://u:p@[::1]/glance?sslmode=disable") else {
        panic!("not PostgreSQL");
    };
    assert_eq!((options.get_host(), options.get_database()), ("::1", Some("glance")));
    let Ok(Target::Postgres(options)) = parse("postgresql://u:p@/glance?host=/run/postgresql&port=5433") else {
        panic!("not PostgreSQL");
    };
    assert_eq!(options.get_socket().map(|path| path.as_path()), Some(Path::new("/run/postgresql")));
    assert_eq!((options.get_port(), options.get_username()), (5433, "u"));
    let Ok(Target::Mysql(options)) = parse("mysql://u:p@h/glance?plugin=/etc/a@/plugin") else { panic!("not MySQL") };
    assert_eq!((options.get_host(), options.get_port()), ("h", 3306));
}

#[test]
fn bad_urls_are_refused_without_their_password() {
    for text in [
        "",
        "glance.db",
        "oracle://u:secret@h/db",
        "sqlite://secret@host/x",
        "mysql://u:secret@host",
        "mysql://u:secret#x@host/db",
        "postgresql://u:secret@host:port/db",
        "postgresql://u:secret@host/db?sslmode=maybe",
    ] {
        let error = parse(text).expect_err(text).to_string();
        assert!(error.starts_with("[database] connection: ") && !error.contains("secret"), "{error}");
    }
}
