internal import CLibuv

/// Streams with a filter between the socket and the readers and writers: see ``StreamFilter``.
///
/// The filter's bytes come as those of ``startReading(onBytes:onEnd:)`` do, and all that is to be sent is diverted as if writes
/// waited already. So streams without a filter do nothing for it.
extension StreamHandle {
    /// Puts a filter between the socket and the readers and writers, for good. What has been read ahead is the filter's.
    ///
    /// - Throws: ``UVError`` with `.alreadyInProcess` while the stream is read or has a filter, `.resourceBusy` while writes wait,
    ///   `.socketShutdown` when our side is finished, `.socketNotConnected`, `.badFileDescriptor`.
    package final func install(_ filter: any StreamFilter, after bytes: [UInt8]) throws(UVError) {
        try checkWritable("secure")
        if unsafe isBeingRead || receiver.onDone != nil {
            throw UVError(.alreadyInProcess, in: "secure", of: "a stream that is being read")
        }
        if hasBacklog { throw UVError(.resourceBusy, in: "secure", of: "a stream with writes that wait") }
        if unsafe !hasEnded, unsafe uv_is_writable(stream) == 0 { throw readError(.socketNotConnected, in: "secure") }
        filter.receive(bytes.span)
        filter.keepRest()
        while unsafe receiver.isInUse {
            guard case .bytes(let ahead) = try unsafe receiver.take(upTo: .max, { _, _ in }) else { break }
            filter.receive(ahead.span)
            filter.keepRest()
        }
        if unsafe hasEnded { filter.receiveEnd(nil) }
        let backlog = makeBacklog()
        backlog.filter = InstalledFilter(filter)
        unsafe onBytes = filteredBytesArrived
        unsafe onEnd = filteredStreamEnded
    }

    /// Whether a filter is between the socket and the readers and writers.
    package final var isFiltered: Bool { unsafe backlog?.filter != nil }

    /// What users are told in place of an error of this stream.
    package final func presented(_ error: UVError) -> any Error {
        unsafe backlog?.filter?.filter.presented(error) ?? error
    }

    // MARK: Reading

    /// As ``read(upTo:onDone:)``, through the filter.
    @inline(never)
    final func readFiltered(
        upTo limit: Int, _ onDone: @escaping (StreamHandle, Result<[UInt8]?, UVError>) -> Void
    ) throws(UVError) -> ReadOutcome {
        guard let backlog = unsafe backlog, let installed = backlog.filter else {
            throw UVError(.alreadyInProcess, in: "read", of: "a stream that is being read")
        }
        if unsafe receiver.onDone != nil {
            throw UVError(.alreadyInProcess, in: "read", of: "a stream with a read waiting")
        }
        if limit < 1 { throw readError(.invalidArgument, in: "read", of: "up to \(limit) bytes") }
        if !pausesBefore(installed, backlog) {
            switch try takeFiltered(upTo: limit, installed, backlog) {
            case .bytes(let bytes): return .bytes(bytes)
            case .ended: return .ended
            case .nothing: break
            }
        }
        unsafe installed.limit = min(limit, Receiver.largest)
        unsafe receiver.onDone = onDone
        if unsafe !installed.isPaused, unsafe !receiver.isReading, unsafe !hasEnded { try readFilteredOn() }
        return .waiting
    }

    private final func readFilteredOn() throws(UVError) {
        let status = unsafe uv_read_start(stream, provideBuffer, bytesArrived)
        if status < 0 {
            unsafe receiver.onDone = nil
            throw readError(.init(rawValue: status), in: "read")
        }
        unsafe receiver.isReading = true
    }

    /// The next bytes from the filter. What it has to say leaves first, also before an error: an alert would be lost otherwise.
    private final func takeFiltered(
        upTo limit: Int, _ installed: InstalledFilter, _ backlog: WriteBacklog
    ) throws(UVError) -> FilteredBytes {
        let taken: Result<FilteredBytes, UVError>
        do throws(UVError) { taken = .success(try installed.filter.take(upTo: min(limit, Receiver.largest))) } catch {
            taken = .failure(error)
        }
        if installed.filter.unsentCount > 0 { sendFiltered(of: installed, backlog) }
        return try taken.get()
    }

    /// Sends what the filter has, or leaves it there, behind what is leaving. An error of it is that of the next write.
    private final func sendFiltered(of installed: InstalledFilter, _ backlog: WriteBacklog) {
        if !isOpen || backlog.isBusy { return }
        if backlog.failure != nil {
            // The peer is gone.
            return (try? installed.filter.send { bytes throws(UVError) in bytes.count }) ?? ()
        }
        do throws(UVError) { try backlog.sendSealed(of: installed, to: self) } catch { backlog.fail(error) }
    }

    /// Whether the peer must take answers first.
    private final func pausesBefore(_ installed: InstalledFilter, _ backlog: WriteBacklog) -> Bool {
        unsafe installed.isPaused = backlog.isBusy && installed.filter.unsentCount > InstalledFilter.mostUnsent
        return unsafe installed.isPaused
    }

