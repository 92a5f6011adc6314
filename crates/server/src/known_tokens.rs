//! Which tokens this process has lately found to be good, and whose they are. This grants nothing: every request
//! looks its token up again. It only decides whose share of the server's room a request takes before that.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zoop_db::{Tenant, Timestamp};

/// How long a token is known after its last use, in microseconds.
const LIFETIME: i64 = 60 * 60 * 1_000_000;
/// The number of tokens that are known at most: about 6 MB. Another one stays a stranger's.
const MOST: usize = 65_536;

/// The known tokens, by the SHA-256 of each.
#[derive(Default)]
pub(crate) struct KnownTokens(Mutex<Tokens>);

/// The tenant of each token, and when it was last used.
type Tokens = HashMap<[u8; 32], (Tenant, Timestamp)>;

impl KnownTokens {
    /// Remembers a token that was found to be good.
    pub(crate) fn learn(&self, hash: [u8; 32], tenant: Tenant, now: Timestamp) {
        let mut known = self.locked();
        if known.len() < MOST || known.contains_key(&hash) {
            known.insert(hash, (tenant, now));
        }
    }

    /// Forgets a token that was rejected.
    pub(crate) fn forget(&self, hash: &[u8; 32]) {
        self.locked().remove(hash);
    }

    /// The token's tenant, if it was good when it was last presented here.
    pub(crate) fn tenant(&self, hash: &[u8; 32]) -> Option<Tenant> {
        self.locked().get(hash).map(|(tenant, _)| *tenant)
    }

    /// Drops tokens that were not used for an hour.
    pub(crate) fn drop_idle(&self, now: Timestamp) {
        self.locked().retain(|_, (_, used)| (now.0 - used.0).abs() < LIFETIME);
    }

    fn locked(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_for_an_hour_after_its_last_use_or_until_it_is_rejected() {
        let known = KnownTokens::default();
        let at = |minute: i64| Timestamp(minute * 60 * 1_000_000);
        let token = |n: u8| [n; 32];
        (1..=3).for_each(|n| known.learn(token(n), Tenant(7), at(0)));
        known.learn(token(1), Tenant(7), at(30));
        known.forget(&token(2));
        known.drop_idle(at(60));
        assert_eq!([1, 2, 3].map(|n| known.tenant(&token(n))), [Some(Tenant(7)), None, None]);
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let known = KnownTokens::default();
        for n in 0..=u32::try_from(MOST).unwrap() {
            let mut hash = [0; 32];
            hash[..4].copy_from_slice(&n.to_be_bytes());
            known.learn(hash, Tenant(7), Timestamp(0));
        }
        assert_eq!(known.locked().len(), MOST);
    }
}
