//! Describes a browser by its `User-Agent`. The description is only shown to the user; nothing depends on it.

/// The token of each browser, and the browser's name. The first match counts, because some browsers also send the
/// tokens of others.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
/// The token of each operating system, and the system's name. The first match counts.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];
/// The length to which an unknown `User-Agent` is cut, in characters.
const MAX_UNKNOWN_SHOWN: usize = 40;

/// The browser and its operating system, such as "Chrome on Windows".
pub(super) fn in_words(agent: &str) -> String {
    let named = |known: &[(&str, &'static str)]| {
        known.iter().find(|(token, _)| agent.contains(token)).map(|(_, name)| *name)
    };
    match (named(BROWSERS), named(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) if agent.trim().is_empty() => "Unknown browser".to_owned(),
        (None, None) => agent.chars().take(MAX_UNKNOWN_SHOWN).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_recognized() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, words) in [
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/140.0.0.0 Safari/537.36"), "Chrome on Windows"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"), "Edge on Windows"),
            (format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/18.5 Safari/605.1.15"), "Safari on Mac"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1".to_owned(), "Chrome on iPhone"),
            ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0".to_owned(), "Firefox on Linux"),
            (format!("Mozilla/5.0 (Linux; Android 15; SM-S921B) {webkit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"), "Samsung Internet on Android"),
            ("curl/8.5.0".to_owned(), "curl/8.5.0"),
            (" ".to_owned(), "Unknown browser"),
            ("x".repeat(200), &"x".repeat(40)),
        ] {
            assert_eq!(in_words(&agent), words, "{agent}");
        }
    }
}
