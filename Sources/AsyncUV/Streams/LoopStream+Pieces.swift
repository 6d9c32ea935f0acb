internal import UV

/// Reads of pieces: what follows a piece stays with the connection's core.
extension LoopStream {
    @usableFromInline
    func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? {
        try await readUntil(delimiter, limit: limit, ReadLimits())
    }

    @usableFromInline
    func readUntil(
        _ delimiter: UInt8, limit: Int, timeout: Duration?, untilDraining: Bool
    ) async throws -> [UInt8]? {
        try await readUntil(delimiter, limit: limit, ReadLimits(timeout: timeout, untilDraining: untilDraining))
    }

    @inline(__always)
    private func readUntil(_ delimiter: UInt8, limit: Int, _ limits: ReadLimits) async throws -> [UInt8]? {
        if let piece = try takeNow({ bytes throws(UVError) in
            try bytes.take(through: delimiter, limit: limit, isLast: false, "readUntil")
        }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return piece
        }
        return try await waitForPiece("readUntil", limits) { bytes, isLast throws(UVError) in
            try bytes.take(through: delimiter, limit: limit, isLast: isLast, "readUntil")
        }
    }

    @usableFromInline
    func readLine(limit: Int) async throws -> String? { try await readLine(limit: limit, ReadLimits()) }

    @usableFromInline
    func readLine(limit: Int, timeout: Duration?, untilDraining: Bool) async throws -> String? {
        try await readLine(limit: limit, ReadLimits(timeout: timeout, untilDraining: untilDraining))
    }

    @inline(__always)
    private func readLine(limit: Int, _ limits: ReadLimits) async throws -> String? {
        if let line = try takeNow({ bytes throws(UVError) in
            try bytes.takeText(limit: limit, isLast: false, "readLine")
        }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return line
        }
        return try await waitForPiece("readLine", limits) { bytes, isLast throws(UVError) in
            try bytes.takeText(limit: limit, isLast: isLast, "readLine")
        }
    }

    @usableFromInline
    func readLineBytes(limit: Int) async throws -> [UInt8]? { try await readLineBytes(limit: limit, ReadLimits()) }

    @usableFromInline
    func readLineBytes(limit: Int, timeout: Duration?, untilDraining: Bool) async throws -> [UInt8]? {
        try await readLineBytes(limit: limit, ReadLimits(timeout: timeout, untilDraining: untilDraining))
    }

    @inline(__always)
    private func readLineBytes(limit: Int, _ limits: ReadLimits) async throws -> [UInt8]? {
        if let line = try takeNow({ bytes throws(UVError) in
            try bytes.takeLine(limit: limit, isLast: false, "readLineBytes")
        }) {
            if loop.charge(Cost.memory) { await loop.giveWay() }
            return line
        }
        return try await waitForPiece("readLineBytes", limits) { bytes, isLast throws(UVError) in
            try bytes.takeLine(limit: limit, isLast: isLast, "readLineBytes")
        }
    }

    /// The fast path: a piece that is there, for a task on the loop.
    @inline(__always)
    private func takeNow<Piece>(_ take: (inout LineSplitter) throws(UVError) -> Piece?) throws -> Piece? {
        guard loop.isCurrent else { return nil }
        try checkCancellation()
        return try core.lend(on: loop) { core throws(UVError) in try core.take(take) }
    }

    /// Reads on until a piece can be taken. Apart, so that the pieces that are there do not carry its frame.
    @inline(never)
    private func waitForPiece<Piece: Sendable>(
        _ operation: StaticString, _ limits: ReadLimits,
        _ take: @Sendable (inout LineSplitter, _ isLast: Bool) throws(UVError) -> Piece?
    ) async throws -> Piece? {
        guard hostsCaller else { return try await loop.hop { try await self.waitForPiece(operation, limits, take) } }
        try checkCancellation()
        let time = TimeLeft(limits.timeout)
        var isLast = false
        while true {
            let piece = try core.lend(on: loop) { core throws(UVError) in
                try core.take { bytes throws(UVError) in try take(&bytes, isLast) }
            }
            if piece != nil || isLast { return piece }
            do { isLast = try await fill(limits, time) == nil } catch { throw error.asTimeout(of: operation) }
            try checkLoop()
        }
    }

    /// Gets more bytes, in a task that is hosted here. Not inlined, so that nothing follows its suspension: see
    /// ``wait(for:isOwners:)``.
    ///
    /// - Returns: `nil` when the peer has finished; no bytes otherwise, because they are with the core.
    @inline(never)
    private func fill() async throws -> [UInt8]? {
        let isOwners = core.lend(on: loop) { $0.isOwners }
        switch try core.lend(on: loop, { try $0.beginFilling(byOwner: isOwners) }) {
        case .filled: return await loop.pass([])
        case .ended: return nil
        case .waits(let number): return try await wait(for: number, isOwners: isOwners)
        }
    }

    /// As ``fill()``, for a reader of a piece that may have to end before it comes.
    private func fill(_ limits: ReadLimits, _ time: TimeLeft) async throws -> [UInt8]? {
        if limits.timeout == nil, !limits.untilDraining { return try await fill() }
        // Bytes of a piece are no boundary between two.
        let isBetweenPieces = core.lend(on: loop) { $0.untakenCount } == 0
        let left = ReadLimits(timeout: time.left, untilDraining: limits.untilDraining && isBetweenPieces)
        let isOwners = core.lend(on: loop) { $0.isOwners }
        switch try core.lend(on: loop, { try $0.beginFilling(byOwner: isOwners) }) {
        case .filled: return await loop.pass([])
        case .ended: return nil
        case .waits(let number): return try await wait(for: number, isOwners: isOwners, left)
        }
    }

