//! A service on loopback that answers as it is told, in order, and remembers what it was asked. Real HTTP over real
//! sockets; what it knows of AWS is in the answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Clone)]
pub(crate) enum Answer {
    /// Status, headers, body.
    Say(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Nothing, and the connection stays open.
    Silence,
}

pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Default)]
struct Desk {
    answers: Mutex<VecDeque<Answer>>,
    requests: Mutex<Vec<Request>>,
    asked: Notify,
}

pub(crate) struct Endpoint {
    pub(crate) url: String,
    desk: Arc<Desk>,
}

impl Endpoint {
    /// Serves until the runtime is gone.
    pub(crate) async fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk { answers: Mutex::new(answers.to_vec().into()), ..Desk::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, desk }
    }

    /// Waits for a request.
    pub(crate) async fn asked(&self) {
        self.desk.asked.notified().await;
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.desk.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn answer(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    desk.requests.lock().unwrap().push(Request { headers, body });
    let answer = desk.answers.lock().unwrap().pop_front().expect("an answer for each request");
    desk.asked.notify_one();
    match answer {
        Answer::Silence => std::future::pending().await,
        Answer::Say(status, headers, body) => {
            let response = Response::builder().status(status);
            let response =
                headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
            response.body(body.into()).unwrap()
        }
    }
}
