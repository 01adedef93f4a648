//! Python face of the `holdfast-capture` crate: one function, and frozen values for what it found.

use std::net::IpAddr;
use std::path::PathBuf;

use holdfast_capture as core;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

create_exception!(
    _native,
    CaptureError,
    PyException,
    "No input could be read; args are (what is wrong, what to do)."
);

/// (time in nanoseconds since the epoch, input, frame number).
type Place = (i64, u16, u32);

fn place(place: core::Place) -> Place {
    (place.time_ns, place.file, place.frame)
}

fn text(address: IpAddr) -> String {
    address.to_string()
}

fn endpoint((address, port): core::Endpoint) -> (String, u16) {
    (text(address), port)
}

fn tuple<T: pyo3::PyClass + Into<PyClassInitializer<T>>>(
    py: Python<'_>,
    items: impl IntoIterator<Item = PyResult<T>>,
) -> PyResult<Py<PyTuple>> {
    let made: PyResult<Vec<Py<T>>> = items.into_iter().map(|item| Py::new(py, item?)).collect();
    Ok(PyTuple::new(py, made?)?.unbind())
}

#[pyclass(frozen, get_all)]
struct CaptureFile {
    name: String,
    format: String,
    frames: u32,
    error: Option<(String, String)>,
    notes: Vec<(String, String, u32)>,
    comments: Vec<(u32, String)>,
    dropped: u64,
    link_types: Vec<u16>,
}

impl From<core::FileSummary> for CaptureFile {
    fn from(file: core::FileSummary) -> Self {
        let note = |note: core::Note| (note.kind.to_owned(), note.text, note.frame);
        Self {
            name: file.name,
            format: file.format.to_owned(),
            frames: file.frames,
            error: file.error.map(|error| (error.what, error.fix)),
            notes: file.notes.into_iter().map(note).collect(),
            comments: file.comments,
            dropped: file.dropped,
            link_types: file.link_types,
        }
    }
}

#[pyclass(frozen, get_all)]
struct Segment {
    place: Place,
    from_client: bool,
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
    length: u32,
    payload: Py<PyBytes>,
    ttl: u8,
    identification: u32,
    mss: Option<u16>,
    sound: Option<bool>,
    retry: bool,
}

fn segment(py: Python<'_>, segment: &core::Segment) -> Segment {
    Segment {
        place: place(segment.place),
        from_client: segment.from_client,
        sequence: segment.sequence,
        acknowledgement: segment.acknowledgement,
        flags: segment.flags,
        length: segment.length,
        payload: PyBytes::new(py, &segment.payload).unbind(),
        ttl: segment.ttl,
        identification: segment.identification,
        mss: segment.mss,
        sound: segment.sound,
        retry: segment.retry,
    }
}

#[pyclass(frozen, get_all)]
struct ControlFlow {
    client: (String, u16),
    server: (String, u16),
    segments: Py<PyTuple>,
    skipped: u64,
    cookie: bool,
    opened: bool,
    messages: u64,
}

fn control_flow(py: Python<'_>, flow: &core::ControlFlow) -> PyResult<ControlFlow> {
    Ok(ControlFlow {
        client: endpoint(flow.client),
        server: endpoint(flow.server),
        segments: tuple(py, flow.segments.iter().map(|item| Ok(segment(py, item))))?,
        skipped: flow.segments.skipped(),
        cookie: flow.cookie,
        opened: flow.opened,
        messages: flow.messages,
    })
}

#[pyclass(frozen, get_all)]
struct GreFrame {
    place: Place,
    sequence: Option<u32>,
    acknowledgement: Option<u32>,
    ppp: Py<PyBytes>,
    length: u32,
    duplicate: bool,
    wireless_retry: bool,
    reordered: bool,
    cut: bool,
    unnumbered: bool,
}

