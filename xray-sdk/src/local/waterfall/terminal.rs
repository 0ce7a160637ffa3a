//! The standard output's width, and whether it takes colours.
//!
//! Reads the environment's conventions and asks the system for the terminal's size. The rules are a pure function of
//! both, [`Terminal::of`]; the picture calls [`Terminal::detect`].

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use terminal_size::{Width, terminal_size_of};

/// Properties of the standard output that a picture is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terminal {
    pub(super) width: usize,
    pub(super) color: bool,
}

impl Terminal {
    #[expect(
        clippy::disallowed_methods,
        reason = "the terminal's conventions, of no concern to the protocol"
    )]
    pub(super) fn detect() -> Self {
        let size = || terminal_size_of(io::stdout()).map(|(Width(columns), _)| columns);
        let width = io::stdout().is_terminal().then(|| size().map_or(ASSUMED_WIDTH, usize::from));
        Self::of(|name| std::env::var_os(name), width)
    }

    /// `width` is that of the terminal; `None` where the output is none.
    fn of(variable: impl Fn(&str) -> Option<OsString>, width: Option<usize>) -> Self {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        let is_on = |name| variable(name).map(|value| value != "0" && value != "false");
        let columns = variable("COLUMNS").and_then(|columns| columns.to_str()?.parse().ok());
        let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
        // The first that says anything decides.
        let color = variable("NO_COLOR")
            .map(|_| false)
            .or_else(|| is_on("FORCE_COLOR"))
            .or_else(|| is_on("CLICOLOR_FORCE").filter(|&on| on))
            .or_else(|| is_on("CLICOLOR").filter(|&on| !on))
            .unwrap_or_else(|| width.is_some() && !is_dumb);
        // Zero is the size of a terminal whose size was never set, as in some containers.
        let width = width.map(|width| if width == 0 { ASSUMED_WIDTH } else { width });
        Self { width: columns.or(width).unwrap_or(DEFAULT_WIDTH), color }
    }
}

/// The width of a picture that isn't for a terminal.
pub(super) const DEFAULT_WIDTH: usize = 100;

/// The width of a terminal that doesn't say it: the narrowest in use.
const ASSUMED_WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_width_follow_the_environment_and_then_the_terminal() {
        for (variables, terminal, width, color) in [
            (&[][..], None, 100, false),
            (&[], Some(132), 132, true),
            (&[], Some(0), 80, true),
            (&[("COLUMNS", "70")], Some(132), 70, true),
            (&[("COLUMNS", "wide")], Some(132), 132, true),
            (&[("COLUMNS", "70")], None, 70, false),
            (&[("NO_COLOR", "1")], Some(90), 90, false),
            (&[("NO_COLOR", "")], Some(90), 90, true),
            (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], Some(90), 90, false),
            (&[("FORCE_COLOR", "1")], None, 100, true),
            (&[("FORCE_COLOR", "3"), ("TERM", "dumb")], None, 100, true),
            (&[("FORCE_COLOR", "0")], Some(90), 90, false),
            (&[("FORCE_COLOR", "false"), ("CLICOLOR_FORCE", "1")], Some(90), 90, false),
            (&[("CLICOLOR_FORCE", "1")], None, 100, true),
            (&[("CLICOLOR_FORCE", "0")], Some(90), 90, true),
            (&[("CLICOLOR", "0")], Some(90), 90, false),
            (&[("TERM", "dumb")], Some(90), 90, false),
            (&[("TERM", "xterm")], None, 100, false),
        ] {
            let variable = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
            };
            assert_eq!(
                Terminal::of(variable, terminal),
                Terminal { width, color },
                "{variables:?} {terminal:?}"
            );
        }
    }
}
