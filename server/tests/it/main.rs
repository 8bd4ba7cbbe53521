//! The server as its peers meet it: real sockets, real clients, and time that moves only when a test says so.

mod backpressure;
mod binary;
mod close;
mod dashboard;
mod drain;
mod echo;
mod handshake;
mod http;
mod live;
mod page;
mod protocol;
mod support;
mod timeouts;
