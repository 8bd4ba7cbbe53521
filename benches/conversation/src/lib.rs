//! What a client says to a WebSocket server, and the answers that it demands, as a TOML file.
