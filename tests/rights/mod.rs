//! The whole table of rights, generated: every role and relation asks for images of every visibility by every call of both
//! APIs, and gets what `model` derives from policy-and-auth §3–§5. Nothing of the expectations was read off a server.

mod lists;
mod model;
mod scene;
mod service;
mod table;
mod v1;
mod v2;

use scene::Scene;

#[test]
fn everybody_may_what_the_rules_say_and_no_more() {
    let scene = Scene::open();
    let operations = [v2::operations(), v1::operations()].concat();
    // The cache is emptied only when nobody needs it any more.
    let parts = [table::compare(&scene, &operations), lists::compare(&scene), service::compare(&scene)];
    let cells: usize = parts.iter().map(|(cells, _)| cells).sum();
    let deviations: Vec<String> = parts.into_iter().flat_map(|(_, deviations)| deviations).collect();
    let number = deviations.len();
    assert!(number == 0, "{number} of {cells} cells are not as they should be:\n{}", deviations.join("\n"));
}
