//! `plimsoll`: [`cargo_plimsoll::main`] without cargo.

fn main() -> std::process::ExitCode {
    cargo_plimsoll::main(std::env::args_os())
}
