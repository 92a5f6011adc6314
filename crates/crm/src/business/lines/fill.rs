//! Fills lines from the price book and the tax rates, as they are at this moment. Later changes of either change no document.

use std::collections::BTreeMap;

use zoop_db::{ReadTx, Uuid};

use super::input::LineInput;
use super::stored::{Charge, KeptRate, LineTax, Lines, StoredLine};
use super::totals::{DOCUMENT_DIGITS, LINE_DIGITS, Refused};
use crate::business::catalog_items::{self, CatalogItem, ItemKind};
use crate::business::tax_rates::{self, TaxRate};
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::history::store::id_list;
use crate::values::currency::Currency;
use crate::values::id::{Id, Kind as _, kinds};
use crate::values::money::{Money, Quantity, UnitPrice};

/// What a document has already: it may keep naming items and rates that were archived since.
#[derive(Clone, Copy, Default)]
pub(in crate::business) struct Kept<'a> {
    /// Its lines.
    pub(in crate::business) lines: Option<&'a Lines>,
    /// Its own rate.
    pub(in crate::business) rate: Option<&'a KeptRate>,
}

impl Kept<'_> {
    fn has_item(self, id: Id<kinds::CatalogItem>) -> bool {
        let lines = self.lines.into_iter().flat_map(Lines::all);
        lines.into_iter().any(|line| line.catalog_item_id == Some(id))
    }

    fn rate(self, id: Id<kinds::TaxRate>) -> Option<KeptRate> {
        let rates = self.rate.into_iter().chain(self.lines.into_iter().flat_map(Lines::rates));
        rates.into_iter().find(|rate| rate.id == id).cloned()
    }
}

/// A line as sent, and the heading of a quote under which it stands.
pub(in crate::business) type Sent<'a> = (&'a LineInput, Option<&'a str>);

/// Fills the lines of a document. Problems are those of `line_items`.
///
/// # Errors
/// [`Error::NotFound`] for an item or a rate that the account does not have, or that is archived and new to the document.
pub(in crate::business) fn fill<'a>(
    tx: &mut ReadTx<'_>,
    sent: impl Iterator<Item = Sent<'a>> + Clone,
    kept: Kept<'_>,
) -> Result<Lines> {
    let items = sent.clone().filter_map(|(line, _)| line.catalog_item_id.map(Id::uuid));
    let rates = sent.clone().filter_map(|(line, _)| line.tax_rate_id.map(Id::uuid));
    let sources = Sources::read(tx, items.collect(), rates.collect(), kept)?;
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for (place, (line, section)) in sent.enumerate() {
        match sources.line(line) {
            Ok(charge) => lines.push(StoredLine {
                section: section.map(str::to_owned),
                catalog_item_id: line.catalog_item_id,
                description: sources.description(line)?,
                charge,
            }),
            Err(Wrong::Field(field, problem)) => problems.push(FieldProblem {
                field: format!("line_items[{place}].{field}"),
                problem: problem.to_owned(),
            }),
            Err(Wrong::Other(error)) => return Err(error),
        }
    }
    if problems.is_empty() { Lines::new(lines) } else { Err(Error::fields(problems)) }
}

/// A rate as a document keeps it from now on.
///
/// # Errors
/// [`Error::NotFound`] if the account has no such rate, or it is archived and new to the document.
pub(in crate::business) fn kept_rate(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::TaxRate>,
    kept: Kept<'_>,
) -> Result<KeptRate> {
    let sources = Sources::read(tx, Vec::new(), vec![id.uuid()], kept)?;
    sources.rate(id)
}

/// The rate that new documents have, as one keeps it.
pub(in crate::business) fn kept_default(tx: &mut ReadTx<'_>) -> Result<Option<KeptRate>> {
    Ok(tax_rates::store::default(tx)?.as_ref().map(KeptRate::of))
}

/// What a caller is told whose lines are refused for what they come to.
pub(in crate::business) fn refuse_amounts(refused: Refused, currency: Currency) -> Error {
    let greatest = |digits| Money::greatest(digits, currency).text(currency);
    match refused {
        Refused::Line(place) => {
            let problem =
                format!("comes to more than {}, the most of a line", greatest(LINE_DIGITS));
            Error::field(&format!("line_items[{place}]"), problem)
        }
        Refused::Discounts => {
            Error::field("line_items", "take off more than they charge: lower the discounts")
        }
        Refused::Total => {
            let greatest = greatest(DOCUMENT_DIGITS);
            Error::field(
                "line_items",
                format!("come to more than {greatest}, the most of a document"),
            )
        }
    }
}

/// What lines are filled from.
struct Sources<'a> {
    items: BTreeMap<Uuid, CatalogItem>,
    rates: BTreeMap<Uuid, TaxRate>,
    kept: Kept<'a>,
}

/// Why a line is refused.
enum Wrong {
    /// One of its fields, and the problem.
    Field(&'static str, &'static str),
    /// Something that it names is not there.
    Other(Error),
}

