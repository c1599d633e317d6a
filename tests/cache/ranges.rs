//! Parts of images (v2-images §8.2, RFC 9110 §14): from an entry, from a running fill, from the store; and what must not
//! come of it (security C15, C31).

use std::time::Duration;

use crate::harness::{
    Behaviour, Client, Gander, Origin, Response, Setup, eventually, md5, minimal_headers, names, noise,
};

const LIMIT: Duration = Duration::from_secs(20);

fn get(http: &Client, id: &str, range: &str) -> Response {
    http.request("GET", &format!("/v1/images/{id}")).header("Range", range).send()
}

fn remote(http: &Client, origin: &Origin) -> String {
    http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2"))])
}

/// All headers, but the time.
fn headers(answer: &Response) -> Vec<(String, String)> {
    let lower = answer.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut headers: Vec<_> = lower.filter(|(name, _)| name != "date" && name != "x-openstack-request-id").collect();
    headers.sort();
    headers
}

/// Asks for `data[first..=last]` in the words of `range`.
#[track_caller]
fn is_part(answer: &Response, data: &[u8], first: usize, last: usize) {
    assert_eq!(answer.status, 206, "{}", answer.text());
    let content_range = format!("bytes {first}-{last}/{}", data.len());
    assert_eq!(answer.header("content-range"), Some(content_range.as_str()));
    assert_eq!(answer.header("content-length"), Some((last + 1 - first).to_string().as_str()));
    assert!(answer.complete && answer.body == data[first..=last]);
}

/// The whole table for an image of these ten bytes.
fn table(http: &Client, id: &str) {
    let data = b"0123456789";
    for (range, first, last) in [
        ("bytes=0-4", 0, 4),
        ("bytes=5-", 5, 9),
        ("bytes=5-100", 5, 9),
        ("bytes=9-9", 9, 9),
        ("bytes=-3", 7, 9),
        ("bytes=-100", 0, 9),
        ("bytes=-0", 0, 9),
        ("BYTES = 0 - 4", 0, 4),
        ("bytes=0-18446744073709551616", 0, 9),
        ("bytes=-1-2", 9, 9),
    ] {
        is_part(&get(http, id, range), data, first, last);
    }
    for range in ["bytes=10-", "bytes=10-12", "bytes=18446744073709551616-"] {
        let answer = get(http, id, range).expect(416);
        assert_eq!(answer.header("content-range"), Some("bytes */10"), "{range}");
        assert!(answer.text().contains("Invalid start position in Range header"), "{}", answer.text());
    }
    for range in ["bytes=5-2", "lines=0-4", "junk", "", "bytes=-", "bytes=a-b", "bytes=-x", "bytes=0x1-2"] {
        let answer = get(http, id, range).expect(416);
        assert!(answer.text().contains("Invalid Range header"), "{range}: {}", answer.text());
    }
    for range in ["bytes=0-1,3-4", "bytes=0-1, 3-4", "bytes=0-0,0-0"] {
        let answer = get(http, id, range).expect(400);
        assert!(answer.text().contains("multiple ranges"), "{range}: {}", answer.text());
    }
}

#[test]
fn the_table_holds_without_a_cache_on_a_cold_one_and_on_hits() {
    let plain = Gander::plain();
    table(&plain.client(), &plain.client().add("Image1", b"0123456789"));
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add("Image1", b"0123456789");
    table(&http, &id);
    assert!(gander.settled().is_empty(), "parts begin no fill");
    assert!(http.download(&id) == b"0123456789");
    table(&http, &id);
    // A part is no hit, unless it is the whole: three of the table are.
    assert_eq!(http.cached(), [(id.clone(), 3)]);
    let verdicts = gander.verdicts(&id);
    assert_eq!((verdicts.first().unwrap().as_str(), verdicts.last().unwrap().as_str()), ("part", "hit"));
}

