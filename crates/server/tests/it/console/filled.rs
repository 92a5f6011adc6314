//! A form of a page, filled in and sent as a browser does.

use super::unescaped;
use crate::http::Reply;
use crate::people::{Browser, between};

/// A form with its values.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
}

impl Filled {
    /// The form of a page that creates or changes a record.
    pub(super) fn of(page: &str) -> Self {
        let form = between(page, "<form class=\"record-form\"", "</form>");
        let action = unescaped(between(form, "action=\"", "\""));
        let mut fields: Vec<(String, String)> = Vec::new();
        for element in form.split('<').skip(1) {
            let attribute = |name: &str| {
                let (_, rest) = element.split_once(&format!(" {name}=\""))?;
                Some(unescaped(rest.split_once('"')?.0))
            };
            let Some(name) = attribute("name") else {
                // The chosen option of the last select, or else its first one.
                if element.starts_with("option")
                    && let Some((_, value)) = fields.last_mut()
                    && (value.is_empty() || element.contains(" selected"))
                {
                    *value = attribute("value").unwrap_or_default();
                }
                continue;
            };
            let is_choice =
                element.contains("type=\"checkbox\"") || element.contains("type=\"radio\"");
            if element.starts_with("textarea") {
                let text = element.split_once(">\n").map(|(_, text)| text).unwrap_or_default();
                fields.push((name, unescaped(text)));
            } else if element.starts_with("select")
                || (element.starts_with("input") && (!is_choice || element.contains(" checked")))
            {
                fields.push((name, attribute("value").unwrap_or_default()));
            }
        }
        Self { action, fields }
    }

    /// The form that a browser opens.
    pub(super) fn open(browser: &mut Browser<'_>, path: &str) -> Self {
        let page = browser.get(path);
        assert_eq!(page.status, 200, "{page:?}");
        Self::of(&page.body)
    }

    /// Types a value.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn send(&self, browser: &mut Browser<'_>) -> Reply {
        let fields: Vec<_> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(&self.action, &fields)
    }
}
