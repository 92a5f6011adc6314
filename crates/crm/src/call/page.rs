//! Pages of lists: the cursor, and how rows become `{rows, nextCursor, hasMore}`.
//!
//! A cursor is opaque to callers. It holds the list's filters, the last row's position, and a check
//! value over both, the tenant and the tool. The check detects a damaged cursor and one of another list
//! or tenant. It guards against mistakes, not against forgery: a forged cursor reads nothing that the
//! caller could not read with plain filters.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::call::answer::Page;
use crate::call::argument::{
    Argument, Field, Fields, Input, Json, Object, Parse, ParseContext, ParseError,
};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::perform;
use crate::call::tool::{Found, List};
use crate::call::written::Written;

/// A page ends once the JSON of its rows exceeds this many bytes.
pub const PAGE_BYTES: usize = 256 * 1024;
/// Maximum bytes of a cursor. Its filters are bounded, so none is longer.
const CURSOR_BYTES: usize = 8 * 1024;
/// Bytes of the check value.
const CHECK_BYTES: usize = 8;

#[derive(Serialize, Deserialize)]
struct CursorState<P> {
    filters: Map<String, Value>,
    position: P,
}

/// The fields that every list takes besides its filters.
pub(crate) fn fields<T: List>() -> Vec<Field> {
    vec![
        Field {
            name: "cursor",
            about: "nextCursor of the previous page; it carries the filters.".to_owned(),
            schema: <CursorText as Parse>::schema(),
            required: false,
        },
        Field {
            name: "limit",
            about: format!("Rows a page at most; default {}.", T::DEFAULT_LIMIT),
            schema: <Option<T::Limit> as Argument>::schema(),
            required: false,
        },
    ]
}

struct CursorText(String);

impl Parse for CursorText {
    fn schema() -> Value {
        serde_json::json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        match value {
            Json::Text(text) if text.len() <= CURSOR_BYTES => Ok(Self(text)),
            Json::Text(_) => Err(ParseError::Invalid(DAMAGED.to_owned())),
            other => Err(ParseError::wrong_type("must be nextCursor of the previous page", &other)),
        }
    }
}

const DAMAGED: &str =
    "is not a cursor of this list: pass nextCursor unchanged, or leave it out to start again";

/// Runs a [`List`] and returns a page as JSON. Each row is serialized once, then measured and sent.
pub(crate) fn list_json<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<String> {
    let page = read::<T, _>(ctx, object, |row| {
        let row = Written::of(&row)?;
        let bytes = row.bytes();
        Ok((row, bytes))
    })?;
    Ok(serde_json::to_string(&page)?)
}

/// [`list_json`] in the list's own types. The rows stay in this process, so their size is not limited.
pub(crate) fn list<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<Page<T::Row>> {
    read::<T, _>(ctx, object, |row| Ok((row, 0)))
}

/// Reads a page of a list. `form` gives each row the form in which the page holds it, with its bytes.
fn read<T: List, R>(
    ctx: &mut ReadCtx<'_, '_>,
    object: Object,
    form: impl Fn(T::Row) -> Result<(R, usize)>,
) -> Result<Page<R>> {
    // The lists of the installation have no tenant; no tenant has the number 0.
    let tenant = ctx.tx.tenant().map_or(0, |tenant| tenant.0);
    let codec = CursorCodec { tool: T::NAME, tenant };
    let arguments = ListArguments::<T>::read(object, perform::parse_context(ctx.access), &codec)?;
    let room = Room { rows: arguments.limit as usize, bytes: PAGE_BYTES, at_once: T::AT_ONCE };
    let (rows, rest) = fill(
        room,
        arguments.after,
        |after, count| T::run(ctx, &arguments.input, after, count),
        form,
    )?;
    let has_more = rest.is_some();
    let close = |position| codec.close(&CursorState { filters: arguments.filters, position });
    Ok(Page { rows, next_cursor: rest.map(close).transpose()?, has_more })
}

