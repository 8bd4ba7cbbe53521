//! The commands, typed in other repositories.

mod adopter;
mod bad_input;
mod doctor;
mod init;
