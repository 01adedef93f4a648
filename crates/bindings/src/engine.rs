//! The packet engine with plain types: Python's face of `holdfast_dataplane::engine`.

use crate::dataplane::key_chain;
use holdfast_dataplane::command::{Keepalive, Link, TxCommand};
use holdfast_dataplane::engine::{Engine, Options, Refusal};
use holdfast_dataplane::mppe::{KeyChain, Mode};
use holdfast_dataplane::prefix::Prefix;
use holdfast_dataplane::shared::{Drops, Path, Shared, CAUSES, CAUSE_NAMES};
use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// The cause of drops that the kernel makes and counts.
const SOCKET_FULL: &str = "socket_full";

type Told<'py> = (u8, u64, Bound<'py, PyBytes>, u64, String);
type MppeArgument<'a> = Option<(&'a [u8], u32, bool)>;

/// The packet engine: `holdfast.dataplane.engine.Engine` gives it the types of the interface.
#[pyclass]
struct PacketEngine {
    engine: Engine,
    gone: Vec<u64>,
}

fn refused(refusal: Refusal) -> PyErr {
    match refusal {
        Refusal::UnknownCall => PyKeyError::new_err("no call has this handle"),
        Refusal::Taken => PyValueError::new_err("this call ID and peer belong to another call"),
        Refusal::AddressTaken(address) => {
            PyValueError::new_err(format!("{address} belongs to another call"))
        }
        Refusal::Closed => PyRuntimeError::new_err("the engine is closed"),
    }
}

fn parse_address<T: std::str::FromStr>(text: &str) -> PyResult<T> {
    text.parse()
        .map_err(|_| PyValueError::new_err(format!("not an IP address: {text}")))
}

fn mppe_key(key: MppeArgument<'_>) -> PyResult<Option<(KeyChain, Mode)>> {
    let Some((start_key, bits, stateless)) = key else {
        return Ok(None);
    };
    let mode = if stateless {
        Mode::Stateless
    } else {
        Mode::Stateful
    };
    Ok(Some((key_chain(start_key, bits)?, mode)))
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9) as u64
}

/// Counters that add up, in the order of `COUNTS`.
const SUMS: usize = 13;
const COUNTS: [&str; SUMS] = [
    "packets_in",
    "packets_out",
    "bytes_in",
    "bytes_out",
    "gre_packets_in",
    "gre_packets_out",
    "gre_lost",
    "gre_reordered",
    "gre_duplicates",
    "gre_fragmented_out",
    "mppe_resets",
    "echoes_sent",
    "echoes_answered",
];
const TIMES: [&str; 5] = [
    "round_trip_time",
    "last_received",
    "last_user_in",
    "last_user_out",
    "unacknowledged_since",
];

fn sums(shared: &Shared) -> [u64; SUMS] {
    [
        shared.packets_in.get(),
        shared.packets_out.get(),
        shared.bytes_in.get(),
        shared.bytes_out.get(),
        shared.gre_in.get(),
        shared.gre_out.get() + shared.acks_out.get(),
        shared.gre_lost.get(),
        shared.gre_reordered.get(),
        shared.gre_duplicates.get(),
        shared.fragmented_out.get(),
        shared.resets.get() + shared.desyncs.get(),
        shared.echoes_sent.get(),
        shared.echoes_answered.get(),
    ]
}

fn causes(drops: &Drops) -> [u64; CAUSES] {
    std::array::from_fn(|cause| drops.get(cause))
}

fn counters_dict<'py>(
    py: Python<'py>,
    sums: &[u64],
    drops: &[u64; CAUSES],
) -> PyResult<Bound<'py, PyDict>> {
    let counters = PyDict::new(py);
    for (name, value) in COUNTS.iter().zip(sums) {
        counters.set_item(name, value)?;
    }
    let by_cause = PyDict::new(py);
    for (name, &count) in CAUSE_NAMES
        .iter()
        .zip(drops)
        .filter(|(_, &count)| count > 0)
    {
        by_cause.set_item(name, count)?;
    }
    counters.set_item("drops", by_cause)?;
    Ok(counters)
}

fn call_counters<'py>(py: Python<'py>, shared: &Shared) -> PyResult<Bound<'py, PyDict>> {
    let counters = counters_dict(py, &sums(shared), &causes(&shared.drops))?;
    let times = [
        shared.round_trip.get(),
        shared.last_received.get(),
        shared.last_user_in.get(),
        shared.last_user_out.get(),
        shared.unacknowledged_since(),
    ];
    for (name, time) in TIMES.iter().zip(times) {
        counters.set_item(name, time as f64 / 1e9)?;
    }
    counters.set_item("peer_ttl", shared.peer_ttl.get())?;
    Ok(counters)
}

#[pymethods]
impl PacketEngine {
    #[new]
    fn new(
        tun_name: String,
        tun_mtu: u32,
        bind_addresses: Vec<String>,
        reorder_timeout: f64,
        heartbeats: Vec<String>,
        workers: u16,
    ) -> PyResult<Self> {
        let parse_all = |texts: Vec<String>| -> PyResult<Vec<Ipv4Addr>> {
            texts.iter().map(|text| parse_address(text)).collect()
        };
        let options = Options {
            tun_name,
            tun_mtu,
            bind_addresses: parse_all(bind_addresses)?,
            reorder_timeout: nanoseconds(reorder_timeout),
            heartbeats: parse_all(heartbeats)?,
            workers: workers.max(1),
        };
        Ok(Self {
            engine: Engine::start(&options)?,
            gone: vec![0; SUMS + CAUSES],
        })
    }

