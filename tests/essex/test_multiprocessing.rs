//! `TestMultiprocessing`: an API with several workers.

use crate::harness::Servers;

#[test]
fn test_multiprocessing() {
    let servers = Servers::new("127.0.0.1").set("workers", 2).start();
    assert_eq!(servers.client().get("/v1/images").expect(200).text(), r#"{"images": []}"#);
    servers.stop();
}
