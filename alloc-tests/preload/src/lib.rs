//! The counting library that `plimsoll count` preloads into a program that it starts.
