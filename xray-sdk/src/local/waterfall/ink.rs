//! A line of the picture: pieces of text, each in its ink, and where the line has got to.
//!
//! The only place that knows escape sequences. Text comes in clean and cut.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::text::width;

/// The kind of a piece of a line, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    /// The tree's lines, and details that only matter on a second look.
    Dim,
    /// Segments: where a service begins.
    Strong,
    Ok,
    Error,
    Throttle,
    Fault,
    InProgress,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Dim => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
            Self::Ok => AnsiColor::Green.on_default(),
            Self::Error => AnsiColor::Yellow.on_default(),
            Self::Throttle => AnsiColor::Magenta.on_default(),
            Self::Fault => AnsiColor::Red.on_default(),
            Self::InProgress => AnsiColor::Cyan.on_default(),
        }
    }
}

#[derive(Default)]
pub(super) struct Line {
    pieces: Vec<(Ink, String)>,
    width: usize,
}

impl Line {
    pub(super) fn put(&mut self, ink: Ink, text: impl Into<String>) {
        let text = text.into();
        self.width += width(&text);
        if !text.is_empty() {
            self.pieces.push((ink, text));
        }
    }

    /// Puts text at a column, or right after what is there if that is further on. Empty text leaves no blanks.
    pub(super) fn put_at(&mut self, column: usize, ink: Ink, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.put(Ink::Plain, " ".repeat(column.saturating_sub(self.width)));
            self.put(ink, text);
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, color: bool) -> fmt::Result {
        for (ink, text) in &self.pieces {
            if color && *ink != Ink::Plain {
                let style = ink.style();
                write!(f, "{style}{text}{style:#}")?;
            } else {
                f.write_str(text)?;
            }
        }
        f.write_str("\n")
    }
}
