//! In place of the crate of this name, which holds the authorities that browsers trust: none.
//!
//! The database driver adds that list to the authority that an operator names. Where the name of the server is not looked
//! at (`sslmode=verify-ca`), any certificate that anybody can have for a domain of his own would then do.

use rustls_pki_types::TrustAnchor;

/// Whom everybody trusts.
pub const TLS_SERVER_ROOTS: &[TrustAnchor<'static>] = &[];
