//! Answers that their callers have not read yet: their bytes are counted until they were handed to the system,
//! and a caller that takes too long to read is cut off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use zoop_crm::call::definition::LONGEST_ANSWER;
use zoop_db::Tenant;

use crate::memory::{ByteBudget, HeldBytes};

/// Bytes of answers that all callers together may leave unread.
const TOTAL: u32 = 64 * MIB;
/// Bytes of answers that the callers of one tenant may leave unread: a few of the longest.
const SHARE: u32 = 4 * MIB;
const MIB: u32 = 1024 * 1024;
/// Shorter answers are not counted. A connection holds few of them, and its caller is soon past its request limit.
const SHORT: usize = 16 * 1024;
/// How long a caller may take to read an answer that is counted.
const READ_TIME: Duration = Duration::from_secs(30);

// An answer has its JSON as it is, and as text with up to one backslash for each byte.
const _: () = assert!(SHARE as usize >= 3 * LONGEST_ANSWER);

/// The room for answers in this process.
pub(crate) struct UnreadAnswers(ByteBudget<Tenant>);

/// Ends a connection whose caller does not read. It is in the extensions of each of its requests.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<Notify>);

/// An answer's bytes, counted until they are dropped.
struct Unread {
    bytes: Bytes,
    timer: AbortHandle,
    _held: HeldBytes<Tenant>,
}

impl Default for UnreadAnswers {
    fn default() -> Self {
        Self(ByteBudget::new(TOTAL, SHARE))
    }
}

impl UnreadAnswers {
    /// Counts an answer of a tenant's caller. Waits until there is room for it; `None` if there was none by the
    /// deadline.
    pub(crate) async fn count(
        &self,
        tenant: Tenant,
        answer: Bytes,
        cut: Cut,
        deadline: Instant,
    ) -> Option<Bytes> {
        if answer.len() < SHORT {
            return Some(answer);
        }
        let room = self.0.hold(tenant, answer.len());
        let held = tokio::time::timeout_at(deadline.into(), room).await.ok()?.ok()?;
        let timer = tokio::spawn(async move {
            tokio::time::sleep(READ_TIME).await;
            cut.0.notify_one();
        });
        let timer = timer.abort_handle();
        Some(Bytes::from_owner(Unread { bytes: answer, timer, _held: held }))
    }

    /// The bytes that are unread now.
    pub(crate) fn bytes(&self) -> usize {
        self.0.held()
    }
}

impl Cut {
    /// Resolves once the connection has to end.
    pub(crate) async fn requested(&self) {
        self.0.notified().await;
    }
}

impl AsRef<[u8]> for Unread {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.timer.abort();
    }
}
