//! [`FileStore`]: where the content of files is.

use std::collections::HashSet;
use std::fmt;
use std::fs::{DirBuilder, File};
use std::io;
use std::ops::Range;
use std::path::{Path as Folder, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, Result, RetryConfig};
use url::Url;
use zoop_crm::business::files::inventory::Kept;
use zoop_crm::business::files::tools::open::OpenedFile;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Timestamp;

use super::connector::BucketConnector;
use super::objects::{Key, Object, Stored};
use super::pictures::PictureSize;
use super::writer::Writer;

/// How long a request to a bucket is repeated.
const RETRY_TIMEOUT: Duration = Duration::from_secs(8);
/// Of how many files the log tells that their content is missing. A whole store that is missing fills no log.
const TOLD_MISSING: usize = 100;

/// Where the content of files is stored.
#[derive(Debug, Clone)]
pub struct FileStore(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    place: Place,
    /// The first files whose missing content the log tells of.
    told_missing: Mutex<HashSet<Id<kinds::File>>>,
}

#[derive(Debug)]
enum Place {
    /// A folder, which is created when it is first used.
    Folder { path: PathBuf, opened: OnceLock<Arc<dyn ObjectStore>> },
    /// A bucket, with its URL for messages.
    Bucket { url: String, store: Arc<dyn ObjectStore> },
}

/// Why a store cannot be used, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableFileStore(pub(crate) String);

impl fmt::Display for UnusableFileStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UnusableFileStore {}

impl From<object_store::Error> for UnusableFileStore {
    fn from(error: object_store::Error) -> Self {
        Self(error.to_string())
    }
}

impl FileStore {
    fn new(place: Place) -> Self {
        Self(Arc::new(Shelf { place, told_missing: Mutex::default() }))
    }

