//! The files of the dashboard's page, served as they are: there is no build step, and the page loads nothing else.

/// Allows the page its own files and its own server. The script and the style inside the page are allowed by their
/// hashes; as files of their own they would delay the first paint.
pub(crate) const POLICY: &str = "default-src 'none'; \
    script-src 'self' 'sha256-7OIE6dPTxH2SQYizr/FY4/wi3gYXNGWeqbv/MfhylW4='; \
    style-src 'sha256-n8S09ruyeAnWweBLmhetiOW0jI67cBzIooTFBz5QffQ='; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One file of the page.
#[derive(Debug)]
pub(crate) struct Asset {
    path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const IMAGE: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// `/page/<file>` for each file under `page/`.
macro_rules! assets {
    ($($content_type:ident $file:literal,)*) => {
        [$(Asset {
            path: concat!("/page/", $file),
            content_type: $content_type,
            body: include_str!(concat!("page/", $file)),
        },)*]
    };
}

/// All that the first paint needs, in one request.
static PAGE: Asset = Asset {
    path: "/",
    content_type: HTML,
    body: concat!(
        include_str!("page/head.html"),
        "<style>",
        include_str!("page/palette.css"),
        include_str!("page/page.css"),
        "</style>",
        include_str!("page/body.html")
    ),
};

static ASSETS: [Asset; 15] = assets! {
    IMAGE "mark.svg",
    SCRIPT "main.js",
    SCRIPT "feed.js",
    SCRIPT "view.js",
    SCRIPT "server.js",
    SCRIPT "health.js",
    SCRIPT "load.js",
    SCRIPT "chart.js",
    SCRIPT "series.js",
    SCRIPT "timeline.js",
    SCRIPT "palette.js",
    SCRIPT "format.js",
    SCRIPT "dom.js",
    SCRIPT "uplot/uPlot.iife.min.js",
    TEXT "uplot/LICENSE",
};

fn all() -> impl Iterator<Item = &'static Asset> {
    std::iter::once(&PAGE).chain(&ASSETS)
}

/// The file at `path`, if the page has one there.
pub(crate) fn asset(path: &str) -> Option<&'static Asset> {
    all().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use sha1::{Digest, Sha1};
    use sha2::Sha256;

    use super::*;
    use crate::stats::{CLOSE_CODES, ErrorKind};

    /// SHA-1 of the files in uPlot 1.6.32, as `npm pack uplot@1.6.32` downloads them.
    const VENDORED: [(&str, &str); 2] = [
        ("/page/uplot/uPlot.iife.min.js", "5b16e85a17eecc7bac76f68229682e426083ee3f"),
        ("/page/uplot/LICENSE", "142e28c88cdeaf9faaa9388c358953c400245d7d"),
    ];

    #[test]
    fn vendored_files_are_as_published() {
        for (path, expected) in VENDORED {
            let body = asset(path).expect(path).body;
            let hash: String =
                Sha1::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, expected, "{path}: restore the published file");
        }
    }

    #[test]
    fn the_page_with_all_its_files_is_smaller_than_110_kb() {
        let loaded = all().filter(|asset| asset.content_type != TEXT);
        let bytes: usize = loaded.map(|asset| asset.body.len()).sum();
        assert!(bytes < 110_000, "{bytes} bytes");
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        for asset in all().filter(|asset| !asset.path.starts_with("/page/uplot/")) {
            // The name of the SVG namespace looks like an address.
            let rest = asset.body.replace("http://www.w3.org/2000/svg", "");
            assert!(!rest.contains("://"), "{}", asset.path);
        }
    }

    #[test]
    fn the_policy_has_the_hashes_of_the_script_and_the_style_in_the_page() {
        for (rule, tag) in [("script-src", "script"), ("style-src", "style")] {
            let (_, rest) = PAGE.body.split_once(&format!("<{tag}>")).expect(tag);
            let (within, _) = rest.split_once(&format!("</{tag}>")).expect(tag);
            let hash = format!("'sha256-{}'", BASE64.encode(&Sha256::digest(within)));
            let policy = POLICY.split("; ").find(|policy| policy.starts_with(rule)).expect(rule);
            assert!(policy.contains(&hash), "{tag} has changed: {rule} needs {hash}");
        }
    }

    #[test]
    fn the_page_draws_every_series_of_the_servers_history() {
        let script = asset("/page/server.js").expect("it is a file of the page").body;
        for series in crate::history::SERVER {
            assert!(script.contains(&format!("{series}: \"")), "server.js draws no {series}");
        }
    }

    #[test]
    fn the_page_has_words_for_every_error_and_every_close_code() {
        let script = asset("/page/server.js").expect("it is a file of the page").body;
        let kinds = ErrorKind::ALL.iter().map(|kind| kind.name().to_owned());
        for name in kinds.chain(CLOSE_CODES.map(|code| code.to_string())) {
            assert!(script.contains(&format!("\t{name}: \"")), "server.js has no words for {name}");
        }
    }

    #[test]
    fn every_import_of_a_script_is_a_file_of_the_page() {
        for script in all().filter(|asset| asset.content_type == SCRIPT) {
            for name in script.body.split("from \"./").skip(1) {
                let name = name.split('"').next().expect("split yields something");
                assert!(asset(&format!("/page/{name}")).is_some(), "{}: {name}", script.path);
            }
        }
    }
}
