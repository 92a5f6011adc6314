//! [`Room`]: the memory that one upload uses.
//!
//! An upload that has only begun uses little. For more it waits once, for all that it will ever need, and holds only
//! what it had at its beginning meanwhile. So no two uploads wait for each other, and one that has its memory never waits for
//! another.

use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use tokio::time::timeout_at;

use super::receive::Unreceived;
use super::writer::PART;
use crate::app::Shared;
use crate::memory::{ByteBudget, HeldBytes};
use crate::network::Holder;
use crate::seats::halfway;

/// How much content an upload that has only begun may hold, in bytes.
const BEGINNING: usize = 64 * 1024;
/// What is held beside the content, in bytes: the beginning of a file, by which it is recognized.
const HEAD: usize = 256 * 1024;
/// All that is held for uploads that have begun, in bytes, and one holder's share of it.
const BEGINNINGS: (u32, u32) = (16 * MIB, 6 * MIB);
/// All that is held for uploads that go on, in bytes, and one holder's share of it: six parts.
const PARTS: (u32, u32) = (64 * MIB, 32 * MIB);
const MIB: u32 = 1024 * 1024;

/// The memory for the files that are being received.
pub(super) struct Rooms {
    beginnings: ByteBudget<Holder>,
    parts: ByteBudget<Holder>,
}

impl Default for Rooms {
    fn default() -> Self {
        let of = |(total, share)| ByteBudget::new(total, share);
        Self { beginnings: of(BEGINNINGS), parts: of(PARTS) }
    }
}

/// The memory that one upload uses.
pub(crate) struct Room {
    shared: Arc<Shared>,
    /// Who it is counted for.
    holder: Holder,
    /// The memory that the whole upload needs, in bytes.
    needed: usize,
    beginning: Option<HeldBytes<Holder>>,
    /// For a part of a file, and what is beside it.
    part: Option<HeldBytes<Holder>>,
    /// For a second part, if there is room for it.
    ahead: Option<HeldBytes<Holder>>,
}

impl Room {
    /// The memory of an upload of at most so many bytes.
    pub(crate) fn of(shared: &Arc<Shared>, holder: Holder, length: u64) -> Self {
        let needed = HEAD + usize::try_from(length).unwrap_or(PART).min(PART);
        let shared = shared.clone();
        Self { shared, holder, needed, beginning: None, part: None, ahead: None }
    }

    /// Waits until there is room to hold so much content. Once it is more than an upload has that has only begun, this
    /// never waits again.
    pub(crate) async fn fit(&mut self, content: usize) -> Result<(), Unreceived> {
        if self.part.is_some() {
            return Ok(());
        }
        let until = halfway(Instant::now() + self.shared.settings.request_deadline).into();
        let rooms = &self.shared.receiving.rooms;
        if self.beginning.is_none() {
            // Twice: the beginning of the file is held beside the content.
            let held = timeout_at(until, rooms.beginnings.hold(self.holder, 2 * BEGINNING));
            self.beginning = held.await.ok().and_then(Result::ok);
        }
        if self.beginning.is_some() && content > BEGINNING {
            let held = timeout_at(until, rooms.parts.hold(self.holder, self.needed)).await;
            self.part = held.ok().and_then(Result::ok);
            return self.part.as_ref().map(|_| ()).ok_or(Unreceived::NoRoom);
        }
        self.beginning.as_ref().map(|_| ()).ok_or(Unreceived::NoRoom)
    }

    /// Whether a part may be filled while the one before it is being sent: only if there is room at once.
    pub(super) fn has_ahead(&mut self) -> bool {
        if self.ahead.is_none() {
            let held = self.shared.receiving.rooms.parts.hold(self.holder, PART).now_or_never();
            self.ahead = held.and_then(Result::ok);
        }
        self.ahead.is_some()
    }

    /// Gives up the room for a second part.
    pub(super) fn end_ahead(&mut self) {
        self.ahead = None;
    }
}

#[cfg(test)]
mod tests {
    use zoop_crm::testing::TestEnv;
    use zoop_db::Tenant;

    use super::*;
    use crate::app::{App, Settings};

    const LONG: u64 = 25 * 1024 * 1024;

    #[test]
    fn an_upload_that_has_its_memory_never_waits_for_one_that_has_only_begun() {
        let env = TestEnv::new();
        let settings = Settings::new("http://t.test".parse().expect("a URL"));
        let shared = App::new(env.db.clone(), env.environment.clone(), settings).shared;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let room = || Room::of(&shared, Holder::Tenant(Tenant(1)), LONG);
            let mut rooms: Vec<_> = std::iter::repeat_with(room).take(40).collect();
            for room in &mut rooms {
                room.fit(1).await.expect("many can begin");
            }
            let (going_on, waiting) = rooms.split_at_mut(6);
            for content in [BEGINNING + 1, PART] {
                for room in &mut *going_on {
                    room.fit(content).now_or_never().expect("at once").expect("room");
                }
            }
            let more = PART + BEGINNING;
            assert!(waiting[0].fit(more).now_or_never().is_none(), "it waits");
            assert!(!going_on[0].has_ahead(), "there is only room for its part");
            rooms.remove(0);
            rooms.last_mut().expect("a room").fit(more).await.expect("there is room again");
        });
    }

    #[test]
    fn a_short_file_needs_as_much_as_it_is_long() {
        let env = TestEnv::new();
        let settings = Settings::new("http://t.test".parse().expect("a URL"));
        let shared = App::new(env.db.clone(), env.environment.clone(), settings).shared;
        let room = |length| Room::of(&shared, Holder::UnknownAddress, length).needed;
        assert_eq!((room(9), room(LONG), room(u64::MAX)), (HEAD + 9, HEAD + PART, HEAD + PART));
    }
}