impl<'a> Sources<'a> {
    fn read(
        tx: &mut ReadTx<'_>,
        items: Vec<Uuid>,
        rates: Vec<Uuid>,
        kept: Kept<'a>,
    ) -> Result<Self> {
        let mut sources = Self { items: BTreeMap::new(), rates: BTreeMap::new(), kept };
        if !items.is_empty() {
            let found = catalog_items::store::by_ids(tx, &id_list(items))?;
            sources.items = found.into_iter().map(|item| (item.id.uuid(), item)).collect();
        }
        if !rates.is_empty() {
            let found = tax_rates::store::by_ids(tx, &id_list(rates))?;
            sources.rates = found.into_iter().map(|rate| (rate.id.uuid(), rate)).collect();
        }
        Ok(sources)
    }

    fn item(&self, id: Id<kinds::CatalogItem>) -> Result<&CatalogItem> {
        let item = self.items.get(&id.uuid());
        let usable = item.filter(|it| it.archived_at.is_none() || self.kept.has_item(id));
        usable.ok_or(Error::not_found(kinds::CatalogItem::WORD))
    }

    /// The rate as it is now; one that was archived since, as the document keeps it.
    fn rate(&self, id: Id<kinds::TaxRate>) -> Result<KeptRate> {
        let rate = self.rates.get(&id.uuid()).filter(|rate| rate.archived_at.is_none());
        rate.map(KeptRate::of)
            .or_else(|| self.kept.rate(id))
            .ok_or(Error::not_found(kinds::TaxRate::WORD))
    }

    fn description(&self, line: &LineInput) -> Result<String> {
        match (&line.description, line.catalog_item_id) {
            (Some(sent), _) => Ok(sent.0.clone()),
            (None, Some(item)) => Ok(self.item(item)?.name.clone()),
            (None, None) => Err(Error::internal("a line without item and description")),
        }
    }

    fn line(&self, line: &LineInput) -> Result<Charge, Wrong> {
        let item = line.catalog_item_id.map(|id| self.item(id)).transpose();
        match item.map_err(Wrong::Other)? {
            Some(item) if item.kind == ItemKind::Discount => discount(item, line),
            item => self.sold(item, line),
        }
    }

    /// A line with an item that is not a discount, or without an item.
    fn sold(&self, item: Option<&CatalogItem>, line: &LineInput) -> Result<Charge, Wrong> {
        let price = line.unit_price.or_else(|| item.and_then(|item| item.price));
        let takes_off =
            line.discount_percent.is_some() || price.is_some_and(UnitPrice::is_negative);
        if item.is_some() && takes_off {
            let field =
                if line.discount_percent.is_some() { "discount_percent" } else { "unit_price" };
            let problem = "takes something off, which only an item of kind discount can: leave out catalog_item_id";
            return Err(Wrong::Field(field, problem));
        }
        if let Some(percent) = line.discount_percent {
            return Ok(Charge::PercentOff(percent));
        }
        let missing = || Wrong::Other(Error::internal("a line without a price"));
        let (quantity, price) =
            (line.quantity.unwrap_or(Quantity::ONE), price.ok_or_else(missing)?);
        Ok(Charge::priced(quantity, price, self.tax(item, line)?))
    }

    fn tax(&self, item: Option<&CatalogItem>, line: &LineInput) -> Result<LineTax, Wrong> {
        let of_item = item.and_then(|item| item.taxable).unwrap_or(true);
        match (line.taxable.unwrap_or(of_item), line.tax_rate_id) {
            (true, Some(id)) => self.rate(id).map(LineTax::At).map_err(Wrong::Other),
            (true, None) => Ok(LineTax::OfDocument),
            (false, None) => Ok(LineTax::Untaxed),
            // The item is not taxed, and nothing else was said.
            (false, Some(_)) => Err(Wrong::Field(
                "tax_rate_id",
                "needs taxable true beside it: the item is not taxed",
            )),
        }
    }
}

/// A line with a discount item: what was not sent is the item's.
fn discount(item: &CatalogItem, line: &LineInput) -> Result<Charge, Wrong> {
    let untaxed = "cannot be sent for a discount: it lowers what the other lines are taxed on";
    for (is_sent, field) in
        [(line.taxable.is_some(), "taxable"), (line.tax_rate_id.is_some(), "tax_rate_id")]
    {
        if is_sent {
            return Err(Wrong::Field(field, untaxed));
        }
    }
    let percent = match (line.unit_price, line.discount_percent) {
        (Some(_), _) => None,
        (None, sent) => sent.or(item.discount_percent),
    };
    if let Some(percent) = percent {
        return match line.quantity {
            Some(_) => Err(Wrong::Field("quantity", "cannot be sent for a discount in percent")),
            None => Ok(Charge::PercentOff(percent)),
        };
    }
    let price = line.unit_price.or_else(|| item.price.map(UnitPrice::off));
    let price = price.ok_or_else(|| Wrong::Other(Error::internal("a discount of nothing")))?;
    if price.units() > 0 {
        let problem = "must be negative: the item is a discount";
        return Err(Wrong::Field("unit_price", problem));
    }
    let quantity = line.quantity.unwrap_or(Quantity::ONE);
    Ok(Charge::priced(quantity, price, LineTax::Untaxed))
}
