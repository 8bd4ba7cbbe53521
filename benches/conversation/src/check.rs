use super::{Conversation, Expect, Refused, SEQ, Step};

/// Most connections of a conversation: as many threads or sockets as a small machine has.
const MOST_CONNECTIONS: usize = 4096;

/// Most messages of one answer.
const MOST_FRAMES: usize = 65_536;

/// Headers that the upgrade itself writes, in lower case, with what to write instead.
const OWN_HEADERS: [(&str, &str); 8] = [
    ("host", "it is the server's address"),
    ("connection", "the upgrade writes it"),
    ("upgrade", "the upgrade writes it"),
    ("content-length", "an upgrade has no body"),
    ("transfer-encoding", "an upgrade has no body"),
    ("sec-websocket-key", "the upgrade writes it"),
    ("sec-websocket-version", "the upgrade writes it"),
    ("sec-websocket-protocol", "write subprotocol = \"…\""),
];

macro_rules! ensure {
    ($right:expr, $($words:tt)+) => {
        if !$right {
            return Err(Refused(format!($($words)+)));
        }
    };
}

impl Conversation {
    /// Whether a driver can hold the conversation, and can notice a wrong answer.
    ///
    /// # Errors
    ///
    /// The first mistake: its key, its value, and what to write.
    pub fn check(&self) -> Result<(), Refused> {
        self.check_upgrade()?;
        let connections = self.connections;
        ensure!(
            (1..=MOST_CONNECTIONS).contains(&connections),
            "connections is {connections}; write 1 to {MOST_CONNECTIONS}"
        );
        steps("open step", &self.open)?;
        ensure!(
            !self.exchanges.is_empty(),
            "there is no [[exchange]]; write one with a message, such as send = \"hello\""
        );
        steps("exchange", &self.exchanges)?;
        ensure!(
            self.exchanges.iter().any(|step| step.send.is_some()),
            "no [[exchange]] has send, so the server would not be asked for anything; write send = \"…\" in one of them"
        );
        Ok(())
    }

    fn check_upgrade(&self) -> Result<(), Refused> {
        if let Some(path) = &self.path {
            ensure!(
                path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic() && c != '#'),
                "path is {path:?}; write one that begins with / and has neither white space nor #, such as \"/ws\""
            );
        }
        if let Some(name) = &self.subprotocol {
            ensure!(
                is_token(name),
                "subprotocol is {name:?}; write one name of letters, digits and hyphens, such as \"chat\""
            );
        }
        for (name, value) in &self.headers {
            ensure!(
                is_token(name),
                "headers has the name {name:?}; write letters, digits and hyphens, such as X-Tenant"
            );
            ensure!(
                value.trim() == value && value.chars().all(|c| matches!(c, '\t' | ' '..='~')),
                "headers.{name} is {value:?}; write one line of visible ASCII characters"
            );
            let own = OWN_HEADERS.iter().find(|(own, _)| name.eq_ignore_ascii_case(own));
            if let Some((_, instead)) = own {
                return Err(Refused(format!("headers cannot contain {name}: {instead}")));
            }
        }
        Ok(())
    }
}

/// Whether `text` is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_part)
}

/// Checks the steps in their order: a number is awaited only where it was sent before.
fn steps(kind: &str, steps: &[Step]) -> Result<(), Refused> {
    let mut numbered = false;
    for (step, nth) in steps.iter().zip(1..) {
        let place = format!("{kind} {nth}");
        ensure!(
            step.send.is_some() || step.expect.is_some(),
            "{place} has neither send nor expect; write one of them, or remove the step"
        );
        if let Some(send) = &step.send {
            text(&place, "send", send)?;
            numbered |= send.contains(SEQ);
        }
        if let Some(expect) = &step.expect {
            check_expect(&place, expect, numbered)?;
        }
    }
    Ok(())
}

fn check_expect(place: &str, expect: &Expect, numbered: bool) -> Result<(), Refused> {
    let Expect { exact, prefix, contains, frames } = expect;
    let rules = [("exact", exact), ("prefix", prefix), ("contains", contains)];
    let mut rules = rules.into_iter().filter_map(|(key, rule)| Some((key, rule.as_ref()?)));
    if let Some(frames) = frames {
        ensure!(
            (1..=MOST_FRAMES).contains(frames),
            "{place}: expect.frames is {frames}; write 1 to {MOST_FRAMES}, or remove the key"
        );
    }
    let Some((key, rule)) = rules.next() else {
        ensure!(
            frames.is_some(),
            "{place}: expect is empty; write exact, prefix or contains, or frames = 1 where any text will do"
        );
        return Ok(());
    };
    if let Some((other, _)) = rules.next() {
        let (one, another) = (key, other);
        return Err(Refused(format!(
            "{place}: expect has both {one} and {another}; write one of exact, prefix and contains"
        )));
    }
    ensure!(
        key == "exact" || !rule.is_empty(),
        "{place}: expect.{key} is \"\", which every text has; write a part of the answer, or frames = 1 where any text \
         will do"
    );
    text(place, &format!("expect.{key}"), rule)?;
    ensure!(
        numbered || !rule.contains(SEQ),
        "{place}: expect.{key} is {rule:?}, but no send up to there has {SEQ}; write {SEQ} into the message whose number \
         comes back"
    );
    Ok(())
}

/// A number that touches digits could not be told from a longer one.
fn text(place: &str, key: &str, text: &str) -> Result<(), Refused> {
    let parts: Vec<&str> = text.split(SEQ).collect();
    let touches = parts.windows(2).enumerate().any(|(at, pair)| {
        let is_digit = |c: char| c.is_ascii_digit();
        pair[0].ends_with(is_digit)
            || pair[1].starts_with(is_digit)
            || (at > 0 && pair[0].is_empty())
    });
    ensure!(
        !touches,
        "{place}: {key} is {text:?}, where {SEQ} touches a digit; write another character between them"
    );
    let almost = text.split('{').filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    for name in almost {
        ensure!(
            name == "seq" || !name.trim().eq_ignore_ascii_case("seq"),
            "{place}: {key} is {text:?}, where {{{name}}} is no number; write {SEQ}"
        );
    }
    Ok(())
}
