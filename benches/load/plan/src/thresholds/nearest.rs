/// The one of `known` that `word` was probably meant to be.
pub fn nearest(word: &str, known: impl IntoIterator<Item = impl AsRef<str>>) -> Option<String> {
    let likeness = |known: &str| {
        // Who mistakes the order of words has the letters right.
        let in_order = strsim::jaro_winkler(known, word);
        in_order.max(strsim::jaro_winkler(&sorted(known), &sorted(word)))
    };
    known
        .into_iter()
        .map(|known| (likeness(known.as_ref()), known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, known)| known.as_ref().to_owned())
}

/// `unknown metric "latncy_p99"; did you mean "latency_p99"?`, or with `hint` where nothing is near.
pub fn unknown(
    kind: &str,
    word: &str,
    known: impl IntoIterator<Item = impl AsRef<str>>,
    hint: &str,
) -> String {
    match nearest(word, known) {
        Some(nearest) => format!("unknown {kind} \"{word}\"; did you mean \"{nearest}\"?"),
        None => format!("unknown {kind} \"{word}\"{hint}"),
    }
}

fn sorted(words: &str) -> String {
    let mut words: Vec<&str> = words.split(['_', '-', ' ']).collect();
    words.sort_unstable();
    words.join("_")
}
