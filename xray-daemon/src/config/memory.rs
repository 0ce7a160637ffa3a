//! The memory that the process may use, for the default of `-m`.
//!
//! The machine's memory, or the limit of the container, whichever is less. Linux only: elsewhere neither is known
//! without another crate, and a fixed size stands in.

use std::fs;
use std::path::Path;

/// Bytes of memory that this process may use, if known.
pub(super) fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let container = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| limit(&text));
    match (machine, container) {
        (Some(machine), Some(container)) => Some(machine.min(container)),
        (machine, _) => machine,
    }
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The least limit of the process's control groups, version 2 and version 1.
fn limit(groups: &str) -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let mut least: Option<u64> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // A group is bound by those above it; in a container, the path is often not visible, but the root is.
        let inner = Path::new(root).join(path.trim_start_matches('/'));
        for group in inner.ancestors().take_while(|group| group.starts_with(root)) {
            if let Some(bytes) = read(&group.join(file)) {
                least = Some(least.map_or(bytes, |least| least.min(bytes)));
            }
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_in_kilobytes() {
        assert_eq!(total("MemTotal:       24614008 kB\nMemFree: 1 kB\n"), Some(24_614_008 * 1024));
        assert_eq!(total("MemTotal: many kB\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn something_is_known_on_linux() {
        assert!(available().unwrap() > 16 * 1024 * 1024);
    }

    #[test]
    fn a_group_that_is_not_there_has_no_limit() {
        assert_eq!(limit("0::/no/such/group/of/ours\n").or(Some(1)).map(|bytes| bytes > 0), Some(true));
        assert_eq!(limit("garbage"), None);
    }
}
