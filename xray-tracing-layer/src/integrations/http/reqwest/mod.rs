//! The middleware for reqwest, by `reqwest-middleware`.

mod error;
mod middleware;

pub use middleware::XrayMiddleware;
