//! [`Writer`]: writes one file to the store. It holds the part of the content that is being filled, while the part before
//! it is being sent.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayloadMut, Result};
use tokio::task::JoinHandle;

/// The size of a part in bytes. Stores accept no smaller ones, except the last.
pub(super) const PART: usize = 5 * 1024 * 1024;

/// A file that is being written. It appears in the store when it is finished. Dropping it discards what was written.
pub(crate) struct Writer {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    /// The part that is being filled. A file that fits in one part is stored whole.
    filling: PutPayloadMut,
    upload: Option<Box<dyn MultipartUpload>>,
    /// The part before it.
    sending: Option<JoinHandle<Result<()>>>,
}

impl Writer {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self { objects, path, filling: PutPayloadMut::new(), upload: None, sending: None }
    }

    /// How long the part is that is being filled.
    pub(super) fn filled(&self) -> usize {
        self.filling.content_length()
    }

    /// Whether the part before it is being sent.
    pub(super) fn is_sending(&self) -> bool {
        self.sending.as_ref().is_some_and(|part| !part.is_finished())
    }

    /// Writes the next piece. Waits only if two parts are full.
    pub(crate) async fn write(&mut self, mut piece: &[u8]) -> Result<()> {
        while !piece.is_empty() {
            if self.filling.content_length() == PART {
                self.send().await?;
            }
            let (fits, rest) =
                piece.split_at(piece.len().min(PART - self.filling.content_length()));
            self.filling.extend_from_slice(fits);
            piece = rest;
        }
        Ok(())
    }

    /// Ends the content, and waits until it is stored.
    pub(crate) async fn finish(mut self) -> Result<()> {
        if self.upload.is_none() {
            let whole = std::mem::take(&mut self.filling);
            return self.objects.put(&self.path, whole.freeze()).await.map(drop);
        }
        self.send().await?;
        self.sent().await?;
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }

    /// Begins to send the part that is full, or the last one.
    async fn send(&mut self) -> Result<()> {
        self.sent().await?;
        let part = std::mem::take(&mut self.filling).freeze();
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.objects.put_multipart(&self.path).await?),
        };
        self.sending = Some(tokio::spawn(upload.put_part(part)));
        Ok(())
    }

    /// Waits until the part before is stored. Then less memory is needed.
    pub(super) async fn sent(&mut self) -> Result<()> {
        match self.sending.take() {
            Some(sending) => sending.await?,
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(mut upload) = self.upload.take() else { return };
        let sending = self.sending.take();
        // Nobody waits for this. What cannot be discarded now, the store's own rules remove.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Some(sending) = sending {
                    // The part is discarded, whether or not it could be sent.
                    let _ = sending.await;
                }
                if let Err(error) = upload.abort().await {
                    tracing::debug!(%error, "an unfinished upload could not be discarded");
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::FutureExt;
    use object_store::memory::InMemory;
    use object_store::{Extensions, PutPayload, PutResult, UploadPart};
    use tokio::sync::Semaphore;

    use super::*;

    /// An upload whose parts wait for a permit.
    #[derive(Debug)]
    struct Slow(Arc<Semaphore>);

    #[async_trait]
    impl MultipartUpload for Slow {
        fn put_part(&mut self, _: PutPayload) -> UploadPart {
            let permits = self.0.clone();
            Box::pin(async move {
                permits.acquire().await.expect("a permit").forget();
                Ok(())
            })
        }

        async fn complete(&mut self) -> Result<PutResult> {
            Ok(PutResult { e_tag: None, version: None, extensions: Extensions::default() })
        }

        async fn abort(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_part_is_filled_while_the_one_before_is_being_sent() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let permits = Arc::new(Semaphore::new(0));
            let mut writer = Writer::new(Arc::new(InMemory::new()), Path::from("a"));
            writer.upload = Some(Box::new(Slow(permits.clone())));
            let whole = vec![b'a'; PART];
            assert!(writer.write(&whole).now_or_never().is_some());
            assert!(writer.write(&whole[1..]).now_or_never().is_some(), "it does not wait");
            assert!(writer.is_sending());
            permits.add_permits(1);
            writer.sent().await.expect("stored");
            assert_eq!((writer.is_sending(), writer.filled()), (false, PART - 1));
            assert!(writer.write(&whole[..1]).now_or_never().is_some());
            writer.send().await.expect("it is being sent");
            assert!(writer.write(&whole[1..]).now_or_never().is_some());
            assert!(writer.write(&whole[..1]).now_or_never().is_some());
            assert!(writer.write(b"a").now_or_never().is_none(), "two parts are full");
            permits.add_permits(9);
            writer.finish().await.expect("stored");
        });
    }
}
