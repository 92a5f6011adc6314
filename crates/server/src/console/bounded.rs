//! Lists of long texts on a page: a page has as many rows as an answer of the tool would have.
//!
//! In this process, the rows of a list are not measured. Without a bound, a page with the longest notes would have
//! megabytes.

use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::page::PAGE_BYTES;
use zoop_crm::call::tool::List;

use crate::web::tenant_context::Snapshot;

/// The rows after a cursor, up to and including the row with which their texts exceed [`PAGE_BYTES`]. `bytes` is the
/// length of a row's texts.
pub(super) fn list<T: List>(
    snapshot: &mut Snapshot<'_, '_>,
    arguments: Arguments<T>,
    after: Option<String>,
    bytes: impl Fn(&T::Row) -> usize,
) -> Result<Page<T::Row>, Refusal> {
    let page = snapshot.list(arguments.clone().after(after.clone()))?;
    cut(snapshot, page, arguments, after, bytes)
}

/// [`list`], with at most so many rows.
pub(super) fn at_most<T: List>(
    snapshot: &mut Snapshot<'_, '_>,
    arguments: Arguments<T>,
    limit: u32,
    after: Option<String>,
    bytes: impl Fn(&T::Row) -> usize,
) -> Result<Page<T::Row>, Refusal> {
    let page = snapshot.list(arguments.clone().page(after.clone(), limit))?;
    cut(snapshot, page, arguments, after, bytes)
}

/// The page up to and including the row with which its texts exceed [`PAGE_BYTES`].
fn cut<T: List>(
    snapshot: &mut Snapshot<'_, '_>,
    page: Page<T::Row>,
    arguments: Arguments<T>,
    after: Option<String>,
    bytes: impl Fn(&T::Row) -> usize,
) -> Result<Page<T::Row>, Refusal> {
    let mut total = 0;
    let last = page.rows.iter().position(|row| {
        total += bytes(row);
        total > PAGE_BYTES
    });
    match last.and_then(|last| u32::try_from(last + 1).ok()) {
        // Read again, because only the tool can make the cursor of the next page.
        Some(count) if page.rows.len() > count as usize => {
            snapshot.list(arguments.page(after, count))
        }
        _ => Ok(page),
    }
}
