//! [`UnderWay`]: the bytes of uploads whose files are not added yet. The store has them, or will have them, but no row counts
//! them. All of what an upload may send is counted from its beginning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zoop_crm::business::files::tools::check::Checked;
use zoop_crm::values::id::{Id, kinds};

use super::receive::Unreceived;
use crate::app::Shared;

/// Maximum bytes under way of all tenants together.
const TOTAL: u64 = 4 * GIB;
/// Maximum bytes under way of one tenant: two forms that are as long as a form may be.
const SHARE: u64 = GIB + GIB / 16;
const GIB: u64 = 1024 * 1024 * 1024;

/// The bytes under way, by tenant. Tenants without any are not in it.
type Bytes = Arc<Mutex<HashMap<Id<kinds::Tenant>, u64>>>;

/// The bytes of uploads that are under way.
#[derive(Default)]
pub(super) struct UnderWay(Bytes);

/// The bytes of one upload. Dropping this gives them back.
pub(crate) struct Reserved {
    pub(super) tenant: Id<kinds::Tenant>,
    /// The most that the client may send.
    pub(super) bytes: u64,
    all: Bytes,
}

impl UnderWay {
    /// Counts an upload of a tenant whose account has room for `left` bytes of files.
    fn reserve(
        &self,
        tenant: Id<kinds::Tenant>,
        bytes: u64,
        left: u64,
    ) -> Result<Reserved, Refused> {
        let mut all = lock(&self.0);
        let before = all.get(&tenant).copied().unwrap_or(0);
        if before.saturating_add(bytes) > left {
            return Err(Refused::ByAccount);
        }
        if before + bytes > SHARE || all.values().sum::<u64>() + bytes > TOTAL {
            return Err(Refused::ByServer);
        }
        all.insert(tenant, before + bytes);
        Ok(Reserved { tenant, bytes, all: self.0.clone() })
    }
}

/// Why an upload is not begun.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    ByAccount,
    ByServer,
}

/// Counts an upload of at most so many bytes.
pub(crate) fn reserve(
    shared: &Shared,
    Checked { tenant, left }: Checked,
    bytes: u64,
) -> Result<Reserved, Unreceived> {
    shared.receiving.under_way.reserve(tenant, bytes, left).map_err(|refused| match refused {
        Refused::ByAccount => Unreceived::AccountIsFull(shared.environment.files_limit),
        Refused::ByServer => Unreceived::NoRoom,
    })
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut all = lock(&self.all);
        let left = all.get(&self.tenant).map_or(0, |bytes| bytes.saturating_sub(self.bytes));
        if left == 0 {
            all.remove(&self.tenant);
        } else {
            all.insert(self.tenant, left);
        }
    }
}

fn lock(bytes: &Bytes) -> MutexGuard<'_, HashMap<Id<kinds::Tenant>, u64>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use zoop_db::Uuid;

    use super::*;

    #[test]
    fn what_is_under_way_counts_for_the_account_and_in_total() {
        let under_way = UnderWay::default();
        let [one, two] = [1, 2].map(|number| Id::new(Uuid::from_u128(number)));
        let reserve = |tenant, bytes, left| under_way.reserve(tenant, bytes, left);
        let first = reserve(one, 60, 100).expect("there is room");
        assert_eq!(reserve(one, 41, 100).err(), Some(Refused::ByAccount));
        let other = reserve(two, 41, 100).expect("another account");
        drop(first);
        drop(reserve(one, 100, 100).expect("there is room again"));
        drop(other);
        assert!(lock(&under_way.0).is_empty());

        let share = reserve(one, SHARE, u64::MAX).expect("its share");
        assert_eq!(reserve(one, 1, u64::MAX).err(), Some(Refused::ByServer));
        let others: Vec<_> = (2..)
            .map_while(|number| reserve(Id::new(Uuid::from_u128(number)), GIB, u64::MAX).ok())
            .collect();
        assert_eq!(others.len() as u64, (TOTAL - SHARE) / GIB);
        drop((share, others));
        assert!(lock(&under_way.0).is_empty());
    }
}
