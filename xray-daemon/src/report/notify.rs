//! Reports to systemd: ready, stopping, a status line, and signs of life for its watchdog.
//!
//! Without systemd (`NOTIFY_SOCKET` unset), and on other systems than Linux, nothing happens.

use super::health::Health;

/// Reports that everything listens.
pub fn ready() {
    send(Message::Ready);
}

/// Reports that the daemon stops.
pub fn stopping() {
    send(Message::Stopping);
}

/// Shows a line in `systemctl status`.
pub fn status(line: &str) {
    send(Message::Status(line));
}

/// Reports signs of life as often as systemd asks, while the daemon is alive.
///
/// Returns at once if systemd asks for none.
pub async fn watch(health: Health, stop: impl Future<Output = ()>) {
    let Some(period) = watchdog_period() else { return };
    let mut stop = std::pin::pin!(stop);
    loop {
        if health.alive().is_ok() {
            send(Message::Alive);
        }
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(period / 3) => {}
        }
    }
}

enum Message<'a> {
    Ready,
    Stopping,
    Status(&'a str),
    Alive,
}

#[cfg(target_os = "linux")]
fn send(message: Message<'_>) {
    use sd_notify::NotifyState;

    let state = match message {
        Message::Ready => NotifyState::Ready,
        Message::Stopping => NotifyState::Stopping,
        Message::Status(line) => NotifyState::Status(line),
        Message::Alive => NotifyState::Watchdog,
    };
    if let Err(err) = sd_notify::notify(&[state]) {
        log::debug!("systemd was not notified: {err}");
    }
}

#[cfg(not(target_os = "linux"))]
fn send(message: Message<'_>) {
    match message {
        Message::Status(line) => log::trace!("status: {line}"),
        Message::Ready | Message::Stopping | Message::Alive => {}
    }
}

#[cfg(target_os = "linux")]
fn watchdog_period() -> Option<std::time::Duration> {
    sd_notify::watchdog_enabled()
}

#[cfg(not(target_os = "linux"))]
fn watchdog_period() -> Option<std::time::Duration> {
    None
}
