//! Which fields an item of each kind has.

use super::ItemKind;
use crate::call::argument::Fields;
use crate::call::error::FieldProblem;

/// Fields that only some kinds of item have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KindField {
    Price,
    DiscountPercent,
    UnitLabel,
    Taxable,
    Cost,
    Components,
}

impl KindField {
    pub(crate) const ALL: [Self; 6] = [
        Self::Price,
        Self::DiscountPercent,
        Self::UnitLabel,
        Self::Taxable,
        Self::Cost,
        Self::Components,
    ];

    /// The field's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::DiscountPercent => "discount_percent",
            Self::UnitLabel => "unit_label",
            Self::Taxable => "taxable",
            Self::Cost => "cost",
            Self::Components => "components",
        }
    }

    /// Whether items of this kind have the field.
    pub(crate) const fn is_of(self, kind: ItemKind) -> bool {
        match self {
            Self::Price => true,
            Self::DiscountPercent => matches!(kind, ItemKind::Discount),
            Self::UnitLabel | Self::Taxable => !matches!(kind, ItemKind::Discount),
            Self::Cost => !matches!(kind, ItemKind::Bundle | ItemKind::Discount),
            Self::Components => matches!(kind, ItemKind::Bundle),
        }
    }

    /// Whether every item of this kind has a value for the field.
    const fn is_required(self, kind: ItemKind) -> bool {
        match self {
            Self::Price | Self::Taxable => !matches!(kind, ItemKind::Discount),
            Self::Components => matches!(kind, ItemKind::Bundle),
            Self::DiscountPercent | Self::UnitLabel | Self::Cost => false,
        }
    }

    /// The problem with the field, if items of this kind do not have it.
    pub(crate) fn problem(self, kind: ItemKind) -> Option<FieldProblem> {
        let problem = || format!("cannot be set: an item of kind {} has none", kind.word());
        (!self.is_of(kind)).then(|| self.with(problem()))
    }

    /// The problem with leaving the field without a value, if every item of this kind has one.
    pub(crate) fn required_problem(self, kind: ItemKind) -> Option<FieldProblem> {
        let problem = || format!("is required for an item of kind {}", kind.word());
        self.is_required(kind).then(|| self.with(problem()))
    }

    fn with(self, problem: String) -> FieldProblem {
        FieldProblem { field: self.name().to_owned(), problem }
    }
}

/// The problem with a discount that has both a price and a percentage.
pub(crate) fn both() -> FieldProblem {
    let problem = "cannot be set with price: an item of kind discount has one of the two";
    FieldProblem { field: "discount_percent".to_owned(), problem: problem.to_owned() }
}

/// The problem with a discount that has neither.
pub(crate) fn neither() -> FieldProblem {
    let problem = "or discount_percent is required for an item of kind discount";
    FieldProblem { field: "price".to_owned(), problem: problem.to_owned() }
}

/// The problem with a discount of 0.
pub(crate) fn nothing_off() -> FieldProblem {
    let problem = "must be more than 0 for an item of kind discount: it is what is taken off";
    FieldProblem { field: "price".to_owned(), problem: problem.to_owned() }
}

/// Checks the fields of a new item by its kind.
pub(crate) fn check_new(sent: &mut Fields) {
    let Some(kind) = sent.short_string("kind").and_then(ItemKind::from_word) else { return };
    for field in KindField::ALL {
        let problem = if sent.is_filled(field.name()) {
            field.problem(kind)
        } else {
            // A new item is taxed by itself.
            field.required_problem(kind).filter(|_| field != KindField::Taxable)
        };
        if let Some(FieldProblem { field, problem }) = problem {
            sent.refuse::<()>(&field, problem);
        }
    }
    if kind == ItemKind::Discount {
        let problem = match (sent.is_filled("price"), sent.is_filled("discount_percent")) {
            (true, true) => both(),
            (false, false) => neither(),
            _ => return,
        };
        sent.refuse::<()>(&problem.field, problem.problem);
    }
}
