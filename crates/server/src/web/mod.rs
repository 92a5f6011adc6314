//! What every page shares: how it is sent, who looks at it, what a form may hold.
//!
//! Pages work without a script (`assets/page.js` only makes some handier), load nothing from elsewhere and are never framed. A form is taken
//! only from a page of this server. A page's own work lives in its module; a rule of the product
//! never does.

pub(crate) mod assets;
pub(crate) mod browser;
pub(crate) mod form;
pub(crate) mod next;
pub(crate) mod page;
pub(crate) mod refusal;
pub(crate) mod words;
