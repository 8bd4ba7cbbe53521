//! The commands, typed in other repositories.

mod accept;
mod adopter;
mod bad_input;
mod chat;
mod doctor;
mod init;
mod review;