fn gre_frame(py: Python<'_>, frame: &core::GreFrame) -> GreFrame {
    let marked = |flag: u8| frame.flags & flag != 0;
    GreFrame {
        place: place(frame.place),
        sequence: frame.sequence,
        acknowledgement: frame.acknowledgement,
        ppp: PyBytes::new(py, &frame.ppp).unbind(),
        length: frame.length,
        duplicate: marked(core::frame_flags::DUPLICATE),
        wireless_retry: marked(core::frame_flags::WIRELESS_RETRY),
        reordered: marked(core::frame_flags::REORDERED),
        cut: marked(core::frame_flags::CUT),
        unnumbered: marked(core::frame_flags::UNNUMBERED),
    }
}

fn frames(py: Python<'_>, sample: &core::Sample<core::GreFrame>) -> PyResult<Py<PyTuple>> {
    tuple(py, sample.iter().map(|frame| Ok(gre_frame(py, frame))))
}

#[pyclass(frozen, get_all)]
struct GreFlow {
    source: String,
    destination: String,
    call_id: u16,
    packets: u64,
    octets: u64,
    acks_only: u64,
    frames: u64,
    negotiation_frames: u64,
    encrypted: u64,
    clear: u64,
    other: u64,
    unnumbered: u64,
    short: u64,
    missing: u64,
    acked_unseen: u64,
    jumps: u64,
    reordered: u64,
    reordered_most: u32,
    copies: u64,
    copies_other_ttl: u64,
    copies_wireless: u64,
    duplicates: u64,
    late: u64,
    repeated_data: u64,
    aged: u64,
    late_first: Option<Place>,
    ttl: (u8, u8),
    largest: u32,
    sizes: Vec<u32>,
    first: Place,
    last: Place,
    numbers: Option<(u32, u32)>,
    acknowledged: Option<u32>,
    silence_from: Place,
    silence_ns: i64,
    dont_fragment: u64,
    gaps: Vec<(Place, u32)>,
    lag_count: u64,
    lag_median_ns: Option<i64>,
    lag_high_ns: Option<i64>,
    lag_most_ns: i64,
    timeline_start_ns: i64,
    timeline_step_ns: i64,
    timeline: Vec<(u32, u64, u32)>,
    negotiation: Py<PyTuple>,
    negotiation_skipped: u64,
    echoes: Py<PyTuple>,
    echoes_skipped: u64,
    data: Py<PyTuple>,
    data_skipped: u64,
}

fn gre_flow(py: Python<'_>, flow: &core::GreFlow) -> PyResult<GreFlow> {
    let stats = &flow.stats;
    let steps = flow.timeline.steps().iter();
    Ok(GreFlow {
        source: text(flow.source),
        destination: text(flow.destination),
        call_id: flow.call_id,
        packets: stats.packets,
        octets: stats.octets,
        acks_only: stats.acks_only,
        frames: stats.frames,
        negotiation_frames: stats.negotiation,
        encrypted: stats.encrypted,
        clear: stats.clear,
        other: stats.other,
        unnumbered: stats.unnumbered,
        short: stats.short,
        missing: stats.missing,
        acked_unseen: stats.acked_unseen,
        jumps: stats.jumps,
        reordered: stats.reordered,
        reordered_most: stats.reordered_most,
        copies: stats.copies,
        copies_other_ttl: stats.copies_other_ttl,
        copies_wireless: stats.copies_wireless,
        duplicates: stats.duplicates,
        late: stats.late,
        repeated_data: stats.repeated_data,
        aged: stats.aged,
        late_first: stats.late_first.map(place),
        ttl: stats.ttl,
        largest: stats.largest,
        sizes: stats.sizes.to_vec(),
        first: place(stats.first),
        last: place(stats.last),
        numbers: stats.numbers,
        acknowledged: stats.acknowledged,
        silence_from: place(stats.silence.from),
        silence_ns: stats.silence.length_ns,
        dont_fragment: stats.dont_fragment,
        gaps: flow
            .gaps
            .iter()
            .map(|gap| (place(gap.at), gap.missing))
            .collect(),
        lag_count: flow.lag_count(),
        lag_median_ns: flow.lag_quantile(0.5),
        lag_high_ns: flow.lag_quantile(0.95),
        lag_most_ns: flow.lag_most_ns,
        timeline_start_ns: flow.timeline.start_ns(),
        timeline_step_ns: flow.timeline.step_ns(),
        timeline: steps
            .map(|step| (step.packets, step.octets, step.missing))
            .collect(),
        negotiation: frames(py, &flow.negotiation)?,
        negotiation_skipped: flow.negotiation.skipped(),
        echoes: frames(py, &flow.echoes)?,
        echoes_skipped: flow.echoes.skipped(),
        data: frames(py, &flow.data)?,
        data_skipped: flow.data.skipped(),
    })
}

