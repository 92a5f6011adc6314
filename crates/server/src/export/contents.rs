//! The content of files on notes between a store and an export.

use std::io::Read;

use futures_util::TryStreamExt;
use object_store::Error;
use sha2::{Digest, Sha256};
use zoop_crm::business::files::NoteFile;
use zoop_crm::values::id::{Id, kinds};

use crate::files::{FileStore, Key, UnusableFileStore};

/// How many bytes are read from a file at once.
const PIECE: usize = 64 * 1024;

/// What of a file's content a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// All, and it is what the database says.
    Whole,
    /// None, or another one.
    Missing,
}

/// Where content goes.
pub(super) trait Sink {
    /// Writes the next piece.
    async fn write(&mut self, piece: &[u8]) -> Result<(), UnusableFileStore>;
}

impl FileStore {
    /// Writes the content of a file to `sink`.
    pub(super) async fn save(
        &self,
        tenant: Id<kinds::Tenant>,
        file: &NoteFile,
        sink: &mut impl Sink,
    ) -> Result<Found, UnusableFileStore> {
        if !self.may_have_files() {
            return Ok(Found::Missing);
        }
        let mut content = match self.read_all(Key { tenant, file: file.id }).await {
            Err(Error::NotFound { .. }) => return Ok(Found::Missing),
            content => content?,
        };
        let (mut size, mut hash) = (0, Sha256::new());
        while let Some(piece) = content.try_next().await? {
            size += piece.len() as u64;
            hash.update(&piece);
            sink.write(&piece).await?;
        }
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        let is_whole = (size, &sha256) == (file.size, &file.sha256);
        Ok(if is_whole { Found::Whole } else { Found::Missing })
    }

    /// Stores the content of a file.
    pub(super) async fn put(
        &self,
        tenant: Id<kinds::Tenant>,
        file: Id<kinds::File>,
        from: &mut impl Read,
    ) -> Result<(), UnusableFileStore> {
        let mut writer = self.write(Key { tenant, file }).await?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = from.read(&mut piece);
            let count = read.map_err(|error| UnusableFileStore(error.to_string()))?;
            if count == 0 {
                return Ok(writer.finish().await?);
            }
            writer.write(&piece[..count]).await?;
        }
    }
}
