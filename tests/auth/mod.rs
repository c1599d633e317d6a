//! Who is asking, by tokens that a real Keystone gives and judges (policy-and-auth §1, §2; security S50–S55).

mod away;
mod credentials;
mod limits;
mod scopes;
mod spoofed;
mod tls;
mod tokens;
