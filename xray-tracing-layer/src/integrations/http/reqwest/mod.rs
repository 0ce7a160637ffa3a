//! The middleware for reqwest, by `reqwest-middleware`.

mod middleware;

pub use middleware::XrayMiddleware;
