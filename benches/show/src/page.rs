//! The frame of both HTML reports.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A self-contained page: no script, no other file, no network. `style` follows the style of all pages.
pub fn page(title: &str, style: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("palette.css"))) (PreEscaped(include_str!("page.css"))) (PreEscaped(style)) }
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn reports_and_the_server_page_share_one_palette() {
        let page = include_str!("../../../server/src/page/palette.css");
        assert_eq!(include_str!("palette.css"), page, "copy the one that changed over the other");
    }
}