    fileprivate final func filteredArrived(_ bytes: Span<UInt8>) {
        guard let backlog = unsafe backlog, let installed = backlog.filter else { return }
        installed.filter.receive(bytes)
        if unsafe receiver.onDone == nil || pausesBefore(installed, backlog) {
            installed.filter.keepRest()
            return stopReadingAhead()
        }
        handOut(installed, backlog)
    }

    /// Gives the reader that waits what the filter has.
    private final func handOut(_ installed: InstalledFilter, _ backlog: WriteBacklog) {
        let result: Result<[UInt8]?, UVError>
        do throws(UVError) {
            let taken = try takeFiltered(upTo: unsafe installed.limit, installed, backlog)
            installed.filter.keepRest()
            switch taken {
            case .nothing:
                // The filter's answer may not have left.
                if pausesBefore(installed, backlog) { stopReadingAhead() }
                return
            case .bytes(let bytes): result = .success(bytes)
            case .ended: result = .success(nil)
            }
        } catch {
            installed.filter.keepRest()
            result = .failure(error)
        }
        // The filter's own answers may have closed the stream.
        guard let call = unsafe receiver.onDone.take() else { return }
        guard unsafe receiver.isLent, case .success(let bytes?) = result else {
            unsafe receiver.isLent = false
            return call(self, result)
        }
        withExtendedLifetime(bytes) { call(self, .success(lend(bytes.span))) }
    }

    fileprivate final func filteredEnded(_ error: UVError?) {
        guard let backlog = unsafe backlog, let installed = backlog.filter else { return }
        // The end has taken them away.
        unsafe onBytes = filteredBytesArrived
        unsafe receiver.isReading = false
        installed.filter.receiveEnd(error)
        if unsafe receiver.onDone != nil { handOut(installed, backlog) }
    }

    /// The peer has taken what the filter had to say: what waits in the filter is read on.
    final func resumeFiltered(_ installed: InstalledFilter, _ backlog: WriteBacklog) {
        guard unsafe installed.isPaused, isOpen, !pausesBefore(installed, backlog), unsafe receiver.onDone != nil else {
            return
        }
        handOut(installed, backlog)
        // The reader may have got its bytes, and perhaps closed the stream.
        guard isOpen, unsafe receiver.onDone != nil, unsafe !installed.isPaused, unsafe !receiver.isReading,
            unsafe !hasEnded
        else { return }
        guard let call = unsafe receiver.onDone else { return }
        do throws(UVError) { try readFilteredOn() } catch { call(self, .failure(error)) }
    }

    // MARK: Writing

    /// What is sent at once of bytes that do not go straight to the system.
    @inline(never)
    final func sendDiverted(_ bytes: Span<UInt8>) throws(UVError) -> Int {
        guard let backlog = unsafe backlog, let installed = backlog.filter, !backlog.isBusy, !bytes.isEmpty else {
            return 0
        }
        var sent = unsafe installed.sealedAhead
        unsafe installed.sealedAhead = 0
        while sent < bytes.count, !backlog.isBusy {
            let next = sent..<min(sent + InstalledFilter.batch, bytes.count)
            try installed.filter.seal(bytes.extracting(next))
            sent = next.upperBound
            try backlog.sendSealed(of: installed, to: self)
        }
        guard backlog.isBusy, sent == bytes.count else { return sent }
        // All is sealed, but has not left: the writer waits, with a byte that is not sealed again.
        unsafe installed.sealedAhead = 1
        return sent - 1
    }

    /// As the other one, of several arrays: they leave in few pieces.
    final func sendDiverted(_ chunks: [[UInt8]]) throws(UVError) -> Int {
        guard isFiltered, !hasBacklog else { return 0 }
        let count = chunks.reduce(0) { $0 + $1.count }
        if chunks.count == 1 {
            let only = chunks[0]
            return try sendDiverted(only.span)
        }
        if count <= InstalledFilter.batch {
            let joined = Array(chunks.joined())
            return try sendDiverted(joined.span)
        }
        var sent = 0
        for chunk in chunks where !chunk.isEmpty {
            let more = try sendDiverted(chunk.span)
            sent += more
            if more < chunk.count { break }
        }
        return sent
    }

    /// Tells the peer that we finish, if all that was written has left: it could take less for all otherwise.
    final func finishFilteredBeforeClose() {
        guard isOpen, let backlog = unsafe backlog, let installed = backlog.filter, !backlog.isBusy,
            unsafe !hasShutDown,
            backlog.failure == nil
        else { return }
        installed.filter.sealEnd()
        // What the system does not take is lost with the rest.
        try? installed.filter.send { bytes throws(UVError) in try sendRaw(bytes) }
    }
}

private func filteredBytesArrived(_ stream: StreamHandle, _ bytes: Span<UInt8>) { stream.filteredArrived(bytes) }

private func filteredStreamEnded(_ stream: StreamHandle, _ error: UVError?) { stream.filteredEnded(error) }
