//! Parts of images by v2 (v2-images §8.2).

use super::client::{caching, refusal};
use crate::harness::{Client, Gander, Origin, Response, md5};

const DATA: &[u8] = b"0123456789";

fn part(http: &Client, id: &str, header: &str, value: &str) -> Response {
    http.request("GET", &format!("/v2/images/{id}/file")).header(header, value).send()
}

#[track_caller]
fn is_part(answer: Response, range: &str, data: &[u8]) {
    let answer = answer.expect(206);
    assert_eq!(answer.body, data);
    assert_eq!(answer.header("content-range"), Some(format!("bytes {range}/10").as_str()));
    assert_eq!(answer.header("content-length"), Some(data.len().to_string().as_str()));
    assert_eq!(answer.header("content-md5"), Some(md5(DATA).as_str()));
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn a_range_is_cut_out() {
    let plain = Gander::plain();
    let http = plain.client();
    for (_gander, http) in [(plain, http), caching()] {
        let id = http.add_raw(DATA);
        // From the store first, then, where there is a cache, from its entry.
        for _ in 0..2 {
            for (range, told) in [
                ("bytes=0-4", "0-4"),
                ("bytes=5-", "5-9"),
                ("bytes=5-100", "5-9"),
                ("bytes=-3", "7-9"),
                ("bytes=-100", "0-9"),
                ("bytes=-0", "0-9"),
                ("BYTES = 2 - 3", "2-3"),
                ("bytes=9-9", "9-9"),
                ("bytes=0-4-5", "0-4"),
                ("bytes=0-x", "0-9"),
            ] {
                let (first, last) = told.split_once('-').unwrap();
                let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
                is_part(part(&http, &id, "Range", range), told, &DATA[first..=last]);
            }
            assert_eq!(http.get_file(&id).expect(200).body, DATA);
            assert_eq!(part(&http, &id, "Range", "").expect(200).body, DATA);
        }
    }
}

#[test]
fn a_range_that_is_none_is_416() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_raw(DATA);
    let beyond = "Invalid start position in Range header. Start position MUST be in the inclusive range [0, 9].";
    for range in ["bytes=10-", "bytes=10-12"] {
        let text = refusal(part(&http, &id, "Range", range), 416);
        assert!(text.contains(beyond) && text.contains("The Range requested is not available."), "{range}: {text}");
    }
    for range in ["bytes=5-2", "lines=0-4", "junk", "bytes=-"] {
        let text = refusal(part(&http, &id, "Range", range), 416);
        assert!(text.starts_with("416 Request Range Not Satisfiable"), "{range}: {text}");
        assert!(text.contains("Invalid Range header."), "{range}: {text}");
    }
    let text = refusal(part(&http, &id, "Range", "bytes=0-1,3-4"), 400);
    let several = "Requests with multiple ranges are not supported in Glance. You may make multiple single-range \
                   requests instead.";
    assert!(text.contains(several), "{text}");
}

#[test]
fn the_old_header_works_where_the_new_one_is_missing() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_raw(DATA);
    is_part(part(&http, &id, "Content-Range", "bytes 2-4/10"), "2-4", b"234");
    is_part(part(&http, &id, "Content-Range", "bytes 2-4/*"), "2-4", b"234");
    is_part(part(&http, &id, "Content-Range", "bytes 2-40/100"), "2-9", b"23456789");
    let both = http.request("GET", &format!("/v2/images/{id}/file")).header("Range", "bytes=0-1");
    is_part(both.header("Content-Range", "bytes */10").send(), "0-1", b"01");
    let stop =
        "Invalid stop position in Content-Range header. The stop position MUST be in the inclusive range [0, 9].";
    for (range, told) in [
        ("bytes 2-10/*", stop),
        ("bytes 10-11/20", "in Content-Range header. Start position MUST be in the inclusive range [0, 9]."),
        ("bytes */10", "Invalid Content-Range header."),
        ("junk", "Invalid Content-Range header."),
    ] {
        let text = refusal(part(&http, &id, "Content-Range", range), 416);
        assert!(text.contains(told), "{range}: {text}");
    }
}

#[test]
fn of_an_empty_image_there_are_no_parts() {
    let gander = Gander::plain();
    let http = gander.client();
    let id = http.add_raw(b"");
    let answer = http.get_file(&id).expect(200);
    assert_eq!((answer.header("content-length"), answer.header("content-md5")), (Some("0"), Some(md5(b"").as_str())));
    part(&http, &id, "Range", "bytes=0-").expect(416);
}

#[test]
fn parts_of_remote_images_of_unknown_size_are_cut_out() {
    let gander = Gander::plain();
    let http = gander.client();
    let origin = Origin::serving(DATA);
    let location = [("X-Image-Meta-Location", origin.url("/images/2"))];
    let id = http.reserve("Image1", &location.each_ref().map(|(name, value)| (*name, value.as_str())));
    assert_eq!(part(&http, &id, "Range", "bytes=3-4").expect(206).body, b"34");
    assert_eq!(part(&http, &id, "Content-Range", "bytes 3-4/*").expect(206).body, b"34");
}
