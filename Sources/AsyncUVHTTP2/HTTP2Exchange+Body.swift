internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes
internal import UV

/// The request's body.
extension HTTP2Exchange {
    private enum Step {
        case piece([UInt8]?)
        case wait(AsyncSemaphore, Duration)
    }

    func nextPiece(of number: UInt32, limit: Int) async throws -> [UInt8]? {
        while true {
            let step = try locked { core, stream in try nextStep(core, stream, limit) }
            guard case .wait(let semaphore, let time) = step else {
                guard case .piece(let piece) = step else { return nil }
                return piece
            }
            let start = LoopClock.Instant.now
            defer {
                _ = try? locked { _, stream in
                    stream.isRead = false
                    stream.waited += .now - start
                }
            }
            do { try await semaphore.acquire(timeout: max(.zero, time)) } catch let error as UVError
                where error.code == .timedOut
            {
                server.noteOtherTimeout()
                throw HTTPRefusal(.requestTimeout, "the body did not come in time")
            }
        }
    }

    private func nextStep(_ core: ConnectionCore, _ stream: StreamState, _ limit: Int) throws -> Step {
        if stream.isRead { throw UVError(.alreadyInProcess, in: "read", of: "a body, which another task reads") }
        if let length = stream.length, length > limit { throw Self.tooLong(limit) }
        if !stream.input.isEmpty {
            let bytes = stream.input
            stream.input = []
            stream.taken += bytes.count
            core.consume(id, bytes.count)
            if stream.taken > limit { throw Self.tooLong(limit) }
            return .piece(bytes)
        }
        if stream.inputHasEnded {
            if stream.refusal != nil { throw HTTPRefusal(.badRequest, "the fields behind the body are wrong") }
            return .piece(nil)
        }
        if stream.isReset || stream.isClosed { throw HTTPServerError.clientGone }
        if core.inputHasEnded { throw UVError(.endOfFile, in: "read", of: "the body of a request") }
        if stream.expectsContinue, stream.answer == .none {
            var fields = FieldList()
            fields.add(":status", "100")
            core.submitInterim(id, fields)
        }
        stream.expectsContinue = false
        stream.isRead = true
        let semaphore = semaphore()
        stream.reader = semaphore
        return .wait(semaphore, server.timeAllowed(for: stream.taken) - stream.waited)
    }

    private static func tooLong(_ limit: Int) -> HTTPRefusal {
        HTTPRefusal(.contentTooLarge, "the body is longer than \(limit) bytes")
    }

    var trailers: HTTPFields {
        (try? locked { _, stream in stream.inputHasEnded && stream.input.isEmpty ? stream.trailers : [:] }) ?? [:]
    }
}
