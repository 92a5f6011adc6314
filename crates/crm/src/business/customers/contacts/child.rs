//! A contact as a child of a customer. The rules for children are in [`crate::business::customers::children`].

use zoop_db::{ReadTx, Uuid, WriteTx};

use super::{Contact, Origin, store};
use crate::business::customers::children::{Child, Handover, Part, Sibling};
use crate::call::archive::Archivable;
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};

impl Archivable for Contact {
    type Kind = kinds::Contact;
    const READ: Scope = Scope::ReadCustomers;
    const WAY_BACK: &'static str = "contacts.restore";

    fn id(&self) -> Id<kinds::Contact> {
        self.id
    }

    fn archived_at(&self) -> Option<Moment> {
        self.archived_at
    }

    fn set_archived(&mut self, archived_at: Option<Moment>, updated_at: Moment) {
        self.is_primary &= archived_at.is_none();
        self.archived_at = archived_at;
        self.updated_at = updated_at;
    }

    fn save(ctx: &mut WriteCtx<'_, '_>, old: &Self, new: &Self) -> Result<()> {
        store::update(ctx.tx, new)?;
        ctx.updated(old, new)
    }
}

impl Child for Contact {
    const PLURAL: &'static str = "contacts";
    const IS_KEPT: bool = true;
    type Group = ();

    fn get(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        id: Id<kinds::Contact>,
    ) -> Result<Self> {
        store::get(tx, customer, id)
    }

    fn siblings(tx: &mut ReadTx<'_>, customer: Id<kinds::Customer>) -> Result<Vec<Sibling<Self>>> {
        store::siblings(tx, customer)
    }

    fn part(
        tx: &mut ReadTx<'_>,
        customer: Id<kinds::Customer>,
        part: Part,
        after: Uuid,
        count: usize,
    ) -> Result<Vec<Self>> {
        store::part(tx, customer, part, after, count)
    }

    fn customer_of(
        tx: &mut ReadTx<'_>,
        id: Id<kinds::Contact>,
    ) -> Result<Option<Id<kinds::Customer>>> {
        store::customer_of(tx, id.uuid())
    }

    fn customer_id(&self) -> Id<kinds::Customer> {
        self.customer_id
    }

    fn move_to(tx: &mut WriteTx<'_>, old: &Self, new: &Self) -> Result<()> {
        store::move_to(tx, old, new)
    }

    fn require_restorable(&self) -> Result<()> {
        if self.origin != Origin::Placeholder {
            return Ok(());
        }
        Err(Error::conflict(
            "This contact only had the company's name until the first person came: add a contact instead.",
        ))
    }

    fn by_ids(tx: &mut ReadTx<'_>, wanted: &str) -> Result<Vec<Self>> {
        store::by_ids(tx, wanted)
    }

    fn hand_over(tx: &mut WriteTx<'_>, handover: &Handover, at: Moment) -> Result<()> {
        store::hand_over(tx, handover, at)
    }

    fn of_customer(self, customer_id: Id<kinds::Customer>) -> Self {
        Self { customer_id, ..self }
    }

    fn insert(&self, tx: &mut WriteTx<'_>) -> Result<()> {
        store::insert(tx, self)
    }

    fn is_primary(&self) -> bool {
        self.is_primary
    }

    fn with_primary(self, is_primary: bool) -> Self {
        Self { is_primary, ..self }
    }

    fn group(&self) {}
}
