//! The image that most tests use: five KiB of `*`, as in the founding test.

use md5::{Digest, Md5};

use super::http::Client;

/// Size of [`five_kb`].
pub(crate) const FIVE_KB: usize = 5 * 1024;

/// The data of an image.
pub(crate) fn five_kb() -> Vec<u8> {
    vec![b'*'; FIVE_KB]
}

/// Data of this many bytes no two stretches of which are alike; another seed, another data.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D;
    let mut data = Vec::with_capacity(len + 8);
    while data.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data.truncate(len);
    data
}

/// Lower-case hexadecimal MD5, as `checksum` says it.
pub(crate) fn md5(data: &[u8]) -> String {
    Md5::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The least that a public image needs.
pub(crate) fn minimal_headers(name: &str) -> [(&str, &str); 5] {
    [
        ("Content-Type", "application/octet-stream"),
        ("X-Image-Meta-name", name),
        ("X-Image-Meta-disk_format", "raw"),
        ("X-Image-Meta-container_format", "ovf"),
        ("X-Image-Meta-Is-Public", "True"),
    ]
}

impl Client {
    /// Uploads a public image of this data; its id.
    #[track_caller]
    pub(crate) fn add(&self, name: &str, data: &[u8]) -> String {
        let answer = self.post("/v1/images").headers(&minimal_headers(name)).body(data).send().expect(201).json();
        answer["image"]["id"].as_str().unwrap().to_owned()
    }

    /// Uploads [`five_kb`]; its id.
    #[track_caller]
    pub(crate) fn add_image(&self, name: &str) -> String {
        self.add(name, &five_kb())
    }

    /// Registers a public image without data, with more headers; its id.
    #[track_caller]
    pub(crate) fn reserve(&self, name: &str, headers: &[(&str, &str)]) -> String {
        let request = self.post("/v1/images").headers(&minimal_headers(name)[1..]).headers(headers);
        request.send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned()
    }

    /// Uploads a private image; its id.
    #[track_caller]
    pub(crate) fn add_private(&self, name: &str) -> String {
        let request = self.post("/v1/images").headers(&minimal_headers(name)[..4]).body(five_kb());
        request.send().expect(201).json()["image"]["id"].as_str().unwrap().to_owned()
    }

    /// The ids of a listing, in its order.
    #[track_caller]
    pub(crate) fn ids(&self, target: &str) -> Vec<String> {
        let listing = self.get(target).expect(200).json();
        let images = listing["images"].as_array().unwrap();
        images.iter().map(|image| image["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The names of a listing, in its order.
    #[track_caller]
    pub(crate) fn names(&self, target: &str) -> Vec<String> {
        let listing = self.get(target).expect(200).json();
        let images = listing["images"].as_array().unwrap();
        images.iter().map(|image| image["name"].as_str().unwrap_or("").to_owned()).collect()
    }

    /// One field of an image as HEAD tells it.
    #[track_caller]
    pub(crate) fn meta(&self, id: &str, field: &str) -> Option<String> {
        let answer = self.head(&format!("/v1/images/{id}")).expect(200);
        answer.header(&format!("x-image-meta-{field}")).map(str::to_owned)
    }

    /// Fetches the data of an image.
    #[track_caller]
    pub(crate) fn download(&self, id: &str) -> Vec<u8> {
        let answer = self.get(&format!("/v1/images/{id}")).expect(200);
        assert!(answer.complete, "the download broke off");
        answer.body
    }

    /// Id and hits of what is cached, by id.
    #[track_caller]
    pub(crate) fn cached(&self) -> Vec<(String, u64)> {
        let listing = self.get("/v1/cached_images").expect(200).json();
        let records = listing["cached_images"].as_array().unwrap();
        records.iter().map(|r| (r["image_id"].as_str().unwrap().to_owned(), r["hits"].as_u64().unwrap())).collect()
    }

    /// Ids of what is queued, oldest first.
    #[track_caller]
    pub(crate) fn queued(&self) -> Vec<String> {
        let listing = self.get("/v1/queued_images").expect(200).json();
        listing["queued_images"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }
}
