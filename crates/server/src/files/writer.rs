//! [`Writer`]: writes one file to the store. It holds one part of the content, and sends another one meanwhile.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, Result, WriteMultipart};

/// The size of a part in bytes. Stores accept no smaller ones, except the last.
const PART: usize = 5 * 1024 * 1024;

/// The most memory that a writer needs for a file of this size, in bytes.
pub(super) const fn memory(size: usize) -> usize {
    if size < 2 * PART { size } else { 2 * PART }
}

/// A file that is being written. It appears in the store when it is finished. Dropping it discards what was written.
pub(super) struct Writer {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    /// The content so far, until it is longer than a part.
    beginning: Vec<u8>,
    upload: Option<WriteMultipart>,
}

impl Writer {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self { objects, path, beginning: Vec::new(), upload: None }
    }

    /// Writes the next piece.
    pub(super) async fn write(&mut self, piece: &[u8]) -> Result<()> {
        if self.upload.is_none() {
            if self.beginning.len() + piece.len() <= PART {
                self.beginning.extend_from_slice(piece);
                return Ok(());
            }
            let upload = self.objects.put_multipart(&self.path).await?;
            let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
            upload.write(&std::mem::take(&mut self.beginning));
            self.upload = Some(upload);
        }
        if let Some(upload) = &mut self.upload {
            upload.wait_for_capacity(1).await?;
            upload.write(piece);
        }
        Ok(())
    }

    /// Ends the content, and waits until it is stored.
    pub(super) async fn finish(mut self) -> Result<()> {
        if let Some(upload) = self.upload.take() {
            return upload.finish().await.map(drop);
        }
        let whole = std::mem::take(&mut self.beginning);
        self.objects.put(&self.path, whole.into()).await.map(drop)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        // The caller may have gone, so nobody waits for this. What cannot be discarded now, the store's own rules remove.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::debug!(%error, "an unfinished upload could not be discarded");
                }
            });
        }
    }
}
