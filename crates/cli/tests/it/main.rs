//! Runs the built binary as people and programs do, in a folder of its own, and checks its output and exit code.

mod backup;
mod browser;
mod call;
mod client;
mod crash;
mod demo;
mod dependencies;
mod env;
mod erase;
mod files;
mod import;
mod load;
mod mail;
mod operator;
mod outage;
mod people;
mod postgres;
mod processes;
mod rights;
mod secrets;
mod security;
mod serve;
mod service;
mod settings;
mod storage_faults;
mod transfer;
