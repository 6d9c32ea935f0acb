internal import AsyncUV
internal import Synchronization
internal import UV

extension WebSocket {
    /// Says goodbye, waits for the peer's answer, no longer than ``WebSocketLimits/closeTimeout``, and closes the stream. What the
    /// peer sends meanwhile goes to the task that reads; it is dropped when there is none. Afterwards ``next()`` is `nil`.
    ///
    /// Closing twice is harmless; after the peer's goodbye it closes the stream at once.
    ///
    /// - Parameter code: ``WebSocketCloseCode/abnormal`` closes the stream without a word.
    /// - Parameter reason: For the peer's log; what is beyond 123 bytes is cut off.
    ///
    /// Cancellation: the stream is closed at once.
    public func close(_ code: WebSocketCloseCode = .normal, reason: String = "") async {
        if code != .abnormal, core.withLock({ $0.end == nil }) {
            core.withLock { $0.isClosing = true }
            let mustSend = core.withLock { $0.beginClose() }
            // However it goes, the stream is closed.
            try? await withTimeout(limits.closeTimeout, on: stream.loop) {
                if mustSend { try await stream.write(frame(.close, WebSocketFrame.closePayload(code, reason).span)) }
                try await waitForEnd()
            }
        }
        core.withLock { $0.finish(.orderly) }
        await stream.close()
    }

    /// Reads to the peer's goodbye, or waits until the task that reads has done it; a client then waits for the server's end of
    /// the stream, which is to close first.
    private func waitForEnd() async throws {
        while core.withLock({ $0.end == nil }) {
            if let readingEnds = core.withLock({ $0.waitForReader(on: stream.loop) }) {
                try await readingEnds.acquire()
                // For the next one that waits.
                readingEnds.release()
            } else {
                while try await next() != nil {}
            }
        }
        if role == .client, closeCode != .abnormal { while try await stream.read() != nil {} }
    }

    /// The peer has said goodbye: says it, too, and closes the stream. A client leaves that to the server for a while.
    func answerClose(_ code: WebSocketCloseCode, _ reason: String) async {
        let (mustAnswer, isClosing) = core.withLock { core in
            core.noteClose(code, reason)
            return (core.beginClose(), core.isClosing)
        }
        let answer = mustAnswer ? frame(.close, WebSocketFrame.closePayload(code, "").span) : nil
        await sendLast(answer, closes: role == .server)
        core.withLock {
            $0.finish(code.isOrderly || !mustAnswer ? .orderly : .failed(WebSocketError(.closed, code, reason)))
        }
        guard role == .client, !isClosing else { return }
        let (stream, timeout) = (stream, limits.closeTimeout)
        Task(executorPreference: stream.loop) {
            _ = try? await withTimeout(timeout, on: stream.loop) { while try await stream.read() != nil {} }
            await stream.close()
        }
    }

    /// The server ends: says so. The peer's answer ends the conversation.
    func sendGoingAway() async {
        let mustSend = core.withLock { core in
            core.isLeaving = true
            return core.beginClose()
        }
        if mustSend { await sendLast(frame(.close, WebSocketFrame.closePayload(.goingAway, "").span), closes: false) }
    }

    /// The peer has done what it must not: tells it, and closes the stream.
    func fail(_ error: WebSocketError) async {
        let mustSend = core.withLock { core in
            defer { core.finish(.failed(error)) }
            core.noteClose(error.closeCode, error.reason)
            return core.beginClose()
        }
        let goodbye = WebSocketFrame.closePayload(error.closeCode, error.reason)
        await sendLast(mustSend ? frame(.close, goodbye.span) : nil, closes: true)
    }

    /// The stream has ended, and the peer has not said goodbye.
    func truncate() async {
        core.withLock { core in
            core.noteClose(.abnormal, "")
            core.finish(core.sentClose ? .orderly : .failed(WebSocketError(.truncated, .abnormal, "")))
        }
        await stream.close()
    }

    /// Sends a frame, if there is one, and perhaps closes the stream, in a task of its own, because the reader's may be
    /// cancelled. It takes no longer than ``WebSocketLimits/closeTimeout``, should the peer not read.
    private func sendLast(_ frame: [UInt8]?, closes: Bool) async {
        let (stream, timeout) = (stream, limits.closeTimeout)
        let last = Task(executorPreference: stream.loop) {
            if let frame { try? await withTimeout(timeout, on: stream.loop) { try await stream.write(frame) } }
            if closes { await stream.close() }
        }
        await last.value
    }

    // MARK: Keeping alive

    /// Sends a ping whenever nothing has come for a while, and ends the conversation when nothing comes after it, either, although
    /// a task waits for it: for connections that vanish without a word, and for what lies between and drops what is silent. To
    /// run beside the reader:
    ///
    /// ```swift
    /// async let alive: Void = socket.keepAlive()
    /// for try await message in socket { … }
    /// ```
    ///
    /// It returns when the conversation has ended, and throws what a write throws.
    ///
    /// - Parameter interval: How long nothing may come before a ping is sent.
    /// - Parameter timeout: How long nothing may come after it: then the stream is closed, and ``next()`` throws
    ///   ``WebSocketError`` with `.unanswered`.
    ///
    /// Cancellation: it ends.
    public func keepAlive(every interval: Duration = .seconds(20), timeout: Duration = .seconds(20)) async throws {
        let loop = stream.loop
        while core.withLock({ $0.end == nil }) {
            let before = core.withLock { $0.chunkCount }
            try await loop.sleep(for: interval)
            if core.withLock({ $0.chunkCount != before || $0.sentClose || !$0.isWaiting }) { continue }
            do {
                try await withTimeout(timeout, on: loop) { try await ping() }
            } catch let error as WebSocketError where error.kind == .closed { return } catch UVError.Code.timedOut {}
            try await loop.sleep(for: timeout)
            let isGone = core.withLock { core in
                guard core.chunkCount == before, core.isWaiting, core.end == nil else { return false }
                core.noteClose(.abnormal, "")
                core.finish(.failed(WebSocketError(.unanswered, .abnormal, "nothing for \(interval + timeout)")))
                return true
            }
            if isGone { await stream.close() }
        }
    }
}
