//! The server as its callers see it: with real connections on a loopback port, a real database, and a clock that
//! stands still.

mod access;
mod addresses;
mod attacks;
mod console;
mod files;
mod framing;
mod http;
mod limits;
mod lists;
mod mail;
mod oauth;
mod operations;
mod overload;
mod people;
mod pictures;
mod rights;
mod rust_client;
mod server;
mod sso;
mod strangers;
mod transport;
mod unread;