    /// A folder, which is created when it is first used.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::new(Place::Folder { path: path.into(), opened: OnceLock::new() })
    }

    /// The store at a URL: `file:///folder` or `s3://bucket/prefix`. A bucket is at `endpoint`, or else at Amazon, and its
    /// region and keys are in the `AWS_*` variables among `variables`.
    ///
    /// # Errors
    /// The URL is of another form, or the variables are not enough.
    pub fn open(
        url: &str,
        endpoint: Option<&str>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, UnusableFileStore> {
        const EXPECTED: &str = "must be file:///folder or s3://bucket/prefix";
        let unusable = || UnusableFileStore(EXPECTED.to_owned());
        let parsed = Url::parse(url).map_err(|_| unusable())?;
        match parsed.scheme() {
            "file" => parsed.to_file_path().map(Self::folder).map_err(|()| unusable()),
            "s3" => {
                let bucket = parsed.host_str().filter(|it| !it.is_empty()).ok_or_else(unusable)?;
                let has_more = !parsed.username().is_empty()
                    || parsed.port().is_some()
                    || parsed.query().is_some()
                    || parsed.fragment().is_some();
                if has_more {
                    return Err(unusable());
                }
                let mut builder = AmazonS3Builder::new();
                for (name, value) in variables {
                    let name = name.to_ascii_lowercase();
                    if !name.starts_with("aws_") {
                        continue;
                    }
                    if let Ok(key) = AmazonS3ConfigKey::from_str(&name) {
                        builder = builder.with_config(key, value);
                    }
                }
                if let Some(endpoint) = endpoint {
                    let is_plain = endpoint.starts_with("http://");
                    builder = builder.with_endpoint(endpoint).with_allow_http(is_plain);
                }
                let built = builder
                    .with_bucket_name(bucket)
                    .with_http_connector(BucketConnector)
                    .with_retry(retries())
                    .build()
                    .map_err(|error| UnusableFileStore(format!("cannot be used: {error}")))?;
                let prefix = Path::from_url_path(parsed.path()).map_err(|_| unusable())?;
                let store = Arc::new(PrefixStore::new(built, prefix));
                Ok(Self::new(Place::Bucket { url: url.to_owned(), store }))
            }
            _ => Err(unusable()),
        }
    }

    /// Whether files may be there. A folder that was never used is not there itself.
    pub fn may_have_files(&self) -> bool {
        match &self.0.place {
            Place::Folder { path, .. } => path.exists(),
            Place::Bucket { .. } => true,
        }
    }

    /// Whether both are the same store.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let real = |path: &Folder| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
        match (&self.0.place, &other.0.place) {
            (Place::Folder { path, .. }, Place::Folder { path: other, .. }) => {
                real(path) == real(other)
            }
            (Place::Bucket { url, .. }, Place::Bucket { url: other, .. }) => {
                url.trim_end_matches('/') == other.trim_end_matches('/')
            }
            _ => false,
        }
    }

    /// The folder, if the store is one.
    pub(super) fn as_folder(&self) -> Option<&Folder> {
        match &self.0.place {
            Place::Folder { path, .. } => Some(path),
            Place::Bucket { .. } => None,
        }
    }

    /// Logs, once for a file, that content is missing that a caller asked for.
    pub(super) fn tell_missing(&self, key: Key) {
        if self.is_news(key.file) {
            tracing::warn!(
                tenant_id = %key.tenant, file_id = %key.file,
                "the content of a file is missing in the file store; `zoop doctor` shows whether more is missing"
            );
        }
    }

    /// Whether the log does not tell yet that the content of this file is missing, and will from now on.
    fn is_news(&self, file: Id<kinds::File>) -> bool {
        let mut told = self.0.told_missing.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < TOLD_MISSING && told.insert(file)
    }

    /// Stores a few bytes and deletes them, to find out whether the store works.
    ///
    /// # Errors
    /// What is wrong, in the words of the store.
    pub async fn check(&self) -> Result<(), UnusableFileStore> {
        let probe = Path::from("zoop-doctor");
        let checked = async {
            let objects = self.objects()?;
            objects.put(&probe, "zoop".into()).await?;
            objects.delete(&probe).await
        };
        Ok(checked.await?)
    }

    /// The store's objects.
    pub(super) fn objects(&self) -> Result<Arc<dyn ObjectStore>> {
        match &self.0.place {
            Place::Bucket { store, .. } => Ok(store.clone()),
            Place::Folder { path, opened } => {
                if let Some(store) = opened.get() {
                    return Ok(store.clone());
                }
                create_private(path).map_err(no_folder)?;
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                Ok(opened.get_or_init(|| Arc::new(store)).clone())
            }
        }
    }

    /// Begins to write a file's content.
    pub(crate) async fn write(&self, key: Key) -> Result<Writer> {
        if let Some(folder) = self.as_folder() {
            // The store would create it for everybody.
            let of_tenant = folder.join(key.tenant.to_string());
            let creating = tokio::task::spawn_blocking(move || create_private(&of_tenant));
            creating.await?.map_err(no_folder)?;
        }
        Ok(Writer::new(self.objects()?, key.path()))
    }

    /// Reads a part of a file's content. `None` if it is missing or not of this size.
    pub(super) async fn read(
        &self,
        key: Key,
        size: u64,
        range: Range<u64>,
    ) -> Result<Option<BoxStream<'static, Result<Bytes>>>> {
        let (objects, path) = (self.objects()?, key.path());
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        match objects.get_opts(&path, options).await {
            Ok(found) => Ok((found.meta.size == size).then(|| found.into_stream())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            // Each store has other words for a part that is behind the end.
            Err(error) => match objects.head(&path).await {
                Ok(found) if found.size != size => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Reads all of a file's content.
    pub(crate) async fn read_all(&self, key: Key) -> Result<BoxStream<'static, Result<Bytes>>> {
        Ok(self.objects()?.get(&key.path()).await?.into_stream())
    }

    /// All content of a file that the caller may read. `None` if it is missing.
    pub(crate) async fn content(&self, opened: &OpenedFile) -> Result<Option<Bytes>> {
        self.whole(opened.into(), opened.size).await
    }

    /// All of a file's content. `None` if it is missing or not of this size.
    pub(super) async fn whole(&self, key: Key, size: u64) -> Result<Option<Bytes>> {
        let mut pieces = match self.read_all(key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            pieces => pieces?,
        };
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        while let Some(piece) = pieces.try_next().await? {
            if (content.len() + piece.len()) as u64 > size {
                return Ok(None);
            }
            content.extend_from_slice(&piece);
        }
        Ok((content.len() as u64 == size).then(|| content.into()))
    }

    /// A smaller copy of a picture, if it is there.
    pub(super) async fn picture(&self, key: Key, size: PictureSize) -> Result<Option<Bytes>> {
        match self.objects()?.get(&key.path_of(Object::Picture(size))).await {
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            found => Ok(Some(found?.bytes().await?)),
        }
    }

    /// Stores a smaller copy of a picture.
    pub(super) async fn write_picture(
        &self,
        key: Key,
        size: PictureSize,
        picture: Bytes,
    ) -> Result<()> {
        self.objects()?.put(&key.path_of(Object::Picture(size)), picture.into()).await?;
        Ok(())
    }

    /// Deletes what is stored of a file, if it is there.
    pub(super) async fn delete(&self, key: Key, object: Object) -> Result<()> {
        match self.objects()?.delete(&key.path_of(object)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// Deletes all that is stored of a file.
    pub(super) async fn delete_all(&self, key: Key) -> Result<()> {
        for size in PictureSize::ALL {
            self.delete(key, Object::Picture(size)).await?;
        }
        self.delete(key, Object::Content).await
    }

    /// What is stored of a tenant's files. Anything else under its id is left alone.
    pub(super) async fn list(&self, tenant: Id<kinds::Tenant>) -> Result<Vec<Stored>> {
        let objects = self.objects()?;
        let is_dated = self.as_folder().is_none();
        let listed = objects.list(Some(&Path::from(tenant.to_string())));
        let stored = listed.try_filter_map(|found| async move {
            let named = found.location.filename().and_then(Object::parse);
            let since = is_dated.then(|| Timestamp(found.last_modified.timestamp_micros()));
            Ok(named.map(|(file, object)| Stored { file, object, size: found.size, since }))
        });
        stored.boxed().try_collect().await
    }

    /// The content of all files that is stored, of all tenants.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn all(&self) -> Result<Vec<Kept>, UnusableFileStore> {
        let objects = self.objects()?;
        let kept = objects.list(None).try_filter_map(|found| async move {
            let parts: Vec<_> = found.location.parts().collect();
            let [tenant, file] = parts.as_slice() else { return Ok(None) };
            let (tenant, file) = (Id::parse(tenant.as_ref()), Id::parse(file.as_ref()));
            let (size, sha256) = (found.size, None);
            Ok(tenant.zip(file).map(|(tenant, file)| Kept { tenant, file, size, sha256 }))
        });
        let mut kept: Vec<_> = kept.boxed().try_collect().await?;
        kept.sort_by_key(|it: &Kept| (it.tenant.uuid(), it.file.uuid()));
        Ok(kept)
    }
}

impl fmt::Display for FileStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.place {
            Place::Folder { path, .. } => write!(formatter, "{}", path.display()),
            Place::Bucket { url, .. } => formatter.write_str(url),
        }
    }
}

