//! A filter on a raw socket: of all GRE packets only those of one worker's calls.

use super::{check, RawSocket};
use std::io;
use std::mem::size_of_val;
use std::os::fd::AsRawFd;

/// The part of all calls that one of several workers has: those whose Call ID leaves `index` when divided by `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Number of the worker, from 0.
    pub index: u16,
    /// How many workers there are, at least 1.
    pub of: u16,
}

impl Share {
    /// Everything.
    pub const ALL: Self = Self { index: 0, of: 1 };
}

/// Number of the worker, of so many, that has a call.
#[must_use]
pub fn owner(local_call_id: u16, workers: usize) -> usize {
    usize::from(local_call_id) % workers
}

/// Octets of a GRE header up to and with the Call ID.
const TO_CALL_ID: u32 = 8;
const CALL_ID_AT: u32 = 6;
const WHOLE: u32 = u32::MAX;

fn instruction(code: u32, jump_true: u8, jump_false: u8, value: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt: jump_true,
        jf: jump_false,
        k: value,
    }
}

/// The program (classic BPF) over a packet with its IP header. What is too short for a Call ID is the first worker's to count.
fn program(share: Share) -> [libc::sock_filter; 10] {
    let short = if share.index == 0 { WHOLE } else { 0 };
    [
        instruction(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, 0, 0, 0),
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_LEN, 0, 0, 0),
        instruction(libc::BPF_ALU | libc::BPF_SUB | libc::BPF_X, 0, 0, 0),
        instruction(
            libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K,
            0,
            3,
            TO_CALL_ID,
        ),
        instruction(libc::BPF_LD | libc::BPF_H | libc::BPF_IND, 0, 0, CALL_ID_AT),
        instruction(
            libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K,
            0,
            0,
            share.of.into(),
        ),
        instruction(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            1,
            2,
            share.index.into(),
        ),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, short),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, WHOLE),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
    ]
}

/// Let a socket receive this share only.
pub fn attach(socket: &RawSocket, share: Share) -> io::Result<()> {
    if share == Share::ALL {
        return Ok(());
    }
    let mut instructions = program(share);
    let program = libc::sock_fprog {
        len: instructions.len() as u16,
        filter: instructions.as_mut_ptr(),
    };
    // SAFETY: the program points to as many instructions as it says; the kernel copies them.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of_val(&program) as libc::socklen_t,
        )
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_stay_inside_and_the_rule_is_the_owners() {
        let program = program(Share { index: 1, of: 3 });
        for (at, instruction) in program.iter().enumerate() {
            let furthest = at + 1 + usize::from(instruction.jt.max(instruction.jf));
            assert!(furthest <= program.len());
        }
        assert_eq!(program[7].k, 0, "only the first counts what is too short");
        assert_eq!((program[5].k, program[6].k), (3, 1));
        assert_eq!([0, 4, 65_534].map(|call| owner(call, 3)), [0, 1, 2]);
    }
}
