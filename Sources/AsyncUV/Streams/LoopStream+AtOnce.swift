internal import UV

/// Parts of a write that protocols call without a frame of their own in between, because each costs some hundred instructions.
extension LoopStream {
    /// Whether the stream's server drains; nothing off the loop.
    package var isDrainingNow: Bool? {
        guard loop.isCurrent else { return nil }
        return core.lend(on: loop) { core in loop.core.lend(on: loop) { $0.servers.isDraining(core.server) } }
    }

    /// What a write has come to at once.
    package enum BegunWrite: Equatable {
        case done
        /// So many bytes have left.
        case rest(from: Int)
        /// All has left, and the turn of the loop has had enough.
        case givesWay
        /// The caller is not on the loop.
        case elsewhere
    }

    /// Writes what fits, without a wait. What is not done then is ``endWrite(_:_:within:)``'s affair.
    package func beginWrite(_ bytes: [UInt8]) throws -> BegunWrite {
        guard loop.isCurrent else { return .elsewhere }
        try checkCancellation()
        let sent = try core.lend(on: loop) { try $0.tryWrite(bytes.span) }
        if sent < bytes.count { return .rest(from: sent) }
        return loop.charge(Cost.systemCall + sent) ? .givesWay : .done
    }

    /// Ends a write of some bytes.
    package func endWrite(_ bytes: [UInt8], _ begun: BegunWrite, within timeout: Duration?) async throws {
        switch begun {
        case .done: return
        case .rest(let sent): try await writeRest(of: [bytes], from: sent, within: timeout)
        case .givesWay: await loop.giveWay()
        case .elsewhere: try await write(bytes, within: timeout)
        }
    }
}