#[pyclass(frozen, get_all)]
struct IcmpNotice {
    first: Place,
    last: Place,
    count: u64,
    source: String,
    destination: String,
    kind: u8,
    code: u8,
    mtu: u32,
    version_6: bool,
    quoted_source: String,
    quoted_destination: String,
    quoted_protocol: u8,
    quoted_call_id: Option<u16>,
    quoted_length: u32,
}

impl From<&core::IcmpNotice> for IcmpNotice {
    fn from(notice: &core::IcmpNotice) -> Self {
        Self {
            first: place(notice.first),
            last: place(notice.last),
            count: notice.count,
            source: text(notice.source),
            destination: text(notice.destination),
            kind: notice.kind,
            code: notice.code,
            mtu: notice.mtu,
            version_6: notice.source.is_ipv6(),
            quoted_source: text(notice.quoted_source),
            quoted_destination: text(notice.quoted_destination),
            quoted_protocol: notice.quoted_protocol,
            quoted_call_id: notice.quoted_call_id,
            quoted_length: notice.quoted_length,
        }
    }
}

#[pyclass(frozen, get_all)]
struct RadiusPacket {
    place: Place,
    source: (String, u16),
    destination: (String, u16),
    octets: Py<PyBytes>,
}

#[pyclass(frozen, get_all)]
struct PppLinkFlow {
    outbound: bool,
    packets: u64,
    frames: Py<PyTuple>,
}

#[pyclass(frozen, get_all)]
struct FragmentCount {
    source: String,
    destination: String,
    fragments: u64,
    whole: u64,
    first: Place,
}

impl From<&core::FragmentCount> for FragmentCount {
    fn from(count: &core::FragmentCount) -> Self {
        Self {
            source: text(count.source),
            destination: text(count.destination),
            fragments: count.fragments,
            whole: count.whole,
            first: place(count.first),
        }
    }
}

#[pyclass(frozen, get_all)]
struct CaptureCounts {
    frames: u64,
    octets: u64,
    control: u64,
    messages: u64,
    gre: u64,
    ppp: u64,
    foreign_gre: u64,
    malformed_gre: u64,
    icmp: u64,
    protected: u64,
    cut: u64,
    unknown_link: u64,
    out_of_order: u64,
    span_ns: Option<(i64, i64)>,
    overflowed: u64,
}

fn counts(index: &core::Index) -> CaptureCounts {
    let counts = &index.counts;
    CaptureCounts {
        frames: counts.frames,
        octets: counts.octets,
        control: counts.control,
        messages: index.control.iter().map(|flow| flow.messages).sum(),
        gre: counts.gre,
        ppp: counts.ppp,
        foreign_gre: counts.foreign_gre,
        malformed_gre: counts.malformed_gre,
        icmp: counts.icmp,
        protected: counts.protected,
        cut: counts.cut,
        unknown_link: counts.unknown_link,
        out_of_order: counts.out_of_order,
        span_ns: counts.span_ns,
        overflowed: counts.overflowed,
    }
}

#[pyclass(frozen)]
pub(crate) struct CaptureIndex {
    index: core::Index,
    #[pyo3(get)]
    files: Py<PyTuple>,
}

impl CaptureIndex {
    pub(crate) fn wrap(py: Python<'_>, mut index: core::Index) -> PyResult<Self> {
        let files = std::mem::take(&mut index.files);
        let files = tuple(
            py,
            files.into_iter().map(|file| Ok(CaptureFile::from(file))),
        )?;
        Ok(Self { index, files })
    }
}

