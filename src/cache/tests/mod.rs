//! What every cache does, whatever its driver.

mod deletion;
mod faults;
mod fills;
mod hits;
mod opening;
mod prefetching;
mod queueing;
mod support;
mod upkeep;
