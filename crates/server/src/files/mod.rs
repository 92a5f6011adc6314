//! Files on notes: receives, stores, sends and deletes their content. What a file is, and who may do what, is decided by
//! the tools in `zoop_crm::business::files`.
//!
//! | module | contains |
//! | --- | --- |
//! | [`FileStore`] | the store of the content: a folder, or a bucket of any S3-compatible store |
//! | `connector` | the store's connections to a bucket |
//! | `objects` | how what is stored of a file is named there |
//! | `ownership` | to which database a store belongs |
//! | `copying` | compares a store with a database, and copies content to another store: for commands |
//! | `erasing` | deletes the content of files at once: for a command |
//! | `writer` | writes one file to the store, piece by piece |
//! | `caller` | who asks: a bearer token, or a session in one of its user's tenants |
//! | `upload` | `POST /api/notes/{id}/files` |
//! | `receive`, `parts`, `form`, `batch` | receives the files of an upload, whoever sends it |
//! | `room`, `pace` | how much memory an upload uses, and how slowly it may arrive |
//! | `under_way` | how much may be sent at once whose files are not added yet |
//! | `download`, `opening`, `ranges`, `sending`, `disposition` | `GET /files/{id}` and `GET /files/{id}/thumbnail` |
//! | `pictures` | smaller copies of pictures |
//! | `refusal` | errors as JSON |
//! | `sweep`, `leftovers` | delete the content that nothing needs, and what was never finished |

mod batch;
mod caller;
mod connector;
mod copying;
pub(crate) mod disposition;
mod download;
mod erasing;
mod form;
mod leftovers;
mod objects;
mod opening;
mod ownership;
mod pace;
mod parts;
pub(crate) mod pictures;
mod ranges;
mod receive;
mod refusal;
mod room;
mod sending;
mod store;
pub(crate) mod sweep;
mod under_way;
mod upload;
mod writer;

use std::sync::{Mutex, PoisonError};

use axum::Router;
use axum::routing::{MethodRouter, any, get};
use zoop_crm::values::clock::Environment;
use zoop_crm::values::id::{self, Id, kinds};
use zoop_db::Uuid;

use crate::app::App;

use room::Rooms;
use under_way::UnderWay;

pub use copying::CopiedFiles;
pub use erasing::{DeletedContents, ErasedContents};
pub(crate) use objects::Key;
pub use ownership::Owner;
pub(crate) use parts::{Parts, is_form, limit};
pub(crate) use receive::{Arrival, Gone, Receiver, Unreceived, to_the_end};
pub(crate) use refusal::{UNCERTAIN, is_uncertain};
pub(crate) use room::Room;
pub(crate) use sending::body as sending_body;
pub use store::{FileStore, UnusableFileStore};
pub(crate) use under_way::reserve;
pub(crate) use upload::drain_timeout;

/// What all uploads share.
#[derive(Default)]
pub(crate) struct Receiving {
    rooms: Rooms,
    under_way: UnderWay,
    /// The id of the last file.
    last: Mutex<Option<Uuid>>,
}

impl Receiving {
    /// The id of the next file, after those of the files before it, so that a note shows them in their order.
    fn next_id(&self, environment: &Environment) -> Id<kinds::File> {
        let now = environment.clock.now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.filter(|it| *it < id::first_from_wrong_clock(now));
        let next = id::following(before, now, environment.entropy.bits());
        *last = Some(next);
        Id::new(next)
    }
}

/// The route of the content, for browsers too.
pub(crate) fn routes() -> Router<App> {
    let asked = |method: MethodRouter<App>| method.options(download::preflight);
    Router::new()
        .route("/files/{id}", asked(get(download::file)))
        .route("/files/{id}/thumbnail", asked(get(download::thumbnail)))
}

/// The route for programs.
pub(crate) fn api() -> Router<App> {
    Router::new().route("/api/notes/{id}/files", any(upload::files))
}
