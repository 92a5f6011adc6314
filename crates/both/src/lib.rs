//! `#[both]`: turns one function into a test on each engine. For tests only.

use proc_macro::{TokenStream, TokenTree};

/// Turns a function without parameters into two tests, `NAME::on_sqlite` and `NAME::on_postgres`. The test
/// environments that the function creates use the test's engine.
#[proc_macro_attribute]
pub fn both(_: TokenStream, function: TokenStream) -> TokenStream {
    let Some(name) = name_of(&function) else {
        return "compile_error!(\"#[both] must be above a function\");".parse().unwrap_or_default();
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
    // Under `cfg(test)` the lints allow what they forbid in the product, such as `unwrap`.
    let mut output = "#[cfg(test)]".parse::<TokenStream>().unwrap_or_default();
    output.extend(function);
    output.extend(tests.parse::<TokenStream>().unwrap_or_default());
    output
}

/// The word after `fn`.
fn name_of(function: &TokenStream) -> Option<String> {
    let mut tokens = function.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"))?;
    tokens.next().map(|name| name.to_string())
}
