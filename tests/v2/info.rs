//! What the service tells of itself and of its single store (v2-images §10).

use serde_json::json;

use crate::harness::{Gander, Setup};

const UNKNOWN: &str = "71c675ab-d94f-49cd-a114-e12490b328d9";

#[test]
fn import_methods_and_usage() {
    let gander = Gander::plain();
    let info = gander.client().get("/v2/info/import").expect(200).json();
    assert_eq!(info["import-methods"]["type"], "array");
    assert_eq!(info["import-methods"]["description"], "Import methods available.");
    assert!(info["import-methods"]["value"].is_array());
    assert_eq!(gander.client().get("/v2/info/usage").expect(200).json(), json!({"usage": {}}));
    gander.client().post("/v2/info/usage").send().expect(404);
    assert_eq!(gander.client().post("/v2/info/import").send().expect(405).header("allow"), Some("GET"));
}

#[test]
fn a_single_store_is_nothing_to_choose_from() {
    let gander = Setup::behind_proxy().start();
    // That there is nothing to see comes before who may see it.
    let reader = gander.client().acting_as("u", "p", "reader");
    for path in ["/v2/info/stores", "/v2/info/stores/detail"] {
        let text = reader.get(path).expect(404).text();
        assert!(text.contains("Multi backend is not supported at this site."), "{text}");
        gander.client().get(path).expect(401);
    }
    reader.delete(&format!("/v2/stores/fast/{UNKNOWN}")).expect(404);
    let wrong = reader.get(&format!("/v2/stores/fast/{UNKNOWN}")).expect(405);
    assert_eq!(wrong.header("allow"), Some("DELETE"));
}
