//! A simulated browser, which keeps cookies, sends forms, and remembers every cookie value that it received.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::Value;

/// A browser, its cookies, and every cookie value that it received.
pub(super) struct Browser {
    pub(super) agent: ureq::Agent,
    pub(super) url: String,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) received: Vec<String>,
    /// The number of requests.
    requests: u32,
    /// The number of requests that failed on the server.
    pub(super) failures: usize,
}

pub(super) struct Page {
    pub(super) status: u16,
    location: String,
    pub(super) body: String,
}

impl Browser {
    pub(super) fn new(url: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            // A server that rejects without reading the form closes the connection.
            .max_idle_connections(0)
            .build();
        Self {
            agent: agent.into(),
            url: url.to_owned(),
            cookies: BTreeMap::new(),
            received: Vec::new(),
            requests: 0,
            failures: 0,
        }
    }

    pub(super) fn get(&mut self, path: &str) -> Page {
        let request = self.agent.get(format!("{}{path}", self.url));
        let request = request.header("Cookie", self.cookies());
        let answer = request.header("X-Forwarded-For", self.new_address()).call();
        self.page(answer.expect("an answer"))
    }

    /// Sends a form of the server's own page.
    pub(super) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.agent.post(format!("{}{path}", self.url)).header("Origin", &self.url);
        let request = request.header("Cookie", self.cookies());
        let request = request.header("X-Forwarded-For", self.new_address());
        self.page(request.send_form(fields.iter().copied()).expect("an answer"))
    }

    /// A new address for each request, so that no request is limited because of earlier ones.
    fn new_address(&mut self) -> String {
        self.requests += 1;
        Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() + self.requests).to_string()
    }

    fn cookies(&self) -> String {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    pub(super) fn page(&mut self, answer: ureq::http::Response<ureq::Body>) -> Page {
        let texts = |name: &str| -> Vec<String> {
            let values = answer.headers().get_all(name).iter();
            values.map(|value| value.to_str().expect("text").to_owned()).collect()
        };
        for cookie in texts("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
                self.received.push(value.to_owned());
            }
        }
        let (status, location) = (answer.status().as_u16(), texts("location").pop());
        self.failures += usize::from(status >= 500);
        let body = answer.into_body().read_to_string().expect("a body");
        Page { status, location: location.unwrap_or_default(), body }
    }

    pub(super) fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.post("/sign-in", &[("email", email), ("password", password)])
    }
}

impl Page {
    #[track_caller]
    pub(super) fn assert_leads_to(&self, path: &str) {
        assert_eq!((self.status, self.location.as_str()), (303, path), "{}", self.body);
    }

    /// The text between two marks.
    #[track_caller]
    pub(super) fn between(&self, before: &str, after: &str) -> String {
        let (_, rest) =
            self.body.split_once(before).unwrap_or_else(|| panic!("no {before}: {}", self.body));
        rest.split_once(after).expect("its end").0.to_owned()
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }
}