    #[getter]
    fn tun_name(&self) -> &str {
        self.engine.name()
    }

    fn fileno(&self) -> i32 {
        self.engine.listener().wake().as_raw_fd()
    }

    fn poll<'py>(&self, py: Python<'py>, limit: usize) -> Vec<Told<'py>> {
        let tell = |upcall: holdfast_dataplane::upcall::Upcall| {
            let handle = upcall.call.map_or(0, |call| call.handle);
            let peer = upcall.peer.map(|peer| peer.to_string()).unwrap_or_default();
            (
                upcall.kind as u8,
                handle,
                PyBytes::new(py, &upcall.frame),
                upcall.value,
                peer,
            )
        };
        self.engine
            .listener()
            .drain(limit)
            .into_iter()
            .map(tell)
            .collect()
    }

    fn add_call(
        &mut self,
        local_call_id: u16,
        peer_call_id: u16,
        local: &str,
        peer: &str,
        receive_window: u32,
    ) -> PyResult<u64> {
        let (local, peer) = (
            parse_address::<Ipv4Addr>(local)?,
            parse_address::<Ipv4Addr>(peer)?,
        );
        let path = Path {
            local_call_id,
            peer_call_id,
            local,
            peer,
            receive_window,
        };
        self.engine.add_call(path).map_err(refused)
    }

    fn remove_call<'py>(&mut self, py: Python<'py>, handle: u64) -> PyResult<Bound<'py, PyDict>> {
        let engine = &mut self.engine;
        let shared: Arc<Shared> = py.detach(|| engine.remove_call(handle)).map_err(refused)?;
        let last = sums(&shared).into_iter().chain(causes(&shared.drops));
        self.gone
            .iter_mut()
            .zip(last)
            .for_each(|(total, count)| *total += count);
        call_counters(py, &shared)
    }

    fn let_go(&mut self, py: Python<'_>, handles: Vec<u64>) {
        let engine = &mut self.engine;
        py.detach(|| engine.let_go(&handles));
    }

    fn send(&self, handle: u64, frame: Vec<u8>, whole: bool) -> PyResult<()> {
        let command = if whole {
            TxCommand::Whole(frame)
        } else {
            TxCommand::Frame(frame)
        };
        self.engine.send(handle, command).map_err(refused)
    }

    fn inject(&self, handle: u64, packet: Vec<u8>) -> PyResult<()> {
        self.engine
            .send(handle, TxCommand::Inject(packet))
            .map_err(refused)
    }

    fn configure(
        &self,
        handle: u64,
        mtu: usize,
        compress_protocol: bool,
        omit_framing: bool,
        local_magic: u32,
        clamp_mss: bool,
    ) -> PyResult<()> {
        let link = Link {
            mtu,
            compress_protocol,
            omit_framing,
            local_magic,
            clamp_mss,
        };
        self.engine.configure(handle, link).map_err(refused)
    }

    fn set_mppe(
        &self,
        handle: u64,
        receive: MppeArgument<'_>,
        send: MppeArgument<'_>,
    ) -> PyResult<()> {
        self.engine
            .set_mppe(handle, mppe_key(receive)?, mppe_key(send)?)
            .map_err(refused)
    }

    fn require_mppe(&self, handle: u64, required: bool) -> PyResult<()> {
        self.engine.require_mppe(handle, required).map_err(refused)
    }

    fn reset_mppe_send(&self, handle: u64) -> PyResult<()> {
        self.engine
            .send(handle, TxCommand::ResetMppe)
            .map_err(refused)
    }

    fn set_addresses(&mut self, handle: u64, addresses: Vec<String>) -> PyResult<()> {
        let addresses = addresses
            .iter()
            .map(|text| parse_address::<Prefix>(text))
            .collect::<PyResult<_>>()?;
        self.engine
            .set_addresses(handle, addresses)
            .map_err(refused)
    }

    fn set_rates(&self, handle: u64, up: u64, down: u64) -> PyResult<()> {
        self.engine.set_rates(handle, up, down).map_err(refused)
    }

    fn set_keepalive(
        &self,
        handle: u64,
        interval: f64,
        failures: u32,
        adaptive: bool,
    ) -> PyResult<()> {
        let keepalive = Keepalive {
            interval: nanoseconds(interval),
            failures,
            adaptive,
        };
        self.engine
            .set_keepalive(handle, keepalive)
            .map_err(refused)
    }

    fn counters<'py>(&self, py: Python<'py>, handle: u64) -> PyResult<Bound<'py, PyDict>> {
        call_counters(py, self.engine.call(handle).map_err(refused)?.as_ref())
    }

    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut totals = self.gone.clone();
        for shared in self.engine.calls() {
            let counts = sums(shared).into_iter().chain(causes(&shared.drops));
            totals
                .iter_mut()
                .zip(counts)
                .for_each(|(total, count)| *total += count);
        }
        let (counts, drops) = totals.split_at(SUMS);
        let own = causes(&self.engine.drops);
        let counters = counters_dict(
            py,
            counts,
            &std::array::from_fn(|cause| drops[cause] + own[cause]),
        )?;
        counters.set_item("gre_packets_in", self.engine.received.get())?;
        let by_cause = counters.get_item("drops")?;
        if let Some(by_cause) = by_cause {
            by_cause.set_item(SOCKET_FULL, self.engine.overflowed())?;
        }
        Ok(counters)
    }

    fn close(&mut self, py: Python<'_>) {
        let engine = &mut self.engine;
        py.detach(|| engine.close());
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PacketEngine>()
}
