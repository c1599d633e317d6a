//! Digests, by the fastest implementations that are kept well: those of AWS-LC, which TLS brings along anyway. The
//! safe crates beside it have no MD5, or a slower one (`bench/RESULTS.md`).

mod beside;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ptr::NonNull;
use std::str::FromStr;

use aws_lc_sys as lc;

pub use beside::Hashing;

/// A digest algorithm, by the name that Python's `hashlib` and Glance's `os_hash_algo` know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Only to recognise what was hashed with it; proves nothing against an attacker.
    Md5,
    /// As MD5.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512, Glance's default.
    Sha512,
}

/// No algorithm known here has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownAlgorithm(pub String);

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Algorithm::ALL.map(Algorithm::as_str).join(", ");
        write!(f, "'{}' is not one of {known}", self.0)
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Md5, Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    #[expect(unsafe_code, reason = "AWS-LC is C")]
    fn method(self) -> *const lc::EVP_MD {
        // SAFETY: each returns a pointer to a static table and touches nothing else.
        unsafe {
            match self {
                Self::Md5 => lc::EVP_md5(),
                Self::Sha1 => lc::EVP_sha1(),
                Self::Sha224 => lc::EVP_sha224(),
                Self::Sha256 => lc::EVP_sha256(),
                Self::Sha384 => lc::EVP_sha384(),
                Self::Sha512 => lc::EVP_sha512(),
            }
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownAlgorithm(name.to_owned()))
    }
}

/// A digest being computed.
pub struct Hasher {
    /// An `EVP_MD_CTX` that was initialised, owned by this.
    context: NonNull<lc::EVP_MD_CTX>,
    algorithm: Algorithm,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

// SAFETY: the context is heap memory that only this owns; AWS-LC ties it to no thread.
#[expect(unsafe_code, reason = "a raw pointer is not Send by itself")]
unsafe impl Send for Hasher {}

// SAFETY: the context is reached through exclusive references only.
#[expect(unsafe_code, reason = "a raw pointer is not Sync by itself")]
unsafe impl Sync for Hasher {}

impl Hasher {
    /// The digest of nothing so far.
    ///
    /// # Panics
    /// When memory is exhausted, as every allocation does.
    #[must_use]
    #[expect(unsafe_code, reason = "AWS-LC is C")]
    pub fn new(algorithm: Algorithm) -> Self {
        // SAFETY: a fresh context (or null, which is looked at) is initialised with a static method.
        let context = unsafe { NonNull::new(lc::EVP_MD_CTX_new()) };
        let Some(context) = context else {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<lc::EVP_MD_CTX>())
        };
        // SAFETY: as above. It fails only when memory is exhausted.
        let ready = unsafe { lc::EVP_DigestInit(context.as_ptr(), algorithm.method()) };
        if ready != 1 {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<lc::EVP_MD_CTX>());
        }
        Self { context, algorithm }
    }

    /// Hears further bytes.
    #[expect(unsafe_code, reason = "AWS-LC is C")]
    pub fn update(&mut self, bytes: &[u8]) {
        // SAFETY: the context is initialised, pointer and length are those of a slice. It cannot fail (evp.h).
        unsafe { lc::EVP_DigestUpdate(self.context.as_ptr(), bytes.as_ptr().cast(), bytes.len()) };
    }

    /// The digest of all bytes heard, in lower-case hex.
    #[must_use]
    #[expect(unsafe_code, reason = "AWS-LC is C")]
    pub fn finish(self) -> String {
        let mut digest = [0_u8; lc::EVP_MAX_MD_SIZE as usize];
        let mut len = 0;
        // SAFETY: the context is initialised, and the buffer has room for the longest digest. It cannot fail (evp.h).
        unsafe { lc::EVP_DigestFinal_ex(self.context.as_ptr(), digest.as_mut_ptr(), &raw mut len) };
        digest.iter().take(len as usize).fold(String::with_capacity(digest.len() * 2), |mut hex, byte| {
            use fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

impl Drop for Hasher {
    #[expect(unsafe_code, reason = "AWS-LC is C")]
    fn drop(&mut self) {
        // SAFETY: the context is ours and is not used any more.
        unsafe { lc::EVP_MD_CTX_free(self.context.as_ptr()) };
    }
}
