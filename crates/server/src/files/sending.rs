//! The content of a file on its way to its reader. What is not read yet is counted, and a reader that takes too long is
//! disconnected.

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
}

/// The body with a file's content.
pub(super) fn body(
    shared: Arc<Shared>,
    tenant: Tenant,
    cut: Cut,
    content: BoxStream<'static, object_store::Result<Bytes>>,
) -> Body {
    let sending = Sending { shared, tenant, cut, content };
    Body::from_stream(stream::try_unfold(sending, |mut sending| async move {
        let piece = sending.next().await?;
        Ok::<_, Error>(piece.map(|piece| (piece, sending)))
    }))
}

impl Sending {
    /// The next piece, as soon as there is room for it. An error ends the connection.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let mut whole = Vec::new();
        while whole.len() < PIECE {
            match self.content.try_next().await.map_err(Error::new)? {
                // Without a copy, if possible.
                Some(piece) if whole.is_empty() && piece.len() >= PIECE => {
                    return self.count(piece).await.map(Some);
                }
                Some(piece) => whole.extend_from_slice(&piece),
                None if whole.is_empty() => return Ok(None),
                None => break,
            }
        }
        self.count(whole.into()).await.map(Some)
    }

    async fn count(&mut self, piece: Bytes) -> Result<Bytes, Error> {
        let deadline = Instant::now() + READ_TIMEOUT;
        let counted =
            self.shared.unread_files.count(self.tenant, piece, self.cut.clone(), deadline);
        counted.await.ok_or_else(|| Error::new("this business's readers are too slow"))
    }
}
