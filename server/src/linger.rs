use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use futures::future::select;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::Clock;

/// Time for a peer to read the last that was sent to it, and to answer or to end its side.
pub(crate) const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Most bytes that are read and discarded behind the last that was sent. The kernel resets a socket that is closed with
/// unread bytes, and the peer would lose that last answer or close frame.
const LINGER_BYTES: usize = 256 * 1024;

/// Sends `last` and [`linger`]s, for at most [`CLOSE_WITHIN`].
pub(crate) async fn farewell<S>(io: &mut S, clock: &Clock, last: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let timeout = pin!(clock.sleep(CLOSE_WITHIN));
    let last = async {
        if io.write_all(last).await.is_ok() {
            linger(io).await;
        }
    };
    select(pin!(last), timeout).await;
}

/// Ends the sending side, then reads and discards until the peer has ended its side.
pub(crate) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S) {
    if io.shutdown().await.is_err() {
        return;
    }
    let mut budget = LINGER_BYTES;
    std::future::poll_fn(|cx| {
        // On the stack of the poll: in the future it would enlarge every connection.
        let mut bytes = [0; 2048];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let result = ready!(Pin::new(&mut *io).poll_read(cx, &mut buffer));
            let read = result.map_or(0, |()| buffer.filled().len());
            if read == 0 || read >= budget {
                return Poll::Ready(());
            }
            budget -= read;
        }
    })
    .await;
}
