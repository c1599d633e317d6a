//! Starting the programs, asking them, and looking at what they leave on disk. Must not know how they work inside.

mod cache_dir;
mod conf;
mod databases;
mod dice;
mod disk;
mod files;
mod gander;
mod http;
mod image;
mod judge;
mod keystone;
mod net;
mod origin;
mod paste;
mod process;
mod servers;
mod skip;
mod sql;

pub(crate) use cache_dir::{Sampler, occupied};
pub(crate) use conf::Conf;
pub(crate) use databases::{Database, on_sqlite};
pub(crate) use dice::{Dice, option};
pub(crate) use disk::{TinyDisk, append_only};
pub(crate) use files::{entries, names, xattr, xattr_supported};
pub(crate) use gander::{Gander, Setup};
pub(crate) use http::{Client, Reading, Request, Response, read_response};
pub(crate) use image::{FIVE_KB, five_kb, md5, minimal_headers, noise};
pub(crate) use judge::{Asked, Judge};
pub(crate) use keystone::{Keystone, PASSWORD, password_of, unique};
pub(crate) use net::{answers, eventually, free_port, is_open};
pub(crate) use origin::{Behaviour, Origin};
pub(crate) use paste::{TRUSTED_CACHING, TRUSTED_HEADERS, TRUSTED_REGISTRY};
pub(crate) use process::{Outcome, execute, gander_command, run, run_within, shell};
pub(crate) use servers::Servers;
pub(crate) use skip::skipped;
pub(crate) use sql::{Held, WriteLock, sqlite_rows};
