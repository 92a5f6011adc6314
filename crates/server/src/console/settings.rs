//! The settings of a business, for its owners: its name, country, time zone and currency.

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::account::{AccountInfo, GetAccount};
use zoop_crm::call::argument::Arguments;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::identity::tenants::tools::UpdateTenant;
use zoop_crm::values::currency::Currency;
use zoop_crm::values::zone::Zone;

use super::elsewhere::{self, Field, is_equal, is_equal_ignoring_case};
use super::filters::Choice;
use super::problems::Problems;
use super::rows::Link;
use super::{done_text, links, words};
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

const PATH: &str = "/settings";
const DONE: [(&str, &str); 2] =
    [("saved", "The settings were saved."), ("same", "There was nothing to change.")];

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    /// What is in the fields.
    typed: Values,
    /// What the fields began with. Only what differs from it is sent to the tool, so that saving does not undo what
    /// somebody else changed meanwhile.
    was: Values,
    countries: Vec<Choice>,
    currencies: Vec<Choice>,
    zones: Vec<Zones>,
    problems: Problems,
    done: &'a str,
}

/// The time zones of a part of the world, by their cities.
struct Zones {
    region: &'static str,
    choices: Vec<Choice>,
}

/// The time zones for which most people look, with their names in the United States.
const UNITED_STATES: [(&str, &str); 7] = [
    ("America/New_York", "Eastern Time – New York"),
    ("America/Chicago", "Central Time – Chicago"),
    ("America/Denver", "Mountain Time – Denver"),
    ("America/Phoenix", "Mountain Time all year – Phoenix"),
    ("America/Los_Angeles", "Pacific Time – Los Angeles"),
    ("America/Anchorage", "Alaska Time – Anchorage"),
    ("Pacific/Honolulu", "Hawaii Time – Honolulu"),
];

/// All time zones to choose from, with the chosen one even if it is none of them.
fn zones(chosen: &str) -> Vec<Zones> {
    let choice = |value: &str, label: String| Choice {
        is_chosen: value.eq_ignore_ascii_case(chosen),
        value: value.to_owned(),
        label,
    };
    let usual = UNITED_STATES.map(|(zone, label)| choice(zone, label.to_owned()));
    let mut zones = vec![Zones { region: "United States", choices: usual.to_vec() }];
    let others = Zone::places().filter(|zone| UNITED_STATES.iter().all(|it| it.0 != *zone));
    let others: Vec<_> = others.collect();
    for places in others.chunk_by(|one, other| region(one) == region(other)) {
        let mut choices: Vec<_> = places.iter().map(|zone| choice(zone, city(zone))).collect();
        choices.sort_by(|one, other| one.label.cmp(&other.label));
        zones.push(Zones { region: region(places[0]), choices });
    }
    if !zones.iter().any(|zones| zones.choices.iter().any(|it| it.is_chosen)) {
        let other = choice(chosen, chosen.to_owned());
        zones.insert(0, Zones { region: "Other", choices: vec![other] });
    }
    zones
}

fn region(zone: &'static str) -> &'static str {
    match zone.split_once('/') {
        Some(("America", _)) => "Americas",
        Some(("Atlantic", _)) => "Atlantic Ocean",
        Some(("Indian", _)) => "Indian Ocean",
        Some(("Pacific", _)) => "Pacific Ocean",
        Some((region, _)) => region,
        None => "Everywhere",
    }
}

/// The city first, as one types it to find it: "Knox, Indiana".
fn city(zone: &str) -> String {
    let place = zone.split_once('/').map_or(zone, |(_, place)| place).replace('_', " ");
    match place.rsplit_once('/') {
        Some((outer, city)) => format!("{city}, {outer}"),
        None => place,
    }
}

/// The settings as texts.
#[derive(Clone, PartialEq)]
struct Values {
    name: String,
    country: String,
    time_zone: String,
    currency: String,
}

impl Values {
    fn of(form: &Form, prefix: &str) -> Self {
        let text = |name: &str| form.text(&format!("{prefix}{name}")).to_owned();
        Self {
            name: text("name"),
            country: text("country"),
            time_zone: text("time_zone"),
            currency: text("currency"),
        }
    }

    async fn stored(tenant_context: &TenantContext) -> Result<Self, Response> {
        let read = tenant_context.read(|snapshot| snapshot.query(Arguments::<GetAccount>::none()));
        let account = read.await?.map_err(|error| page::failed(&error))?;
        Ok(Self::from(&account))
    }

    fn compared<'a>(&'a self, was: &'a Self, stored: &'a Self) -> [Field<'a>; 4] {
        let same: fn(&str, &str) -> bool = is_equal_ignoring_case;
        [
            ("name", &was.name, &self.name, &stored.name, is_equal as _),
            ("country", &was.country, &self.country, &stored.country, same),
            ("time_zone", &was.time_zone, &self.time_zone, &stored.time_zone, same),
            ("currency", &was.currency, &self.currency, &stored.currency, same),
        ]
        .map(|(name, was, typed, stored, is_same)| Field {
            name,
            was,
            typed,
            stored,
            is_same,
        })
    }
}

