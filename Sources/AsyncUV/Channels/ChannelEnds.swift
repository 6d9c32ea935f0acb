internal import UV

/// What of a ``Channel`` does not depend on the type of its elements.
@usableFromInline
final class ChannelEnds: Sendable {
    let loop: EventLoop
    let label: String?
    private let core: LoopBound<ChannelCore>

    init(_ capacity: Int, _ label: String?, _ loop: EventLoop) {
        self.loop = loop
        self.label = label
        core = LoopBound(ChannelCore(capacity: capacity))
    }

    /// For errors.
    var subject: String { label.map { "channel \"\($0)\"" } ?? "a channel" }

    private var isOver: UVError { UVError(.brokenPipe, in: "send", of: "\(subject), which is finished") }

    @usableFromInline
    func send(_ parcel: any AnyParcel, _ timeout: Duration?) async throws {
        guard loop.isCurrent else { return try await loop.hop { try await self.send(parcel, timeout) } }
        try checkCancellation()
        guard let isGiven = core.lend(on: loop, { $0.give(parcel) }) else { throw isOver }
        if isGiven {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return
        }
        try await loop.perform("send", of: self.subject, within: timeout) { _, wait in
            self.core.open(on: self.loop).give(parcel, wait) { self.isOver }
        }
    }

    @usableFromInline
    func trySend(_ parcel: any AnyParcel) async throws -> Bool {
        guard loop.isCurrent else { return try await loop.hop { try await self.trySend(parcel) } }
        try checkCancellation()
        guard let isGiven = core.open(on: loop).give(parcel) else { throw isOver }
        if loop.charge(Cost.memory) { await loop.giveWay() }
        return isGiven
    }

    @usableFromInline
    func next(_ timeout: Duration?) async throws -> (any AnyParcel)? {
        guard loop.isCurrent else { return try await loop.hop { try await self.next(timeout) } }
        try checkCancellation()
        if let parcel = core.lend(on: loop, { $0.take() }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return parcel
        }
        return try await loop.perform("next", of: self.subject, within: timeout) { _, wait in
            self.core.open(on: self.loop).take(wait)
        }
    }

    func finish() {
        if loop.isCurrent { return core.open(on: loop).finish { isOver } }
        loop.post { self.core.open(on: self.loop).finish { self.isOver } }
    }
}
