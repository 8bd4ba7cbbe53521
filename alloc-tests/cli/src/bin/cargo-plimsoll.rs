//! `cargo plimsoll`: cargo gives the subcommand's name as the first argument.

fn main() -> std::process::ExitCode {
    let is_name = |(at, argument): &(usize, std::ffi::OsString)| *at == 1 && argument == "plimsoll";
    let arguments = std::env::args_os().enumerate();
    cargo_plimsoll::main(arguments.filter(|one| !is_name(one)).map(|(_, argument)| argument))
}