/// The room of a page.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Maximum rows.
    pub(crate) rows: usize,
    /// The page ends once its rows have more bytes than this: with the row that exceeds it.
    pub(crate) bytes: usize,
    /// [`List::AT_ONCE`].
    pub(crate) at_once: usize,
}

/// The rows of a page, and the position of the last one if there are more.
type Filled<R, P> = (Vec<R>, Option<P>);

/// Fills a page with what `run` finds: up to so many rows after a position, in order, each with its own.
///
/// Rows are read a few at a time, because a page has room for few of the longest ones.
pub(crate) fn fill<F, R, P>(
    room: Room,
    mut after: Option<P>,
    mut run: impl FnMut(Option<P>, usize) -> Result<Found<F, P>>,
    form: impl Fn(F) -> Result<(R, usize)>,
) -> Result<Filled<R, P>> {
    let (mut rows, mut bytes) = (Vec::new(), 0);
    let mut at_once = room.at_once;
    loop {
        let wanted = at_once.min(room.rows - rows.len());
        // One row more tells whether there are more.
        let Found { rows: found, stopped } = run(after.take(), wanted + 1)?;
        let is_end = found.len() <= wanted;
        let mut left = found.len();
        for (row, position) in found.into_iter().take(wanted) {
            let (row, size) = form(row)?;
            rows.push(row);
            bytes += size;
            left -= 1;
            if bytes > room.bytes {
                return Ok((rows, if left > 0 { Some(position) } else { stopped }));
            }
            after = Some(position);
        }
        if is_end {
            return Ok((rows, stopped));
        }
        if rows.len() == room.rows {
            return Ok((rows, after));
        }
        at_once = fitting(room.bytes - bytes, bytes / rows.len());
    }
}

/// Rows with their positions in the list.
pub(crate) fn with_positions<R, P>(rows: Vec<R>, position: impl Fn(&R) -> P) -> Found<R, P> {
    let with_position = |row| {
        let position = position(&row);
        (row, position)
    };
    Found::all(rows.into_iter().map(with_position).collect())
}

/// How many more rows of this length are likely to fill the page.
fn fitting(left: usize, each: usize) -> usize {
    // Rows without a length fit in any number.
    left.checked_div(each).map_or(usize::MAX - 1, |rows| rows + 1)
}

/// The parsed arguments of a list's call.
struct ListArguments<T: List> {
    input: T::Input,
    /// The filters, as the next cursor stores them.
    filters: Map<String, Value>,
    after: Option<T::Position>,
    limit: u32,
}

impl<T: List> ListArguments<T> {
    /// Joins the cursor's filters with those sent. Reports the problems of both together.
    fn read(object: Object, context: ParseContext, codec: &CursorCodec) -> Result<Self> {
        let (paging, sent): (Object, Object) =
            object.into_iter().partition(|(name, _)| name == "cursor" || name == "limit");
        let mut paging = Fields::new(paging, context);
        let limit = paging.take::<Option<T::Limit>>("limit");
        let state = state::<T::Position>(&mut paging, codec);
        let is_lost = state.is_none() && paging.is_filled("cursor");
        let (object, after) = match state {
            None => (sent, None),
            Some(CursorState { filters, position }) => {
                (join::<T::Input>(sent, filters, &mut paging), Some(position))
            }
        };
        let filters = object
            .iter()
            .map(|(name, value)| (name.clone(), plain(&T::Input::canonical(name, value))))
            .filter(|(_, value)| !value.is_null())
            .collect();
        let sent: Vec<_> = object.iter().map(|(name, _)| name.clone()).collect();
        let mut fields = Fields::new(object, context);
        let input = T::Input::read(&mut fields);
        fields.refuse_blanks();
        fields.also_known(&["cursor", "limit"]);
        match (paging.finish(limit), fields.finish(input)) {
            (Ok(limit), Ok(input)) => {
                let limit = limit.map_or(T::DEFAULT_LIMIT, Into::into);
                Ok(Self { input, filters, after, limit })
            }
            (paging, fields) => {
                // A cursor that was refused may have carried what seems to be missing.
                let of_fields = fields.err().unwrap_or_default().into_iter();
                let reported = of_fields.filter(|it| !is_lost || sent.contains(&it.field));
                Err(Error::fields(reported.chain(paging.err().into_iter().flatten()).collect()))
            }
        }
    }
}

