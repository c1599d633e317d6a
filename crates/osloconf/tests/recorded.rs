//! Configurations by chance, and what oslo.config itself made of them (`oracle/record.py` wrote `oracle/recorded.json`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail loudly")]

use std::collections::BTreeMap;

use osloconf::{Conf, ConfigFiles, Given, Kind, Opt, Overrides, Search};
use serde_json::{Value, json};

static OPTIONS: [Opt; 15] = [
    Opt::str("DEFAULT", "text"),
    Opt::str("DEFAULT", "named").default("by default"),
    Opt::bool("DEFAULT", "flag").default("true"),
    Opt::int("DEFAULT", "number").default("7").range(-5, 100),
    Opt::float("DEFAULT", "fraction").default("0.5").min(0),
    Opt::port("DEFAULT", "port").default("80"),
    Opt::list("DEFAULT", "items").default("x"),
    Opt::list("DEFAULT", "bounded").default("[x]").bracketed(),
    Opt::dict("DEFAULT", "pairs").default("x:y"),
    Opt::multi("DEFAULT", "several").default("x"),
    Opt::str("DEFAULT", "choice").default("one").choices(&["one", "two"]),
    Opt::str("DEFAULT", "any_case").default("One").choices(&["One", "Two"]).any_case(),
    Opt::str("group", "text"),
    Opt::str("group", "renamed").deprecated(&[("DEFAULT", "former")]),
    Opt::multi("group", "several"),
];

/// What we make of one option.
fn ours(conf: &Conf, opt: &Opt) -> osloconf::Result<Value> {
    Ok(match opt.kind {
        Kind::Str => json!(conf.str(opt)?),
        Kind::Bool => json!(conf.bool(opt)?),
        Kind::Int => json!(conf.int(opt)?),
        Kind::Float => json!(conf.float(opt)?),
        Kind::Port => json!(conf.port(opt)?),
        Kind::List => json!(conf.list(opt)?),
        Kind::Dict => json!(conf.dict(opt)?.into_iter().collect::<BTreeMap<_, _>>()),
        Kind::Multi if conf.is_set(opt) || opt.default.is_some() => json!(conf.multi(opt)?),
        Kind::Multi => Value::Null,
    })
}

/// Where we mean to differ from oslo.config: what a `$name` that stands for nothing, or for itself, is; and a choice is
/// read as it was declared.
fn is_meant(opt: &Opt, made: &str, theirs: &Value) -> bool {
    theirs["fault"] == "reference" || opt.any_case && theirs["is"].to_string().eq_ignore_ascii_case(made)
}

#[test]
fn what_oslo_config_makes_of_them() {
    let recorded: Value = serde_json::from_str(include_str!("oracle/recorded.json")).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    let mut differences = Vec::new();
    for case in cases {
        let dir = tempfile::tempdir().unwrap();
        let mut given = Vec::new();
        for (index, text) in case["files"].as_array().unwrap().iter().enumerate() {
            let path = dir.path().join(format!("{index}.conf"));
            std::fs::write(&path, text.as_str().unwrap()).unwrap();
            given.push(Given::File(path));
        }
        let files = ConfigFiles::resolve(Search::default(), &given, &[]).unwrap();
        let environment = case["environment"].as_object().unwrap().iter();
        let environment = environment.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
        let options: Vec<&Opt> = OPTIONS.iter().collect();
        let Ok(conf) = Conf::load(&options, files, environment, Overrides::new()) else {
            if case["unreadable"] != true {
                differences.push(format!("{case}: unreadable to us"));
            }
            continue;
        };
        if case["unreadable"] == true {
            differences.push(format!("{case}: readable to us"));
            continue;
        }
        for opt in &OPTIONS {
            let name = format!("{}.{}", opt.group, opt.name);
            let theirs = case["values"].get(&name).unwrap_or(&recorded["by_default"][&name]);
            let (agreed, made) = match ours(&conf, opt) {
                Ok(value) => (theirs.get("is") == Some(&value), value.to_string()),
                Err(error) => (theirs["fault"] == "value", error.to_string()),
            };
            if !agreed && !is_meant(opt, &made, theirs) {
                let files = &case["files"];
                let environment = &case["environment"];
                differences.push(format!("{files} {environment}\n  {name}: {made}, not {theirs}"));
            }
        }
    }
    assert!(cases.len() > 100);
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
