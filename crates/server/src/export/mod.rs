//! Exports of accounts as files: in a folder for commands, and as one ZIP for the console. What is in them is said by
//! [`zoop_crm::export`]; here are the files themselves, and the content of files on notes.

pub(crate) mod attachment;
mod contents;
pub(crate) mod download;
mod folder;
mod turns;
mod zipped;

pub use folder::{ExportFolder, UnusableExport};
pub(crate) use turns::Turns;
