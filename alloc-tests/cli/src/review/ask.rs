//! Questions, and the lines that answer them.

use std::io::{BufRead, Write};

use anyhow::{Context, Result};

/// What is done with a scenario.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With the reason.
    Accept(String),
    Reject,
    Skip,
    /// This one and all that follow wait.
    Quit,
}

/// Both ends of the conversation.
pub(super) struct Asking<R, W> {
    answers: R,
    questions: W,
    /// Whether answers are printed behind their questions, because no terminal did.
    pub(super) is_echoed: bool,
    /// The last reason, which is offered for the next scenario.
    reason: Option<String>,
    accepts_all: bool,
}

impl<R: BufRead, W: Write> Asking<R, W> {
    pub(super) fn new(answers: R, questions: W) -> Self {
        Self { answers, questions, is_echoed: false, reason: None, accepts_all: false }
    }

    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        let written =
            self.questions.write_all(text.as_bytes()).and_then(|()| self.questions.flush());
        written.context("cannot print")
    }

    /// Asks until there is an answer. The end of the input is [`Answer::Quit`].
    pub(super) fn answer(&mut self) -> Result<Answer> {
        if self.accepts_all
            && let Some(reason) = self.reason.clone()
        {
            self.say(&format!("accepted: {reason}\n"))?;
            return Ok(Answer::Accept(reason));
        }
        loop {
            let Some(word) = self.line("[a]ccept  [r]eject  [s]kip  [q]uit  [A]ccept all: ")?
            else {
                self.say("the input ended: this and what follows is skipped\n")?;
                return Ok(Answer::Quit);
            };
            match word.as_str() {
                "a" | "accept" => return self.accept(),
                "A" => {
                    self.accepts_all = true;
                    return self.accept();
                }
                "r" | "reject" => return Ok(Answer::Reject),
                "s" | "skip" => return Ok(Answer::Skip),
                "q" | "quit" => return Ok(Answer::Quit),
                other => self.say(&format!("{other:?} is no answer; type a, r, s, q or A\n"))?,
            }
        }
    }

    fn accept(&mut self) -> Result<Answer> {
        loop {
            let offered =
                self.reason.as_ref().map_or_else(String::new, |last| format!(" [{last}]"));
            let Some(line) = self.line(&format!("reason{offered}: "))? else {
                self.say("the input ended without a reason: this and what follows is skipped\n")?;
                return Ok(Answer::Quit);
            };
            let given = if line.is_empty() { self.reason.clone() } else { Some(line) };
            match given {
                Some(reason) => {
                    self.reason = Some(reason.clone());
                    return Ok(Answer::Accept(reason));
                }
                None => self.say("new numbers need a reason, for the commit\n")?,
            }
        }
    }

    /// The next line without white space around it; `None` at the end of the input.
    fn line(&mut self, question: &str) -> Result<Option<String>> {
        self.say(question)?;
        let mut line = String::new();
        let read = self.answers.read_line(&mut line).context("cannot read an answer")?;
        let line = line.trim().to_owned();
        if self.is_echoed || read == 0 {
            self.say(&format!("{line}\n"))?;
        }
        Ok((read > 0).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers of `input`, and what was said.
    fn answers(input: &str, count: usize) -> (Vec<Answer>, String) {
        let mut said = Vec::new();
        let mut asking = Asking::new(input.as_bytes(), &mut said);
        let answers = (0..count).map(|_| asking.answer().expect("memory is read and written"));
        let answers = answers.collect();
        (answers, String::from_utf8(said).expect("it is a text"))
    }

    fn accept(reason: &str) -> Answer {
        Answer::Accept(reason.to_owned())
    }

    #[test]
    fn the_reason_of_the_last_is_offered_for_the_next() {
        let (answers, said) = answers("a\nfaster\na\n\na\nother\nr\ns\nq\n", 6);
        let [skip, quit] = [Answer::Skip, Answer::Quit];
        let expected =
            [accept("faster"), accept("faster"), accept("other"), Answer::Reject, skip, quit];
        assert_eq!(answers, expected);
        assert!(said.contains("reason [faster]: "), "{said}");
    }

    #[test]
    fn one_reason_accepts_all_that_follow() {
        assert_eq!(
            answers("r\nA\nfaster\n", 3).0,
            [Answer::Reject, accept("faster"), accept("faster")]
        );
    }

    #[test]
    fn a_missing_reason_and_an_unknown_answer_are_asked_again() {
        let (answers, said) = answers("x\na\n\n \nfaster\n", 1);
        assert_eq!(answers, [accept("faster")]);
        assert!(said.contains("\"x\" is no answer"), "{said}");
        assert_eq!(said.matches("need a reason").count(), 2, "{said}");
    }

    #[test]
    fn the_end_of_the_input_skips_what_follows() {
        let (at_question, said) = answers("", 1);
        assert_eq!(at_question, [Answer::Quit]);
        assert!(said.contains("the input ended"), "{said}");
        assert_eq!(answers("a\n", 1).0, [Answer::Quit]);
    }
}
