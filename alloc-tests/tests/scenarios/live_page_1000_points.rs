//! The page with the numbers of another program: a message a tick to one subscriber, each a point of the history, which
//! is then read; and the paths that such a page does not have. Its streams are not wrapped.

use std::net::Ipv4Addr;

use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::{Access, LivePage};
use server::live::Point;

const REQUESTS: [(&str, &str); 6] = [
    ("GET /history HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 "),
    ("HEAD /history HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 "),
    ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 "),
    ("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", " 404 "),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", " 404 "),
    ("POST /history HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", " 405 "),
];

pub(crate) fn scenario() -> Scenario {
    Scenario::new("point", 1000, |ops| {
        let (mut client, mut reader) = (Client::default(), Client::default());
        let ping = Frame::ping(b"");
        let message = std::collections::BTreeMap::from([("view", "load")]);
        move |window| {
            let page = LivePage::start((Ipv4Addr::LOCALHOST, 0).into(), &["sent", "received"], Access::default())?;
            page.publish(&message, None);
            client.upgrade(page.addr(), "/ws/dashboard")?;
            client.expect_text(br#"{"skipped":0,"seq":1,"#)?;
            for n in 0..ops {
                let values = [n as f32, f32::NAN];
                let run_id = if n < 10 { "first" } else { "second" };
                page.publish(&message, Some(Point { run_id, seconds: n as f64, values: &values }));
                client.expect_text(br#"{"skipped":0,"#)?;
            }
            reader.connect(page.addr())?;
            for (request, status) in REQUESTS {
                reader.http(request.as_bytes(), status.as_bytes())?;
            }
            reader.drop_connection();
            // The server has one thread: when it answers this, it has seen the end of the reader.
            client.exchange(&ping.request, &ping.reply)?;
            client.close()?;
            let stopped = page.stop()?;
            anyhow::ensure!(stopped.report.drained, "a subscriber was left");
            window.server_stopped(stopped.alive_tasks)
        }
    })
}