#[test]
fn parts_have_the_headers_of_the_whole_hit_or_miss() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add("Image1", &noise(1, 10_000));
    let part = || get(&http, &id, "bytes=10-20").expect(206);
    let whole = || http.get(&format!("/v1/images/{id}")).expect(200);
    let cold = part();
    let (miss, hit, warm) = (whole(), whole(), part());
    assert_eq!(headers(&miss), headers(&hit));
    assert_eq!(headers(&cold), headers(&warm));
    assert_eq!(gander.verdicts(&id), ["part", "miss", "hit", "hit"]);
    let of_the_part = ["content-length", "content-range"];
    let others = |answer: &Response| {
        headers(answer).into_iter().filter(|(name, _)| !of_the_part.contains(&name.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(others(&cold), others(&miss));
    assert_eq!(miss.header("accept-ranges"), Some("bytes"));
}

#[test]
fn a_running_fill_gives_the_parts_that_it_has() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(2, 3_000_000);
    let origin = Origin::with_ranges(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::PauseAfter(1_000_000));
    let filling = http.request("GET", &format!("/v1/images/{id}")).open();
    // There already, with the end of what is there, while the origin is silent.
    is_part(&get(&http, &id, "bytes=0-0"), &data, 0, 0);
    is_part(&get(&http, &id, "bytes=123456-999999"), &data, 123_456, 999_999);
    // Still to come: waits, but only for its own bytes.
    let ahead = http.request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=999990-1999999").open();
    origin.set(Behaviour::PauseAfter(2_000_000));
    is_part(&ahead.finish(), &data, 999_990, 1_999_999);
    // What is refused needs no bytes.
    let refused = get(&http, &id, "bytes=3000000-").expect(416);
    assert_eq!(refused.header("content-range"), Some("bytes */3000000"));
    let suffix = http.request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=-10").open();
    origin.set(Behaviour::Serve);
    is_part(&suffix.finish(), &data, 2_999_990, 2_999_999);
    let whole = filling.finish();
    assert!(whole.complete && whole.body == data);
    assert_eq!(origin.gets(), 1);
    assert_eq!(gander.settled(), std::slice::from_ref(&id));
    assert!(gander.verdicts(&id)[1..].iter().all(|verdict| verdict == "filling"));
    assert_eq!(http.cached(), [(id, 0)]);
}

#[test]
fn of_a_cold_image_the_store_is_asked_for_no_more_than_the_part() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(3, 100_000);
    let origin = Origin::with_ranges(&data);
    let id =
        http.reserve("Image1", &[("X-Image-Meta-Location", &origin.url("/images/2")), ("X-Image-Meta-Size", "100000")]);
    is_part(&get(&http, &id, "bytes=10-20"), &data, 10, 20);
    assert_eq!(origin.asked().last().unwrap(), "bytes=10-20");
    is_part(&get(&http, &id, "bytes=-5"), &data, 99_995, 99_999);
    assert_eq!(origin.asked().last().unwrap(), "bytes=99995-99999");
    assert!(gander.settled().is_empty());
    assert!(http.download(&id) == data);
    assert_eq!(gander.settled(), [id]);
}

#[test]
fn an_origin_without_ranges_gives_right_parts_as_well() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(4, 100_000);
    for behaviour in [Behaviour::Serve, Behaviour::NoLength] {
        let origin = Origin::serving(&data);
        let id = remote(&http, &origin);
        origin.set(behaviour);
        let answer = get(&http, &id, "bytes=10-20");
        match answer.status {
            // Nobody knows the size, so nobody can say where the part is: all of it is an answer, too.
            200 => assert!(behaviour == Behaviour::NoLength && answer.complete && answer.body == data),
            _ => is_part(&answer, &data, 10, 20),
        }
        assert!(gander.settled().is_empty());
    }
}

#[test]
fn a_part_that_the_store_cannot_finish_is_a_broken_answer() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(5, 100_000);
    let origin = Origin::with_ranges(&data);
    let id = remote(&http, &origin);
    origin.set(Behaviour::CutAfter(50_000));
    let answer = http.request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=40000-60000").try_send();
    let broken =
        |answer: Response| answer.status >= 500 || (!answer.complete && data[40_000..].starts_with(&answer.body));
    assert!(answer.is_err() || answer.is_ok_and(broken));
    assert!(gander.settled().is_empty());
}

#[test]
fn asking_for_a_part_can_cache_the_whole() {
    // Nobody reads that fill; it is wanted all the same.
    for finish in ["true", "false"] {
        let setup = Setup::api("cachemanagement").set("image_cache_fill_on_range", "true");
        caches_the_whole(&setup.set("image_cache_finish_abandoned", finish).start());
    }
}

