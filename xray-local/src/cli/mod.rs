//! The command line: arguments, commands, and the serving loop.
