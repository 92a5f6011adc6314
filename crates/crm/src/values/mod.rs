//! Values that do not depend on the rest of the product: ids, numbers, times, time zones, currencies, money, sizes, secrets,
//! countries, telephone numbers, e-mail addresses, text that is trimmed or folded, and cells of spreadsheets.
//!
//! What must never live here: code that imports a module of this crate outside `values`.

pub mod clock;
pub mod country;
pub mod currency;
pub mod email;
pub mod fold;
pub mod id;
pub mod money;
pub mod number;
pub mod phone;
pub mod secret;
pub mod size;
pub mod spreadsheet;
pub mod spreadsheet_cell;
pub mod stem;
pub mod text;
pub mod zone;
