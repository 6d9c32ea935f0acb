import CReadiness
import Readiness

/// What is sent, to each model in turn.
struct FigureSetting: Sendable {
    var messages = 3
    /// Bytes of each message. It arrives whole: the pair keeps message borders.
    var messageSize = 393_216
    /// The pause before each message, in nanoseconds.
    var interval: Int64 = 10_000_000
    /// Each model is recorded so often. Of the shortest recordings the one with the most work done counts: other
    /// programs disturbed it least.
    var tries = 1
}

/// What was recorded of one model.
struct Recording: Sendable {
    let model: any IOModel
    /// What the calling thread did.
    let caller: Track
    /// What the helping thread did, if there was one.
    let helper: Track?
    /// When the messages were in the kernel.
    let arrivals: [Int64]

    init(_ model: any IOModel, _ caller: Track, _ helper: Track?, _ arrivals: [Int64]) {
        (self.model, self.caller, self.helper) = (model, caller, helper)
        // The sender may be held up between sending and looking at the clock; nobody copies what has not arrived.
        let copies = (helper ?? caller).segments.filter { $0.phase == .copying }.map(\.start)
        self.arrivals = zip(arrivals, copies).map(min)
    }

    var end: Int64 { caller.segments.last?.end ?? 0 }

    /// How long the messages waited in the kernel, in nanoseconds.
    var lateness: Int64 {
        let copies = (helper ?? caller).segments.filter { $0.phase == .copying }.map(\.start)
        return zip(copies, arrivals).map { $0 - $1 }.reduce(0, +)
    }

    /// What the caller does until the data is there: phase 1 of a read.
    var untilArrival: Phase {
        if caller.time(in: .asking) > 0 { return .asking }
        return [.blocked, .waiting, .free].max { caller.time(in: $0) < caller.time(in: $1) }!
    }

    /// Whether the caller copies, which is phase 2 of a read, or its helper.
    var callerCopies: Bool { caller.time(in: .copying) > 0 }
}

/// The comparison of the IO models, measured.
struct Figure: Sendable {
    let setting: FigureSetting
    let recordings: [Recording]

    /// All models, in the order of the books; then the three ways of multiplexing.
    static let models: [any IOModel] = [
        BlockingModel(), NonBlockingModel(), MultiplexModel<SelectPoller>("select"),
        MultiplexModel<PollPoller>("poll"), MultiplexModel<EpollPoller>("epoll"), SignalModel(), AsynchronousModel(),
    ]

    /// Sends the same messages to each model, one model after the other.
    init(_ setting: FigureSetting = FigureSetting()) throws {
        self.setting = setting
        let work = Work(about: setting.interval / 50)
        recordings = try Self.models.map { model in
            let tries = try (0..<setting.tries).map { _ in try Self.record(model, setting, work) }
            let shortest = tries.map(\.end).min()!
            let undisturbed = tries.filter { $0.end <= shortest + setting.interval / 10 }
            return undisturbed.max { ($0.caller.workUnits, -$0.lateness) < ($1.caller.workUnits, -$1.lateness) }!
        }
    }

    private static func record(_ model: any IOModel, _ setting: FigureSetting, _ work: Work) throws -> Recording {
        let (near, far) = try Socket.pair(messages: true)
        try far.set(.sendBufferSize, to: CInt(setting.messageSize))
        let sender = SlowSender(far)
        var reader = try Reader(near, setting, work)
        let origin = readiness_clock()
        reader.begin(at: origin)
        try sender.start(setting, origin: origin)
        let helper = try model.receiveAll(&reader)
        return Recording(model, reader.track, helper, sender.arrivals())
    }

    /// The time axis ends here.
    var end: Int64 { recordings.map(\.end).max() ?? 0 }
}
