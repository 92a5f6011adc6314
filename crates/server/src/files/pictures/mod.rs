//! Smaller copies of the pictures among the files: upright JPEG without anything else of the original. One is made when it is
//! first asked for, and kept in the store beside the file's content.
//!
//! One picture is unpacked at a time, because that can take [`scaling::MEMORY`]. Businesses take turns.

mod jpeg;
mod scaling;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use image::ImageFormat;
use object_store::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::unconstrained;
use tokio::time::timeout_at;
use zoop_crm::business::files::MediaType;
use zoop_crm::business::files::tools::open::OpenedFile;
use zoop_db::Tenant;

use self::scaling::{Unscaled, scaled};
use super::objects::Key;
use super::store::FileStore;
use crate::app::Shared;
use crate::memory::{ByteBudget, HeldBytes};
use crate::seats::halfway;

/// Maximum number of requests that wait for pictures to be made, and how many of them are for one tenant.
const PLACES: (u32, u32) = (64, 32);

/// A size of smaller copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PictureSize {
    /// For lists.
    Thumbnail,
    /// As large as models look at pictures.
    Model,
}

impl PictureSize {
    pub(super) const ALL: [Self; 2] = [Self::Thumbnail, Self::Model];

    /// The longest side in pixels.
    const fn side(self) -> u32 {
        match self {
            Self::Thumbnail => 320,
            Self::Model => 1_568,
        }
    }

    /// What follows the file's id in the picture's name in the store.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Thumbnail => ".320.jpg",
            Self::Model => ".1568.jpg",
        }
    }
}

/// The type of the smaller copies.
pub(crate) const MEDIA_TYPE: MediaType = MediaType::Jpeg;

/// Why there is no picture to send.
#[derive(Debug)]
pub(crate) enum NoPicture {
    /// The file is not a picture that can be unpacked.
    None,
    /// The content of the file is missing.
    Missing,
    /// It is not made yet. Asking again helps.
    Busy,
    /// The store failed.
    Store(Error),
}

impl From<Error> for NoPicture {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// The queue of pictures that are to be made.
pub(crate) struct Pictures {
    places: ByteBudget<Tenant>,
    /// Each tenant is in the line for the one permit at most once.
    turns: ByteBudget<Tenant>,
    permit: Arc<Semaphore>,
    /// How much memory a picture may take.
    memory: u64,
}

impl Default for Pictures {
    fn default() -> Self {
        let (total, share) = PLACES;
        Self {
            places: ByteBudget::new(total, share),
            turns: ByteBudget::new(total, 1),
            permit: Arc::new(Semaphore::new(1)),
            memory: scaling::memory(),
        }
    }
}

/// The right to unpack a picture.
struct Turn {
    _permit: OwnedSemaphorePermit,
    _line: HeldBytes<Tenant>,
    _place: HeldBytes<Tenant>,
}

impl Pictures {
    /// Waits for a turn, unless too many wait already.
    async fn turn(&self, tenant: Tenant, until: Instant) -> Option<Turn> {
        // Without `unconstrained`, tokio lets a task that has done much work wait, as if there were no free place.
        let place = unconstrained(self.places.hold(tenant, 1));
        let place = timeout_at(Instant::now().into(), place).await.ok()?.ok()?;
        let waiting = async {
            let turn = self.turns.hold(tenant, 1).await.ok()?;
            let permit = self.permit.clone().acquire_owned().await.ok()?;
            Some(Turn { _permit: permit, _line: turn, _place: place })
        };
        timeout_at(until.into(), waiting).await.ok()?
    }
}

/// A picture that is asked for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    key: Key,
    size: PictureSize,
    format: ImageFormat,
    /// The size of the file in bytes.
    bytes: u64,
}

/// Whether there can be smaller copies of files of this type.
pub(crate) const fn is_picture(media_type: MediaType) -> bool {
    format(media_type).is_some()
}

const fn format(media_type: MediaType) -> Option<ImageFormat> {
    match media_type {
        MediaType::Jpeg => Some(ImageFormat::Jpeg),
        MediaType::Png => Some(ImageFormat::Png),
        MediaType::Webp => Some(ImageFormat::WebP),
        MediaType::Gif => Some(ImageFormat::Gif),
        _ => None,
    }
}

/// A smaller copy of a file that the caller may read, as JPEG. It is made if it is not there yet.
pub(crate) async fn picture(
    shared: &Arc<Shared>,
    opened: &OpenedFile,
    tenant: Tenant,
    size: PictureSize,
    deadline: Instant,
) -> Result<Bytes, NoPicture> {
    let format = format(opened.media_type).ok_or(NoPicture::None)?;
    let store = shared.settings.files.clone().ok_or(NoPicture::Missing)?;
    let key = Key::from(opened);
    if let Some(made) = store.picture(key, size).await? {
        return shown(made);
    }
    let turn = shared.pictures.turn(tenant, halfway(deadline)).await.ok_or(NoPicture::Busy)?;
    let wanted = Wanted { key, size, format, bytes: opened.size };
    let memory = shared.pictures.memory;
    // In a task of its own, so that what was begun is kept even if the caller leaves.
    let making = tokio::spawn(async move {
        let _turn = turn;
        make(store, wanted, memory, deadline).await
    });
    let made = timeout_at(deadline.into(), making).await.map_err(|_| NoPicture::Busy)?;
    // The task does not panic: it only waits for the one that may.
    made.unwrap_or(Err(NoPicture::None))
}

