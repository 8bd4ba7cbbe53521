//! The server as its peers see it: real sockets, real clients, and time that moves only by a test's command.

mod access;
mod backpressure;
mod binary;
mod close;
mod dashboard;
mod deploy;
mod drain;
mod echo;
mod handshake;
mod http;
mod http_rules;
mod live;
mod page;
mod panics;
mod protocol;
mod public;
mod rfc6455;
mod rfc6455_close;
mod rfc6455_fragments;
mod rfc6455_framing;
mod rfc6455_utf8;
mod socket;
mod stalled_http;
mod support;
mod systemd;
mod timeouts;