#[pymethods]
impl CaptureIndex {
    #[getter]
    fn counts(&self) -> CaptureCounts {
        counts(&self.index)
    }

    #[getter]
    fn stopped(&self) -> bool {
        self.index.stopped
    }

    #[getter]
    fn control_count(&self) -> usize {
        self.index.control.len()
    }

    #[getter]
    fn gre_count(&self) -> usize {
        self.index.gre.len()
    }

    fn control(&self, py: Python<'_>, most: usize) -> PyResult<Py<PyTuple>> {
        let flows = self.index.control.iter().take(most);
        tuple(py, flows.map(|flow| control_flow(py, flow)))
    }

    fn gre(&self, py: Python<'_>, most: usize) -> PyResult<Py<PyTuple>> {
        let flows = self.index.gre.iter().take(most);
        tuple(py, flows.map(|flow| gre_flow(py, flow)))
    }

    fn icmp(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        tuple(
            py,
            self.index
                .icmp
                .iter()
                .map(|notice| Ok(IcmpNotice::from(notice))),
        )
    }

    fn fragments(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let counts = self.index.fragments.iter();
        tuple(py, counts.map(|count| Ok(FragmentCount::from(count))))
    }

    fn radius(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let packets = self.index.radius.iter().flat_map(core::Sample::iter);
        tuple(
            py,
            packets.map(|packet| {
                Ok(RadiusPacket {
                    place: place(packet.place),
                    source: endpoint(packet.source),
                    destination: endpoint(packet.destination),
                    octets: PyBytes::new(py, &packet.octets).unbind(),
                })
            }),
        )
    }

    fn link_ppp(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        tuple(
            py,
            self.index.ppp.iter().map(|flow| {
                Ok(PppLinkFlow {
                    outbound: flow.outbound,
                    packets: flow.packets,
                    frames: frames(py, &flow.frames)?,
                })
            }),
        )
    }
}

fn input(name: String) -> core::Input {
    if name == "-" {
        core::Input::Stream("standard input".into(), Box::new(std::io::stdin()))
    } else {
        core::Input::File(PathBuf::from(name))
    }
}

/// Ask Python whether to go on: Ctrl-C and a progress function that returns False both stop the pass.
fn go_on(progress: Option<&Py<PyAny>>, done: u64, size: Option<u64>) -> PyResult<bool> {
    Python::attach(|py| {
        if py.check_signals().is_err() {
            return Ok(false);
        }
        match progress {
            Some(function) => function.call1(py, (done, size))?.extract::<bool>(py),
            None => Ok(true),
        }
    })
}

#[pyfunction]
#[pyo3(signature = (names, *, data_frames, data_octets, budget, progress = None))]
fn read_captures(
    py: Python<'_>,
    names: Vec<String>,
    data_frames: usize,
    data_octets: usize,
    budget: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<CaptureIndex> {
    let options = core::Options {
        data_frames,
        data_octets,
        budget,
        ..core::Options::default()
    };
    let mut failure = None;
    let read = py.detach(|| {
        let mut ask = |done, size| {
            go_on(progress.as_ref(), done, size).unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        };
        core::index(names.into_iter().map(input).collect(), options, &mut ask)
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let index = read.map_err(|error| CaptureError::new_err((error.what, error.fix)))?;
    CaptureIndex::wrap(py, index)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CaptureError", module.py().get_type::<CaptureError>())?;
    module.add_class::<CaptureFile>()?;
    module.add_class::<Segment>()?;
    module.add_class::<ControlFlow>()?;
    module.add_class::<GreFrame>()?;
    module.add_class::<GreFlow>()?;
    module.add_class::<IcmpNotice>()?;
    module.add_class::<RadiusPacket>()?;
    module.add_class::<PppLinkFlow>()?;
    module.add_class::<FragmentCount>()?;
    module.add_class::<CaptureCounts>()?;
    module.add_class::<CaptureIndex>()?;
    module.add_function(wrap_pyfunction!(read_captures, module)?)
}
