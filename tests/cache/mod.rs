//! The image cache (v1-cache): what it holds, how it fails, what it leaves on disk, and the tools that tend it.

mod attacks;
mod centralized;
mod commands;
mod crashes;
mod drivers;
mod failing_disk;
mod failures;
mod filling;
mod filter;
mod hits;
mod limit;
mod manage_command;
mod management;
mod ranges;
mod rights;
mod shared_fills;
mod single_flight;
mod tools;
mod torture;
mod verified;
