//! The tables do not contradict the declarations, or themselves.

use super::*;
use crate::config::load;

#[test]
fn what_has_no_effect_is_declared_once() {
    let mut seen = std::collections::BTreeSet::new();
    for opt in load::all_options() {
        assert!(seen.insert((opt.group, opt.name)), "[{}] {} is declared twice", opt.group, opt.name);
        assert!(GROUPS.iter().all(|(group, _)| *group != opt.group), "[{}] has effects", opt.group);
    }
}

#[test]
fn what_has_no_effect_is_no_former_name_of_what_has() {
    let (idle, effective): (Vec<&Opt>, Vec<&Opt>) =
        load::all_options().into_iter().partition(|opt| opt.ignored.is_some());
    for opt in idle {
        let other = effective.iter().find(|other| other.answers_to((opt.group, opt.name)));
        assert!(other.is_none(), "[{}] {} has an effect", opt.group, opt.name);
    }
}

#[test]
fn secrets_are_options() {
    for secret in SECRETS {
        let of_that_name: Vec<_> = options().filter(|opt| opt.name == secret).collect();
        assert!(!of_that_name.is_empty() && of_that_name.iter().all(|opt| opt.secret), "{secret}");
    }
}