async fn make(
    store: FileStore,
    wanted: Wanted,
    memory: u64,
    deadline: Instant,
) -> Result<Bytes, NoPicture> {
    let Wanted { key, size, format, bytes } = wanted;
    // Another caller may have had it made meanwhile.
    if let Some(made) = store.picture(key, size).await? {
        return shown(made);
    }
    let reading = timeout_at(deadline.into(), store.whole(key, bytes)).await;
    let content = reading.map_err(|_| NoPicture::Busy)??.ok_or(NoPicture::Missing)?;
    let scaling =
        tokio::task::spawn_blocking(move || scaled(content, format, size.side(), memory)).await;
    let made = match scaling {
        Ok(Ok(made)) => made.into(),
        // With more memory it would be made.
        Ok(Err(Unscaled::TooLargeForMemory)) => return Err(NoPicture::None),
        Ok(Err(unscaled)) => {
            tracing::debug!(file_id = %key.file, %unscaled, "a picture cannot be shown smaller");
            Bytes::new()
        }
        Err(panic) => {
            tracing::warn!(file_id = %key.file, %panic, "a picture broke its decoder");
            Bytes::new()
        }
    };
    if let Err(error) = store.write_picture(key, size, made.clone()).await {
        tracing::debug!(%error, "a smaller copy of a picture could not be stored");
    }
    shown(made)
}

/// What is stored of a picture. It is empty if there can be none, so that it is tried only once.
fn shown(stored: Bytes) -> Result<Bytes, NoPicture> {
    if stored.is_empty() { Err(NoPicture::None) } else { Ok(stored) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zoop_crm::testing::TestEnv;
    use zoop_crm::values::id::{Id, following};

    use super::*;
    use crate::app::{App, Settings};

    #[test]
    fn a_picture_that_two_callers_ask_for_at_once_is_made_once() {
        let env = TestEnv::new();
        let acme = env.empty_business("Acme");
        let folder = tempfile::tempdir().expect("a folder");
        let store = FileStore::folder(folder.path());
        let mut settings = Settings::new("http://t.test".parse().expect("a URL"));
        settings.files = Some(store.clone());
        let shared = App::new(env.db.clone(), env.environment.clone(), settings).shared;
        let opened = OpenedFile {
            tenant: acme.account.id,
            id: Id::new(following(None, env.environment.clock.now(), 7)),
            name: "gate.png".to_owned(),
            media_type: MediaType::Png,
            size: 100,
            sha256: String::new(),
        };
        let key = Key { tenant: opened.tenant, file: opened.id };
        let (size, deadline) = (PictureSize::Thumbnail, Instant::now() + Duration::from_secs(60));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let tenant = acme.account.number;
            let making = shared.pictures.turn(tenant, deadline).await.expect("it is free");
            let mut asked = Box::pin(picture(&shared, &opened, tenant, size, deadline));
            while shared.pictures.places.held() < 2 {
                assert!(futures_util::poll!(&mut asked).is_pending());
                tokio::task::yield_now().await;
            }
            // The first caller ends. The file has no content from which to make it again.
            store.write_picture(key, size, Bytes::from_static(b"made")).await.expect("stored");
            drop(making);
            assert_eq!(asked.await.expect("what the first one made"), "made");
        });
    }

    #[tokio::test]
    async fn tenants_take_turns_and_too_many_requests_are_refused() {
        let pictures = Pictures::default();
        let later = || Instant::now() + Duration::from_secs(60);
        let [one, two] = [Tenant(1), Tenant(2)];
        let first = pictures.turn(one, later()).await.expect("it is free");
        assert!(pictures.turn(one, Instant::now()).await.is_none(), "one at a time");
        let mut waiting: Vec<_> =
            (1..PLACES.1).map(|_| Box::pin(pictures.turn(one, later()))).collect();
        for it in &mut waiting {
            assert!(futures_util::poll!(it).is_pending());
        }
        assert!(pictures.turn(one, later()).await.is_none(), "it has no place to wait");
        let mut other = Box::pin(pictures.turn(two, later()));
        assert!(futures_util::poll!(&mut other).is_pending());
        drop(first);
        // The other tenant came after all of the first one's requests, and is served before them.
        let other = other.await.expect("its turn");
        assert!(futures_util::poll!(&mut waiting[0]).is_pending());
        drop(other);
        (&mut waiting[0]).await.expect("its turn");
    }
}
