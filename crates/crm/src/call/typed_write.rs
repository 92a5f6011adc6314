//! A write in the tool's own types: its checks before the write, and its run. Only [`run`](crate::call::run) uses it.

use zoop_db::{ReadTx, WriteTx};

use crate::call::access::Access;
use crate::call::argument::{Arguments, ParseContext};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::ToolDef;
use crate::call::error::{Error, Result};
use crate::call::idempotency;
use crate::call::perform::{self, CommandCall, Ready};
use crate::call::proof::{Proof, enter_write};
use crate::call::run::authorize;
use crate::call::tool::{Command, Query, Step};
use crate::values::clock::Environment;
use crate::values::id::{Id, kinds};

/// How far a write has come, or why it was rejected.
type Stepped<T, E> = Result<Step<T>, E>;

/// What a command answered.
#[derive(Debug)]
pub struct Ran<T> {
    /// The tool's answer.
    pub output: T,
    /// The entry that it added to the history; `None` if it added none, or if the call was a retry.
    pub entry: Option<Id<kinds::Entry>>,
}

/// A command in the tool's own types, prepared for its caller.
pub(super) struct TypedWrite<T: Command, P> {
    environment: Environment,
    proof: P,
    arguments: Arguments<T>,
    key: Option<String>,
    /// The context in which the arguments were parsed.
    context: ParseContext,
    ready: Ready<T>,
}

impl<T: Command, P: Proof> TypedWrite<T, P> {
    /// Runs all checks that need no writing.
    pub(super) fn prepare(
        tx: &mut ReadTx<'_>,
        access: &Access,
        environment: Environment,
        proof: P,
        arguments: Arguments<T>,
        key: Option<String>,
    ) -> Result<Self, P::Refusal> {
        let context = perform::parse_context(access);
        let ready = prepare_command(tx, &environment, access, arguments.clone(), key.as_deref())?;
        Ok(Self { environment, proof, arguments, key, context, ready })
    }

    /// Runs the write, or its next part.
    pub(super) fn run(&mut self, tx: &mut WriteTx<'_>) -> Stepped<Ran<T::Output>, P::Refusal> {
        let access = self.enter(tx)?;
        Ok(self.run_as(tx, &access)?)
    }

    fn run_as(&self, tx: &mut WriteTx<'_>, access: &Access) -> Result<Step<Ran<T::Output>>> {
        let mut ctx = WriteCtx::begin(tx, access, &self.environment)?;
        Ok(match self.ready.run_typed(&mut ctx)? {
            Step::Partial => Step::Partial,
            Step::Done(output) => Step::Done(Ran { output, entry: ctx.entry }),
        })
    }

    /// [`Self::run`], without an answer to a retry.
    pub(super) fn run_first(
        &mut self,
        tx: &mut WriteTx<'_>,
    ) -> Result<Step<Option<T::Output>>, P::Refusal> {
        let access = self.enter(tx)?;
        Ok(self.ready.run_first(&mut WriteCtx::begin(tx, &access, &self.environment)?)?)
    }

    /// [`Self::run`], if the query answers as expected.
    pub(super) fn run_if<Q: Query>(
        &mut self,
        tx: &mut WriteTx<'_>,
        query: Arguments<Q>,
        is_expected: impl Fn(&Q::Output) -> bool,
    ) -> Stepped<Option<Ran<T::Output>>, P::Refusal> {
        let access = self.enter(tx)?;
        authorize(&access, const { &ToolDef::query::<Q>() })?;
        let mut ctx = ReadCtx::new(tx, &access, &self.environment);
        if !is_expected(&perform::query::<Q>(&mut ctx, query.into_object())?) {
            return Ok(Step::Done(None));
        }
        Ok(match self.run_as(tx, &access)? {
            Step::Partial => Step::Partial,
            Step::Done(ran) => Step::Done(Some(ran)),
        })
    }

    /// Reads the caller's rights in the write's own transaction, and parses the arguments again if the context is
    /// another one now.
    fn enter(&mut self, tx: &mut WriteTx<'_>) -> Result<Access, P::Refusal> {
        let access = enter_write(tx, &self.environment, &self.proof)?;
        authorize_command::<T>(&access)?;
        let context = perform::parse_context(&access);
        if self.context != context {
            let (arguments, key) = (self.arguments.clone(), self.key.as_deref());
            self.ready = prepare_command(tx, &self.environment, &access, arguments, key)?;
            self.context = context;
        }
        Ok(access)
    }
}

/// Runs all checks of a command that need no writing, and parses its arguments.
pub(super) fn prepare_command<T: Command>(
    tx: &mut ReadTx<'_>,
    environment: &Environment,
    access: &Access,
    arguments: Arguments<T>,
    key: Option<&str>,
) -> Result<Ready<T>> {
    authorize_command::<T>(access)?;
    let mut arguments = arguments.into_object();
    // Without a key of its own, the call may not bring one among its arguments.
    let key = key.map_or(Ok(None), |key| idempotency::take_key(&mut arguments, Some(key)));
    let call = CommandCall { arguments, key };
    perform::prepare::<T>(&mut ReadCtx::new(tx, access, environment), call)
}

/// Like [`authorize`], but also rejects a caller who may get only a receipt.
fn authorize_command<T: Command>(access: &Access) -> Result<()> {
    let tool = const { &ToolDef::command::<T>() };
    authorize(access, tool)?;
    if perform::needs_receipt(access, tool.scope, T::RECEIPT) {
        let required = vec![tool.scope.read_counterpart()];
        return Err(Error::InsufficientScope { required, attainable: false });
    }
    Ok(())
}