impl From<&AccountInfo> for Values {
    fn from(account: &AccountInfo) -> Self {
        Self {
            name: account.name.clone(),
            country: account.country.clone(),
            time_zone: account.time_zone.clone(),
            currency: account.currency.clone(),
        }
    }
}

/// A stored value in the words of its field's choices.
fn written(field: &Field<'_>) -> String {
    let stored = field.stored;
    let found = match field.name {
        "country" => {
            words::countries().into_iter().find(|it| it.0 == stored).map(|it| it.1.to_owned())
        }
        "time_zone" => {
            let usual = UNITED_STATES.iter().find(|it| it.0 == stored);
            Some(usual.map_or_else(|| city(stored), |it| it.1.to_owned()))
        }
        _ => None,
    };
    found.unwrap_or_else(|| stored.to_owned())
}

/// `GET /settings`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Settings).await?;
        let done = done_text(&DONE, &tenant_context.context.query);
        let stored = Values::stored(&tenant_context).await?;
        Ok(render(&tenant_context, stored.clone(), stored, Problems::none(), done))
    };
    either(answer.await)
}

fn render(
    tenant_context: &TenantContext,
    typed: Values,
    was: Values,
    problems: Problems,
    done: &str,
) -> Response {
    let countries = words::countries().into_iter();
    let countries = countries.map(|(code, name)| (code.to_owned(), name.to_owned()));
    let currencies = Currency::all().into_iter();
    let currencies =
        currencies.map(|it| (it.code().to_owned(), format!("{} – {}", it.code(), it.name())));
    let status = problems.status;
    let template = SettingsPage {
        frame: Frame::within(tenant_context),
        business: &tenant_context.membership,
        others: Link::others(tenant_context, |it| links::of_business(it, PATH)),
        currencies: offered(currencies, &typed.currency),
        countries: offered(countries, &typed.country),
        zones: zones(&typed.time_zone),
        typed,
        was,
        problems,
        done,
    };
    page::page(status, &template)
}

/// The choices of a select box, with the chosen value even if it is not offered.
fn offered(values: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    let mut choices: Vec<_> =
        values.map(|(value, label)| Choice { is_chosen: value == chosen, value, label }).collect();
    if !choices.iter().any(|choice| choice.is_chosen) {
        let value = chosen.to_owned();
        choices.push(Choice { label: value.clone(), value, is_chosen: true });
    }
    choices
}

/// `POST /settings`
pub(super) async fn save(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) =
            TenantContext::typed_form(&app, request, Section::Settings).await?;
        save_typed(&tenant_context, Values::of(&form, ""), Values::of(&form, "was_")).await
    };
    either(answer.await)
}

/// Saves what the user changed. What somebody else changed meanwhile is shown before it is overwritten.
async fn save_typed(
    tenant_context: &TenantContext,
    typed: Values,
    was: Values,
) -> Result<Response, Response> {
    loop {
        let stored = Values::stored(tenant_context).await?;
        let fields = typed.compared(&was, &stored);
        if let Some(problems) = elsewhere::problems(&fields, written) {
            let [name, country, time_zone, currency] = fields.map(|it| it.merged().to_owned());
            let merged = Values { name, country, time_zone, currency };
            return Ok(render(tenant_context, merged, stored, problems, ""));
        }
        let changes = fields.map(|field| field.change());
        if changes.iter().all(Option::is_none) {
            return Ok(to_settings(tenant_context, "same"));
        }
        let [name, country, time_zone, currency] = changes;
        // Without one of its own, a business has its country's currency: what the form shows stays.
        let currency = currency.or_else(|| country.map(|_| &*typed.currency));
        let arguments = arguments!(UpdateTenant {
            name: name,
            country: country,
            time_zone: time_zone,
            currency: currency,
        });
        let is_expected = move |now: &AccountInfo| Values::from(now) == stored;
        let query = Arguments::<GetAccount>::none();
        match tenant_context.command_if(arguments, query, is_expected).await? {
            Ok(Some(_)) => return Ok(to_settings(tenant_context, "saved")),
            // Somebody else saved just now: the next round shows what.
            Ok(None) => {}
            Err(error) => {
                return Ok(render(tenant_context, typed, was, Problems::of(error)?, ""));
            }
        }
    }
}

fn to_settings(tenant_context: &TenantContext, done: &str) -> Response {
    let business = tenant_context.membership.account.id.to_string();
    page::go_to(&links::with_query(PATH, &[("business", &business), ("done", done)]))
}
