//! [`Lane`]: on whose behalf a job waits.

use crate::tx::Tenant;

/// On whose behalf a job waits. It decides only when the job runs: what the job may do is decided by the
/// job itself.
///
/// Jobs wait in groups: one of each tenant, one of all strangers, one of the program itself. Groups are
/// served in turn, and so are the members of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A caller with a known credential.
    Tenant {
        /// The tenant for which the credential is believed to be.
        tenant: Tenant,
        /// Distinguishes the credentials of a tenant.
        member: u64,
    },
    /// A caller without a known credential.
    Anonymous {
        /// Distinguishes networks.
        member: u64,
    },
    /// The program itself: house-keeping, the command line.
    Internal,
}

/// The jobs that share a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Group {
    Internal,
    Anonymous,
    Tenant(Tenant),
}

impl Lane {
    /// The group, and the member in it.
    pub(crate) fn place(self) -> (Group, u64) {
        match self {
            Self::Tenant { tenant, member } => (Group::Tenant(tenant), member),
            Self::Anonymous { member } => (Group::Anonymous, member),
            Self::Internal => (Group::Internal, 0),
        }
    }
}
