//! A disk whose power can be cut: ext4 in a file, mounted through a loop
//! device. The ioctl by which ext4 is shut down drops all that was not synced,
//! as a power cut does. Needs root and loop devices; where there are none, the
//! tests that want it say so and end.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;

const DISK_BYTES: u64 = 1 << 30;

/// `EXT4_IOC_SHUTDOWN`.
const SHUTDOWN: libc::c_ulong = 0x8004_587d;

/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: not even the file system's own journal is written.
const NO_LOG_FLUSH: u32 = 2;

/// The mounted disk; unmounted when dropped.
pub(crate) struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes a disk in `dir`; `None` if this machine cannot mount one.
    pub(crate) fn new(dir: &Path) -> Option<Self> {
        let disk = Self { image: dir.join("disk"), mount: dir.join("mount") };
        std::fs::create_dir(&disk.mount).unwrap();
        File::create(&disk.image).unwrap().set_len(DISK_BYTES).unwrap();
        let made = run("mkfs.ext4", &["-q".as_ref(), "-F".as_ref(), disk.image.as_ref()]);
        if let Err(why) = made.and_then(|()| disk.mount()) {
            eprintln!("NOT RUN: no disk whose power could be cut: {why}");
            return None;
        }
        Some(disk)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.mount
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o".as_ref(), "loop".as_ref(), self.image.as_ref(), self.mount.as_ref()])
    }

    /// Drops what was not synced, and fails everything from now on.
    pub(crate) fn cut(&self) -> Result<(), String> {
        let root = File::open(&self.mount).map_err(|e| e.to_string())?;
        // SAFETY: the descriptor is open, and this ioctl reads one u32 through the pointer.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &NO_LOG_FLUSH) };
        if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error().to_string()) }
    }

    /// The power is back; whoever used the disk must have ended.
    pub(crate) fn restore(&mut self) -> Result<(), String> {
        run("umount", &[self.mount.as_ref()])?;
        self.mount()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Not mounted if mounting failed.
        let _ = run("umount", &[self.mount.as_ref()]);
    }
}

fn run(program: &str, args: &[&std::ffi::OsStr]) -> Result<(), String> {
    let out = Command::new(program).args(args).output().map_err(|e| format!("{program}: {e}"))?;
    if out.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim()))
}
