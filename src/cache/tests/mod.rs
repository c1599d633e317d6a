//! What every cache does, whatever its driver.

mod deletion;
mod faults;
mod fills;
mod healing;
mod hits;
mod opening;
mod parts;
mod prefetching;
mod queueing;
mod room;
mod support;
mod upkeep;
mod verifying;
