//! [`Lane`]: on whose behalf a job waits.

use crate::tx::Tenant;

/// On whose behalf a job waits. The lane decides only when the job runs. The job itself checks what it may do.
///
/// There is one party for each tenant, one for all strangers and one for the program itself. Parties take turns,
/// and so do the members of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// A caller with a known credential.
    Tenant {
        /// The tenant to which the credential is believed to belong.
        tenant: Tenant,
        /// Distinguishes the credentials of a tenant.
        member: u64,
    },
    /// A caller without a known credential.
    Anonymous {
        /// Distinguishes the networks of strangers.
        member: u64,
    },
    /// The program itself: housekeeping and the command line.
    Internal,
}

/// A group of jobs that takes turns with the other groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Party {
    Internal,
    Anonymous,
    Tenant(Tenant),
}

impl Lane {
    /// The job's party, and the number of the member in that party.
    pub(crate) fn place(self) -> (Party, u64) {
        match self {
            Self::Tenant { tenant, member } => (Party::Tenant(tenant), member),
            Self::Anonymous { member } => (Party::Anonymous, member),
            Self::Internal => (Party::Internal, 0),
        }
    }
}
