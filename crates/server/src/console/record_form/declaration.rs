//! The declaration of a form: its fields, their labels and kinds of input. The names are those of the tools' arguments,
//! so that a tool's error about an argument is shown beside its field.

use super::values::Values;

/// A form, for new records and for changes.
pub(in crate::console) struct Declaration {
    pub(in crate::console) groups: &'static [Group],
    /// Fields that a change sends together or not at all.
    pub(in crate::console) together: &'static [&'static str],
}

/// Fields that are shown together.
pub(in crate::console) struct Group {
    /// What the group is about. Empty for the fields that are always shown; the other groups are folded until they say
    /// something.
    pub(in crate::console) heading: &'static str,
    /// The argument that contains the fields, if they are not arguments themselves.
    pub(in crate::console) within: Option<&'static str>,
    pub(in crate::console) fields: &'static [Field],
    pub(in crate::console) only: Option<Only>,
    pub(in crate::console) usage: Usage,
}

/// A field, and the value that it must have for another field or group to be of use.
pub(in crate::console) type Only = (&'static str, &'static str);

/// In which forms a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Usage {
    Always,
    New,
    Edit,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(in crate::console) struct Field {
    /// The name of the argument.
    pub(in crate::console) name: &'static str,
    pub(in crate::console) label: &'static str,
    pub(in crate::console) help: &'static str,
    pub(in crate::console) input: Input,
    pub(in crate::console) only: Option<Only>,
    pub(in crate::console) usage: Usage,
    /// Whether every record has a value.
    pub(in crate::console) is_required: bool,
    /// Whether the form leaves the field out while it has no value: programs fill it in.
    pub(super) is_only_kept: bool,
}

/// How a value is entered.
#[derive(Debug, Clone, Copy)]
pub(in crate::console) enum Input {
    /// A line of text, with its maximum length.
    Line(usize),
    Email,
    Phone,
    /// A text of several lines, with its maximum length.
    Text(usize),
    Number,
    /// One of several words, each with its label; the first is what a new record has if nothing is sent.
    Choice(fn() -> Vec<(&'static str, &'static str)>),
    /// One of several words that must be sent, each with its label.
    Radio(fn() -> Vec<(&'static str, &'static str)>),
    /// Yes or no, with what a new record has if nothing is sent.
    Check(bool),
}

impl Field {
    pub(in crate::console) const fn new(
        name: &'static str,
        label: &'static str,
        input: Input,
    ) -> Self {
        let (only, usage) = (None, Usage::Always);
        let (is_required, is_only_kept) = (false, false);
        Self { name, label, help: "", input, only, usage, is_required, is_only_kept }
    }

    pub(in crate::console) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    pub(in crate::console) const fn only(self, only: Only) -> Self {
        Self { only: Some(only), ..self }
    }

    pub(in crate::console) const fn in_edit(self) -> Self {
        Self { usage: Usage::Edit, ..self }
    }

    pub(in crate::console) const fn in_new(self) -> Self {
        Self { usage: Usage::New, ..self }
    }

    pub(in crate::console) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// Leaves the field out of the form while it has no value.
    pub(in crate::console) const fn only_kept(self) -> Self {
        Self { is_only_kept: true, ..self }
    }

    /// The value that a new record has if the field is not sent.
    pub(super) fn default(&self) -> &'static str {
        match self.input {
            Input::Choice(choices) => choices().first().map_or("", |(word, _)| word),
            Input::Check(is_set) => yes_or_no(is_set),
            _ => "",
        }
    }

    /// The value that the form for a new record begins with.
    pub(super) fn initial(&self) -> &'static str {
        match self.input {
            Input::Radio(choices) => choices().first().map_or("", |(word, _)| word),
            Input::Choice(_) | Input::Check(_) => self.default(),
            _ => "",
        }
    }
}

/// A box that is checked or not, as a value of the form.
pub(in crate::console) const fn yes_or_no(is_set: bool) -> &'static str {
    if is_set { "true" } else { "false" }
}

/// A field in its place in the form.
#[derive(Debug, Clone)]
pub(in crate::console) struct Placed {
    pub(in crate::console) field: &'static Field,
    /// The name in the form, as the tools' errors say it: `location.city`.
    pub(in crate::console) path: String,
    pub(super) within: Option<&'static str>,
    /// What the group, or else the field, is only for.
    pub(super) only: Option<Only>,
}

impl Placed {
    /// Whether the field is of use to a record with these values. It is if they do not say.
    pub(super) fn is_for(&self, values: &Values) -> bool {
        self.only.is_none_or(|(name, value)| ["", value].contains(&values.get(name)))
    }
}

impl Group {
    /// The fields that the form of this usage has.
    pub(in crate::console) fn placed(&'static self, usage: Usage) -> Vec<Placed> {
        let has = |it: Usage| it == Usage::Always || it == usage;
        let fields = self.fields.iter().filter(|field| has(field.usage) && has(self.usage));
        let placed = fields.map(|field| Placed {
            field,
            path: match self.within {
                Some(outer) => format!("{outer}.{}", field.name),
                None => field.name.to_owned(),
            },
            within: self.within,
            only: self.only.or(field.only),
        });
        placed.collect()
    }
}

impl Declaration {
    /// The fields that the form of this usage has.
    pub(in crate::console) fn placed(&self, usage: Usage) -> Vec<Placed> {
        self.groups.iter().flat_map(|group| group.placed(usage)).collect()
    }
}
