//! A server's process as `/proc` shows it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Linux counts `utime` and `stime` in hundredths of a second on every machine.
const TICK: Duration = Duration::from_millis(10);

/// State of a listening socket in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Processor time that a process has used; `None` if it is gone.
pub(crate) fn cpu(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; fields are counted after it.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let utime: u32 = fields.nth(11)?.parse().ok()?;
    let stime: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (utime + stime))
}

/// Resident memory in bytes; `None` if the process is gone.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |line: &str| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok();
    status.lines().find_map(field).map(|kib: u64| kib << 10)
}

/// The process on this machine that listens at an address of the loopback
/// interface, if it can be seen.
pub(crate) fn listening_at(address: SocketAddr) -> Option<u32> {
    if !address.ip().is_loopback() {
        return None;
    }
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        inode_of(&std::fs::read_to_string(table).unwrap_or_default(), address.port())
    })?;
    let wanted = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
        links.any(|link| link == Path::new(&wanted))
    })
}

fn inode_of(table: &str, port: u16) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let (_, local_port) = fields.nth(1)?.rsplit_once(':')?;
        let listens = u16::from_str_radix(local_port, 16).ok()? == port && fields.nth(1)? == LISTEN;
        if listens { fields.nth(5)?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(listening_at(address), Some(std::process::id()));
        drop(listener);
        assert_eq!(listening_at("10.0.0.1:3306".parse().unwrap()), None);
    }

    #[test]
    fn a_process_has_memory_and_one_that_is_gone_has_not() {
        assert!(resident_bytes(std::process::id()).unwrap() > 1 << 20);
        assert!(cpu(std::process::id()).is_some());
        assert_eq!(resident_bytes(u32::MAX), None);
        assert_eq!(cpu(u32::MAX), None);
    }
}
