//! What a subscriber does: reads whole text messages, and returns or discards them.

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{RecvFlags, recv};

use super::{BUFFER, Client, unless_blocked};

impl Client {
    /// The payload of the next frame, which must be a whole text message.
    ///
    /// # Errors
    ///
    /// If it is another frame or does not fit the client's buffer, if the stream ends, or if nothing arrives for ten
    /// seconds.
    pub fn text(&mut self) -> Result<&[u8]> {
        let payload = loop {
            if let Some((header, len)) = text_header(self.pending())? {
                ensure!(header + len <= BUFFER, "a frame of {len} bytes does not fit the buffer");
                if self.unread.len() >= header + len {
                    let start = self.unread.start + header;
                    break start..start + len;
                }
            }
            self.fill()?;
        };
        self.unread.start = payload.end;
        Ok(&self.buffer[payload])
    }

    /// Discards the whole text messages that have arrived, without waiting, and returns their number.
    ///
    /// # Errors
    ///
    /// As [`Client::text`].
    pub fn skip_texts(&mut self) -> Result<usize> {
        let mut texts = 0;
        loop {
            while let Some((header, len)) = text_header(self.pending())? {
                ensure!(header + len <= BUFFER, "a frame of {len} bytes does not fit the buffer");
                if self.unread.len() < header + len {
                    break;
                }
                self.unread.start += header + len;
                texts += 1;
            }
            self.make_room()?;
            let free = &mut self.buffer[self.unread.end..];
            let read = recv(&self.stream, free, RecvFlags::DONTWAIT);
            let Some((_, read)) = unless_blocked(read).context("cannot read")? else {
                return Ok(texts);
            };
            ensure!(read > 0, "the stream ended");
            self.unread.end += read;
        }
    }
}

/// Bytes of the header and of the payload; `None` until enough of the frame has arrived.
fn text_header(frame: &[u8]) -> Result<Option<(usize, usize)>> {
    Ok(match *frame {
        [] | [0x81] | [0x81, 126] | [0x81, 126, _] => None,
        [0x81, len @ 0..126, ..] => Some((2, usize::from(len))),
        [0x81, 126, high, low, ..] => Some((4, usize::from(u16::from_be_bytes([high, low])))),
        [first, ..] => bail!("not a text frame below 64 KiB: it begins with {first:#04x}"),
    })
}
