//! The authorization server's rules: programs, what people allow them, codes and tokens.
//!
//! A grant is what one person allowed one program in one tenant; codes and tokens belong to it, and
//! end with it. HTTP, pages and the fetching of documents live in the server.
//!
//! Sources: RFC 6749 (with RFC 9700), RFC 7636, RFC 7591, RFC 7009, RFC 8707.

mod caller;
mod store;

pub(crate) use caller::caller;
pub(crate) use store::{GLOBAL_STATEMENTS, touch};
