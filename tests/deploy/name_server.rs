//! A name server for one name. The resolver of a system asks port 53 and no other, so it listens there, on an address of
//! loopback that nobody else uses.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const HEADER: usize = 12;
/// An answer, authoritative, with recursion, without an error.
const FLAGS: [u8; 2] = [0x85, 0x80];
const NO_SUCH_NAME: u8 = 3;
const TYPE_A: [u8; 2] = [0, 1];

pub(super) struct NameServer {
    pub(super) address: Ipv4Addr,
    /// How often somebody asked for the name.
    pub(super) asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// Answers 127.0.0.1 for the name, and knows no other.
    pub(super) fn knowing(name: &'static str) -> Self {
        static SERVERS: AtomicU8 = AtomicU8::new(53);
        let [.., high, low] = std::process::id().to_be_bytes();
        let own = SERVERS.fetch_add(1, Ordering::Relaxed);
        let address = Ipv4Addr::new(127, own, high, low.max(1));
        let socket = UdpSocket::bind((address, 53)).unwrap_or_else(|error| {
            let remedy = "run the tests as root, or: sysctl net.ipv4.ip_unprivileged_port_start=53";
            panic!("port 53 of {address}: {error}: {remedy}")
        });
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut question) {
                let about = question[HEADER..length].starts_with(&encoded(name));
                counter.fetch_add(usize::from(about), Ordering::Relaxed);
                drop(socket.send_to(&answer(&question[..length], about), asker));
            }
        });
        Self { address, asked }
    }
}

/// The question again, and behind it the address, when it is asked for the name's.
fn answer(question: &[u8], known: bool) -> Vec<u8> {
    let end = HEADER
        + question[HEADER..]
            .iter()
            .position(|byte| *byte == 0)
            .expect("an end")
        + 5;
    let given = known && question[end - 4..end - 2] == TYPE_A;
    let mut answer = question[..end].to_vec();
    answer[2..4].copy_from_slice(&FLAGS);
    answer[3] |= if known { 0 } else { NO_SUCH_NAME };
    answer[6..HEADER].copy_from_slice(&[0, u8::from(given), 0, 0, 0, 0]);
    if given {
        // The name as above, type A, class IN, for a minute, four bytes.
        answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    answer
}

fn encoded(name: &str) -> Vec<u8> {
    let label = |label: &str| {
        [
            &[u8::try_from(label.len()).expect("short")],
            label.as_bytes(),
        ]
        .concat()
    };
    let mut bytes: Vec<u8> = name.split('.').flat_map(label).collect();
    bytes.push(0);
    bytes
}
