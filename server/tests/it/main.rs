//! The server as its peers see it: real sockets, real clients, and time that moves only by a test's command.

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
mod socket;
mod support;
mod systemd;
mod timeouts;
