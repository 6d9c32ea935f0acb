internal import AsyncUV
internal import Synchronization
internal import UV

/// Reading the body of a request.
extension ServerConnection {
    fileprivate enum Step: Sendable {
        case piece([UInt8]?)
        case wait(tellsToContinue: Bool, Duration)
    }

    func nextPiece(of number: UInt32, limit: Int) async throws -> [UInt8]? {
        while true {
            switch try changeBody({ try $0.nextPiece(of: number, limit: limit, server) }) {
            case .piece(let bytes): return bytes
            case .wait(let tellsToContinue, let time):
                let start = LoopClock.Instant.now
                var bytes: [UInt8]?
                do {
                    if tellsToContinue { try await write([Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)]) }
                    bytes = try await read(timeout: time, untilDraining: false)
                } catch {
                    let isLate = (error as? UVError)?.code == .timedOut
                    changeBody { state in
                        state.isReading = false
                        if isLate { state.isKept = false }
                        if error.peerDeparture != nil { state.leave(error as? any PeerError) }
                    }
                    if !isLate { throw error }
                    server.noteTimeout()
                    throw HTTPRefusal(.requestTimeout, "the body did not come in time")
                }
                let end = bytes == nil ? UVError(.endOfFile, in: "read", of: "the body of a request") : nil
                changeBody { state in
                    state.isReading = false
                    state.bodyWaited += .now - start
                    if let bytes { state.parser.input.append(bytes) } else { state.leave(end) }
                }
                if let end { throw end }
            }
        }
    }

    /// Changes the state of the body; whoever waits for its end is told when that has come.
    private func changeBody<Result: Sendable>(
        _ change: (inout sending State) throws -> Result
    ) rethrows -> Result {
        let (result, watch) = try state.withLock { state in (try change(&state), state.takeBodyWatch()) }
        watch?.release()
        return result
    }

    /// Drops the rest of a body, if it is short.
    func drop(_ number: UInt32) async throws -> Bool {
        let (hasEnded, limit) = state.withLock { ($0.body.hasEnded, $0.bodyTaken + Self.dropped) }
        if hasEnded { return true }
        do {
            while try await nextPiece(of: number, limit: limit) != nil {}
            return true
        } catch is HTTPRefusal {
            return false
        } catch let error where error.peerDeparture != nil {
            return false
        }
    }
}

extension ServerConnection.State {
    mutating func leave(_ error: (any PeerError)?) {
        departure = error
        isKept = false
    }

    fileprivate mutating func nextPiece(
        of number: UInt32, limit: Int, _ server: HTTPServer
    ) throws -> ServerConnection.Step {
        guard self.number == number else { throw HTTPServerError.isOver }
        if let remaining = body.remaining, remaining > limit || bodyTaken > limit - remaining { throw tooLong(limit) }
        let piece: BodyReader.Piece
        do { piece = try body.next(&parser.input) } catch {
            isKept = false
            throw error
        }
        switch piece {
        case .bytes(let bytes):
            bodyTaken += bytes.count
            if bodyTaken > limit { throw tooLong(limit) }
            expectsContinue = false
            return .piece(bytes)
        case .end: return .piece(nil)
        case .needsMore:
            if isReading { throw UVError(.alreadyInProcess, in: "read", of: "a body, which another task reads") }
            isReading = true
            let tellsToContinue = expectsContinue && answer == .none
            expectsContinue = false
            return .wait(tellsToContinue: tellsToContinue, server.time(for: bodyTaken) - bodyWaited)
        }
    }

    private mutating func tooLong(_ limit: Int) -> HTTPRefusal {
        isKept = false
        return HTTPRefusal(.contentTooLarge, "the body is longer than \(limit) bytes")
    }
}
