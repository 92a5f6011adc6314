//! The ZIP of an export, made while it is sent.

use std::io::{self, Write};

use axum::body::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryFutureExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Sender, channel};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};
use zoop_crm::export::manifest::{self, Manifest};
use zoop_crm::export::{self, Written};

use super::contents::{Found, Sink};
use super::folder::{ExportFolder, entry};
use super::turns::UnderWay;
use crate::files::{FileStore, UnusableFileStore};

/// The length of the pieces in which it is sent, in bytes.
const PIECE: usize = 64 * 1024;
/// How many pieces wait for the reader.
const WAITING: usize = 2;

/// An export whose rows are in a folder, and whose files are in a store.
pub(super) struct Spooled {
    pub(super) folder: ExportFolder,
    pub(super) written: Written,
    pub(super) store: Option<FileStore>,
    /// Removes the folder when it is dropped.
    pub(super) _folder: tempfile::TempDir,
    pub(super) _under_way: UnderWay,
}

/// The bytes of the ZIP. They stop with an error if the store fails.
pub(super) fn stream(spooled: Spooled) -> BoxStream<'static, object_store::Result<Bytes>> {
    let (sender, receiver) = channel(WAITING);
    let runtime = Handle::current();
    let making = tokio::task::spawn_blocking(move || make(spooled, sender, &runtime));
    let made = making.map_err(|error| failure(io::Error::other(error)));
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (Ok(piece), receiver))
    });
    // If it could not be made, the bytes end with the error, so that no reader takes them for all.
    let end = stream::once(async move { made.await?.map_err(failure) });
    let end = end.filter_map(|ended| async move { ended.err().map(Err) });
    pieces.chain(end).boxed()
}

fn failure(error: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "export", source: Box::new(error) }
}

/// Makes the ZIP. Runs on a thread that may block.
fn make(spooled: Spooled, sender: Sender<Bytes>, runtime: &Handle) -> io::Result<()> {
    let Spooled { folder, written, store, .. } = &spooled;
    let pieces = Pieces { sender, filling: Vec::with_capacity(PIECE) };
    let mut zip = ZipWriter::new_stream(pieces);
    let mut manifest = written.manifest.clone();
    for file in &written.manifest.files {
        zip.start_file(&*file.name, options(CompressionMethod::Deflated))?;
        io::copy(&mut folder.file(&file.name)?, &mut zip)?;
    }
    for file in &written.files {
        let Some(store) = store else { break };
        let mut sink = Entry { name: export::content(file), is_begun: false, zip: &mut zip };
        let tenant = written.manifest.business.id;
        let found = runtime.block_on(store.save(tenant, file, &mut sink));
        if found.map_err(io::Error::other)? == Found::Whole {
            manifest.files.push(entry(file));
        }
    }
    finish(zip, &manifest)
}

/// Writes the manifest, and ends the ZIP.
fn finish(mut zip: ZipWriter<StreamWriter<Pieces>>, manifest: &Manifest) -> io::Result<()> {
    zip.start_file(manifest::NAME, options(CompressionMethod::Deflated))?;
    zip.write_all(manifest.text().as_bytes())?;
    let mut pieces = zip.finish()?.into_inner();
    pieces.flush()
}

/// Files may be longer than 4 GiB.
fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method).large_file(true)
}

/// Sends what is written to it in pieces.
struct Pieces {
    sender: Sender<Bytes>,
    filling: Vec<u8>,
}

impl Pieces {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.filling, Vec::with_capacity(PIECE));
        self.sender.blocking_send(piece.into()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PIECE - self.filling.len());
        self.filling.extend_from_slice(&bytes[..count]);
        if self.filling.len() == PIECE {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.filling.is_empty() { Ok(()) } else { self.send() }
    }
}

/// A file of the ZIP, which begins with its first byte: the store may have none. Photos are compressed already.
struct Entry<'z> {
    name: String,
    is_begun: bool,
    zip: &'z mut ZipWriter<StreamWriter<Pieces>>,
}

impl Sink for Entry<'_> {
    async fn write(&mut self, piece: &[u8]) -> Result<(), UnusableFileStore> {
        let failed = |error: io::Error| UnusableFileStore(error.to_string());
        if !self.is_begun {
            let begun = self.zip.start_file(&*self.name, options(CompressionMethod::Stored));
            begun.map_err(|error| failed(error.into()))?;
            self.is_begun = true;
        }
        self.zip.write_all(piece).map_err(failed)
    }
}
