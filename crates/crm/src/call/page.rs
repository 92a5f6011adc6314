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
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::call::answer::Page;
use crate::call::argument::{
    Argument, Field, Fields, Input, Json, Object, Parse, ParseContext, ParseError, Ranged,
};
use crate::call::context::ReadCtx;
use crate::call::error::{Error, Result};
use crate::call::perform;
use crate::call::tool::{Found, List};

/// A page ends once the JSON of its rows exceeds this many bytes.
pub(crate) const PAGE_BYTES: usize = 256 * 1024;
/// Maximum bytes of a cursor. Its filters are bounded, so none is longer.
const CURSOR_BYTES: usize = 8 * 1024;
/// Bytes of the check value.
const CHECK_BYTES: usize = 8;

/// The range of `limit`, the maximum rows of a page.
type PageLimit = Ranged<1, 100>;
/// The limit if none was sent.
const DEFAULT_LIMIT: u32 = 25;

/// A page whose rows are already JSON: each is serialized once, then measured and sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPage {
    rows: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
    has_more: bool,
}

#[derive(Serialize, Deserialize)]
struct CursorState<P> {
    filters: Map<String, Value>,
    position: P,
}

/// The fields that every paged list takes.
pub(crate) fn fields() -> Vec<Field> {
    vec![
        Field {
            name: "cursor",
            about: "nextCursor of the previous page; it carries the filters.".to_owned(),
            schema: <CursorText as Parse>::schema(),
            required: false,
        },
        Field {
            name: "limit",
            about: format!("Rows a page at most; default {DEFAULT_LIMIT}."),
            schema: <Option<PageLimit> as Argument>::schema(),
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
            Json::Text(_) => Err(ParseError::Because(DAMAGED.to_owned())),
            other => {
                Err(ParseError::another_type("must be nextCursor of the previous page", &other))
            }
        }
    }
}

const DAMAGED: &str =
    "is not a cursor of this list: pass nextCursor unchanged, or leave it out to start again";

/// Runs a [`List`] and returns a page as JSON. Reads one row more than the page holds, to know whether
/// there are more.
pub(crate) fn list_json<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<String> {
    let (found, asked) = find::<T>(ctx, object)?;
    write(found, asked)
}

/// [`list_json`] in the list's own types. The rows stay in this process, so their size is not limited.
pub(crate) fn list<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<Page<T::Row>> {
    let (Found { mut rows, stopped }, asked) = find::<T>(ctx, object)?;
    let is_cut = rows.len() > asked.count;
    rows.truncate(asked.count);
    let (rows, mut positions): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let next_cursor = asked.cursor(if is_cut { positions.pop() } else { stopped })?;
    Ok(Page { rows, has_more: next_cursor.is_some(), next_cursor })
}

/// What the page after the rows found needs.
struct Continuation {
    /// Maximum rows of the page.
    count: usize,
    filters: Map<String, Value>,
    codec: CursorCodec,
}

impl Continuation {
    /// The cursor of the page that begins after a position.
    fn cursor<P: Serialize>(self, position: Option<P>) -> Result<Option<String>> {
        let Self { filters, codec, .. } = self;
        position.map(|position| codec.close(&CursorState { filters, position })).transpose()
    }
}

/// The rows found, one more than the page holds if there are more.
type Finding<T> = (Found<<T as List>::Row, <T as List>::Position>, Continuation);

fn find<T: List>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<Finding<T>> {
    let codec = CursorCodec { tool: T::NAME, tenant: ctx.tx.tenant()?.0 };
    let asked = Asked::<T>::read(object, perform::parse_context(ctx.access), &codec)?;
    let count = asked.limit as usize;
    let found = T::run(ctx, &asked.input, asked.after, count + 1)?;
    Ok((found, Continuation { count, filters: asked.filters, codec }))
}

/// The parsed arguments of a list's call.
struct Asked<T: List> {
    input: T::Input,
    /// The filters, as the next cursor stores them.
    filters: Map<String, Value>,
    after: Option<T::Position>,
    limit: u32,
}

impl<T: List> Asked<T> {
    /// Joins the cursor's filters with those sent. Reports the problems of both together.
    fn read(object: Object, context: ParseContext, codec: &CursorCodec) -> Result<Self> {
        let (paging, sent): (Object, Object) =
            object.into_iter().partition(|(name, _)| name == "cursor" || name == "limit");
        let mut paging = Fields::new(paging, context);
        let limit = paging.take::<Option<PageLimit>>("limit");
        let state = state::<T::Position>(&mut paging, codec);
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
        let mut fields = Fields::new(object, context);
        let input = T::Input::read(&mut fields);
        fields.refuse_blanks();
        fields.also_known(&["cursor", "limit"]);
        match (paging.finish(limit), fields.finish(input)) {
            (Ok(limit), Ok(input)) => {
                let limit = limit.map_or(DEFAULT_LIMIT, PageLimit::get);
                Ok(Self { input, filters, after, limit })
            }
            (paging, fields) => {
                let problems = [fields.err(), paging.err()].into_iter().flatten().flatten();
                Err(Error::fields(problems.collect()))
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

fn write<R: Serialize, P: Serialize>(
    Found { rows, stopped }: Found<R, P>,
    asked: Continuation,
) -> Result<String> {
    let found = rows.len();
    let mut written = Vec::new();
    let mut bytes = 0;
    let mut last = None;
    for (row, position) in rows.into_iter().take(asked.count) {
        let row = serde_json::value::to_raw_value(&row)?;
        bytes += row.get().len();
        written.push(row);
        last = Some(position);
        if bytes > PAGE_BYTES {
            break;
        }
    }
    let is_cut = written.len() < found;
    let next_cursor = asked.cursor(if is_cut { last } else { stopped })?;
    let has_more = next_cursor.is_some();
    Ok(serde_json::to_string(&WrittenPage { rows: written, next_cursor, has_more })?)
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
