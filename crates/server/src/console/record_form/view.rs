//! A form as its page shows it.

use zoop_crm::call::error::FieldProblem;

use super::declaration::{Declaration, Input, Only, Placed, Usage};
use super::values::Values;
use crate::console::filters::Choice;

/// A group of fields on the page.
pub(super) struct GroupView {
    pub(super) heading: &'static str,
    pub(super) is_open: bool,
    pub(super) only: String,
    pub(super) fields: Vec<FieldView>,
}

/// A field on the page.
pub(super) struct FieldView {
    /// The element's id, and the beginning of the ids of what describes it.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: &'static str,
    pub(super) help: &'static str,
    pub(super) is_required: bool,
    pub(super) control: Control,
    pub(super) value: String,
    /// What is wrong with the value, in the tool's words.
    pub(super) problem: Option<String>,
    /// What the field was changed to elsewhere.
    pub(super) news: Option<String>,
    /// Whether the page begins here.
    pub(super) has_focus: bool,
    /// The value of another field without which the style sheet hides this one.
    pub(super) only: String,
}

/// The element in which a value is entered.
pub(super) enum Control {
    /// An input of this type, for a text of this length.
    Line(&'static str, usize),
    Text(usize),
    Select(Vec<Choice>),
    Radio(Vec<Choice>),
    Check(bool),
}

/// What a form says about its values.
#[derive(Default)]
pub(super) struct Remarks<'a> {
    pub(super) problems: &'a [FieldProblem],
    /// The record as it is now, and the names of the fields that somebody else changed.
    pub(super) news: Option<(&'a Values, &'a [String])>,
}

impl FieldView {
    /// The ids of the elements that describe the field.
    pub(super) fn described_by(&self) -> String {
        let parts = [
            ("help", !self.help.is_empty()),
            ("fault", self.problem.is_some()),
            ("news", self.news.is_some()),
        ];
        let ids = parts.into_iter().filter(|(_, is_there)| *is_there);
        ids.map(|(part, _)| format!("{}-{part}", self.id)).collect::<Vec<_>>().join(" ")
    }
}

/// The groups of a form. In a form for a new record the style sheet hides the fields that are of no use; in an edit they
/// are left out.
pub(super) fn groups(
    declaration: &'static Declaration,
    usage: Usage,
    values: &Values,
    remarks: &Remarks<'_>,
) -> Vec<GroupView> {
    let groups = declaration.groups.iter().map(|group| {
        let placed = group.placed(usage).into_iter();
        let placed: Vec<_> = placed.filter(|it| usage == Usage::New || it.is_for(values)).collect();
        let fields = placed.iter().filter_map(|it| {
            let view = field(it, values, remarks);
            let is_shown = !it.field.is_only_kept
                || !view.value.is_empty()
                || view.problem.is_some()
                || view.news.is_some();
            is_shown.then_some(view)
        });
        let fields: Vec<_> = fields.collect();
        let says_something =
            placed.iter().any(|it| !["", it.field.default()].contains(&values.get(&it.path)));
        let is_marked = fields.iter().any(|it| it.problem.is_some() || it.news.is_some());
        GroupView {
            heading: group.heading,
            is_open: says_something || is_marked,
            only: group.only.filter(|_| usage == Usage::New).map(class).unwrap_or_default(),
            fields,
        }
    });
    let groups = groups.filter(|group| !group.fields.is_empty());
    let mut groups: Vec<_> = groups.fold(Vec::new(), join);
    let mut fields: Vec<_> = groups.iter_mut().flat_map(|group| &mut group.fields).collect();
    let is_typed = |it: &&mut FieldView| matches!(it.control, Control::Line(..) | Control::Text(_));
    let marked = fields.iter().position(|it| it.problem.is_some() || it.news.is_some());
    let first = (usage == Usage::New).then(|| fields.iter().position(is_typed)).flatten();
    if let Some(begins) = marked.or(first) {
        fields[begins].has_focus = true;
    }
    groups
}

/// Adds a group. Groups with the same heading are one.
fn join(mut groups: Vec<GroupView>, group: GroupView) -> Vec<GroupView> {
    match groups.last_mut() {
        Some(last) if last.heading == group.heading => {
            last.is_open |= group.is_open;
            last.fields.extend(group.fields);
        }
        _ => groups.push(group),
    }
    groups
}

fn class((name, value): Only) -> String {
    format!("only-{name}-{value}").replace('_', "-")
}

fn field(placed: &Placed, values: &Values, remarks: &Remarks<'_>) -> FieldView {
    let value = values.get(&placed.path);
    let problem = remarks.problems.iter().find(|it| it.field == placed.path);
    let news = remarks.news.filter(|(_, fields)| fields.contains(&placed.path));
    FieldView {
        id: placed.path.replace('.', "-"),
        name: placed.path.clone(),
        label: placed.field.label,
        help: placed.field.help,
        // A record within another one may be left out as a whole.
        is_required: placed.field.is_required && placed.within.is_none(),
        control: control(placed.field.input, value),
        value: value.to_owned(),
        problem: problem.map(|it| it.problem.clone()),
        news: news.map(|(stored, _)| shown(placed.field.input, stored.get(&placed.path))),
        has_focus: false,
        only: placed.field.only.map(class).unwrap_or_default(),
    }
}

fn control(input: Input, value: &str) -> Control {
    match input {
        Input::Line(max) => Control::Line("text", max),
        Input::Email => Control::Line("email", 254),
        Input::Phone => Control::Line("tel", 64),
        Input::Number => Control::Line("text", 32),
        Input::Text(max) => Control::Text(max),
        Input::Choice(choices) => Control::Select(chosen(choices(), value)),
        Input::Radio(choices) => Control::Radio(chosen(choices(), value)),
        Input::Check(_) => Control::Check(value == "true"),
    }
}

fn chosen(choices: Vec<(&'static str, &'static str)>, value: &str) -> Vec<Choice> {
    let choice = |(word, label): (&str, &str)| Choice {
        value: word.to_owned(),
        label: label.to_owned(),
        is_chosen: word == value,
    };
    let mut choices: Vec<_> = choices.into_iter().map(choice).collect();
    // A stored value that is not offered must not become the first one.
    if !value.is_empty() && !choices.iter().any(|choice| choice.is_chosen) {
        let (value, label) = (value.to_owned(), value.to_owned());
        choices.push(Choice { value, label, is_chosen: true });
    }
    choices
}

/// A stored value in words.
fn shown(input: Input, value: &str) -> String {
    match input {
        Input::Check(_) => if value == "true" { "Yes" } else { "No" }.to_owned(),
        Input::Choice(choices) | Input::Radio(choices) => {
            let choice = choices().into_iter().find(|(word, _)| *word == value);
            choice.map_or(value, |(_, label)| label).to_owned()
        }
        _ => value.to_owned(),
    }
}
