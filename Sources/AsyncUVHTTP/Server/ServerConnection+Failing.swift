internal import AsyncUV
internal import HTTPTypes
internal import Synchronization

/// What becomes of a request whose handler has not answered it well, and of what is no request.
extension ServerConnection {
    @inline(never)
    func endBadly(_ number: UInt32, _ error: (any Error)?, _ answer: State.Answer) async throws -> Bool {
        defer { state.withLock { $0.number &+= 1 } }
        let failure = error ?? (answer == .none ? HTTPServerError.noAnswer : .unfinished)
        if state.withLock({ $0.departure })?.isSame(as: failure) == true {
            await endDeparted(number, answer)
            return false
        }
        if failure as? HTTPServerError == .clientGone {
            if answer == .begun, seemsWhole { await abort() }
            return false
        }
        switch answer {
        case .none:
            if let refusal = failure as? HTTPRefusal {
                try await send(number, refusal)
                let (isKept, isReading) = state.withLock { ($0.isKept, $0.isReading) }
                if !isKept || isReading { return false }
                return try await drop(number)
            }
            state.withLock { $0.isKept = false }
            // The connection may have been what failed.
            try? await send(
                number, HTTPRefusal(.internalServerError, "something went wrong here"))
        case .begun:
            let isTooSlow = (failure as? UVError)?.code == .timedOut
            if isTooSlow { server.noteTimeout() }
            // What a client does not take is not to be kept for it.
            if isTooSlow || seemsWhole { await abort() }
        case .ended: break
        }
        throw failure
    }

    /// The client has left within its body, which is no error of the handler's. It may listen still.
    private func endDeparted(_ number: UInt32, _ answer: State.Answer) async {
        server.noteRefusal()
        switch answer {
        case .none: try? await send(number, HTTPRefusal(.badRequest, "the body is not whole"))
        case .begun: if seemsWhole { await abort() }
        case .ended: break
        }
    }

    /// Whether the client would take what it has for the whole answer: a body up to the end of the connection.
    private var seemsWhole: Bool { state.withLock { $0.promised == nil && !$0.isChunked } }

    /// Answers what is no proper request.
    func refuse(_ refusal: HTTPRefusal) async throws {
        let number = state.withLock { state in
            state.answer = .none
            state.isHead = false
            state.isKept = false
            state.expectsContinue = false
            state.body = BodyReader(.none, limits: server.limits)
            return state.number
        }
        try await send(number, refusal)
    }

    private func send(_ number: UInt32, _ refusal: HTTPRefusal) async throws {
        let answer = refusal.answer
        try await send(number, answer.status, answer.fields, answer.body)
    }
}
