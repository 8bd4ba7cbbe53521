//! A round of requests on one connection that is kept alive: every path by GET and HEAD, every refusal that leaves the
//! connection open, and headers as browsers and probes send them.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::Client;

/// A request and the status of its answer.
type Case = (&'static str, &'static str);

const CASES: [Case; 50] = [
    ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /healthz?probe=1&from=kubelet HTTP/1.1\r\nHost: 10.0.0.7:9001\r\nUser-Agent: kube-probe/1.31\r\nAccept: */*\r\n\r\n", "200"),
    ("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("HEAD /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n", "200"),
    ("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET / HTTP/1.1\r\nHost: localhost:9001\r\nConnection: keep-alive\r\nsec-ch-ua: \"Chromium\";v=\"142\"\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml\r\nSec-Fetch-Mode: navigate\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCookie: session=0123456789abcdef; theme=dark\r\nIf-None-Match: \"abc\"\r\n\r\n", "200"),
    ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /?view=load HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/mark.svg HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/main.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/feed.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/view.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/server.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/load.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/chart.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/health.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/series.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/timeline.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/palette.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/format.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/dom.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("HEAD /page/uplot/uPlot.iife.min.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /page/uplot/LICENSE HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
    ("HEAD /page/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
    ("GET /history HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"),
    ("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "404"),
    ("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "405"),
    ("PUT /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", "405"),
    ("DELETE /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
    ("OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nAccess-Control-Request-Method: GET\r\n\r\n", "405"),
    ("TRACE /page/main.js HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
    ("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n", "404"),
    ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", "405"),
    ("GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", "200"),
    // Upgrades that are refused: the method, the headers, the version, the key.
    ("POST /ws/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "405"),
    ("HEAD /ws/dashboard HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", "426"),
    ("GET /ws/dashboard HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\r\n", "426"),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\r\n", "426"),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "426"),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "426"),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n", "400"),
    ("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n", "400"),
    ("GET /ws/dashboard HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n", "400"),
    ("GET /ws/nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "404"),
];

/// Two requests in one write.
const PIPELINED: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n";

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 5, |ops| {
        let mut client = Client::default();
        let query = "q".repeat(12 * 1024);
        let long = format!("GET /healthz?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
        move |window| {
            let server = window.start()?;
            client.connect(server.addr())?;
            for _ in 0..ops {
                for (request, status) in CASES {
                    client.http(request.as_bytes(), status.as_bytes())?;
                }
                client.http(&long, b"HTTP/1.1 200 ")?;
                client.http(PIPELINED, b"HTTP/1.1 200 ")?;
                client.http(b"", b"HTTP/1.1 404 ")?;
            }
            client.drop_connection();
            window.until_open(&server, 0)?;
            window.stop(server)?;
            Ok(())
        }
    })
}
