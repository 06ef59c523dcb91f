//! What this process reads from and writes to the disk, as the kernel counts it.

use serde::Serialize;

/// Bytes that went to or came from the block layer. What is written and then
/// removed before it gets there counts as written; what the file system's
/// cache answers does not count as read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DiskIo {
    /// Read.
    pub read: u64,
    /// Written.
    pub written: u64,
}

impl DiskIo {
    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self { read: self.read + other.read, written: self.written + other.written }
    }

    /// What was added since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            read: self.read.saturating_sub(earlier.read),
            written: self.written.saturating_sub(earlier.written),
        }
    }
}

/// The counts of this process so far; zeroes where `/proc` cannot say.
#[must_use]
pub fn disk_io() -> DiskIo {
    read("self")
}

/// The same of another process.
#[must_use]
pub fn disk_io_of(pid: u32) -> DiskIo {
    read(&pid.to_string())
}

fn read(process: &str) -> DiskIo {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().parse().ok()
    };
    DiskIo { read: field("read_bytes").unwrap_or(0), written: field("write_bytes").unwrap_or(0) }
}

/// Bytes of all files below `dir`.
#[cfg(feature = "peers")]
pub(crate) fn dir_bytes(dir: &std::path::Path) -> firn_engine::Result<u64> {
    let walk = || -> std::io::Result<u64> {
        let (mut sum, mut dirs) = (0, vec![dir.to_owned()]);
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir)? {
                let entry = entry?;
                match entry.metadata() {
                    Ok(meta) if meta.is_dir() => dirs.push(entry.path()),
                    Ok(meta) => sum += meta.len(),
                    // Removed since it was listed.
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(sum)
    };
    walk().map_err(|e| {
        let kind = firn_engine::ErrorKind::Unavailable;
        firn_engine::Error::with_source(kind, dir.display().to_string(), e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_counted() {
        let before = disk_io();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, vec![1; 1 << 20]).unwrap();
        std::fs::File::open(&path).unwrap().sync_all().unwrap();
        let written = disk_io().since(&before).written;
        // A file system in memory writes nothing.
        assert!(written == 0 || written >= 1 << 20, "{written}");
    }
}