fn caches_the_whole(gander: &Gander) {
    let http = gander.client();
    let data = noise(6, 300_000);
    let origin = Origin::with_ranges(&data);
    let id = remote(&http, &origin);
    // The part does not wait for what lies before it.
    origin.set(Behaviour::PauseAfter(1000));
    origin.script(&[Behaviour::PauseAfter(1000)]);
    let part = http.request("GET", &format!("/v1/images/{id}")).header("Range", "bytes=500-600").open();
    is_part(&part.finish(), &data, 500, 600);
    origin.set(Behaviour::Serve);
    eventually("the image is cached", LIMIT, || names(&gander.path("cache")) == [id.as_str()]);
    gander.settled();
    let asked = origin.gets();
    assert!(http.download(&id) == data);
    is_part(&get(&http, &id, "bytes=500-600"), &data, 500, 600);
    assert_eq!(origin.gets(), asked);
}

#[test]
fn a_part_of_what_has_changed_is_the_whole() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(7, 10_000);
    let id = http.add("Image1", &data);
    let etag = http.head(&format!("/v1/images/{id}")).header("etag").unwrap().to_owned();
    assert_eq!(etag.trim_matches('"'), md5(&data));
    let asks = |validator: &str| {
        let request = http.request("GET", &format!("/v1/images/{id}"));
        request.header("Range", "bytes=10-20").header("If-Range", validator).send()
    };
    for _ in ["cold", "hit"] {
        is_part(&asks(&etag), &data, 10, 20);
        is_part(&asks(&format!("\"{}\"", md5(&data))), &data, 10, 20);
        for other in ["\"abc\"", "W/\"abc\"", "Wed, 21 Oct 2015 07:28:00 GMT", ""] {
            let answer = asks(other).expect(200);
            assert!(answer.body == data && answer.header("content-range").is_none(), "{other}");
        }
    }
    // Nor does a range that cannot be had matter then.
    let request = http.request("GET", &format!("/v1/images/{id}"));
    request.header("Range", "bytes=10000-").header("If-Range", "\"abc\"").send().expect(200);
}

#[test]
fn head_has_no_parts() {
    let gander = Gander::caching();
    let http = gander.client();
    let id = http.add("Image1", &noise(8, 10_000));
    let path = format!("/v1/images/{id}");
    for _ in ["cold", "hit"] {
        for range in ["bytes=0-4", "bytes=10000-", "bytes=0-1,3-4", "junk"] {
            let answer = http.request("HEAD", &path).header("Range", range).send().expect(200);
            assert_eq!(headers(&answer), headers(&http.head(&path)));
            assert!(answer.header("content-range").is_none());
        }
        http.download(&id);
    }
}

#[test]
fn an_empty_image_has_no_parts() {
    let gander = Gander::caching();
    let http = gander.client();
    let request = http.post("/v1/images").headers(&minimal_headers("Image1"));
    let id = request.chunked(b"").send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned();
    for _ in ["cold", "hit"] {
        for range in ["bytes=0-", "bytes=0-0", "bytes=5-"] {
            let answer = get(&http, &id, range).expect(416);
            assert_eq!(answer.header("content-range"), Some("bytes */0"));
        }
        // A suffix of nothing can be had, but not be written in a Content-Range.
        for range in ["bytes=-5", "bytes=-0"] {
            let answer = get(&http, &id, range);
            assert!(matches!((answer.status, answer.body.len()), (416, _) | (200, 0)), "{range}: {}", answer.status);
        }
        assert!(http.download(&id).is_empty());
    }
}

#[test]
fn parts_and_wholes_at_the_same_time_do_not_mix() {
    let gander = Gander::caching();
    let http = gander.client();
    let data = noise(9, 1_000_000);
    let id = http.add("Image1", &data);
    std::thread::scope(|scope| {
        for client in 0..8_usize {
            let (http, data, id) = (&http, &data, &id);
            scope.spawn(move || {
                for round in 0..6_usize {
                    let first = (client * 123_457 + round * 77_777) % data.len();
                    let last = (first + 200_000).min(data.len() - 1);
                    is_part(&get(http, id, &format!("bytes={first}-{last}")), data, first, last);
                    if (client + round) % 4 == 0 {
                        assert!(&http.download(id) == data);
                    }
                }
            });
        }
    });
    assert_eq!(gander.settled(), [id]);
}
