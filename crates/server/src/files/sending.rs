//! The content of a file on its way to its reader. What is not read yet is counted, before it is taken from the store, and a
//! reader that takes too long is disconnected.

use std::sync::Arc;
use std::time::Instant;

use axum::Error;
use axum::body::{Body, Bytes};
use futures_util::TryStreamExt;
use futures_util::stream::{self, BoxStream};
use zoop_db::Tenant;

use crate::app::Shared;
use crate::unread::{Cut, READ_TIMEOUT};

/// The length of a piece that is counted, in bytes. The store's own pieces can be short.
const PIECE: usize = 64 * 1024;

/// Content that is being sent.
struct Sending {
    shared: Arc<Shared>,
    /// Whose file it is.
    tenant: Tenant,
    cut: Cut,
    content: BoxStream<'static, object_store::Result<Bytes>>,
    /// What came from the store and is not sent yet.
    rest: Bytes,
    /// How many bytes are still to be sent.
    left: u64,
}

/// The body with so many bytes of a file's content.
pub(crate) fn body(
    shared: Arc<Shared>,
    tenant: Tenant,
    cut: Cut,
    content: BoxStream<'static, object_store::Result<Bytes>>,
    length: u64,
) -> Body {
    let rest = Bytes::new();
    let sending = Sending { shared, tenant, cut, content, rest, left: length };
    Body::from_stream(stream::try_unfold(sending, |mut sending| async move {
        let piece = sending.next().await?;
        Ok::<_, Error>(piece.map(|piece| (piece, sending)))
    }))
}

impl Sending {
    /// The next piece, as soon as there is room for it. An error ends the connection.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let length = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        if length == 0 {
            return Ok(None);
        }
        let deadline = Instant::now() + READ_TIMEOUT;
        let room = self.shared.unread_files.room(self.tenant, length, deadline).await;
        let room = room.ok_or_else(|| Error::new("this business's readers are too slow"))?;
        let piece = self.read(length).await?;
        self.left -= piece.len() as u64;
        Ok((!piece.is_empty()).then(|| room.count(piece, self.cut.clone())))
    }

    /// The next so many bytes, or fewer at the end. They are not copied if they come in one piece.
    async fn read(&mut self, length: usize) -> Result<Bytes, Error> {
        let mut whole = Vec::new();
        while whole.len() < length {
            if self.rest.is_empty() {
                match self.content.try_next().await.map_err(Error::new)? {
                    Some(piece) => self.rest = piece,
                    None => break,
                }
            }
            let piece = self.rest.split_to(self.rest.len().min(length - whole.len()));
            if whole.is_empty() && piece.len() == length {
                return Ok(piece);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }
}
