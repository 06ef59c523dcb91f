//! `/proc/self/mountinfo`: where file systems are mounted.

use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// The folder of the file system that is mounted: `/`, or a folder below it.
    pub(super) root: PathBuf,
    /// Where.
    pub(super) point: PathBuf,
    /// Type of the file system.
    pub(super) kind: String,
    /// Options of the file system, with commas between.
    pub(super) options: String,
}

/// Reads all mounts, in the order in which they were made; malformed lines are left out.
pub(super) fn parse(mountinfo: &str) -> Vec<Mount> {
    mountinfo.lines().filter_map(parse_line).collect()
}

/// `36 31 0:33 /root /point rw,relatime shared:1 - cgroup cgroup rw,memory`: the
/// number of fields before the dash varies.
fn parse_line(line: &str) -> Option<Mount> {
    let (place, system) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, point) = (unescape(place.next()?), unescape(place.next()?));
    let mut system = system.split(' ');
    let kind = system.next()?.to_owned();
    let options = system.nth(1).unwrap_or_default().to_owned();
    Some(Mount { root, point, kind, options })
}

/// Spaces and the like are written as a backslash and three octal digits.
fn unescape(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|d| std::str::from_utf8(d).ok());
        match octal.and_then(|d| u8::from_str_radix(d, 8).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

/// The mount that `path` (absolute, without links) lies on.
pub(super) fn holding<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    // Of mounts on the same point the last one covers the others.
    let over = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    over.max_by_key(|mount| mount.point.components().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:27 /pods/7 /sys/fs/cgroup/memory ro,nosuid master:11 propagate_from:2 - cgroup cgroup rw,memory
31 22 8:1 / /mnt/my\\040disk rw - xfs /dev/sda1 rw
32 22 8:2 / /mnt/my\\040disk rw - btrfs /dev/sdb1 rw
not a mount
";

    #[test]
    fn mounts_are_read() {
        let mounts = parse(TEXT);
        assert_eq!(mounts.len(), 4);
        let cgroup = &mounts[1];
        assert_eq!(cgroup.root, Path::new("/pods/7"));
        assert_eq!((&*cgroup.kind, &*cgroup.options), ("cgroup", "rw,memory"));
        assert_eq!(mounts[2].point, Path::new("/mnt/my disk"));
        assert_eq!(unescape("a\\b\\9"), Path::new("a\\b\\9"));
    }

    #[test]
    fn the_innermost_and_latest_mount_holds_a_path() {
        let mounts = parse(TEXT);
        let kind = |path: &str| &*holding(&mounts, Path::new(path)).unwrap().kind;
        assert_eq!(kind("/home"), "ext4");
        assert_eq!(kind("/mnt/my disk/data"), "btrfs");
        assert_eq!(kind("/mnt/my diskette"), "ext4");
    }
}
