//! The image cache (v1-cache): what it holds, how it fails, what it leaves on disk, and the tools that tend it.

mod commands;
mod drivers;
mod failures;
mod filling;
mod filter;
mod manage_command;
mod management;
mod rights;
mod shared_fills;
mod tools;
