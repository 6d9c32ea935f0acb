internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes

/// What nghttp2 tells.
extension ConnectionCore {
    func headBegins(_ id: Int32, isFirst: Bool) {
        if isFirst {
            streams[id] = StreamState()
        } else if let stream = streams[id] {
            stream.isBehindBody = true
            stream.headSize = 0
            stream.fieldCount = 0
        }
    }

    func takeField(_ id: Int32, _ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        guard let stream = streams[id], !name.isEmpty else { return true }
        stream.take(name, value, http)
        // The end of what is too long is waited for, so that it can be answered; not for ever.
        if stream.headSize - 262_144 <= http.head { return true }
        refuse()
        return false
    }

    func headEnds(_ id: Int32, endsStream: Bool) {
        guard let stream = streams[id] else { return }
        if endsStream { endInput(of: stream) }
        if stream.isBehindBody { return }
        controlsLeft += 1
        stream.finishHead()
        // nghttp2 counts open streams, but a handler may run longer than its stream.
        if running >= limits.concurrentStreams {
            streams[id] = nil
            nghttp2.reset(id, .refusedStream)
            // It is not the client's fault when handlers go on after their answers.
            if streams.values.contains(where: { $0.isRunning && $0.isReset }) { countReset() }
            return
        }
        running += 1
        fresh.append(id)
    }

    private func endInput(of stream: StreamState) {
        stream.inputHasEnded = true
        wake(&stream.reader)
    }

    func takeData(_ id: Int32, _ bytes: Span<UInt8>) {
        // What a handler has left behind is thrown away.
        guard let stream = streams[id], stream.isRunning || fresh.contains(id), !stream.isClosed else { return }
        stream.input.append(copying: bytes)
        wake(&stream.reader)
    }

    func dataEnds(_ id: Int32) { if let stream = streams[id] { endInput(of: stream) } }

    func reset(_ id: Int32) {
        guard let stream = streams[id] else { return }
        stream.isReset = true
        if stream.answer == .none { countReset() }
    }

    private func countReset() {
        resetsLeft -= 1
        if resetsLeft < 0 { refuse() }
    }

    func closed(_ id: Int32, _ error: UInt32) {
        guard let stream = streams[id] else { return }
        stream.isClosed = true
        if error != 0, !stream.isReset {
            // A client may make us reset what it has asked for, by frames that are wrong (CVE-2025-8671).
            if stream.answer == .none { countReset() }
            stream.isReset = true
        }
        wakeAll(stream)
        if stream.isRunning { return }
        // Its handler has ended, or will not be called.
        if let index = fresh.firstIndex(of: id) {
            fresh.remove(at: index)
            running -= 1
        }
        streams[id] = nil
    }

    func takeControl() {
        controlsLeft -= 1
        if controlsLeft >= 0 { return }
        let now = LoopClock.Instant.now
        let more = Int(min((now - controlsCounted) / .milliseconds(10), 1_000_000))
        controlsCounted = now
        controlsLeft = min(limits.controlFrames, more) - 1
        if controlsLeft < 0 { refuse() }
    }

    func body(_ id: Int32, _ room: Int) -> (bytes: ArraySlice<UInt8>, more: More) {
        guard let stream = streams[id] else { return ([], .end) }
        let bytes = stream.output[stream.outputTaken...].prefix(room)
        stream.outputTaken += bytes.count
        if !stream.outputIsEmpty { return (bytes, .more) }
        stream.output = []
        stream.outputTaken = 0
        wake(&stream.writer)
        if stream.outputHasEnded {
            stream.isSent = true
            guard let trailers = stream.outputTrailers else { return (bytes, .end) }
            nghttp2.submitTrailers(id, trailers)
            return (bytes, .endWithFields)
        }
        return (bytes, bytes.isEmpty ? .nothingYet : .more)
    }
}
