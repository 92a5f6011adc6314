//! What all pages share: their responses, the frame around them, the visitor's session and business, and the reading of
//! forms.
//!
//! Pages work without a script (`assets/page.js` only makes some more convenient), load nothing from other servers
//! and cannot be framed. A form is accepted only from a page of this server. The code for a single page belongs in
//! that page's module; a rule of the product belongs in `zoop-crm`.

pub(crate) mod assets;
pub(crate) mod browser;
pub(crate) mod form;
pub(crate) mod frame;
pub(crate) mod next;
pub(crate) mod once;
pub(crate) mod page;
pub(crate) mod page_context;
pub(crate) mod refusal;
pub(crate) mod section;
pub(crate) mod tenant_context;
pub(crate) mod times;
pub(crate) mod words;
