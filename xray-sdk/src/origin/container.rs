//! The id of the container that this process runs in, from the kernel's files.

use super::probe::Probe;

/// Sixty-four hex digits, the last that a line of the process's control groups has. With version 2 of control groups
/// that file says nothing inside a container, but the mounts do: the runtime mounts files by paths that hold the id.
pub(super) fn container_id(at: &Probe) -> Option<String> {
    let groups = at.read("/proc/self/cgroup").unwrap_or_default();
    let from_groups = groups.lines().find_map(last_id);
    from_groups.or_else(|| {
        let mounts = at.read("/proc/self/mountinfo")?;
        let of_runtime = |line: &&str| line.contains("/containers/") || line.contains("/sandboxes/");
        mounts.lines().filter(of_runtime).find_map(last_id)
    })
}

fn last_id(line: &str) -> Option<String> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let is_id = |word: &&str| word.len() == ID_LEN && word.bytes().all(is_hex);
    line.rsplit(|c: char| !c.is_ascii_alphanumeric()).find(is_id).map(str::to_owned)
}

const ID_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_every_spelling_of_a_line() {
        let id = "0123456789abcdef".repeat(4);
        for line in [
            format!("5:memory:/ecs/task/{id}"),
            format!("1:name=systemd:/docker/{id}"),
            format!("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-{id}.scope"),
            format!("5:cpu:/kubepods/besteffort/pod1/{id}"),
        ] {
            assert_eq!(last_id(&line), Some(id.clone()), "{line}");
        }
        assert_eq!(last_id("0::/"), None);
        assert_eq!(last_id(&format!("0::/{}", "x".repeat(64))), None);
    }
}
