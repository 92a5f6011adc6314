//! The SQL for tags and their assignments.

use std::collections::BTreeSet;

use zoop_db::{ReadTx, Row, Uuid, WriteTx, params, text};

use super::Tag;
use super::usage::UsedTag;
use crate::business::customers::TagLabel;
use crate::call::error::{Error, Result};
use crate::call::history::store::{WANTED_POSTGRES, WANTED_SQLITE, id_list};
use crate::call::table::Record;
use crate::values::fold;
use crate::values::id::{Id, kinds};
use crate::values::text::visible;

crate::call::table::table! {
    /// The assignments of tags to customers.
    pub(crate) const CUSTOMER_TAGS = customer_tags {
        per_tenant,
        key: { customer_id: Id, tag_id: Id },
        columns: {},
        exported: WithTenant,
        erased: [WithCustomer, WithTenant],
    }
}

const HAS_TAG: &str = "SELECT c.customer_id FROM wanted CROSS JOIN customer_tags c \
    WHERE c.tenant_no = $1 AND c.customer_id = wanted_id AND c.tag_id = $3";

const OF_WANTED: &str = "SELECT c.customer_id, t.id, t.name, t.color, t.name_key \
    FROM wanted CROSS JOIN customer_tags c CROSS JOIN tags t WHERE c.tenant_no = $1 AND c.customer_id = wanted_id \
    AND t.tenant_no = $1 AND t.id = c.tag_id";

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM tags WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    /// The next tags after a name key.
    LIST = (text!("SELECT ", Tag::SELECTED, ", name_key FROM tags \
            WHERE tenant_no = $1 AND name_key > $2 ORDER BY name_key LIMIT $3"));
    GET = (text!("SELECT ", Tag::SELECTED, " FROM tags WHERE tenant_no = $1 AND id = $2"));
    /// [`LIST`], with how many customers have each tag.
    LIST_USED = (text!("SELECT ", Tag::SELECTED, ", (SELECT count(*) FROM customer_tags c \
                 WHERE c.tenant_no = $1 AND c.tag_id = tags.id), name_key FROM tags \
                 WHERE tenant_no = $1 AND name_key > $2 ORDER BY name_key LIMIT $3"));
    USED = (text!("SELECT ", Tag::SELECTED, ", (SELECT count(*) FROM customer_tags c \
            WHERE c.tenant_no = $1 AND c.tag_id = tags.id), name_key FROM tags \
            WHERE tenant_no = $1 AND id = $2"));
    /// A tag's number in the search index.
    NUMBER = "SELECT n FROM tags WHERE tenant_no = $1 AND id = $2";
    BY_NAME = "SELECT id FROM tags WHERE tenant_no = $1 AND name_key = $2";
    INSERT = (Tag::INSERT);
    UPDATE = (Tag::UPDATE);
    DELETE = "DELETE FROM tags WHERE tenant_no = $1 AND id = $2";
    CUSTOMERS = "SELECT customer_id FROM customer_tags \
                 WHERE tenant_no = $1 AND tag_id = $2 ORDER BY customer_id LIMIT $3";
    /// Detaches a tag from the customers up to an id.
    DETACH_UP_TO = "DELETE FROM customer_tags \
                    WHERE tenant_no = $1 AND tag_id = $2 AND customer_id <= $3";
    ATTACH = "INSERT INTO customer_tags (tenant_no, customer_id, tag_id) VALUES ($1, $2, $3) \
              ON CONFLICT DO NOTHING";
    /// Those of the wanted customers that have the tag `$3`.
    ATTACHED_AMONG = {
        sqlite: text!(WANTED_SQLITE, HAS_TAG), postgres: text!(WANTED_POSTGRES, HAS_TAG),
    };
    /// The tags of the wanted customers. SQLite keeps the order of a CROSS JOIN, and so looks each one up.
    OF_CUSTOMERS = {
        sqlite: text!(WANTED_SQLITE, OF_WANTED), postgres: text!(WANTED_POSTGRES, OF_WANTED),
    };
    DETACH = "DELETE FROM customer_tags \
              WHERE tenant_no = $1 AND customer_id = $2 AND tag_id = $3";
}

/// Up to `count` tags after the name key `after`, sorted by name key. Returns each tag with its name key.
pub(crate) fn list(tx: &mut ReadTx<'_>, after: &str, count: usize) -> Result<Vec<(Tag, String)>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(LIST, params![after, count], |row| Ok((Tag::read(row)?, row.take()?)))
}

/// A tag.
///
/// # Errors
/// [`Error::NotFound`] if there is no such tag.
pub(in crate::business) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::Tag>) -> Result<Tag> {
    tx.first::<_, Error>(GET, params![id], Tag::read)?.ok_or(Error::not_found("tag"))
}

/// [`list`], with how many customers have each tag.
pub(super) fn list_used(
    tx: &mut ReadTx<'_>,
    after: &str,
    count: usize,
) -> Result<Vec<(UsedTag, String)>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.all(LIST_USED, params![after, count], read_used)
}

/// A tag with how many customers have it, and its name key, if there is such a tag.
pub(super) fn used(tx: &mut ReadTx<'_>, id: Id<kinds::Tag>) -> Result<Option<(UsedTag, String)>> {
    tx.first(USED, params![id], read_used)
}

