//! The commands: a module for each, or for two that belong together. They use the catalog's tools, the database or
//! the server. Rules of the product must not live here.

pub(crate) mod account;
pub(crate) mod backup;
pub(crate) mod call;
pub(crate) mod client;
pub(crate) mod copy;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod files;
pub(crate) mod grant;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod quote;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod tag;
pub(crate) mod tenant;
pub(crate) mod undo;
pub(crate) mod user;
