//! The text of a job's summary, below GitHub's limit. Pure.

/// Longest summary, in bytes. GitHub refuses a whole summary above 1 MiB.
pub(super) const LIMIT: usize = 900 * 1024;

/// The first lines of `text` that fit into `limit` bytes, with every block closed, and a sentence that says so.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut kept = String::new();
    let (mut is_code, mut details) = (false, 0_usize);
    for line in text.split_inclusive('\n') {
        if kept.len() + line.len() > limit {
            break;
        }
        kept += line;
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            details += line.matches("<details").count();
            details = details.saturating_sub(line.matches("</details>").count());
        }
    }
    if is_code {
        kept += "\n```\n";
    }
    kept += &"\n</details>\n".repeat(details);
    kept + "\n*Cut here: the whole summary is in the artifact.*\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_summary_stays_as_it_is() {
        assert_eq!(cut("### all green\n", 100), "### all green\n");
    }

    #[test]
    fn a_long_summary_is_cut_at_a_line_with_its_blocks_closed() {
        let text = "<details>\n```text\none\ntwo\nthree\n```\n</details>\n";
        let cut = cut(text, 28);
        assert!(cut.starts_with("<details>\n```text\none\ntwo\n\n```\n\n</details>\n"), "{cut}");
        assert!(cut.contains("in the artifact") && !cut.contains("three"), "{cut}");
    }

    #[test]
    fn a_line_that_is_longer_than_the_limit_is_left_out() {
        let cut = cut(&"é".repeat(100), 10);
        assert!(cut.contains("Cut here") && !cut.contains('é'), "{cut}");
    }
}
