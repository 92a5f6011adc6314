//! Limits the connections of each network, and of all strangers together. The network is that of the peer's
//! address, because no header has been read yet.
//!
//! This machine and the trusted proxies forward other callers' requests, so only [`MOST`] limits their connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use crate::network::{narrow, wide};
use crate::process;

/// Maximum number of connections to the port.
pub(crate) const MOST: usize = 8_192;
/// How long the head of a request may take to arrive, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for a connection that is opened while strangers use more than half of their connections.
const CROWDED_HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Which connections are limited. Only tests change it; there is no setting.
#[derive(Debug, Clone)]
pub struct ConnectionPolicy {
    /// Maximum connections of all strangers. A wide network may have a quarter of them, a narrow one a sixteenth.
    pub strangers: usize,
    /// Whether this machine's own connections are limited too.
    pub limits_loopback: bool,
}

impl Default for ConnectionPolicy {
    /// Strangers have seven eighths of all connections, or of this process's limit of open files if that is lower.
    fn default() -> Self {
        let files = process::max_files().and_then(|files| usize::try_from(files).ok());
        let max = MOST.min(files.unwrap_or(MOST));
        Self { strangers: max / 8 * 7, limits_loopback: false }
    }
}

/// The connections of one port.
pub(crate) struct Connections {
    policy: ConnectionPolicy,
    proxies: Vec<IpNet>,
    counts: Mutex<Counts>,
    /// The number of open connections.
    pub(crate) open: Gauge,
    /// The number of connections that were closed at once.
    pub(crate) refused: Counter,
}

#[derive(Default)]
struct Counts {
    strangers: usize,
    networks: HashMap<IpNet, usize>,
}

/// An open connection. Dropping it makes room for another one.
pub(crate) struct Connection {
    connections: Arc<Connections>,
    /// The narrow and the wide network for which a stranger's connection is counted.
    networks: Option<[IpNet; 2]>,
    /// How long the head of a request may take to arrive.
    pub(crate) patience: Duration,
}

impl Connections {
    pub(crate) fn new(policy: ConnectionPolicy, proxies: &[IpNet]) -> Self {
        Self {
            policy,
            proxies: proxies.to_vec(),
            counts: Mutex::default(),
            open: Gauge::default(),
            refused: Counter::default(),
        }
    }

    /// Counts a connection from this address. Returns `None` if there is no room for it.
    pub(crate) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Connection> {
        let peer = peer.to_canonical();
        let networks = self.is_stranger(peer).then(|| [narrow(peer), wide(peer)]);
        let mut counts = self.lock();
        if let Some(networks) = networks {
            if !self.has_room(&counts, networks) {
                self.refused.inc();
                return None;
            }
            counts.strangers += 1;
            for network in networks {
                *counts.networks.entry(network).or_default() += 1;
            }
        }
        let is_crowd = networks.is_some() && counts.strangers * 2 > self.policy.strangers;
        let patience = if is_crowd { CROWDED_HEAD_TIMEOUT } else { HEAD_TIMEOUT };
        self.open.inc();
        Some(Connection { connections: self.clone(), networks, patience })
    }

    fn is_stranger(&self, peer: IpAddr) -> bool {
        let is_exempt = peer.is_loopback() && !self.policy.limits_loopback;
        !is_exempt && !self.proxies.iter().any(|network| network.contains(&peer))
    }

    fn has_room(&self, counts: &Counts, [narrow, wide]: [IpNet; 2]) -> bool {
        let max = self.policy.strangers;
        let count = |network| counts.networks.get(&network).copied().unwrap_or_default();
        counts.strangers < max && count(narrow) < max.div_ceil(16) && count(wide) < max.div_ceil(4)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.open.dec();
        let Some(networks) = self.networks else { return };
        let mut counts = self.connections.lock();
        counts.strangers -= 1;
        for network in networks {
            let Some(count) = counts.networks.get_mut(&network) else { continue };
            *count -= 1;
            if *count == 0 {
                counts.networks.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections() -> Arc<Connections> {
        let policy = ConnectionPolicy { strangers: 160, limits_loopback: false };
        let proxies = ["198.51.100.7/32".parse().unwrap()];
        Arc::new(Connections::new(policy, &proxies))
    }

    fn enter(connections: &Arc<Connections>, peer: &str, times: usize) -> Vec<Connection> {
        let peer = peer.parse().unwrap();
        (0..times).filter_map(|_| connections.enter(peer)).collect()
    }

    #[test]
    fn a_network_has_its_share_and_all_strangers_have_theirs() {
        let connections = connections();
        let first = enter(&connections, "203.0.1.9", 11);
        assert_eq!(first.len(), 10, "a narrow network");
        let mut held: Vec<_> =
            (2..9).flat_map(|n| enter(&connections, &format!("203.0.{n}.9"), 10)).collect();
        assert_eq!(held.len(), 30, "a wide network");
        held.extend((1..9).flat_map(|n| enter(&connections, &format!("2001:db8:{n}::1"), 40)));
        assert_eq!(held.len(), 30 + 80);
        held.extend((1..9).flat_map(|n| enter(&connections, &format!("192.{n}.0.1"), 10)));
        assert_eq!(first.len() + held.len(), 160, "all");
        assert_eq!(enter(&connections, "::1", 200).len(), 200);
        assert_eq!(enter(&connections, "198.51.100.7", 200).len(), 200);
        drop(first);
        assert_eq!(enter(&connections, "203.0.9.9", 11).len(), 10, "there is room again");
        drop(held);
        assert_eq!(connections.lock().networks.len(), 0);
        assert_eq!(connections.open.get(), 0);
    }

    #[test]
    fn in_a_crowd_patience_is_short() {
        let connections = connections();
        let held: Vec<_> =
            (1..=9).flat_map(|n| enter(&connections, &format!("192.{n}.0.1"), 10)).collect();
        let patience = |n: usize| held[n].patience;
        assert_eq!((patience(79), patience(80)), (HEAD_TIMEOUT, CROWDED_HEAD_TIMEOUT));
        assert_eq!(enter(&connections, "127.0.0.1", 1)[0].patience, HEAD_TIMEOUT);
    }
}