/// How often a request to a bucket is repeated: not for so long that the caller has given up.
fn retries() -> RetryConfig {
    RetryConfig { max_retries: 3, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() }
}

/// Creates a folder that only this program's user can read, unless it is there. It survives a loss of power.
fn create_private(path: &Folder) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Folder::new("."));
    create_private(parent)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(parent)?.sync_all(),
    }
}

/// Why a folder cannot be a store.
fn no_folder(source: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "folder", source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(url: &str) -> Result<String, String> {
        let keys = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let variables = keys.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let opened = FileStore::open(url, Some("http://127.0.0.1:9000"), variables);
        opened.map(|it| it.to_string()).map_err(|it| it.to_string())
    }

    #[test]
    fn a_store_is_a_folder_or_a_bucket() {
        assert_eq!(open("file:///var/lib/zoop/files").as_deref(), Ok("/var/lib/zoop/files"));
        assert_eq!(open("s3://photos/zoop").as_deref(), Ok("s3://photos/zoop"));
        assert_eq!(open("s3://photos").as_deref(), Ok("s3://photos"));
        for url in
            ["", "files", "s3://", "s3://key@photos", "https://photos.example.com", "file://host/a"]
        {
            open(url).expect_err(url);
        }
    }
    #[test]
    fn the_log_tells_of_the_first_files_that_are_missing_and_of_each_once() {
        let store = FileStore::folder("files");
        let news = |number: u128| store.is_news(Id::new(zoop_db::Uuid::from_u128(number)));
        assert!(news(1) && news(2) && !news(1));
        assert_eq!((0..1000).filter(|number| news(*number)).count(), TOLD_MISSING - 2);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_this_user_can_read_content_even_in_a_folder_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let readable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), readable).expect("its mode");
        let [tenant, file] = [1, 2].map(zoop_db::Uuid::from_u128);
        let key = Key { tenant: Id::new(tenant), file: Id::new(file) };
        for _ in 0..2 {
            let writer = FileStore::folder(folder.path()).write(key).await.expect("a writer");
            writer.finish().await.expect("stored");
        }
        let of_tenant = folder.path().join(key.tenant.to_string());
        let mode = std::fs::metadata(of_tenant).expect("the folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
