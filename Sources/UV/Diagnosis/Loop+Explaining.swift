extension Loop {
    /// What keeps the loop alive, and what else is on it: each handle with its kind, label, address, age and the place where it was
    /// made, and each request with its kind, subject and age. For the question why a program does not end, or what it is waiting for.
    ///
    /// ```swift
    /// print(loop.explainAlive())
    /// ```
    ///
    /// Handles that C code has made on a shared loop are listed as well, by libuv's name of their kind. Nobody knows their age and their
    /// place. Requests have no place either, because each would have to carry one: their subject says which they are.
    ///
    /// A program that wants it on a signal starts a ``SignalHandle`` that prints it, with ``Handle/keepsLoopAlive`` false.
    ///
    /// It changes nothing, and costs nothing before it is called. With ``Diagnostics/isTracing`` it knows the functions that led to
    /// each handle as well.
    public func explainAlive() -> AliveReport {
        checkThread("Loop")
        let requests = livingRequests().map { $0.aliveEntry() }
        let known = handles.map { $0.aliveEntry() } + foreignEntries()
        return AliveReport("this loop", known + requests + foreignRequests(beside: known, requests.count))
    }

    /// An entry for requests that are not this library's, when no handle explains them: libuv has the number of all requests only, and
    /// those of handles are among them.
    private func foreignRequests(beside handles: [AliveReport.Entry], _ ours: Int) -> [AliveReport.Entry] {
        let count = requestCount - ours
        if count <= 0 || handles.contains(where: { [.keepsLoopAlive, .isClosing].contains($0.standing) }) { return [] }
        var entry = AliveReport.Entry(count == 1 ? "request" : "\(count) requests", .keepsLoopAlive)
        entry.detail = "made by C code or by libuv"
        return [entry]
    }

    /// The requests that libuv has, in the order in which they began.
    func livingRequests() -> [Request] {
        var found: [Request] = []
        var next = unsafe lastRequest
        while let request = next {
            found.append(request)
            next = unsafe request.earlier
        }
        return found.reversed()
    }

    /// Remembers who has made a handle.
    func noteOrigin(of handle: Handle) {
        origins.note(handle) { Set(allHandles.map { ObjectIdentifier($0) }) }
    }

    /// For the error of ``close()``.
    var whatIsOpen: String {
        let report = explainAlive()
        let handles = handles.count
        let foreign = foreignHandleCount
        let requests = livingRequests().count
        let counts = [
            foreign == 0 ? nil : foreign == 1 ? "1 open handle of C code" : "\(foreign) open handles of C code",
            handles == 0 ? nil : handles == 1 ? "1 open handle" : "\(handles) open handles",
            requests == 0 ? nil : requests == 1 ? "1 request under way" : "\(requests) requests under way",
        ].compactMap { $0 }
        // Handles that belong to the library, or requests that libuv has for itself.
        if counts.isEmpty { return "a loop with requests under way" }
        return "a loop with \(counts.joined(separator: " and ")): \(Self.list(report.entries))"
    }

    /// For errors.
    static func list(_ entries: [AliveReport.Entry]) -> String {
        let shown = entries.prefix(mostInError).map(\.description).joined(separator: "; ")
        return entries.count > mostInError ? "\(shown); …" : shown
    }

    private static let mostInError = 50
}

extension Request {
    fileprivate final func aliveEntry() -> AliveReport.Entry {
        var entry = AliveReport.Entry(aliveKind, .keepsLoopAlive)
        entry.address = subjectOfRequest
        entry.age = loop.age(since: startedAt)
        if self is PoolRequest { entry.detail = "in the thread pool" }
        return entry
    }

    private final var aliveKind: String {
        let operation = operation.description
        return switch self {
        case is WorkRequest: "work"
        case is RandomRequest: "random bytes"
        case is NameRequest, is AddressRequest: "look-up"
        default: operation
        }
    }
}

extension Loop {
    /// What a moment of ``moment`` is ago.
    func age(since moment: UInt32) -> Duration {
        .milliseconds(Int64(UInt32(truncatingIfNeeded: clock.time) &- moment))
    }

    /// The loop's clock, whose milliseconds begin anew after 49 days: it is small enough to be kept everywhere.
    package var moment: UInt32 { UInt32(truncatingIfNeeded: clock.time) }

    package func milliseconds(since moment: UInt32) -> Duration { age(since: moment) }
}