    /// As ``wait(for:isOwners:)``, with limits.
    private func wait(for number: UInt32, isOwners: Bool, _ limits: ReadLimits) async throws -> [UInt8]? {
        let core = core.open(on: loop)
        if isOwners {
            return try await Suspension.wait { core.wait($0, limits, on: loop.core.open(on: loop)) }
        }
        return try await Suspension.wait(cancelling: ReadCancellation(core, number), on: loop) {
            core.wait($0, limits, on: loop.core.open(on: loop))
        }
    }

    /// Waits for a read that has begun. Nothing may come after the suspension in a function that is called for each read: the
    /// compiler would make it switch back to its executor first, 200 instructions.
    @inline(__always)
    private func wait(for number: UInt32, isOwners: Bool) async throws -> [UInt8]? {
        if isOwners {
            return try await Suspension.wait { suspension in core.lend(on: loop) { $0.wait(suspension) } }
        }
        return try await waitCancellably(for: number)
    }

    /// Waits for a read of a task that is not the owner of the connection's scope.
    private func waitCancellably(for number: UInt32) async throws -> [UInt8]? {
        let core = core.open(on: loop)
        return try await Suspension.wait(cancelling: ReadCancellation(core, number), on: loop) { core.wait($0) }
    }

    /// The loop may have ended during a wait, and its memory is not to be touched then.
    @inline(__always)
    private func checkLoop() throws {
        if !loop.isCurrent { throw loop.ended("read") }
    }

    /// Whether the caller comes back to the loop after each suspension.
    @inline(__always)
    private var hostsCaller: Bool {
        loop.isCurrent && (core.lend(on: loop) { $0.isOwners } || loop.hostsCurrentTask)
    }

    // MARK: Lent bytes

    /// - Returns: False when the peer has finished, and every byte was used.
    @usableFromInline
    func useBytes(
        limit: Int, timeout: Duration?, untilDraining: Bool, _ body: (Span<UInt8>) throws -> Int
    ) async throws -> Bool {
        let limits = ReadLimits(timeout: timeout, untilDraining: untilDraining)
        guard hostsCaller else { return try await useBytesElsewhere(limit, limits, body) }
        try checkCancellation()
        if let used = try core.lend(on: loop, { try $0.lend(limit: limit, body) }) {
            if loop.charge(Cost.memory + used) { await loop.giveWay() }
            return true
        }
        let time = TimeLeft(timeout)
        while try await fillForBody(limits, time) {
            try checkLoop()
            if try core.lend(on: loop, { try $0.lend(limit: limit, body) }) != nil { return true }
        }
        try checkFinished()
        return false
    }

    /// For a body that runs elsewhere, and may not leave: the bytes go there and come back.
    @inline(never)
    private func useBytesElsewhere(
        _ limit: Int, _ limits: ReadLimits, _ body: (Span<UInt8>) throws -> Int
    ) async throws -> Bool {
        guard let bytes = try await loop.hop({ try await self.borrow(limit, limits) }) else { return false }
        var lent = bytes
        let result = Result { try lent.lend("withBytes", body) }
        let rest = lent
        // A loop that has ended has closed everything.
        try? await loop.hop { core.open(on: loop).handBack(rest) }
        _ = try result.get()
        return true
    }

    private func borrow(_ limit: Int, _ limits: ReadLimits) async throws -> LineSplitter? {
        try checkCancellation()
        let time = TimeLeft(limits.timeout)
        repeat {
            try checkLoop()
            if let bytes = try core.open(on: loop).borrow(limit: limit) { return bytes }
        } while try await fillForBody(limits, time)
        try checkFinished()
        return nil
    }

    /// - Returns: False when the peer has finished.
    private func fillForBody(_ limits: ReadLimits, _ time: TimeLeft) async throws -> Bool {
        do { return try await fill(limits, time) != nil } catch { throw error.asTimeout(of: "withBytes") }
    }

    private func checkFinished() throws {
        try checkLoop()
        let count = core.open(on: loop).untakenCount
        if count == 0 { return }
        throw core.open(on: loop).handle.readError(
            .endOfFile, in: "withBytes", of: "a message of more than \(count) bytes")
    }

    // MARK: A caller's array

    @usableFromInline
    func read(into buffer: inout [UInt8], upTo limit: Int) async throws -> Int {
        guard hostsCaller else { return try await readElsewhere(into: &buffer, upTo: limit) }
        try checkCancellation()
        let before = buffer.count
        let isOwners = core.lend(on: loop) { $0.isOwners }
        switch try core.lend(on: loop, { try $0.beginRead(into: &buffer, upTo: limit, byOwner: isOwners) }) {
        case .took(let count):
            if loop.charge(Cost.memory + count) { await loop.giveWay() }
            return count
        case .waits(let number):
            // The loop may have ended meanwhile.
            defer { if loop.isCurrent { buffer = core.open(on: loop).takeRoom() } }
            _ = try await wait(for: number, isOwners: isOwners)
            try checkLoop()
        }
        return buffer.count - before
    }

    @inline(never)
    private func readElsewhere(into buffer: inout [UInt8], upTo limit: Int) async throws -> Int {
        let lent = Lent(buffer)
        buffer = []
        defer { buffer = lent.take() }
        return try await loop.hop {
            var buffer = lent.take()
            defer { lent.give(buffer) }
            return try await self.read(into: &buffer, upTo: limit)
        }
    }
}
