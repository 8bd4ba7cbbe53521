//! Errors in words, counted. Pure.

use load_plan::model::ErrorSample;

/// Most samples. Later errors with new words are counted under the words of others.
const MOST: usize = 64;

/// Errors by kind and words. A list, because most runs have none.
#[derive(Clone, Debug, Default)]
pub(super) struct ErrorSamples {
    list: Vec<ErrorSample>,
}

impl ErrorSamples {
    /// Counts an error of `kind` under the words of the first.
    pub(super) fn note(&mut self, kind: &str, now_ns: u64, words: impl FnOnce() -> String) {
        match self.list.iter_mut().find(|sample| sample.kind == kind) {
            Some(sample) => sample.count += 1,
            None => self.push(kind, words(), now_ns),
        }
    }

    /// Counts an error of `kind` with these words.
    pub(super) fn note_words(&mut self, kind: &str, words: &str, now_ns: u64) {
        let same = |sample: &&mut ErrorSample| sample.kind == kind && sample.text == words;
        let has_room = self.list.len() < MOST;
        match self.list.iter_mut().find(same) {
            Some(sample) => sample.count += 1,
            None if has_room => self.push(kind, words.to_owned(), now_ns),
            None => self.note(kind, now_ns, || "other words".to_owned()),
        }
    }

    /// All samples, the most frequent first.
    pub(super) fn into_list(self) -> Vec<ErrorSample> {
        let mut list = self.list;
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.first_ns.cmp(&b.first_ns)));
        list
    }

    /// Adds the samples of another worker.
    pub(super) fn add(&mut self, others: Vec<ErrorSample>) {
        for other in others {
            let same = |mine: &&mut ErrorSample| mine.kind == other.kind && mine.text == other.text;
            match self.list.iter_mut().find(same) {
                Some(mine) => {
                    mine.count += other.count;
                    mine.first_ns = mine.first_ns.min(other.first_ns);
                }
                None => self.list.push(other),
            }
        }
    }

    fn push(&mut self, kind: &str, text: String, first_ns: u64) {
        self.list.push(ErrorSample { kind: kind.to_owned(), text, count: 1, first_ns });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_kind_are_counted_under_the_words_of_the_first() {
        let mut samples = ErrorSamples::default();
        samples.note("lost", 7, || "a".to_owned());
        samples.note("lost", 9, || unreachable!());
        let list = samples.into_list();
        assert_eq!((list.len(), list[0].count, list[0].first_ns), (1, 2, 7));
    }

    #[test]
    fn errors_with_ever_new_words_stay_a_short_list_and_are_all_counted() {
        let mut samples = ErrorSamples::default();
        for at in 0..1000 {
            samples.note_words("reset", &at.to_string(), at);
        }
        let list = samples.into_list();
        assert_eq!(list.len(), MOST);
        assert_eq!(list.iter().map(|sample| sample.count).sum::<u64>(), 1000);
    }

    #[test]
    fn error_samples_of_two_workers_add_up() {
        let mut one = ErrorSamples::default();
        one.note("lost", 7, || "a".to_owned());
        let mut sum = one.clone();
        sum.add(one.into_list());
        assert_eq!(sum.into_list()[0].count, 2);
    }
}
