//! [`ExportFolder`]: an export in a folder.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use zoop_crm::business::files::NoteFile;
use zoop_crm::call::access::Account;
use zoop_crm::call::error::Result as CrmResult;
use zoop_crm::export::manifest::{self, FileEntry, Manifest, Purpose};
use zoop_crm::export::{self, OpenForReading, Progress, Written};
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{ReadTx, Timestamp};

use super::contents::{Found, Sink};
use crate::files::{FileStore, UnusableFileStore};

/// A folder that has an export, or gets one. Only this program's user can read it.
#[derive(Debug, Clone)]
pub struct ExportFolder(PathBuf);

/// Why a folder cannot be used, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableExport(String);

impl fmt::Display for UnusableExport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UnusableExport {}

impl From<UnusableFileStore> for UnusableExport {
    fn from(error: UnusableFileStore) -> Self {
        Self(error.to_string())
    }
}

impl ExportFolder {
    /// A new folder, or an empty one.
    ///
    /// # Errors
    /// If it is not empty, or cannot be created.
    pub fn create(path: &Path) -> Result<Self, UnusableExport> {
        let shown = path.display();
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => {
                return Err(UnusableExport(format!("{shown} is not empty: name a new folder")));
            }
            Ok(false) => return Ok(Self(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(UnusableExport(format!("{shown} cannot be used: {error}"))),
        }
        let created = folders().create(path);
        created.map_err(|error| UnusableExport(format!("{shown} cannot be created: {error}")))?;
        Ok(Self(path.to_owned()))
    }

    /// The export in a folder, and its manifest.
    ///
    /// # Errors
    /// If the folder has no whole export.
    pub fn open(path: &Path) -> Result<(Self, Manifest), UnusableExport> {
        let shown = path.join(manifest::NAME);
        let shown = shown.display();
        let text = fs::read(path.join(manifest::NAME)).map_err(|error| {
            UnusableExport(format!(
                "there is no whole export in this folder, because {shown} cannot be read: {error}"
            ))
        })?;
        let manifest = serde_json::from_slice(&text)
            .map_err(|error| UnusableExport(format!("{shown} is not a manifest: {error}")))?;
        Ok((Self(path.to_owned()), manifest))
    }

    /// Writes everything but the content of files on notes and the manifest: [`export::write`].
    ///
    /// # Errors
    /// If a file cannot be written, or the database fails.
    pub fn write_rows(
        &self,
        tx: &mut ReadTx<'_>,
        account: Account,
        moment: Timestamp,
        progress: &mut Progress<'_>,
    ) -> CrmResult<Written> {
        let mut open = |name: &str| Ok(Box::new(self.new_file(name)?) as Box<dyn Write>);
        export::write(tx, account, moment, &mut open, progress)
    }

    /// Writes the content of files on notes, and adds it to the manifest. Returns the files whose content is missing in
    /// the store, or is another one than the database says. `progress` is called with the size of each file that is done.
    ///
    /// # Errors
    /// If the store fails, or a file cannot be written.
    pub async fn write_contents(
        &self,
        store: &FileStore,
        written: &mut Written,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<NoteFile>, UnusableExport> {
        let tenant = written.manifest.business.id;
        let mut missing = Vec::new();
        for file in &written.files {
            let name = export::content(file);
            let to = self.new_file(&name).map_err(|error| cannot(&name, &error))?;
            let found = store.save(tenant, file, &mut Saving { name: &name, to }).await?;
            if found == Found::Whole {
                written.manifest.files.push(entry(file));
            } else {
                let path = self.inside(&name).map_err(|error| cannot(&name, &error))?;
                fs::remove_file(path).map_err(|error| cannot(&name, &error))?;
                missing.push(file.clone());
            }
            progress(file.size);
        }
        Ok(missing)
    }

    /// Ends an export. Until then the folder has no manifest, and so no export.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn finish(&self, manifest: &Manifest) -> Result<(), UnusableExport> {
        let failed = |error: io::Error| cannot(manifest::NAME, &error);
        let mut file = self.new_file(manifest::NAME).map_err(failed)?;
        file.write_all(manifest.text().as_bytes()).map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    /// Opens the files of the export.
    pub fn reader(&self) -> Arc<OpenForReading> {
        let folder = self.clone();
        Arc::new(move |name: &str| Ok(Box::new(BufReader::new(folder.file(name)?))))
    }

    /// Puts the content of files on notes into a store, for the account that gets their rows. Returns the number of files.
    ///
    /// # Errors
    /// If the store fails, or a file cannot be read.
    pub async fn put_contents(
        &self,
        manifest: &Manifest,
        store: &FileStore,
        tenant: Id<kinds::Tenant>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<usize, UnusableExport> {
        let mut count = 0;
        for (id, entry) in contents(manifest) {
            let failed = |error: io::Error| cannot(&entry.name, &error);
            let mut from = self.file(&entry.name).map_err(failed)?;
            store.put(tenant, id, &mut from).await?;
            progress(entry.bytes);
            count += 1;
        }
        Ok(count)
    }

    /// Opens a file of the export, which may not be behind a symbolic link.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        let path = self.inside(name)?;
        let mut part = self.0.clone();
        for name in Path::new(name) {
            part.push(name);
            if fs::symlink_metadata(&part)?.is_symlink() {
                return Err(io::Error::other(
                    "it is a symbolic link, which could lead out of the export",
                ));
            }
        }
        File::open(path)
    }

    /// Creates a file, and the folders that it is in.
    fn new_file(&self, name: &str) -> io::Result<File> {
        let path = self.inside(name)?;
        if let Some(folder) = path.parent() {
            folders().create(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    /// The path of a file of the export. A manifest may name none outside.
    fn inside(&self, name: &str) -> io::Result<PathBuf> {
        let path = Path::new(name);
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if is_inside { Ok(self.0.join(path)) } else { Err(io::ErrorKind::InvalidFilename.into()) }
    }
}

/// Creates folders that only this program's user can read.
fn folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// A file that gets content.
struct Saving<'n> {
    name: &'n str,
    to: File,
}

impl Sink for Saving<'_> {
    async fn write(&mut self, piece: &[u8]) -> Result<(), UnusableFileStore> {
        let written = self.to.write_all(piece);
        written.map_err(|error| UnusableFileStore(cannot(self.name, &error).0))
    }
}

/// The content of a file on a note in the manifest.
pub(super) fn entry(file: &NoteFile) -> FileEntry {
    FileEntry {
        name: export::content(file),
        purpose: Purpose::Data,
        rows: None,
        bytes: file.size,
        sha256: file.sha256.clone(),
    }
}

/// The content of files on notes that an export has, by their ids.
fn contents(manifest: &Manifest) -> impl Iterator<Item = (Id<kinds::File>, &FileEntry)> {
    manifest.files.iter().filter_map(|entry| {
        let (id, _) = entry.name.strip_prefix("files/")?.split_once('/')?;
        Some((Id::parse(id)?, entry))
    })
}

fn cannot(name: &str, error: &io::Error) -> UnusableExport {
    UnusableExport(format!("{name} cannot be read or written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_no_file_outside_its_folder() {
        let folder = ExportFolder(PathBuf::from("export"));
        for name in ["../zoop.db", "/etc/passwd", "data/../../zoop.db", "./data"] {
            let error = folder.file(name).expect_err(name);
            assert_eq!(error.kind(), io::ErrorKind::InvalidFilename, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn no_symbolic_link_of_an_export_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("export");
        fs::create_dir_all(path.join("data")).expect("a folder");
        fs::write(folder.path().join("secret"), "Secret.").expect("a file");
        fs::write(path.join("data/notes.jsonl"), "{}").expect("a file");
        for (target, name) in [("../../secret", "data/tags.jsonl"), ("..", "above")] {
            std::os::unix::fs::symlink(target, path.join(name)).expect("a link");
        }
        let export = ExportFolder(path);
        export.file("data/notes.jsonl").expect("no link");
        for name in ["data/tags.jsonl", "above/secret"] {
            let error = export.file(name).expect_err(name).to_string();
            assert!(error.contains("it is a symbolic link"), "{name}: {error}");
        }
    }
}
