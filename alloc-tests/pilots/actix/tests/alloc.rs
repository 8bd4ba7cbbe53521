use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{LazyLock, Mutex};

use plimsoll::ws::{Client, Frame, ascii};
use plimsoll::{Scenario, Suite};

plimsoll::allocator!();

fn main() -> std::process::ExitCode {
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .scenario("echo_text_64b_1000_msgs", echo)
        .scenario("connect_close_100_conns", connect)
        .main()
}

/// The server of this process, which is never stopped, and a connection to it that no window opens or closes.
static SERVER: LazyLock<(SocketAddr, Mutex<Client>)> = LazyLock::new(|| {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    std::thread::spawn(|| pilot_actix::run(listener));
    let mut witness = Client::default();
    witness.upgrade(addr, "/echo").expect("the server answers");
    (addr, Mutex::new(witness))
});

/// The server's worker answers the witness when it has done all that came before.
fn rest(probe: &Frame) -> plimsoll::Result<()> {
    let mut witness = SERVER.1.lock().expect("no holder panics");
    witness.exchange(&probe.request, &probe.reply)
}

fn echo() -> Scenario {
    Scenario::new("message", 1000, |n| {
        let (mut client, addr, probe) = (Client::default(), SERVER.0, Frame::ping(b"rest"));
        let message = Frame::text(&ascii(64));
        move |_| {
            client.upgrade(addr, "/echo")?;
            (0..n).try_for_each(|_| client.exchange(&message.request, &message.reply))?;
            client.close()?;
            rest(&probe)
        }
    })
}

fn connect() -> Scenario {
    Scenario::new("connection", 100, |n| {
        let (mut client, addr, probe) = (Client::default(), SERVER.0, Frame::ping(b"rest"));
        move |_| {
            for _ in 0..n {
                client.upgrade(addr, "/echo")?;
                client.close()?;
                rest(&probe)?;
            }
            Ok(())
        }
    })
}
