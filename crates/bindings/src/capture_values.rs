//! What a capture holds as frozen Python values: each made from its counterpart in the `holdfast-capture` crate.

use std::net::IpAddr;

use holdfast_capture as core;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// (time in nanoseconds since the epoch, input, frame number).
pub(crate) type Place = (i64, u16, u32);

pub(crate) fn place(place: core::Place) -> Place {
    (place.time_ns, place.file, place.frame)
}

pub(crate) fn text(address: IpAddr) -> String {
    address.to_string()
}

pub(crate) fn endpoint((address, port): core::Endpoint) -> (String, u16) {
    (text(address), port)
}

pub(crate) fn tuple<T: pyo3::PyClass + Into<PyClassInitializer<T>>>(
    py: Python<'_>,
    items: impl IntoIterator<Item = PyResult<T>>,
) -> PyResult<Py<PyTuple>> {
    let made: PyResult<Vec<Py<T>>> = items.into_iter().map(|item| Py::new(py, item?)).collect();
    Ok(PyTuple::new(py, made?)?.unbind())
}

#[pyclass(frozen, get_all)]
pub(crate) struct CaptureFile {
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
pub(crate) struct Segment {
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

pub(crate) fn segment(py: Python<'_>, segment: &core::Segment) -> Segment {
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
pub(crate) struct ControlFlow {
    client: (String, u16),
    server: (String, u16),
    segments: Py<PyTuple>,
    skipped: u64,
    cookie: bool,
    opened: bool,
    messages: u64,
}

pub(crate) fn control_flow(py: Python<'_>, flow: &core::ControlFlow) -> PyResult<ControlFlow> {
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
pub(crate) struct GreFrame {
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

pub(crate) fn gre_frame(py: Python<'_>, frame: &core::GreFrame) -> GreFrame {
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

pub(crate) fn frames(
    py: Python<'_>,
    sample: &core::Sample<core::GreFrame>,
) -> PyResult<Py<PyTuple>> {
    tuple(py, sample.iter().map(|frame| Ok(gre_frame(py, frame))))
}

#[pyclass(frozen, get_all)]
pub(crate) struct GreFlow {
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
    lag_sure_ns: i64,
    lag_sure_most_ns: i64,
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

pub(crate) fn gre_flow(py: Python<'_>, flow: &core::GreFlow) -> PyResult<GreFlow> {
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
        lag_count: flow.lags.count(),
        lag_median_ns: flow.lags.quantile(0.5),
        lag_sure_ns: flow.lags.sure(0.05),
        lag_sure_most_ns: flow.lags.sure_most_ns,
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
pub(crate) struct IcmpNotice {
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
pub(crate) struct RadiusPacket {
    pub(crate) place: Place,
    pub(crate) source: (String, u16),
    pub(crate) destination: (String, u16),
    pub(crate) octets: Py<PyBytes>,
}

#[pyclass(frozen, get_all)]
pub(crate) struct PppLinkFlow {
    pub(crate) outbound: bool,
    pub(crate) packets: u64,
    pub(crate) frames: Py<PyTuple>,
}

#[pyclass(frozen, get_all)]
pub(crate) struct FragmentCount {
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
pub(crate) struct CaptureCounts {
    frames: u64,
    octets: u64,
    control: u64,
    elsewhere: u16,
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

pub(crate) fn counts(index: &core::Index) -> CaptureCounts {
    let counts = &index.counts;
    CaptureCounts {
        frames: counts.frames,
        octets: counts.octets,
        control: counts.control,
        elsewhere: counts.elsewhere,
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
