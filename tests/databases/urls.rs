//! How a database may be named (database §9).

use super::SERVERS;
use crate::harness::{Database, Setup};
use testdb::Kind;

#[test]
fn urls_of_sqlalchemy_lead_to_the_database() {
    for kind in SERVERS {
        let Some(database) = Database::of_server(kind) else { continue };
        let server = database.server();
        let (port, name, directory) = (server.port(), server.name(), server.directory().display());
        let urls = match kind {
            Kind::Mysql => vec![
                format!("mysql://glance:gl%40nce@127.0.0.1:{port}/{name}"),
                format!("mysql+mysqldb://glance:gl%40nce@127.0.0.1:{port}/{name}?charset=utf8mb4&read_timeout=60"),
                format!("mariadb+pymysql://glance:gl%40nce@127.0.0.1:{port}/{name}?ssl_disabled=true&plugin=dbcounter"),
                format!("mysql+pymysql://glance:gl%40nce@localhost/{name}?unix_socket={directory}/socket"),
            ],
            _ => vec![
                format!("postgresql://glance@127.0.0.1:{port}/{name}?sslmode=disable"),
                format!("postgresql+psycopg://glance:ignored@127.0.0.1:{port}/{name}?sslmode=prefer"),
                format!("postgresql+psycopg2://glance@/{name}?host={directory}&port={port}"),
            ],
        };
        for url in urls {
            let gander = Setup::api("").set("sql_connection", &url).start();
            let id = gander.client().add_image("x");
            assert_eq!(database.rows(&format!("SELECT name FROM images WHERE id = '{id}'")), ["x"], "{url}");
        }
    }
}

#[test]
fn what_no_driver_takes_is_refused() {
    for (url, word) in [
        ("mysql+pymysql://u:s3cret@127.0.0.1:1/x?charset=utf8&retries=3", "unknown parameter 'retries'"),
        ("mysql+pymysql://u:s3cret@127.0.0.1:1/x?sql_mode=ANSI", "mysql_sql_mode"),
        ("postgresql://u:s3cret@127.0.0.1:1/x?retries=3", "unknown parameter 'retries'"),
        ("postgresql://u:s3cret@/x?host=a&host=b", "several hosts"),
        ("postgresql://u:1/x?s3cret@127.0.0.1/y", "percent-encoded"),
    ] {
        let setup = Setup::api("").set("database.connection", url).unset("sql_connection");
        let outcome = setup.run_to_end();
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, Some(1), "{told}");
        assert!(told.contains("[database] connection: ") && told.contains(word) && !told.contains("s3cret"), "{told}");
    }
}

#[test]
fn a_server_that_is_not_there_is_waited_for() {
    let setup = Setup::api("").set("database.connection", "mysql+pymysql://u:s3cret@127.0.0.1:1/x");
    let setup = setup.set("database.max_retries", 2).set("database.retry_interval", 0).set("database.pool_timeout", 1);
    let outcome = setup.unset("sql_connection").run_to_end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(!format!("{outcome:?}").contains("s3cret"), "{outcome:?}");
}
