//! Statements are declared, never built.
//!
//! Outside this crate, only [`statements!`](crate::statements) and
//! [`global_statements!`](crate::global_statements) create an [`Sql`] or a [`GlobalSql`]. So the set of
//! statements is closed: a test can prepare each of them on every engine, look at its plan, and check that a
//! tenant's statement names the tenant.

/// A statement about one tenant's rows. `$1` is always the tenant, bound by the transaction; the
/// caller's parameters start at `$2`.
#[derive(Debug, Clone, Copy)]
pub struct Sql(pub(crate) Dialects);

/// A statement about tables shared by all tenants (keys by hash, tenants, users). Parameters start at `$1`.
#[derive(Debug, Clone, Copy)]
pub struct GlobalSql(pub(crate) Dialects);

/// One statement in the dialect of each engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialects {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A module's name, and the statements that it declares, each with its name.
pub type Declared<S> = (&'static str, &'static [(&'static str, S)]);

/// The engine's SQL dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

macro_rules! statement {
    ($type:ident) => {
        impl $type {
            #[doc(hidden)]
            pub const fn declare(sqlite: &'static str, postgres: &'static str) -> Self {
                Self(Dialects { sqlite, postgres })
            }

            /// The text for SQLite, with `$1…` placeholders.
            pub const fn sqlite(self) -> &'static str {
                self.0.sqlite
            }

            /// The text for PostgreSQL.
            pub const fn postgres(self) -> &'static str {
                self.0.postgres
            }
        }
    };
}
statement!(Sql);
statement!(GlobalSql);

/// Declares a module's statements, and the list `STATEMENTS` of all of them.
///
/// A statement is one text for both engines, or `{ sqlite: …, postgres: … }` where the dialects differ.
#[macro_export]
macro_rules! statements {
    ($($body:tt)*) => { $crate::declare_statements! { Sql $($body)* } };
}

/// Declares a module's statements about shared tables, and the list `GLOBAL_STATEMENTS` of all of them.
#[macro_export]
macro_rules! global_statements {
    ($($body:tt)*) => { $crate::declare_statements! { GlobalSql $($body)* } };
}

#[doc(hidden)]
#[macro_export]
macro_rules! declare_statements {
    ($type:ident $($(#[$about:meta])* $name:ident = $text:tt;)*) => {
        $(
            $(#[$about])*
            pub(crate) const $name: $crate::$type = $crate::declare_statement!($type $text);
        )*
        $crate::declare_list! { $type $($name)* }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! declare_statement {
    ($type:ident { sqlite: $sqlite:expr, postgres: $postgres:expr $(,)? }) => {
        $crate::$type::declare($sqlite, $postgres)
    };
    ($type:ident ($text:expr)) => {
        $crate::$type::declare($text, $text)
    };
    ($type:ident $text:literal) => {
        $crate::$type::declare($text, $text)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! declare_list {
    (Sql $($name:ident)*) => {
        /// Every statement declared here, by name.
        pub(crate) const STATEMENTS: &[(&str, $crate::Sql)] = &[$((stringify!($name), $name)),*];
    };
    (GlobalSql $($name:ident)*) => {
        /// Every statement about shared tables declared here, by name.
        pub(crate) const GLOBAL_STATEMENTS: &[(&str, $crate::GlobalSql)] =
            &[$((stringify!($name), $name)),*];
    };
}
