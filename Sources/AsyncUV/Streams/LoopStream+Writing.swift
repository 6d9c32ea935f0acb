internal import UV

extension LoopStream {
    /// Writes lent bytes; only those that do not fit at once are copied.
    @usableFromInline
    func write(_ bytes: Span<UInt8>, within timeout: Duration? = nil) async throws {
        guard loop.isCurrent else { return try await write([UInt8](copying: bytes), within: timeout) }
        try checkCancellation()
        let count = bytes.count
        let sent = try core.open(on: loop).tryWrite(bytes)
        if sent < count || (count == 0 && hasQueue) {
            // One byte that was sent stays, so that the write counts as begun.
            let kept = max(sent - 1, 0)
            let rest = [UInt8](copying: bytes.extracting(droppingFirst: kept))
            try await writeRest(of: [rest], from: sent - kept, within: timeout)
        } else if loop.charge(Cost.systemCall + sent) {
            await loop.giveWay()
        }
    }
}