/// The state in the cursor that was sent.
fn state<P: DeserializeOwned>(paging: &mut Fields, codec: &CursorCodec) -> Option<CursorState<P>> {
    let cursor = paging.take::<Option<CursorText>>("cursor").flatten()?;
    codec.open(&cursor.0).or_else(|| paging.refuse("cursor", DAMAGED))
}

/// The cursor's filters apply. A filter that is sent again must mean the same.
fn join<T: Input>(mut sent: Object, carried: Map<String, Value>, paging: &mut Fields) -> Object {
    // `null` counts as not sent.
    sent.retain(|(name, value)| *value != Json::Null || !carried.contains_key(name));
    for (name, value) in sent.iter().filter(|(_, value)| *value != Json::Null) {
        let value = plain(&T::canonical(name, value));
        if value != carried.get(name).cloned().unwrap_or_default() {
            paging.refuse::<()>(name, "differs from the cursor's: leave it out, or start again");
        }
    }
    for (name, value) in carried {
        if !sent.iter().any(|(sent, _)| *sent == name) {
            sent.push((name, Json::from(value)));
        }
    }
    sent
}

/// Encodes and checks cursors, which are bound to a tool and a tenant.
struct CursorCodec {
    tool: &'static str,
    tenant: u32,
}

impl CursorCodec {
    fn close<P: Serialize>(&self, state: &CursorState<P>) -> Result<String> {
        let mut bytes = serde_json::to_vec(state)?;
        let check = self.check(&bytes);
        bytes.extend_from_slice(&check);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn open<P: DeserializeOwned>(&self, cursor: &str) -> Option<CursorState<P>> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (state, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
        (self.check(state) == check).then(|| serde_json::from_slice(state).ok()).flatten()
    }

    fn check(&self, state: &[u8]) -> [u8; CHECK_BYTES] {
        let mut digest = Sha256::new();
        digest.update(self.tool.as_bytes());
        digest.update(self.tenant.to_be_bytes());
        digest.update(state);
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&digest.finalize()[..CHECK_BYTES]);
        check
    }
}

/// A caller's value as plain JSON, to be stored and compared.
fn plain(value: &Json) -> Value {
    match value {
        // A filter with a huge number is rejected.
        Json::Null | Json::HugeNumber => Value::Null,
        Json::Boolean(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(number.clone()),
        Json::Text(text) => Value::String(text.clone()),
        Json::List(items) => items.iter().map(plain).collect(),
        Json::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zoop_db::Uuid;

    use super::*;

    proptest! {
        /// A list that is not in creation order: its sort key first, then the id.
        #[test]
        fn a_cursor_carries_any_sort_key(name in ".{0,200}", starts: i64, id: u128, tenant: u32) {
            let codec = CursorCodec { tool: "jobs.list", tenant };
            let position = (name, starts, Uuid::from_u128(id));
            let state = CursorState { filters: Map::new(), position: position.clone() };
            let cursor = codec.close(&state).expect("a cursor");
            prop_assert!(cursor.len() <= CURSOR_BYTES);
            let opened: Option<CursorState<(String, i64, Uuid)>> = codec.open(&cursor);
            prop_assert_eq!(opened.map(|it| it.position), Some(position));
            let other = CursorCodec { tool: "jobs.list", tenant: tenant.wrapping_add(1) };
            prop_assert!(other.open::<(String, i64, Uuid)>(&cursor).is_none());
        }
    }
}