fn read_used(row: &mut Row<'_>) -> Result<(UsedTag, String)> {
    let tag = Tag::read(row)?;
    let customers = u64::try_from(row.take::<i64>()?).unwrap_or_default();
    Ok((UsedTag { tag, customers }, row.take()?))
}

/// A tag's number in the search index, if there is such a tag.
pub(crate) fn number(tx: &mut ReadTx<'_>, id: Id<kinds::Tag>) -> Result<Option<i64>> {
    tx.first(NUMBER, params![id], |row| Ok(row.take()?))
}

/// The key by which tags are sorted and compared. Names that look the same, ignoring case, have the same key.
fn name_key(name: &str) -> String {
    fold::caseless(&visible(name))
}

/// The tag whose name has the same name key as `name`.
pub(in crate::business) fn by_name(
    tx: &mut ReadTx<'_>,
    name: &str,
) -> Result<Option<Id<kinds::Tag>>> {
    tx.first(BY_NAME, params![name_key(name)], |row| Ok(row.take()?))
}

/// The tag with this id, or else the tag with this name, compared as in [`by_name`].
pub(super) fn by_id_or_name(tx: &mut ReadTx<'_>, text: &str) -> Result<Option<Id<kinds::Tag>>> {
    if let Some(id) = Id::parse(text)
        && number(tx, id)?.is_some()
    {
        return Ok(Some(id));
    }
    by_name(tx, text)
}

/// The names that no tag has.
pub(in crate::business) fn missing(tx: &mut ReadTx<'_>, names: Vec<String>) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for name in names {
        if by_name(tx, &name)?.is_none() {
            missing.push(name);
        }
    }
    Ok(missing)
}

/// Those of these customers that have a tag.
pub(crate) fn attached_among(
    tx: &mut ReadTx<'_>,
    tag: Id<kinds::Tag>,
    customers: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeSet<Uuid>> {
    let wanted = id_list(customers);
    let found = tx.all::<_, Error>(ATTACHED_AMONG, params![wanted, tag], |row| Ok(row.take()?))?;
    Ok(found.into_iter().collect())
}

/// A tag of a customer.
pub(super) struct AttachedTag {
    pub(super) customer: Id<kinds::Customer>,
    pub(super) tag: TagLabel,
    /// By which a customer's tags are sorted.
    pub(super) name_key: String,
}

/// The tags of these customers, in no order.
pub(super) fn of_customers(
    tx: &mut ReadTx<'_>,
    customers: &[Id<kinds::Customer>],
) -> Result<Vec<AttachedTag>> {
    let wanted = id_list(customers.iter().map(|id| id.uuid()));
    tx.all(OF_CUSTOMERS, params![wanted], |row| {
        let customer = row.take()?;
        let tag = TagLabel { id: row.take()?, name: row.take()?, color: row.take()? };
        Ok(AttachedTag { customer, tag, name_key: row.take()? })
    })
}

/// Adds a tag.
pub(super) fn insert(tx: &mut WriteTx<'_>, tag: &Tag) -> Result<()> {
    let key = name_key(&tag.name);
    tx.execute(INSERT, &[tag.inserted().as_ref(), params![key]].concat())?;
    Ok(())
}

/// Writes a tag's name and color.
pub(super) fn update(tx: &mut WriteTx<'_>, tag: &Tag) -> Result<()> {
    let key = name_key(&tag.name);
    tx.execute(UPDATE, &[tag.updated().as_ref(), params![key]].concat())?;
    Ok(())
}

/// Detaches a tag from the first `count` of its customers, and returns them.
///
/// The search index keeps the tag's number with those customers until they are indexed again. So this is only for a
/// tag that is deleted: numbers are never reused, and a search first looks up the tag by its id.
pub(super) fn detach_first(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::Tag>,
    count: usize,
) -> Result<Vec<Id<kinds::Customer>>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let customers: Vec<Id<kinds::Customer>> =
        tx.all::<_, Error>(CUSTOMERS, params![id, count], |row| Ok(row.take()?))?;
    if let Some(last) = customers.last() {
        tx.execute(DETACH_UP_TO, params![id, *last])?;
    }
    Ok(customers)
}

/// Removes a tag that no customer has.
pub(super) fn delete(tx: &mut WriteTx<'_>, id: Id<kinds::Tag>) -> Result<()> {
    tx.execute(DELETE, params![id])?;
    Ok(())
}

/// Attaches a tag to a customer. Returns `false` if it was already attached.
pub(in crate::business) fn attach(
    tx: &mut WriteTx<'_>,
    customer: Id<kinds::Customer>,
    tag: Id<kinds::Tag>,
) -> Result<bool> {
    Ok(tx.execute(ATTACH, params![customer, tag])? > 0)
}

/// Detaches a tag from a customer. Returns `false` if it was not attached.
pub(in crate::business) fn detach(
    tx: &mut WriteTx<'_>,
    customer: Id<kinds::Customer>,
    tag: Id<kinds::Tag>,
) -> Result<bool> {
    Ok(tx.execute(DETACH, params![customer, tag])? > 0)
}
