//! [`Lanes`]: guesses the storage lane of a request's jobs before its credential is looked up.
//!
//! The guess is the tenant and the credential that the last lookup of the same token found. It gives no rights. If
//! the guess is wrong, the jobs only wait in the wrong lane.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use zoop_db::{Db, Lane, Tenant, Uuid};

use crate::app::Shared;
use crate::peer::client_prefix;

/// The maximum number of tokens in each of the two generations.
const GENERATION_SIZE: usize = 32_768;

/// Remembers the lanes of tokens that were looked up with success.
#[derive(Default)]
pub(crate) struct Lanes {
    /// Hashes with random keys, so that nobody can choose a token or an address that collides with another one.
    hasher: RandomState,
    known: Mutex<Known>,
}

/// Lanes by the hash of a token.
#[derive(Default)]
struct Known {
    recent: HashMap<u64, Lane>,
    /// Entries that are used again move to `recent`. The others are dropped when `recent` is full.
    older: HashMap<u64, Lane>,
}

impl Known {
    fn find(&mut self, token: u64) -> Option<Lane> {
        if let Some(lane) = self.recent.get(&token) {
            return Some(*lane);
        }
        let lane = self.older.remove(&token)?;
        self.insert(token, lane);
        Some(lane)
    }

    fn insert(&mut self, token: u64, lane: Lane) {
        if self.recent.len() >= GENERATION_SIZE {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(token, lane);
    }
}

impl Lanes {
    /// The lane of a caller at this address who presents this token, if any.
    pub(crate) fn lane_of(&self, token: Option<&str>, address: Option<IpAddr>) -> Lane {
        let known = token.and_then(|token| self.lock().find(self.hasher.hash_one(token)));
        known.unwrap_or_else(|| {
            let member = address.map_or(0, |it| self.hasher.hash_one(client_prefix(it)));
            Lane::Anonymous { member }
        })
    }

    /// Remembers that the token is a credential of this tenant.
    pub(crate) fn learn(&self, token: &str, tenant: Tenant, credential: Uuid) {
        self.lock().insert(self.hasher.hash_one(token), in_tenant(tenant, credential));
    }

    /// Forgets a token that was rejected.
    pub(crate) fn forget(&self, token: &str) {
        let hash = self.hasher.hash_one(token);
        let mut known = self.lock();
        known.recent.remove(&hash);
        known.older.remove(&hash);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lane of a credential whose tenant is known.
pub(crate) fn in_tenant(tenant: Tenant, credential: Uuid) -> Lane {
    let (high, low) = credential.as_u64_pair();
    Lane::Tenant { tenant, member: high ^ low }
}

impl Shared {
    /// The storage, for the jobs of a caller at this address who presents this token, if any.
    pub(crate) fn db_for(&self, token: Option<&str>, address: Option<IpAddr>) -> Db {
        self.db.lane(self.lanes.lane_of(token, address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

    #[test]
    fn a_token_is_a_strangers_until_it_was_looked_up_and_again_once_it_was_rejected() {
        let lanes = Lanes::default();
        let stranger = lanes.lane_of(Some("token"), ADDRESS);
        assert!(matches!(stranger, Lane::Anonymous { .. }));
        assert_eq!(stranger, lanes.lane_of(None, ADDRESS), "an unknown token has no effect");
        assert_ne!(stranger, lanes.lane_of(None, Some("2001:db8::1".parse().unwrap())));

        let credential = Uuid::from_u128(7);
        lanes.learn("token", Tenant(3), credential);
        assert_eq!(lanes.lane_of(Some("token"), ADDRESS), in_tenant(Tenant(3), credential));
        assert_eq!(lanes.lane_of(Some("token2"), ADDRESS), stranger);
        lanes.forget("token");
        assert_eq!(lanes.lane_of(Some("token"), ADDRESS), stranger);
    }

    #[test]
    fn only_so_many_are_remembered_and_those_in_use_are() {
        let lanes = Lanes::default();
        let credential = Uuid::from_u128(7);
        lanes.learn("used", Tenant(1), credential);
        for number in 0..3 * GENERATION_SIZE {
            lanes.learn(&number.to_string(), Tenant(2), credential);
            if number % 1_000 == 0 {
                lanes.lane_of(Some("used"), ADDRESS);
            }
        }
        assert_eq!(lanes.lane_of(Some("used"), ADDRESS), in_tenant(Tenant(1), credential));
        assert!(matches!(lanes.lane_of(Some("0"), ADDRESS), Lane::Anonymous { .. }));
        let known = lanes.lock();
        assert!(known.recent.len() + known.older.len() <= 2 * GENERATION_SIZE);
    }
}
