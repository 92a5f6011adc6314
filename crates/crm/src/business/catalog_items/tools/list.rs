//! `catalog_items.list`

use std::collections::HashMap;

use zoop_db::ReadTx;

use crate::business::catalog_items::hints::HINTS;
use crate::business::catalog_items::store::{Listed, Position};
use crate::business::catalog_items::{ItemKind, ItemRow, shown, store};
use crate::call::answer::Page;
use crate::call::argument::{Ranged, SearchText, input};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::history::store::id_list;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Exposure, Found, List, Tool};
use crate::values::fold::{self, Word};
use crate::values::id::{Id, kinds};

/// Number of items that are read at once when only some of them are in the list.
const BATCH: usize = 500;

/// Number of items that are looked at for one page.
const MAX_LOOKED_AT: usize = 10_000;

input! {
    /// The filters of the price book.
    pub struct ListCatalogItemsInput, hints = HINTS {
        /// Only this kind.
        pub kind: Option<ItemKind>,
        /// Only in this category, not in those below it.
        pub category_id: Option<Id<kinds::CatalogCategory>>,
        /// Words of name or SKU, also parts of words; each must match.
        pub q: Option<SearchText>,
        /// true lists the archived items instead.
        pub archived: Option<bool>,
    }
}

/// `catalog_items.list`
pub struct ListCatalogItems;

impl Tool for ListCatalogItems {
    const NAME: &'static str = "catalog_items.list";
    const TITLE: &'static str = "List catalog items";
    const ABOUT: &'static str = "Lists the price book, sorted by name.";
    const SCOPE: Scope = Scope::ReadCatalogItems;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = r#"{"q":"drain","limit":20}"#;
    type Input = ListCatalogItemsInput;
    type Output = Page<ItemRow>;
}

impl List for ListCatalogItems {
    type Row = ItemRow;
    type Position = Position;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 25;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &ListCatalogItemsInput,
        after: Option<Position>,
        count: usize,
    ) -> Result<Found<ItemRow, Position>> {
        let after = after.unwrap_or_default();
        let (places, stopped) = places(ctx.tx, input, after, count, MAX_LOOKED_AT)?;
        Ok(Found { rows: rows(ctx, places)?, stopped })
    }
}

/// The places of up to `count` items that are in the list, after a place, and where the search stopped because it had
/// looked at `most` items.
pub(in crate::business::catalog_items) fn places(
    tx: &mut ReadTx<'_>,
    input: &ListCatalogItemsInput,
    mut after: Position,
    count: usize,
    most: usize,
) -> Result<(Vec<Position>, Option<Position>)> {
    let filter = Filter::of(input);
    let archived = input.archived == Some(true);
    let (mut places, mut looked_at) = (Vec::new(), 0);
    loop {
        tx.ensure_time()?;
        let missing = count - places.len();
        let batch = if filter.takes_all() { missing } else { missing.max(BATCH) };
        let items = store::listed(tx, archived, input.kind, input.category_id, &after, batch)?;
        looked_at += items.len();
        let is_end = items.len() < batch;
        if let Some(last) = items.last() {
            after.clone_from(&last.position);
        }
        let found = items.into_iter().filter(|item| filter.takes(item));
        places.extend(found.map(|item| item.position).take(missing));
        if is_end || places.len() == count {
            return Ok((places, None));
        }
        if looked_at >= most {
            return Ok((places, Some(after)));
        }
    }
}

/// The rows of the items at these places.
fn rows(ctx: &mut ReadCtx<'_, '_>, positions: Vec<Position>) -> Result<Vec<(ItemRow, Position)>> {
    let items = store::by_ids(ctx.tx, &id_list(positions.iter().map(|position| position.id)))?;
    let rows = shown::rows(ctx.tx, ctx.access, items)?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id.uuid(), row)).collect();
    let row = |position: Position| {
        let row = rows.remove(&position.id);
        Ok((row.ok_or_else(|| Error::internal("a listed item is not there"))?, position))
    };
    positions.into_iter().map(row).collect()
}

/// Which of the items that are read are in the list.
struct Filter {
    words: Vec<Word>,
    kind: Option<ItemKind>,
}

impl Filter {
    fn of(input: &ListCatalogItemsInput) -> Self {
        let words = input.q.as_ref().map(|q| fold::words(&q.0)).unwrap_or_default();
        // Without a category, only items of the kind are read.
        Self { words, kind: input.category_id.and(input.kind) }
    }

    const fn takes_all(&self) -> bool {
        self.words.is_empty() && self.kind.is_none()
    }

    fn takes(&self, item: &Listed) -> bool {
        if self.kind.is_some_and(|kind| kind != item.kind) {
            return false;
        }
        let texts = [Some(&item.name), item.sku.as_ref()];
        self.words.iter().all(|word| texts.iter().flatten().any(|text| has(text, &word.text)))
    }
}

/// Whether a folded word occurs in a text, also inside a word.
fn has(text: &str, word: &str) -> bool {
    if !fold::may_contain(text, word) {
        return false;
    }
    let mut found = false;
    fold::each(text, |known, _| found |= known.contains(word));
    found
}
