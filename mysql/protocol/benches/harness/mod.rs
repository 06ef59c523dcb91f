//! Measures the CPU time of a server's thread per query. The client is a plain
//! socket on another thread that sends a ready packet and reads a known number
//! of bytes, so that it is not what is measured.

pub mod firn;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The statement whose answer is one row.
pub const ONE_ROW: &[u8] = b"SELECT c FROM sbtest1 WHERE id=5012";
/// The statement whose answer is a hundred rows.
pub const HUNDRED_ROWS: &[u8] = b"SELECT c FROM sbtest1 WHERE id BETWEEN 5012 AND 5111";
/// What is measured.
pub const STATEMENTS: [(&str, &[u8]); 2] = [("one row", ONE_ROW), ("100 rows", HUNDRED_ROWS)];
/// The value of every row, as sysbench has it: 119 characters.
pub const VALUE: &str = "68487932199-96439406143-93774651418-41631865787-96406072701-\
                         20604855487-25459966574-28203206787-41238978918-19503783441";

/// Rows of the answer to a statement.
pub fn rows_of(sql: &[u8]) -> usize {
    match sql {
        HUNDRED_ROWS => 100,
        ONE_ROW => 1,
        _ => 0,
    }
}

/// CPU time of this thread so far, ns.
pub fn thread_cpu_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// A statement after whose receipt the server says its CPU time as a row.
pub const CPU_TIME: &[u8] = b"SELECT cpu_time()";

/// A client without TLS and password, of the protocol's plainest form.
pub struct Client {
    stream: TcpStream,
}

impl Client {
    pub fn connect(address: SocketAddr, user: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut this = Self { stream };
        this.packet();
        // Protocol 4.1, scrambles, transactions, plugins.
        let mut login = vec![0x00, 0xa2, 0x08, 0x00, 0, 0, 0, 1, 45];
        login.extend_from_slice(&[0; 23]);
        login.extend_from_slice(user.as_bytes());
        login.extend_from_slice(b"\0\0mysql_native_password\0");
        this.send(1, &login);
        let answer = this.packet();
        // A request for another plugin is answered with no password again.
        if answer[0] == 0xfe {
            this.send(3, b"");
            assert_eq!(this.packet()[0], 0);
        } else {
            assert_eq!(answer[0], 0, "{}", String::from_utf8_lossy(&answer));
        }
        this
    }

    fn send(&mut self, sequence: u8, payload: &[u8]) {
        let mut packet = (payload.len() as u32).to_le_bytes().to_vec();
        packet[3] = sequence;
        packet.extend_from_slice(payload);
        self.stream.write_all(&packet).unwrap();
    }

    fn packet(&mut self) -> Vec<u8> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).unwrap();
        let mut payload =
            vec![0; u32::from_le_bytes([header[0], header[1], header[2], 0]) as usize];
        self.stream.read_exact(&mut payload).unwrap();
        payload
    }

    /// Sends a query; gives the packets of its answer up to the second EOF.
    fn query(&mut self, sql: &[u8]) -> Vec<Vec<u8>> {
        self.send(0, &[&[3], sql].concat());
        let (mut packets, mut ends) = (Vec::new(), 0);
        while ends < 2 {
            let packet = self.packet();
            assert_ne!(packet[0], 0xff, "{}", String::from_utf8_lossy(&packet));
            ends += usize::from(packet[0] == 0xfe && packet.len() < 9);
            packets.push(packet);
        }
        packets
    }

    fn server_cpu_nanos(&mut self) -> u64 {
        let packets = self.query(CPU_TIME);
        // Count, column, EOF, row: a length and digits.
        str::from_utf8(&packets[3][1..]).unwrap().parse().unwrap()
    }

    /// CPU time of the server per query, µs: the best of `runs`.
    pub fn measure(&mut self, sql: &[u8], queries: u32, runs: u32) -> f64 {
        let answer_bytes: usize = self.query(sql).iter().map(|packet| packet.len() + 4).sum();
        let mut packet = ((sql.len() + 1) as u32).to_le_bytes().to_vec();
        packet.push(3);
        packet.extend_from_slice(sql);
        let mut answer = vec![0; answer_bytes];
        let mut best = f64::MAX;
        for _ in 0..runs {
            let before = self.server_cpu_nanos();
            for _ in 0..queries {
                self.stream.write_all(&packet).unwrap();
                self.stream.read_exact(&mut answer).unwrap();
            }
            let spent = self.server_cpu_nanos() - before;
            best = best.min(spent as f64 / 1000.0 / f64::from(queries));
        }
        best
    }
}
