//! The files of certificates and keys that a URL names. Looked at when it is read: the driver tells later, and less, of
//! what is wrong with them.

use super::{BadUrl, bad};

/// A file of certificates.
pub(super) fn certificates(parameter: &str, path: &str) -> Result<String, BadUrl> {
    let text = read(parameter, path)?;
    if !text.contains("-----BEGIN CERTIFICATE-----") {
        return Err(bad(&format!("{parameter}: {path} holds no certificate (PEM)")));
    }
    Ok(path.to_owned())
}

/// A file with a private key.
pub(super) fn key(parameter: &str, path: &str) -> Result<String, BadUrl> {
    let text = read(parameter, path)?;
    // Both ways of encrypting one.
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(bad(&format!("{parameter}: the key in {path} needs a password, which cannot be given")));
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(bad(&format!("{parameter}: {path} holds no private key (PEM)")));
    }
    Ok(path.to_owned())
}

/// The authorities that this system trusts.
pub(super) fn of_the_system(parameter: &str) -> Result<String, BadUrl> {
    let found = openssl_probe::probe().cert_file;
    let path =
        found.ok_or_else(|| bad(&format!("{parameter}: this system has no file of authorities that it trusts")))?;
    certificates(parameter, &path.to_string_lossy())
}

fn read(parameter: &str, path: &str) -> Result<String, BadUrl> {
    let bytes = std::fs::read(path).map_err(|error| bad(&format!("{parameter}: {path}: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
