//! Where parts run: all on the loopback interface, or each in a network namespace of its
//! own, whose cable can be pulled.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;

/// Hosts of one cluster. Namespaces and the bridge between them go when it is dropped.
pub(super) struct Hosts {
    /// Number of the network, in names and addresses; `None` on loopback.
    network: Option<u32>,
    names: Vec<String>,
}

/// Where one part runs.
#[derive(Clone)]
pub(super) struct Host {
    /// Its namespace; `None` on loopback.
    namespace: Option<String>,
    pub(super) ip: Ipv4Addr,
}

fn ip(args: &str) -> Result<(), String> {
    let out = Command::new("ip").args(args.split(' ')).output();
    let out = out.map_err(|e| format!("ip {args}: {e}"))?;
    if out.status.success() {
        return Ok(());
    }
    Err(format!("ip {args}: {}", String::from_utf8_lossy(&out.stderr).trim()))
}

impl Hosts {
    pub(super) fn loopback() -> Self {
        Self { network: None, names: Vec::new() }
    }

    /// A bridge that this process is at, too. Needs root.
    pub(super) fn namespaces() -> Result<Self, String> {
        let network = std::process::id();
        let hosts = Self { network: Some(network), names: Vec::new() };
        ip(&format!("link add fb{network} type bridge"))?;
        ip(&format!("addr add {}/24 dev fb{network}", Self::address(network, 254)))?;
        ip(&format!("link set fb{network} up"))?;
        Ok(hosts)
    }

    /// Out of 10.128.0.0/9, another network for each process that is near.
    fn address(network: u32, host: u8) -> Ipv4Addr {
        let [.., high, low] = network.to_be_bytes();
        Ipv4Addr::new(10, 128 | (high & 0x7f), low, host)
    }

    /// One more host.
    pub(super) fn add(&mut self) -> Result<Host, String> {
        let Some(network) = self.network else {
            return Ok(Host { namespace: None, ip: Ipv4Addr::LOCALHOST });
        };
        let number = u8::try_from(self.names.len() + 1).expect("few hosts");
        let name = format!("fv{network}-{number}");
        let address = Self::address(network, number);
        ip(&format!("netns add {name}"))?;
        self.names.push(name.clone());
        ip(&format!("link add {name} type veth peer name eth0 netns {name}"))?;
        ip(&format!("-n {name} addr add {address}/24 dev eth0"))?;
        ip(&format!("-n {name} link set eth0 up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        ip(&format!("link set {name} master fb{network} up"))?;
        Ok(Host { namespace: Some(name), ip: address })
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // What is not there any more need not go.
        for name in &self.names {
            let _ = ip(&format!("netns del {name}"));
        }
        if let Some(network) = self.network {
            let _ = ip(&format!("link del fb{network}"));
        }
    }
}

impl Host {
    /// An address with a port that is free now.
    pub(super) fn free_address(&self) -> SocketAddr {
        match self.namespace {
            // Nobody else is there.
            Some(_) => (self.ip, 7400).into(),
            None => TcpListener::bind((self.ip, 0)).unwrap().local_addr().unwrap(),
        }
    }

    /// A command that runs `program` here, as the process that is started.
    pub(super) fn command(&self, program: &std::path::Path) -> Command {
        match &self.namespace {
            None => Command::new(program),
            Some(name) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name]).arg(program);
                command
            }
        }
    }

    /// Pulls the cable: what is sent from here or to here is lost without a word.
    pub(super) fn cut(&self) -> Result<(), String> {
        let name = self.namespace.as_ref().ok_or("hosts on loopback cannot be cut off")?;
        ip(&format!("link set {name} down"))
    }

    /// Puts it back.
    pub(super) fn join(&self) -> Result<(), String> {
        match &self.namespace {
            Some(name) => ip(&format!("link set {name} up")),
            None => Ok(()),
        }
    }
}
