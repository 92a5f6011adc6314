//! What an import would do, customer by customer, before it does anything.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zoop_db::Uuid;

use super::draft::Draft;
use super::matching::{self, Decision, Found};
use super::source::{Source, Unusable};
use super::{Importer, Progress};
use crate::business::tags;
use crate::call::error::{Error, Result};
use crate::call::history::store as history;
use crate::values::fold;
use crate::values::id::{Id, kinds};

/// How many customers are looked up in one read.
const AT_ONCE: usize = 50;

/// Maximum number of tags that an import adds.
const MAX_NEW_TAGS: usize = 300;

/// What becomes of one customer of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// It is added.
    Add {
        /// Another customer that may be the same, and why.
        similar: Option<Found>,
    },
    /// It is in the account, so nothing is added.
    Here(Found),
    /// It cannot be added.
    Unusable(Unusable),
}

/// What an import would do.
#[derive(Debug)]
pub struct Plan {
    /// One for each customer of the file, in its order.
    pub customers: Vec<Planned>,
    /// The names of tags that the account does not have.
    pub new_tags: Vec<String>,
    /// Identifies all of this: an import with the same token does exactly this.
    pub token: String,
    /// The latest change of the account when the plan was begun: what is planned holds as long as there is no later one.
    pub(super) as_of: Option<Uuid>,
}

/// How many customers of a file have each fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// They are added.
    pub added: usize,
    /// Of these, how many may be the same as another customer.
    pub similar: usize,
    /// They are in the account.
    pub here: usize,
    /// They cannot be added.
    pub unusable: usize,
}

impl Plan {
    /// Looks up every customer of a file. Nothing is written.
    ///
    /// # Errors
    /// If the member may not import, or the database fails.
    pub fn make(importer: &Importer, source: &Source, progress: Progress<'_>) -> Result<Self> {
        Self::of_rest(importer, source, None, progress)
    }

    /// What is left to do for an import that was interrupted. What it has added is there already; otherwise it does not
    /// count.
    ///
    /// # Errors
    /// As [`Plan::make`].
    pub(super) fn of_rest(
        importer: &Importer,
        source: &Source,
        import: Option<Id<kinds::Import>>,
        progress: Progress<'_>,
    ) -> Result<Self> {
        let as_of = importer.read(|tx, _| history::latest(tx))?;
        let mut customers = Vec::with_capacity(source.customers());
        let (mut tags, mut hash) = (BTreeMap::new(), Sha256::new());
        for start in (0..source.customers()).step_by(AT_ONCE) {
            let end = source.customers().min(start + AT_ONCE);
            let drafts: Vec<_> = (start..end).map(|at| source.draft(at)).collect();
            let wanted: Vec<_> =
                drafts.iter().map(|it| it.as_ref().ok().map(|it| it.shown.tags.clone())).collect();
            for draft in &drafts {
                hash.update(format!("{draft:?}"));
            }
            let planned = look_up(importer, import, drafts)?;
            for (it, wanted) in planned.iter().zip(wanted) {
                hash.update(format!("{it:?}"));
                let is_added = matches!(it, Planned::Add { .. });
                for tag in wanted.into_iter().flatten().filter(|_| is_added) {
                    tags.entry(fold::caseless(&tag)).or_insert(tag);
                }
            }
            customers.extend(planned);
            progress(end, source.customers())?;
        }
        let tags: Vec<_> = tags.into_values().collect();
        let new_tags = importer.read(move |tx, _| tags::store::missing(tx, tags.clone()))?;
        if new_tags.len() > MAX_NEW_TAGS {
            return Err(Error::invalid(format!(
                "The file has {} tags that the business does not have, more than {MAX_NEW_TAGS}: does the column of tags have \
                 tags?",
                new_tags.len()
            )));
        }
        hash.update(format!("{new_tags:?} {} {}", source.reading(), importer.member.tenant));
        let digest = hash.finalize();
        let token = HEXLOWER.encode(&digest[..16]);
        Ok(Self { customers, new_tags, token, as_of })
    }

    /// How many customers have each fate.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for planned in &self.customers {
            match planned {
                Planned::Add { similar } => {
                    counts.added += 1;
                    counts.similar += usize::from(similar.is_some());
                }
                Planned::Here(_) => counts.here += 1,
                Planned::Unusable(_) => counts.unusable += 1,
            }
        }
        counts
    }
}

fn look_up(
    importer: &Importer,
    import: Option<Id<kinds::Import>>,
    drafts: Vec<Result<Draft, Unusable>>,
) -> Result<Vec<Planned>> {
    importer.read(move |tx, _| {
        let planned = drafts.iter().map(|draft| match draft {
            Ok(draft) => Ok(match matching::decide(tx, draft, import)? {
                Decision::IdOfAnother(found) => Planned::Unusable(Unusable {
                    lines: draft.lines.clone(),
                    why: format!("has the id of {}, whose name is another", found.shown),
                }),
                Decision::Add { similar } => Planned::Add { similar },
                Decision::Here(found) => Planned::Here(found),
            }),
            Err(unusable) => Ok(Planned::Unusable(unusable.clone())),
        });
        planned.collect()
    })
}
