//! The picture for the front page: what a request costs, as bars, drawn by `plotters` into an SVG. Only job A, and
//! only contenders whose cost means something beside ours.

use std::io;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, DrawingBackend, IntoDrawingArea, IntoFont, RGBColor, Rectangle, SVGBackend, Text, TextStyle,
    WHITE,
};
use plotters::style::ShapeStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::contenders::FLOOR;
use crate::report::costs::{Cost, Row};

/// Draws costs of job A.
///
/// # Errors
/// If the file can't be written.
pub fn draw(rows: &[Row], file: &Path) -> io::Result<()> {
    let shown: Vec<(&str, Cost)> = rows
        .iter()
        .filter(|row| row.sends || row.contender == FLOOR || row.contender.contains("drops everything"))
        .filter_map(|row| Some((row.contender, row.costs.first()?.clone()?)))
        .collect();
    let height = TOP + shown.len() as i32 * STEP + 12;
    let area = SVGBackend::new(file, (WIDTH as u32, height as u32)).into_drawing_area();
    bars(&area, &shown).and_then(|()| area.present()).map_err(|err| io::Error::other(err.to_string()))
}

fn bars<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    shown: &[(&str, Cost)],
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<B::ErrorType>> {
    area.fill(&WHITE)?;
    let largest = shown.iter().map(|(_, cost)| cost.total.value.max(cost.caller.value)).fold(1.0, f64::max);
    let length = |nanos: f64| (nanos / largest * f64::from(WIDTH - LEFT - RIGHT)) as i32;
    let text = |size: f64, pos| TextStyle::from(("sans-serif", size).into_font()).color(&INK).pos(pos);
    let (left, right) = (Pos::new(HPos::Left, VPos::Center), Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new("One request, five spans: microseconds", (12, 18), text(20.0, left)))?;
    for (place, color, what) in
        [(LEFT, TOTAL, "CPU of the whole process"), (LEFT + 200, CALLER, "CPU of the calling thread alone")]
    {
        area.draw(&Rectangle::new([(place, 36), (place + 12, 48)], ShapeStyle::from(&color).filled()))?;
        area.draw(&Text::new(what, (place + 18, 42), text(15.0, left)))?;
    }
    for (index, (name, cost)) in shown.iter().enumerate() {
        let top = TOP + index as i32 * STEP;
        area.draw(&Text::new(*name, (LEFT - 8, top + STEP / 2 - 4), text(15.0, right)))?;
        for (top, nanos, color) in [(top, cost.total.value, TOTAL), (top + BAR, cost.caller.value, CALLER)] {
            let end = LEFT + length(nanos).max(1);
            area.draw(&Rectangle::new(
                [(LEFT, top), (end, top + BAR - 2)],
                ShapeStyle::from(&color).filled(),
            ))?;
            let label = format!("{:.1}", nanos / 1e3);
            area.draw(&Text::new(label, (end + 6, top + BAR / 2 - 1), text(14.0, left)))?;
        }
    }
    Ok(())
}

const WIDTH: i32 = 860;
/// Room for the names, and for the number at the longest bar.
const LEFT: i32 = 300;
const RIGHT: i32 = 60;
const TOP: i32 = 62;
const BAR: i32 = 13;
const STEP: i32 = 2 * BAR + 10;

const INK: RGBColor = RGBColor(40, 40, 46);
const TOTAL: RGBColor = RGBColor(31, 94, 168);
const CALLER: RGBColor = RGBColor(150, 190, 230);
