//! The driver of a conversation: blocking, and without an allocation in an operation that succeeds.
//!
//! Every answer is demanded. A wrong one, one too many and one too few are errors that name the step, what came and what
//! was wanted.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use conversation::Conversation;
use conversation::frame::first_number;
use conversation::script::{Line, Script, shown};

use crate::client::{Client, Upgrade};

/// Opens connections: the upgrade, and the steps that each connection does once.
#[derive(Clone, Debug)]
pub struct Opener {
    upgrade: Upgrade,
    open: Vec<Line>,
    opened: u32,
    spins: bool,
    patience: Option<Duration>,
}

/// The connections of a conversation.
#[derive(Debug)]
pub struct Talk {
    clients: Vec<Client>,
    exchanges: Vec<Line>,
    /// The number of the first operation, and of the next.
    first: u64,
    number: u64,
}

impl Opener {
    /// For a checked conversation. `path` is the one of the command line, which wins.
    #[must_use]
    pub fn new(conversation: &Conversation, path: Option<&str>) -> Self {
        let Script { open, .. } = Script::new(conversation);
        let upgrade = Upgrade::of(conversation, path);
        Self { upgrade, open, opened: 0, spins: false, patience: None }
    }

    /// Makes every connection poll instead of sleep.
    #[must_use]
    pub fn spinning(self, spins: bool) -> Self {
        Self { spins, ..self }
    }

    /// Replaces the ten seconds after which a silent server is an error.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// If the server does not upgrade, or does not answer a step as it should.
    pub fn open(&mut self, addr: SocketAddr) -> Result<Client> {
        let mut client = Client::upgrade_by(addr, &self.upgrade)?;
        if self.spins {
            client.spin();
        }
        if let Some(patience) = self.patience {
            client.wait_at_most(patience)?;
        }
        let number = first_number(self.opened);
        self.opened = self.opened.wrapping_add(1);
        for line in &mut self.open {
            say(&mut client, line, number)?;
            hear(&mut client, line, number)?;
        }
        Ok(client)
    }
}

impl Talk {
    /// Opens all connections of a checked conversation, one after another.
    ///
    /// # Errors
    ///
    /// As [`Opener::open`].
    pub fn open(
        conversation: &Conversation,
        opener: &mut Opener,
        addr: SocketAddr,
    ) -> Result<Self> {
        let Script { exchanges, .. } = Script::new(conversation);
        let number = first_number(opener.opened);
        let count = conversation.connections;
        let clients =
            (0..count).map(|nth| opener.open(addr).with_context(|| connection(nth, count)));
        Ok(Self { clients: clients.collect::<Result<_>>()?, exchanges, first: number, number })
    }

    /// One operation: every exchange once. The first connection sends, and all must get the answer.
    ///
    /// # Errors
    ///
    /// If an answer is wrong, too many or missing.
    pub fn operation(&mut self) -> Result<()> {
        let (number, count) = (self.number, self.clients.len());
        let message = number - self.first + 1;
        self.number += 1;
        for line in &mut self.exchanges {
            // What arrived before a step that sends nothing is its answer.
            let asked = if line.send.is_some() { &mut self.clients[..] } else { &mut [] };
            for (client, nth) in asked.iter_mut().zip(0..) {
                let quiet = client.expect_nothing(false);
                quiet.with_context(|| before(line, message, nth, count))?;
            }
            say(&mut self.clients[0], line, number)
                .with_context(|| operation(message, 0, count))?;
            for (client, nth) in self.clients.iter_mut().zip(0..) {
                hear(client, line, number).with_context(|| operation(message, nth, count))?;
            }
        }
        Ok(())
    }

    /// Demands that no more messages have arrived, as a server would send that answers twice.
    ///
    /// # Errors
    ///
    /// If one has arrived, or a server has closed a connection.
    pub fn expect_nothing(&mut self) -> Result<()> {
        let count = self.clients.len();
        for (client, nth) in self.clients.iter_mut().zip(0..) {
            let quiet = client.expect_nothing(true);
            quiet
                .with_context(|| format!("after all answers of the exchanges{}", on(nth, count)))?;
        }
        Ok(())
    }

    /// Closes all connections. A single one must get no further message; others may hear that one has left.
    ///
    /// # Errors
    ///
    /// As [`Talk::expect_nothing`], or if the connection does not end.
    pub fn close(mut self) -> Result<()> {
        self.expect_nothing()?;
        match self.clients.pop() {
            Some(client) if self.clients.is_empty() => client.leave(),
            _ => Ok(()),
        }
    }
}

fn say(client: &mut Client, line: &mut Line, number: u64) -> Result<()> {
    let Some(frame) = &mut line.send else { return Ok(()) };
    frame.set_number(number);
    client.say(frame.bytes()).with_context(|| line.name.clone())
}

fn hear(client: &mut Client, line: &Line, number: u64) -> Result<()> {
    let Some(answer) = &line.answer else { return Ok(()) };
    let place = || format!("{}: wanted {}", line.name, answer.wanted(number));
    for nth in 1..=answer.frames {
        let message = client.message().with_context(|| match answer.frames {
            1 => place(),
            frames => format!("{}, after {} of {frames} messages", place(), nth - 1),
        })?;
        let fits = message.binary == answer.binary
            && (nth < answer.frames || answer.rule.accepts(message.payload, number));
        ensure!(
            fits,
            "{}; {} came: {}",
            place(),
            if message.binary { "a binary message" } else { "a text" },
            shown(message.payload)
        );
    }
    Ok(())
}

/// ` on connection 3 of 8`; nothing for a single one.
fn on(nth: usize, count: usize) -> String {
    if count == 1 { String::new() } else { format!(" on {}", connection(nth, count)) }
}

fn connection(nth: usize, count: usize) -> String {
    format!("connection {} of {count}", nth + 1)
}

/// `message 3 on connection 2 of 8`, both from 1.
fn operation(message: u64, nth: usize, count: usize) -> String {
    format!("message {message}{}", on(nth, count))
}

fn before(line: &Line, message: u64, nth: usize, count: usize) -> String {
    format!("before {} of {}", line.name, operation(message, nth, count))
}
