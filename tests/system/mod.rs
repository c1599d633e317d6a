//! Processes, configuration and the operator's commands (v1-system).

mod config;
mod config_command;
mod control;
mod crashes;
mod default_run;
mod http2;
mod logging;
mod manage;
mod paste;
mod policy_command;
mod scrubber;
mod sendfile;
mod signals;
mod slow_clients;
mod stopping;
mod stores;
mod terminal;
mod tls;
