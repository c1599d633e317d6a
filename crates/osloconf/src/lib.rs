//! Configuration in the manner of oslo.config: INI files, declared options, typed values.
//!
//! A program declares its options as constants, finds its files, and asks for values:
//!
//! ```no_run
//! use osloconf::{Conf, ConfigFiles, Given, Opt, Overrides, Search};
//!
//! static BIND_PORT: Opt = Opt::port("DEFAULT", "bind_port").default("9292").help("Port to listen on");
//!
//! # fn main() -> osloconf::Result<()> {
//! let given = [Given::File("/etc/glance/glance-api.conf".into())];
//! let files = ConfigFiles::resolve(Search::standard("glance", None), &given, &["glance", "glance-api"])?;
//! let conf = Conf::load(&[&BIND_PORT], files, std::env::vars_os(), Overrides::new())?;
//! assert_eq!(conf.port(&BIND_PORT)?, Some(9292));
//! # Ok(())
//! # }
//! ```
//!
//! A value comes from the command line, else the environment (`OS_<GROUP>__<OPTION>`), else the last file that has
//! it, else the default. It is converted when asked for; [`Conf::validate`] reports every bad value at once.
//!
//! The crate knows no service: which options exist, what they mean and what to do about a warning is the caller's.
//! It never logs and never reads the process environment by itself.

mod conf;
mod dollar;
mod error;
mod expand;
mod files;
pub mod ini;
mod mask;
mod nearest;
mod option;
pub mod paste;
mod percent;
mod sources;
mod value;

pub use conf::{Conf, Deprecation, Dumped, Setting, Unresolved};
pub use error::{BadValue, Error, Result};
pub use files::{ConfigFiles, Given, Search};
pub use mask::mask_passwords;
pub use nearest::nearest;
pub use option::{Kind, Opt};
pub use sources::{Origin, Overrides};
