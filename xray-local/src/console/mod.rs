//! Pages in the browser, on the API's port.
//!
//! ```text
//!  GET  /  /map  /traces  /trace/ID  /rules  /groups  /access  /problems  /status     pages, as HTML and SVG
//!  GET  /console/...                                    parts of pages, rows, events, scripts, the style
//!  POST /console/upload  /console/demo                  documents from a dropped file, demo traffic
//! ```
//!
//! Pages are written on the server; scripts move what must move. Strings of traces reach a page through `maud`'s
//! escaping or as text nodes, never as markup. `guard` sets the content policy and asks for the token beyond loopback.

mod assets;
mod guard;
mod live;
mod map;
mod missing;
mod parts;
mod settings;
mod state;
mod timeline;
mod trace;
mod traces;
mod upload;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

pub use missing::missing;
pub use state::{Console, Options, Stopping, new_token};

/// The pages, for [`api_router`](crate::api::api_router).
pub fn router(console: &Console) -> Router {
    let pages = Router::new()
        .merge(live::routes())
        .merge(map::routes())
        .merge(settings::routes())
        .merge(trace::routes())
        .merge(traces::routes())
        .merge(upload::routes())
        .with_state(console.clone())
        .layer(from_fn_with_state(console.clone(), guard::token));
    pages.merge(assets::routes()).layer(from_fn(guard::headers))
}
