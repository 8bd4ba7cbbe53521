//! What a misspelt name was probably meant to be.

/// Jaro-Winkler similarity from which a name is worth proposing: transposed and missing letters stay above it.
const SIMILAR: f64 = 0.8;

/// The name in `known` that is most like `word`; `None` if none is similar enough to propose.
pub fn nearest<T: AsRef<str>>(word: &str, known: impl IntoIterator<Item = T>) -> Option<T> {
    let similarity = |known: &str| {
        // The right words in another order, and the last part of a path: `main` for `origin/main`.
        let last = known.rsplit('/').next().unwrap_or(known);
        strsim::jaro_winkler(known, word)
            .max(strsim::jaro_winkler(&sorted(known), &sorted(word)))
            .max(strsim::jaro_winkler(last, word))
    };
    let known = known.into_iter().map(|known| (similarity(known.as_ref()), known));
    let (similarity, known) = known.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (similarity > SIMILAR).then_some(known)
}

/// The words of a name in alphabetical order.
fn sorted(name: &str) -> String {
    let mut words: Vec<&str> = name.split(['_', '-', ' ']).collect();
    words.sort_unstable();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, known: &[&str], expected: Option<&str>) {
        assert_eq!(nearest(word, known.iter().copied()), expected);
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_proposed() {
        check("latncy_p99", &["latency_p99", "latency_mean"], Some("latency_p99"));
        check("p99_latency", &["latency_mean", "latency_p99"], Some("latency_p99"));
        check("mian", &["origin/dev", "origin/main"], Some("origin/main"));
    }

    #[test]
    fn an_unlike_name_gets_no_proposal() {
        check("colour", &["latency_p99"], None);
        check("colour", &[], None);
    }
}
