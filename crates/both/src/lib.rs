//! `#[both]`: one function, a test on each engine. For tests only.

use proc_macro::{TokenStream, TokenTree};

/// Makes two tests of a function without parameters, `NAME::on_sqlite` and `NAME::on_postgres`; the environments it
/// creates use that engine.
#[proc_macro_attribute]
pub fn both(_: TokenStream, function: TokenStream) -> TokenStream {
    let Some(name) = name_of(&function) else {
        return "compile_error!(\"#[both] stands above a function\");".parse().unwrap_or_default();
    };
    let tests = format!(
        "mod {name} {{
            #[test]
            fn on_sqlite() {{
                zoop_crm::testing::on(zoop_db::Dialect::Sqlite, super::{name});
            }}
            #[test]
            fn on_postgres() {{
                zoop_crm::testing::on(zoop_db::Dialect::Postgres, super::{name});
            }}
        }}"
    );
    // Tests may do what lints forbid in the product.
    let mut made = "#[cfg(test)]".parse::<TokenStream>().unwrap_or_default();
    made.extend(function);
    made.extend(tests.parse::<TokenStream>().unwrap_or_default());
    made
}

/// The word after `fn`.
fn name_of(function: &TokenStream) -> Option<String> {
    let mut tokens = function.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"))?;
    tokens.next().map(|name| name.to_string())
}
