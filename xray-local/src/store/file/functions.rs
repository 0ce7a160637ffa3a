//! SQL functions of our own, registered on each connection.
//!
//! `coverage(blob, number)`: the share of the root's time that entity `number` of a root cause takes, see
//! `trace_causes` in `schema.sql`.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("coverage", 2, flags, |context| {
        let number: usize = context.get(1)?;
        let bytes =
            context.get_raw(0).as_blob().map_err(|err| rusqlite::Error::UserFunctionError(err.into()))?;
        let share = bytes
            .get(number * 2..number * 2 + 2)
            .map(|pair| f64::from(u16::from_be_bytes([pair[0], pair[1]])));
        Ok(share.map(|thousandths| thousandths / 1_000.0))
    })
}
