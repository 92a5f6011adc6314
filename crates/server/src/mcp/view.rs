//! The query of the endpoint's URL: which tools a client wants to see, and under which names.
//!
//! An invalid value is rejected and never means "all": a client that asked for less must not get more.

use std::borrow::Cow;

use zoop_crm::call::definition::ToolDef;

/// The form of tool names in lists and texts. A call may use either form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// `customers.search`
    Dotted,
    /// `customers_search`
    Underscored,
}

impl Names {
    /// A tool's name in this form.
    pub(super) fn of(self, dotted: &'static str) -> Cow<'static, str> {
        match self {
            Self::Dotted => Cow::Borrowed(dotted),
            Self::Underscored => Cow::Owned(dotted.replace('.', "_")),
        }
    }
}

/// The tools that a client wants to see. The same restriction applies to its calls.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct View {
    names: Option<Names>,
    toolsets: Option<Vec<&'static str>>,
    read_only: Option<bool>,
}

impl View {
    /// Reads the query. Other parameters are ignored, because OAuth and proxies add some.
    pub(super) fn read(query: Option<&str>, known: &[&'static str]) -> Result<Self, String> {
        let mut view = Self { names: None, toolsets: None, read_only: None };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "names" => once(&mut view.names, &name, read_names(&value)?)?,
                "toolsets" => once(&mut view.toolsets, &name, read_toolsets(&value, known)?)?,
                "readonly" => once(&mut view.read_only, &name, read_bool(&value)?)?,
                _ => {}
            }
        }
        Ok(view)
    }

    pub(super) fn names(&self) -> Names {
        self.names.unwrap_or(Names::Dotted)
    }

    /// Whether the view includes this tool of this group.
    pub(super) fn shows(&self, group: &'static str, tool: &ToolDef) -> bool {
        self.toolsets.as_ref().is_none_or(|toolsets| toolsets.contains(&group))
            && (self.read_only != Some(true) || tool.is_read_only())
    }
}

fn once<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("the query parameter {name} was sent twice")),
    }
}

fn read_names(value: &str) -> Result<Names, String> {
    match value {
        "dotted" => Ok(Names::Dotted),
        "underscore" => Ok(Names::Underscored),
        _ => Err("the query parameter names must be dotted or underscore".to_owned()),
    }
}

fn read_toolsets(value: &str, known: &[&'static str]) -> Result<Vec<&'static str>, String> {
    value
        .split(',')
        .map(|sent| known.iter().copied().find(|known| *known == sent))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            format!(
                "the query parameter toolsets must be one or more of {}, separated by commas",
                known.join(",")
            )
        })
}

fn read_bool(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("the query parameter readonly must be true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["customers", "notes"];

    #[test]
    fn invalid_queries_are_rejected() {
        for query in [
            "names=",
            "names=Dotted",
            "names=dots",
            "toolsets=",
            "toolsets=all",
            "toolsets=customers,",
            "toolsets=customers%20",
            "readonly",
            "readonly=1",
            "readonly=TRUE",
            "readonly=%ff",
            "readonly=true&readonly=true",
            "names=dotted&names=underscore",
            "toolsets=customers&toolsets=notes",
        ] {
            assert!(View::read(Some(query), KNOWN).is_err(), "{query}");
        }
    }

    #[test]
    fn valid_queries_are_parsed() {
        let view =
            View::read(Some("toolsets=notes%2Ccustomers&x=1&readonly=false"), KNOWN).unwrap();
        assert_eq!(view.toolsets, Some(vec!["notes", "customers"]));
        assert_eq!((view.names(), view.read_only), (Names::Dotted, Some(false)));
        let all = View::read(None, KNOWN).unwrap();
        assert_eq!(all, View { names: None, toolsets: None, read_only: None });
    }
}
