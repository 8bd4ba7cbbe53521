//! Every message comes back unchanged and in order.

use futures::{SinkExt, StreamExt};
use server::{Config, Context};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::support::{BACKSTOP, Peer, Server, frame};

/// Longest message with the default configuration.
const LONGEST: usize = 64 * 1024;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

async fn connect(server: &Server) -> WebSocketStream<TcpStream> {
    let addr = server.addr();
    let stream = TcpStream::connect(addr).await.expect("the server listens");
    let url = format!("ws://{addr}/ws/echo");
    tokio_tungstenite::client_async(url, stream).await.expect("the upgrade succeeds").0
}

/// Sends all messages without waiting for answers, and expects the same messages back.
async fn check(messages: Vec<Message>) {
    let server = Server::start();
    let (mut sink, stream) = connect(&server).await.split();
    let mut outgoing = futures::stream::iter(messages.iter().cloned().map(Ok));
    let sending = sink.send_all(&mut outgoing);
    let receiving =
        stream.take(messages.len()).map(|answer| answer.expect("the server answers")).collect();
    let exchange = futures::future::join(sending, receiving);
    let (sent, answers): (_, Vec<_>) =
        tokio::time::timeout(BACKSTOP, exchange).await.expect("the exchange ends");
    sent.expect("the server takes it");
    assert!(answers == messages, "the answers differ from what was sent");

    let (count, bytes) = (messages.len() as u64, messages.iter().map(Message::len).sum::<usize>());
    let counters = server.until(|counters| counters.messages_out == count);
    assert_eq!(counters.messages_in, count);
    assert_eq!((counters.bytes_in, counters.bytes_out), (bytes as u64, bytes as u64));
}

#[tokio::test]
async fn text_comes_back() {
    check(vec![Message::text("Tiefgang: 4,5 m – 吃水线")]).await;
}

#[tokio::test]
async fn binary_comes_back() {
    check(vec![Message::binary((0..=255).collect::<Vec<u8>>())]).await;
}

#[tokio::test]
async fn empty_messages_come_back() {
    check(vec![Message::text(""), Message::binary(vec![])]).await;
}

#[tokio::test]
async fn the_longest_messages_come_back() {
    check(vec![Message::text("t".repeat(LONGEST)), Message::binary(vec![0xff; LONGEST])]).await;
}

#[tokio::test]
async fn pipelined_messages_come_back_in_order() {
    // Ten megabytes: more than the socket buffers hold, so each side waits for the other many times.
    let message = |i: usize| match i % 3 {
        0 => Message::text(i.to_string()),
        1 => Message::binary(vec![i as u8; i * 97 % LONGEST]),
        _ => Message::text(format!("{i} ").repeat(i % 700)),
    };
    check((0..1000).map(message).collect()).await;
}

#[tokio::test]
async fn an_in_memory_pipe_is_served_like_a_socket() {
    let context = Context::new(Config::default()).expect("the default can be served with");
    let (near, far) = tokio::io::duplex(64);
    let served = tokio::spawn({
        let context = context.clone();
        async move { server::serve_connection(far, &context).await }
    });
    let (mut client, _) = tokio_tungstenite::client_async("ws://localhost/ws/echo", near)
        .await
        .expect("the upgrade succeeds");
    let message = Message::text("longer than the pipe ".repeat(100));
    client.send(message.clone()).await.expect("the server takes it");
    assert_eq!(client.next().await.expect("an answer").expect("the server answers"), message);
    client.close(None).await.expect("the server takes it");
    assert!(client.next().await.is_some_and(|answer| answer.is_ok_and(|close| close.is_close())));
    served.await.expect("serving does not panic");
    let counters = context.stats().counters();
    assert_eq!((counters.connections_total, counters.connections_open), (1, 0));
    assert_eq!((counters.messages_in, counters.messages_out), (1, 1));
}

#[tokio::test]
async fn a_pipe_that_breaks_is_counted_and_ends() {
    let context = Context::new(Config::default()).expect("the default can be served with");
    let (near, far) = tokio::io::duplex(1024);
    let served = tokio::spawn({
        let context = context.clone();
        async move { server::serve_connection(far, &context).await }
    });
    let (client, _) = tokio_tungstenite::client_async("ws://localhost/ws/echo", near)
        .await
        .expect("the upgrade succeeds");
    drop(client);
    served.await.expect("serving does not panic");
    let counters = context.stats().counters();
    assert_eq!(counters.errors.iter().sum::<u64>(), 1);
    assert_eq!((counters.connections_open, counters.echo_open), (0, 0));
}

#[tokio::test]
async fn a_client_made_from_a_raw_stream_is_served_alike() {
    let server = Server::start();
    let peer = Peer::upgraded(server.addr(), "/ws/echo");
    let stream = peer.socket().try_clone().expect("a descriptor is free");
    stream.set_nonblocking(true).expect("a connected socket takes options");
    let stream = TcpStream::from_std(stream).expect("the runtime takes it");
    let mut client = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    client.send(Message::text("raw")).await.expect("the server takes it");
    let answer = client.next().await.expect("an answer").expect("the server answers");
    assert_eq!(answer, Message::text("raw"));
}

#[test]
fn a_frame_that_comes_byte_by_byte_comes_back() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    for byte in frame(TEXT, &[b'x'; 200]) {
        peer.send(&[byte]);
    }
    assert_eq!(peer.frame(), (TEXT, vec![b'x'; 200]));
}

#[test]
fn messages_sent_together_with_the_upgrade_request_are_answered() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    let mut bytes = Peer::upgrade("/ws/echo").into_bytes();
    for i in 0..8 {
        bytes.extend(frame(BINARY, &[i; 500]));
    }
    peer.send(&bytes);
    assert_eq!(peer.response().status, 101);
    for i in 0..8 {
        assert_eq!(peer.frame(), (BINARY, vec![i; 500]));
    }
}

#[test]
fn half_a_frame_sent_together_with_the_upgrade_request_is_not_lost() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    let message = frame(TEXT, b"cut in two");
    let (first, second) = message.split_at(5);
    peer.send(&[Peer::upgrade("/ws/echo").as_bytes(), first].concat());
    assert_eq!(peer.response().status, 101);
    peer.send(second);
    assert_eq!(peer.frame(), (TEXT, b"cut in two".to_vec()));
}
