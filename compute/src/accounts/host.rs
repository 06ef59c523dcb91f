//! Which account a client is: host patterns, and the order they are tried in.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr};

use super::account::AccountName;

/// Where a client comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHost {
    ip: Option<IpAddr>,
    name: Option<String>,
}

impl ClientHost {
    /// An address. Loopback is `localhost`, too; other names are not asked for.
    pub fn of_address(ip: IpAddr) -> ClientHost {
        let ip = ip.to_canonical();
        ClientHost { ip: Some(ip), name: ip.is_loopback().then(|| "localhost".to_owned()) }
    }

    /// A local socket.
    pub fn local() -> ClientHost {
        ClientHost { ip: None, name: Some("localhost".to_owned()) }
    }

    /// As USER() and messages have it.
    pub fn shown(&self) -> String {
        match (&self.name, self.ip) {
            (Some(name), _) => name.clone(),
            (None, Some(ip)) => ip.to_string(),
            (None, None) => String::new(),
        }
    }

    /// Whether a host pattern takes it.
    pub fn is_like(&self, pattern: &str) -> bool {
        if matches!(pattern, "" | "%") {
            return true;
        }
        if let (Some(IpAddr::V4(ip)), Some((network, mask))) = (self.ip, network(pattern)) {
            return ip.to_bits() & mask == network;
        }
        let like = |text: &str| wild(text.as_bytes(), pattern.as_bytes(), Case::Ignored);
        self.name.as_deref().is_some_and(like) || self.ip.is_some_and(|ip| like(&ip.to_string()))
    }
}

/// `address/mask` and `address/bits`.
fn network(pattern: &str) -> Option<(u32, u32)> {
    let (address, mask) = pattern.split_once('/')?;
    let address: Ipv4Addr = address.parse().ok()?;
    let mask = match mask.parse::<u32>() {
        Ok(bits @ 1..=32) => u32::MAX << (32 - bits),
        Ok(_) => return None,
        Err(_) => mask.parse::<Ipv4Addr>().ok()?.to_bits(),
    };
    Some((address.to_bits(), mask))
}

/// Whether letters are compared as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// LIKE of bytes: `%`, `_`, and `\` before either.
pub(super) fn wild(text: &[u8], pattern: &[u8], case: Case) -> bool {
    // Where to go on after the last `%`, and where in the text it was tried.
    let (mut t, mut p, mut retry) = (0, 0, None);
    loop {
        match pattern.get(p) {
            Some(b'%') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t == text.len() => return true,
            Some(one) if t < text.len() => {
                let (one, width, any) = match (one, pattern.get(p + 1)) {
                    (b'\\', Some(escaped)) => (escaped, 2, false),
                    (b'_', _) => (one, 1, true),
                    _ => (one, 1, false),
                };
                let same = match case {
                    Case::Matters => *one == text[t],
                    Case::Ignored => one.eq_ignore_ascii_case(&text[t]),
                };
                if any || same {
                    (t, p) = (t + 1, p + width);
                    continue;
                }
            }
            _ => {}
        }
        match retry {
            Some((after, at)) if at < text.len() => {
                (t, p) = (at + 1, after);
                retry = Some((after, at + 1));
            }
            _ => return false,
        }
    }
}

/// The order in which accounts are tried: whole names and addresses, networks by the
/// length of their masks (those in bits first), patterns by where their first
/// wildcard stands, `%`, nothing; of one host named users before anybody.
pub(super) fn order(name: &AccountName) -> impl Ord + use<> {
    let host = name.host.as_str();
    let (class, inner) = match (host, network(host)) {
        ("", _) => (5, 0),
        ("%", _) => (4, 0),
        (_, Some((_, mask))) => {
            let in_bits = host.rsplit('/').next().is_some_and(|mask| !mask.contains('.'));
            (if in_bits { 1 } else { 2 }, mask.count_ones() as usize)
        }
        _ => match first_wildcard(host) {
            Some(at) => (3, at),
            None => (0, 0),
        },
    };
    (class, Reverse(inner), host.to_owned(), name.user.is_empty(), name.user.clone())
}

/// Where the first `%` or `_` stands that is not escaped.
pub(super) fn first_wildcard(pattern: &str) -> Option<usize> {
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'%' | b'_' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(ip: &str) -> ClientHost {
        ClientHost::of_address(ip.parse().unwrap())
    }

    #[test]
    fn patterns_take_their_hosts() {
        for (ip, pattern, taken) in [
            ("127.0.0.1", "localhost", true),
            ("::1", "localhost", true),
            ("::ffff:127.0.0.1", "127.0.0.1", true),
            ("10.1.2.3", "localhost", false),
            ("10.1.2.3", "10.1.%", true),
            ("10.1.2.3", "10.1.2._", true),
            ("10.1.2.33", "10.1.2._", false),
            ("10.1.2.3", "10.0.0.0/255.0.0.0", true),
            ("11.1.2.3", "10.0.0.0/255.0.0.0", false),
            ("192.168.1.77", "192.168.1.64/26", true),
            ("192.168.1.177", "192.168.1.64/26", false),
            ("192.168.1.77", "192.168.1.1/24", false),
            ("192.168.1.77", "192.168.1.0/33", false),
            ("1.2.3.4", "%", true),
            ("1.2.3.4", "", true),
            ("1.2.3.4", "%.%.%.4", true),
        ] {
            assert_eq!(from(ip).is_like(pattern), taken, "{ip} {pattern}");
        }
    }

    #[test]
    fn what_is_more_specific_comes_first() {
        let names = [
            ("root", "localhost"),
            ("", "localhost"),
            ("a", "10.0.0.0/24"),
            ("a", "10.0.0.0/8"),
            ("a", "10.0.0.0/255.255.0.0"),
            ("a", "10.1.%"),
            ("a", "10.%"),
            ("a", "%"),
            ("", "%"),
            ("a", ""),
        ];
        let expected: Vec<_> = names.iter().map(|(u, h)| AccountName::new(u, h)).collect();
        let mut sorted = expected.clone();
        sorted.reverse();
        sorted.sort_by_key(order);
        assert_eq!(sorted, expected);
    }

    #[test]
    fn many_wildcards_take_no_longer() {
        let text = vec![b'a'; 200];
        assert!(!wild(&text, b"%a%a%a%a%a%a%a%a%a%a%a%a%b", Case::Matters));
        assert!(wild(b"A_b", br"a\_b", Case::Ignored));
        assert!(!wild(b"axb", br"a\_b", Case::Ignored));
    }
}
