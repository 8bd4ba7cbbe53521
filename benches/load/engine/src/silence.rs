//! How long the subscription of a virtual user has been silent. A gap that no message has ended yet is a gap. Pure: times are
//! nanoseconds since the run's start.

/// The silence of one user, across its connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// When it began: with the newest message or, before that, with an attempt to connect. `None` while the user is away on
    /// purpose.
    since_ns: Option<u64>,
    /// Age of the newest message when it came, if messages have a time; 0 without.
    age_ns: u64,
    /// The longest gap between two messages of one connection in the current hold. A silence that is not longer may be an
    /// ordinary gap that has begun.
    longest_ns: u64,
    /// Whether any message has come.
    has_spoken: bool,
    /// Whether the newest message came on the current connection.
    is_unbroken: bool,
}

/// A time without messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Between two messages of one connection.
    Closed { ns: u64 },
    /// Longer than every closed one of its hold. By the longest of those, another message was due `age_ns` ago.
    Open { ns: u64, age_ns: u64 },
    /// No message has ever come.
    Endless { since_ns: u64 },
}

impl Silence {
    /// The user begins to connect.
    pub(super) fn connect(&mut self, now_ns: u64) {
        self.since_ns.get_or_insert(now_ns);
        self.is_unbroken = false;
    }

    /// A message has come that was `age_ns` old.
    pub(super) fn end(&mut self, now_ns: u64, age_ns: u64, is_hold: bool) -> Option<Gap> {
        let ns = self.since_ns.map_or(0, |since_ns| now_ns.saturating_sub(since_ns));
        let gap = if self.is_unbroken {
            self.longest_ns = self.longest_ns.max(if is_hold { ns } else { 0 });
            Some(Gap::Closed { ns })
        } else {
            self.has_spoken = true;
            self.open(now_ns)
        };
        (self.since_ns, self.age_ns, self.is_unbroken) = (Some(now_ns), age_ns, true);
        gap
    }

    /// The hold is over.
    pub(super) fn end_hold(&mut self, now_ns: u64) -> Option<Gap> {
        let gap = self.open(now_ns);
        self.longest_ns = 0;
        gap
    }

    /// The user goes away on purpose. One that has never heard a message goes on waiting.
    pub(super) fn pause(&mut self, now_ns: u64) -> Option<Gap> {
        let gap = self.open(now_ns).filter(|_| self.has_spoken);
        if self.has_spoken {
            self.since_ns = None;
        }
        gap
    }

    fn open(&self, now_ns: u64) -> Option<Gap> {
        let since_ns = self.since_ns?;
        if !self.has_spoken {
            return Some(Gap::Endless { since_ns });
        }
        let ns = now_ns.saturating_sub(since_ns);
        let over_ns = ns.checked_sub(self.longest_ns).filter(|over_ns| *over_ns > 0)?;
        Some(Gap::Open { ns, age_ns: self.age_ns + over_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Connected at 0, with messages at 100, 200 and 300 that were 7 old, in a hold.
    fn regular() -> Silence {
        let mut silence = Silence::default();
        silence.connect(0);
        silence.end(100, 7, true);
        assert_eq!(silence.end(200, 7, true), Some(Gap::Closed { ns: 100 }));
        silence.end(300, 7, true);
        silence
    }

    #[test]
    fn a_silence_is_a_gap_once_it_is_longer_than_every_gap_of_its_hold() {
        assert_eq!(regular().end_hold(400), None);
        assert_eq!(regular().end_hold(450), Some(Gap::Open { ns: 150, age_ns: 57 }));
        let mut silence = regular();
        silence.end_hold(350);
        assert_eq!(silence.end_hold(380), Some(Gap::Open { ns: 80, age_ns: 87 }), "another hold");
    }

    #[test]
    fn a_gap_outside_of_holds_hides_no_silence() {
        let mut silence = regular();
        silence.end(5_000, 7, false);
        assert_eq!(silence.end_hold(6_000), Some(Gap::Open { ns: 1_000, age_ns: 907 }));
    }

    #[test]
    fn a_silence_goes_on_across_a_broken_connection_and_not_while_a_user_is_away() {
        let mut broken = regular();
        broken.connect(500);
        assert_eq!(broken.end(1_300, 3, true), Some(Gap::Open { ns: 1_000, age_ns: 907 }));
        let mut away = regular();
        assert_eq!(away.pause(350), None);
        assert_eq!({ away }.end_hold(2_000), None);
        away.connect(3_000);
        assert_eq!(away.end(3_050, 3, true), None);
        assert_eq!(away.end(3_150, 3, true), Some(Gap::Closed { ns: 100 }));
    }

    #[test]
    fn a_user_that_never_hears_a_message_has_an_endless_gap() {
        let mut silence = Silence::default();
        assert_eq!(silence.end_hold(10), None, "it has not begun");
        silence.connect(20);
        assert_eq!(silence.pause(50), None);
        silence.connect(60);
        assert_eq!(silence.end_hold(100), Some(Gap::Endless { since_ns: 20 }));
        assert_eq!(silence.end(120, 3, true), Some(Gap::Open { ns: 100, age_ns: 100 }));
    }
}
