//! What can go wrong between a service and Keystone.

/// No answer that can be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The token is unknown, expired or revoked, or cannot be a token at all.
    #[error("the token is not valid")]
    InvalidToken,
    /// Keystone does not answer, or says that it cannot. Another time it may.
    #[error("Keystone cannot be asked: {0}")]
    Unavailable(String),
    /// Keystone refuses this service, or does not have what it asks for: somebody has to change the configuration.
    #[error("Keystone refuses this service: {0}")]
    Refused(String),
    /// The settings cannot be right.
    #[error("{field}: {reason}")]
    Setting {
        /// The option that is wrong, by its name in the field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}
