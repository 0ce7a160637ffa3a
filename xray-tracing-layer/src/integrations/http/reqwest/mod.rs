//! The middleware for reqwest, by `reqwest-middleware`.

mod call;
mod middleware;

pub use middleware::XrayMiddleware;
