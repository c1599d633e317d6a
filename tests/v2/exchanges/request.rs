//! The request of a step.

use serde_json::Value;

use crate::harness::{Client, Request};

use super::answer::Normal;
use super::script::{Common, Step};

/// The request, ready to be sent.
pub(super) fn build(client: &Client, common: &Common, names: &Normal, step: &Step) -> Request {
    let mut headers: Vec<(&str, Option<&str>)> = Vec::new();
    let who = common.identities[&step.who].as_object().unwrap();
    let identified = common.identified.iter().filter(|_| !who.is_empty());
    for (name, value) in common.headers.iter().chain(identified).chain(who).chain(&step.headers) {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value.as_str()));
    }
    let mut request = client.request(&step.method, &names.filled(&step.path));
    for (name, value) in headers {
        if let Some(value) = value {
            request = request.header(name, &names.filled(value));
        }
    }
    match &step.body {
        Some(body) if step.chunked => request.chunked(&bytes(body, names)),
        Some(body) => request.body(bytes(body, names)),
        None => request,
    }
}

/// Text, zeros, hexadecimal bytes, something repeated, or JSON; or a list of these, one after the other.
fn bytes(body: &Value, names: &Normal) -> Vec<u8> {
    if let Some(parts) = body.as_array() {
        return parts.iter().flat_map(|part| bytes(part, names)).collect();
    }
    let (kind, value) = body.as_object().and_then(|body| body.iter().next()).unwrap();
    match kind.as_str() {
        "json" => names.filled(&value.to_string()).into_bytes(),
        "text" => names.filled(value.as_str().unwrap()).into_bytes(),
        "zeros" => vec![0; number(value)],
        "repeat" => value[0].as_str().unwrap().repeat(number(&value[1])).into_bytes(),
        "hex" => value.as_str().unwrap().as_bytes().chunks(2).map(byte).collect(),
        other => panic!("unknown kind of body: {other}"),
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn byte(digits: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
}
