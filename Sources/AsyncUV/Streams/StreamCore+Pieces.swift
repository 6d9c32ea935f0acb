internal import UV

/// Bytes that stay with the connection until a reader takes the piece that it wants: a line, a message, what fits its array.
extension StreamCore {
    /// The bytes that are there, for a reader of pieces.
    ///
    /// - Throws: ``UVError`` with `.alreadyInProcess` while another task waits for bytes.
    @inline(__always)
    func untaken() throws(UVError) -> Returned? {
        if unsafe reader.isWaiting { throw isBeingRead }
        guard let returned = unsafe returned else { return nil }
        if unsafe returned.room != nil { throw isBeingRead }
        return returned
    }

    func makeReturned() -> Returned {
        if let returned = unsafe returned { return returned }
        let made = Returned()
        unsafe returned = made
        return made
    }

    /// Takes a piece, if it is there as a whole.
    @inline(__always)
    func take<Piece>(_ take: (inout LineSplitter) throws(UVError) -> Piece?) throws(UVError) -> Piece? {
        guard let returned = try untaken() else { return nil }
        let piece: Piece?
        do throws(UVError) { piece = unsafe try take(&returned.bytes) } catch { throw naming(error) }
        guard let piece else { return nil }
        if unsafe returned.bytes.isEmpty { passMemoryOn(returned) }
        return piece
    }

    /// The error of a piece, with the peer that it comes from.
    @inline(never)
    func naming(_ error: UVError) -> UVError {
        handle.readError(error.code, in: error.operation, of: error.subject ?? "a piece")
    }

    /// Takes all bytes out, at least one, to lend them to a parser. What it leaves comes back with ``handBack(_:)``.
    ///
    /// - Returns: Nothing when there are no more bytes than the parser has refused before.
    /// - Throws: Also ``UVError`` with `.messageTooLong` when these are as many as the limit.
    func borrow(limit: Int) throws(UVError) -> LineSplitter? {
        guard let returned = try untaken(), unsafe !returned.bytes.isEmpty else { return nil }
        let count = unsafe returned.bytes.count
        if unsafe count <= returned.bytes.refused {
            guard count >= limit else { return nil }
            throw handle.readError(.messageTooLong, in: "withBytes", of: "a message of more than \(limit) bytes")
        }
        var bytes = LineSplitter()
        unsafe swap(&bytes, &returned.bytes)
        return bytes
    }

    func handBack(_ bytes: consuming LineSplitter) {
        if bytes.isEmpty { handle.loop.readMemory.leaveSpare(bytes.takeMemory()) } else { giveBack(bytes) }
    }

    /// Lends all bytes to a body, which says how many it has used. The body is the user's: it may do anything meanwhile.
    func lend(limit: Int, _ body: (Span<UInt8>) throws -> Int) throws -> Int? {
        guard var bytes = try borrow(limit: limit) else { return nil }
        defer { handBack(bytes) }
        return try bytes.lend("withBytes", body)
    }

    /// How many bytes nobody has taken.
    var untakenCount: Int { unsafe returned?.bytes.count ?? 0 }

    // MARK: Filters

    /// Puts a filter between the socket and the readers and writers. Bytes that nobody has taken are the filter's.
    func install(_ filter: any StreamFilter) throws {
        let bytes = try unsafe untaken()?.bytes.take(upTo: .max) ?? []
        do { try handle.install(filter, after: bytes) } catch {
            giveBack(LineSplitter(bytes))
            throw error
        }
    }

    // MARK: A reader's own array

    /// What ``beginRead(into:upTo:byOwner:)`` found.
    enum BegunInto {
        /// So many bytes; 0 at the end.
        case took(Int)
        /// The caller suspends, and ``takeRoom()`` is its array afterwards; the number tells its read from later ones.
        case waits(UInt32)
    }

    /// Appends what is there to an array. If nothing is, the array is here until something comes.
    func beginRead(into buffer: inout [UInt8], upTo limit: Int, byOwner: Bool) throws -> BegunInto {
        if limit < 1 { throw handle.readError(.invalidArgument, in: "read", of: "up to \(limit) bytes") }
        if let count = try take({ bytes throws(UVError) in
            bytes.isEmpty ? nil : bytes.take(upTo: limit, into: &buffer)
        }) {
            return .took(count)
        }
        switch try readLent(upTo: limit) {
        case .bytes(let bytes):
            didRead()
            return .took(buffer.append(bytes))
        case .ended: return .took(0)
        case .waiting:
            unsafe makeReturned().room = buffer
            buffer = []
            return .waits(beginWait(byOwner: byOwner))
        }
    }

    private func readLent(upTo limit: Int) throws -> StreamHandle.ReadOutcome {
        do throws(UVError) { return try handle.readLent(upTo: limit, onDone: streamFilled) } catch {
            throw handle.presented(error)
        }
    }

    func takeRoom() -> [UInt8] { unsafe returned?.room.take() ?? [] }

    // MARK: Filling

    /// What ``beginFilling(byOwner:)`` found.
    enum Filling {
        case filled
        case ended
        /// The caller suspends; the number tells its read from later ones. The bytes that it is resumed with are none, because they
        /// are with those that nobody has taken yet; `nil` is the end.
        case waits(UInt32)
    }

    /// Begins to get more bytes.
    func beginFilling(byOwner: Bool) throws -> Filling {
        _ = try untaken()
        switch try readLent(upTo: 65_536) {
        case .bytes(let bytes):
            didRead()
            unsafe makeReturned().bytes.append(bytes)
            return .filled
        case .ended: return .ended
        case .waiting: return .waits(beginWait(byOwner: byOwner))
        }
    }

    /// Appends bytes that have just come to those that nobody has taken yet, or to a reader's array.
    @inline(never)
    func takeLent() {
        let returned = makeReturned()
        if unsafe returned.room != nil {
            unsafe handle.takeLent(into: &returned.room!)
        } else {
            if unsafe !returned.bytes.hasMemory { unsafe returned.bytes.giveMemory(handle.loop.readMemory.takeSpare()) }
            unsafe returned.bytes.append { handle.takeLent(into: &$0) }
        }
    }

    /// The memory of what was taken goes with the last byte, to the next connection that gets bytes.
    @inline(never)
    func passMemoryOn(_ returned: Returned) {
        unsafe handle.loop.readMemory.leaveSpare(returned.bytes.takeMemory())
    }
}

/// As `streamReceived`, for bytes that are lent: they are taken before the reader is told.
private func streamFilled(_ stream: StreamHandle, _ result: Result<[UInt8]?, UVError>) {
    unsafe stream.lentAttachment?._withUnsafeGuaranteedRef {
        let core = unsafe unsafeDowncast($0, to: StreamCore.self)
        if case .success(_?) = result { core.takeLent() }
        core.received(result)
    }
}
