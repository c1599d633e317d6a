//! What every cache does, whatever its driver.

mod deletion;
mod faults;
mod fills;
mod hits;
mod opening;
mod queueing;
mod support;
mod upkeep;
