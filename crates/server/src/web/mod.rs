//! What all pages share: how they are sent, the visitor's session, and how forms are read.
//!
//! Pages work without a script (`assets/page.js` only makes some more convenient), load nothing from
//! elsewhere and are never framed. A form is accepted only from a page of this server. The code of a single
//! page belongs in its module; a rule of the product belongs in `zoop-crm`.

pub(crate) mod assets;
pub(crate) mod browser;
pub(crate) mod form;
pub(crate) mod next;
pub(crate) mod page;
pub(crate) mod page_context;
pub(crate) mod refusal;
pub(crate) mod words;
