//! The buttons of a page, as a browser offers and presses them.

/// A button with its accessible name, and what its form asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Button {
    pub(crate) name: String,
    /// Whether it leads to a page, and changes nothing.
    pub(crate) leads: bool,
    /// The address that the browser asks for; the fields of a form that is posted are not in it.
    pub(crate) address: String,
}

/// All buttons of a page that send a form.
pub(crate) fn buttons(page: &str) -> Vec<Button> {
    let mut all = Vec::new();
    for form in page.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap_or_default();
        let (tag, inside) = form.split_once('>').unwrap_or((form, ""));
        let leads = attribute(tag, "method").is_some_and(|it| it == "get");
        let hidden = inside.split("<input type=\"hidden\"").skip(1);
        let fields: Vec<_> = hidden
            .map(|it| (attribute(it, "name"), attribute(it, "value")))
            .map(|(name, value)| {
                format!("{}={}", name.unwrap_or_default(), value.unwrap_or_default())
            })
            .collect();
        for button in inside.split("<button").skip(1) {
            let (tag, text) = button.split_once('>').unwrap_or((button, ""));
            let own = attribute(tag, "formaction").or_else(|| attribute(form, "action"));
            let mut address = own.unwrap_or_default();
            if leads {
                address = format!("{address}?{}", fields.join("&"));
            }
            let text = text.split("</button>").next().unwrap_or_default();
            let name = attribute(tag, "aria-label").unwrap_or_else(|| text_of(text));
            all.push(Button { name, leads, address });
        }
    }
    all
}

/// The address that a page's first button with this name leads to.
pub(crate) fn leads_to(page: &str, name: &str) -> Option<String> {
    let all = buttons(page).into_iter();
    all.filter(|it| it.leads).find(|it| it.name == name).map(|it| it.address)
}

/// What an attribute of a tag says; only the tag's own name may be before it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.replace("&#38;", "&").replace("&amp;", "&"))
}

/// The text without its tags.
fn text_of(html: &str) -> String {
    let texts = html.split('<').enumerate().map(|(at, part)| match part.split_once('>') {
        Some((_, text)) if at > 0 => text,
        _ => part,
    });
    texts.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}
